"""A policy of two entries that are tied: shown actions lie on a circle, and it is counted which draws lie beside it.

`Plain` and `Bins` are rival ways for the same network: one says the mean, one a bin of each entry for itself.
"""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.denoised import Denoised
from umwelt.behaviours.histories import Context, Sequences
from umwelt.claims.arms import Measure
from umwelt.core import Box, keys, part
from umwelt.networks import denoisers
from umwelt.networks.denoisers import Denoiser

OFF = Measure(name="off_circle", unit="share of draws", better="down")
"""The share of drawn actions that lie further from the circle than `Circled.near`."""


@part
class Plain:
    """Says the mean of what is shown, by squared error."""

    def outputs(self, size: int) -> int:
        """One number for each entry."""
        return size

    def loss(self, key: jax.Array, network: Denoiser, clean: jax.Array, seen: jax.Array, lessons: jax.Array) -> jax.Array:
        """The squared error [N]."""
        return jnp.mean((_outputs(network, seen, clean.shape[1]) - clean) ** 2, axis=-1)

    def draw(self, key: jax.Array, network: Denoiser, seen: jax.Array, size: int) -> jax.Array:
        """The mean itself."""
        return _outputs(network, seen, size)


@part
class Bins:
    """Draws a bin of each entry, and a place in it; the entries know nothing of each other."""

    number: int = 20
    """Bins of one entry."""

    def outputs(self, size: int) -> int:
        """A logit for each bin of each entry."""
        return size * self.number

    def loss(self, key: jax.Array, network: Denoiser, clean: jax.Array, seen: jax.Array, lessons: jax.Array) -> jax.Array:
        """The cross entropy of the true bins [N], summed over entries."""
        true = jnp.clip(jnp.floor((clean + 1.0) / 2.0 * self.number), 0, self.number - 1).astype(jnp.int32)
        log = jax.nn.log_softmax(_outputs(network, seen, clean.shape[1]).reshape(*clean.shape, self.number))
        return -jnp.sum(jnp.take_along_axis(log, true[..., None], axis=-1)[..., 0], axis=-1)

    def draw(self, key: jax.Array, network: Denoiser, seen: jax.Array, size: int) -> jax.Array:
        """Draw every entry for itself."""
        choosing, placing = keys.split(key, "choose", "place")
        logits = _outputs(network, seen, size).reshape(-1, size, self.number)
        drawn = jax.random.categorical(choosing, logits) + jax.random.uniform(placing, logits.shape[:2])
        return 2.0 * drawn / self.number - 1.0


@part
class Circled:
    """A policy that is shown actions on a circle; a function of a key."""

    learner: Denoised
    """What learns, with a window of one step."""
    radius: float = 0.7
    """Radius of the circle, in units."""
    near: float = 0.1
    """How far from the circle a draw may lie."""
    updates: int = 3000
    batch: int = 128
    draws: int = 2000

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Learn, and count the draws off the circle: {measure: float32 []}."""
        beginning, learning, drawing = keys.split(key, "begin", "learn", "draw")

        def update(state: Any, key: jax.Array) -> tuple[Any, None]:
            return self.learner.learn(key, state, self._rows(key))[0], None

        begun = self.learner.init(beginning, 1, Box(shape=(2,), low=-1.0, high=1.0))
        state, _ = jax.lax.scan(update, begun, jax.random.split(learning, self.updates))
        context = _moments(jnp.zeros((self.draws, 1, 2)))
        drawn = self.learner.act(drawing, state, context, "exploit")[:, 0]
        apart = jnp.abs(jnp.sqrt(jnp.sum(drawn**2, axis=-1)) - self.radius)
        return {"off_circle": jnp.mean((apart > self.near).astype(jnp.float32))}

    def _rows(self, key: jax.Array) -> Sequences:
        """Stretches [N, 1] in which nothing is seen."""
        angle = jax.random.uniform(keys.fold(key, "angle"), (self.batch, 1), maxval=2.0 * jnp.pi)
        actions = self.radius * jnp.stack([jnp.cos(angle), jnp.sin(angle)], axis=-1)
        context, every = _moments(actions), jnp.ones((self.batch, 1), bool)
        return Sequences(
            context=context,
            after=context.features,
            wanted_after=context.wanted,
            continues=context.wanted + 1.0,
            acted=every,
            returned=every,
        )


def _moments(actions: jax.Array) -> Context:
    """Histories [N, 1] of actions [N, 1, A] in which nothing is seen."""
    nothing = jnp.zeros(actions.shape[:2])
    features, known = nothing[..., None], nothing == 0.0
    return Context(features=features, actions=actions, rewards=nothing, wanted=nothing, known=known)


def _outputs(network: Denoiser, seen: jax.Array, size: int) -> jax.Array:
    """What a network says where there is nothing noisy."""
    rows = seen.shape[0]
    return denoisers.reading(network, seen)(jnp.zeros((rows, size)), jnp.zeros(rows))
