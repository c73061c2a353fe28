"""Where feeling and expectation part: some entries of a moment are predicted from others, and the error pays.

"Touch-based curiosity for sparse-reward tasks" (2021): a network learns what touching looks like, and is surprised where
what is felt is not what is seen. Across one moment it needs no model of what happens. With `of="next"` it is the error of
a one-step prediction, the signal that this one is compared with.
"""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Info, Metric, Moment, part, struct
from umwelt.networks import bonuses, layers, scale
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped, where_any
from umwelt.networks.scale import Scale

LOSS = Metric(
    name="mismatch_loss",
    unit="variances of what is predicted",
    meaning="mean squared error of the network, before the update",
    better="down",
)


@struct
class MismatchState:
    """network: a stack. optimiser: Optax's. inputs, targets: scales of what is read and predicted."""

    network: Any
    optimiser: Any
    inputs: Scale
    targets: Scale


@part
class Mismatch:
    """The length of the error, in standard units, of a network that predicts some entries from others.

    >>> signal, key = Mismatch(given=(0,), expected=(1,), units=8), jax.random.key(0)
    >>> state = signal.init(key, width=2, actions=1, batch=1)

    >>> place = jnp.array([[0.0, 3.0]])
    >>> moment = Moment(now=place, after=place, done=place[:, :1], weight=jnp.ones(1), surprise=jnp.zeros(1))

    >>> round(float(jax.jit(signal.bonus)(key, state, moment)[0]), 1)  # nothing is felt where nothing is seen, it believes
    3.0
    """

    given: tuple[int, ...] = ()
    """Entries that are read; () for all that are not predicted, and of the moment before for all."""
    expected: tuple[int, ...] = ()
    """Entries of the moment after that are predicted; () for all, with `of="next"` alone."""
    of: Literal["same", "next"] = "same"
    """Predict entries of the moment from others of the same moment; or from the moment before and the action."""
    units: int = 64
    """Width of the two hidden layers."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    clip: float = 10.0
    """What is read and predicted is clipped at so many standard deviations."""
    horizon: float = 1e5
    """Transitions over which scales are averaged."""

    metrics = (LOSS,)
    novelty = True
    cites = ("touch_curiosity_2021",)

    def init(self, key: jax.Array, width: int, actions: int, batch: int) -> MismatchState:
        """Draw the network, which predicts the mean at first."""
        if self.of not in ("same", "next"):
            raise ValueError(f"of={self.of!r}: Mismatch predicts entries of the 'same' moment or of the 'next'")
        given, expected = self._entries(width)
        if self.of == "same" and (not self.expected or set(given) & set(expected)):
            raise ValueError(
                f"expected={self.expected}: of the same moment, name the entries to predict, and read others than these"
            )
        if min(*given, *expected, 0) < 0 or max(*given, *expected, 0) >= width:
            raise ValueError(f"given={self.given}, expected={self.expected}: an observation has the entries 0 .. {width - 1}")
        into = len(given) + actions * (self.of == "next")
        network: Any = layers.stack(key, (into, self.units, self.units, len(expected)), scale=0.0, normed=False)
        return MismatchState(
            network=network,
            optimiser=optimiser(self.learning_rate).init(network),
            inputs=scale.unit(into),
            targets=scale.unit(len(expected)),
        )

    def bonus(self, key: jax.Array, state: MismatchState, moment: Moment) -> jax.Array:
        """The length of the error of each row: float32 [N]."""
        return jnp.sqrt(jnp.sum(self._missed(state, state.network, moment) ** 2, axis=-1))

    def learn(self, key: jax.Array, state: MismatchState, moment: Moment) -> tuple[MismatchState, Info]:
        """Update the scales, then the network once."""
        wiped, number, share = bonuses.weighed(moment)
        rows, wanted = self._read(wiped)
        scaled = replace(
            state,
            inputs=scale.update(state.inputs, rows, number, self.horizon),
            targets=scale.update(state.targets, wanted, number, self.horizon),
        )

        def loss(network: Any) -> jax.Array:
            return jnp.sum(share * jnp.mean(self._missed(scaled, network, wiped) ** 2, axis=-1))

        error, gradient = jax.value_and_grad(loss)(state.network)
        network, optimised = stepped(optimiser(self.learning_rate), gradient, state.optimiser, state.network)
        learned = replace(scaled, network=network, optimiser=optimised)
        return where_any(moment.weight, learned, state), {"mismatch_loss": error}

    def _entries(self, width: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The entries that are read, and those that are predicted."""
        every = tuple(range(width))
        expected = self.expected or every
        rest = every if self.of == "next" else tuple(entry for entry in every if entry not in expected)
        return self.given or rest, expected

    def _read(self, moment: Moment) -> tuple[jax.Array, jax.Array]:
        """What the network reads, [N, in], and what it is to predict, [N, out]; of the next moment, the change."""
        given, expected = (np.array(entries) for entries in self._entries(moment.after.shape[-1]))
        if self.of == "same":
            return moment.after[:, given], moment.after[:, expected]
        rows = jnp.concatenate([moment.now[:, given], moment.done], axis=-1)
        return rows, moment.after[:, expected] - moment.now[:, expected]

    def _missed(self, state: MismatchState, network: Stack, moment: Moment) -> jax.Array:
        """The error, in standard units: float32 [N, out]."""
        rows, wanted = self._read(moment)
        inputs = scale.standard(state.inputs, rows, self.clip)
        return layers.apply(network, inputs, jax.nn.silu) - scale.standard(state.targets, wanted, self.clip)
