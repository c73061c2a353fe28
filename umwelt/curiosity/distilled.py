"""Random network distillation: the error of a network that learns to predict what a fixed random network computes.

"Exploration by random network distillation" (ICLR 2019). The error is small where the predictor has learned, and stays
large where it has not. The target is a deterministic function of the observation, so noise of the world pays nothing.
Inputs are standardised and clipped; otherwise the target hardly varies, or an outlier decides.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Info, Metric, Moment, keys, part, struct
from umwelt.networks import bonuses, layers, scale
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import Protection, optimiser, stepped, where_any
from umwelt.networks.scale import Scale

LOSS = Metric(
    name="distillation_loss",
    unit="squared outputs of the random network",
    meaning="mean squared error of the predictor, before the update",
    better="down",
)


@struct
class DistilledState:
    """target, predictor: stacks; the target is never updated. optimiser: Optax's. inputs: the scale of what they read."""

    target: Stack
    predictor: Any
    optimiser: Any
    inputs: Scale


@part
class Distilled:
    """The mean squared error of a predictor of a fixed random network, at the observation that came after.

    >>> signal, key = Distilled(units=8, outputs=4), jax.random.key(0)
    >>> state = signal.init(key, width=2, actions=1, batch=1)

    >>> place = jnp.ones((1, 2))
    >>> moment = Moment(now=place, after=place, done=place[:, :1], weight=jnp.ones(1), surprise=jnp.zeros(1))

    >>> learn, errors = jax.jit(signal.learn), []
    >>> for _ in range(3):
    ...     state, info = learn(key, state, moment)
    ...     errors.append(float(info["distillation_loss"]))
    >>> errors == sorted(errors, reverse=True)  # what is met again pays less
    True
    """

    units: int = 64
    """Width of the two hidden layers of both networks."""
    outputs: int = 32
    """Numbers that the random network computes."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    clip: float = 5.0
    """Inputs are clipped at so many standard deviations."""
    horizon: float = 1e5
    """Transitions over which the scale of the inputs is averaged."""
    protection: Protection | None = None
    """What keeps the predictor's weights near to what they were, or able to learn."""

    metrics = (LOSS,)
    novelty = True
    cites = ("rnd_2019",)

    def init(self, key: jax.Array, width: int, actions: int, batch: int) -> DistilledState:
        """Draw both networks."""
        for_target, for_predictor = keys.split(key, "target", "predictor")
        widths = (width, self.units, self.units, self.outputs)
        predictor: Any = layers.stack(for_predictor, widths, normed=False)
        return DistilledState(
            target=layers.stack(for_target, widths, normed=False),
            predictor=predictor,
            optimiser=self._optimiser.init(predictor),
            inputs=scale.unit(width),
        )

    def bonus(self, key: jax.Array, state: DistilledState, moment: Moment) -> jax.Array:
        """Compute the predictor's error at each row."""
        return self.error(state, state.predictor, moment.after)

    def learn(self, key: jax.Array, state: DistilledState, moment: Moment) -> tuple[DistilledState, Info]:
        """Update the scale of the inputs, then the predictor once."""
        wiped, number, share = bonuses.weighed(moment)
        scaled = replace(state, inputs=scale.update(state.inputs, wiped.after, number, self.horizon))

        def loss(predictor: Any) -> jax.Array:
            return jnp.sum(share * self.error(scaled, predictor, wiped.after))

        error, gradient = jax.value_and_grad(loss)(state.predictor)
        predictor, optimised = stepped(self._optimiser, gradient, state.optimiser, state.predictor, jax.grad(loss))
        learned = replace(scaled, predictor=predictor, optimiser=optimised)
        return where_any(moment.weight, learned, state), {"distillation_loss": error}

    def error(self, state: DistilledState, predictor: Stack, features: jax.Array) -> jax.Array:
        """The mean squared error of a predictor at features [N, F]: float32 [N]."""
        inputs = scale.standard(state.inputs, features, self.clip)
        target, guess = (layers.apply(each, inputs, jax.nn.relu) for each in (state.target, predictor))
        return jnp.mean((guess - target) ** 2, axis=-1)

    @property
    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, protection=self.protection)
