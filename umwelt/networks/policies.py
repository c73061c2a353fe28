"""Policies as distributions over actions, read from the outputs of a network.

- Gaussian: a normal for each entry of a Box, squashed by tanh into (-1, 1) and scaled to its bounds
- Clipped: a normal for each entry of a Box, whose draws are cut where they leave the bounds
- Choice: a categorical over a Discrete

All have `width` (how many outputs they read), and the methods draw, best, log_prob, entropy.
Actions of a Box are handled in the unit (-1, 1); `action` brings them to the world's own.
`masked` closes the choices that are not admissible, in the outputs, so that all methods respect them.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, part

EDGE = 1.0 - 1e-6
"""Unit actions are kept this far inside (-1, 1), so that their density stays finite."""
HALF_LOG = 0.5 * math.log(2 * math.pi)
"""What a normal of deviation 1 takes from the log density at its middle."""
CLOSED = -1e9
"""The output, and the log probability, of a choice that is not admissible: finite, so that its product with zero is no
NaN."""


@part
class Gaussian:
    """Squashed normals over a bounded Box. Outputs [..., 2A]: means, then log deviations."""

    space: Box
    lowest: float = -10.0
    """The lowest log deviation."""
    highest: float = 2.0
    """The highest log deviation."""

    @property
    def size(self) -> int:
        """Entries of one action."""
        return math.prod(self.space.shape)

    @property
    def width(self) -> int:
        """How many outputs the policy reads."""
        return 2 * self.size

    @property
    def inputs(self) -> int:
        """How many numbers a network reads of one action."""
        return self.size

    def moments(self, outputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Read mean and log deviation [..., A] of the normals before they are squashed."""
        mean, raw = jnp.split(outputs, 2, axis=-1)
        return mean, self.lowest + 0.5 * (self.highest - self.lowest) * (jnp.tanh(raw) + 1.0)

    def draw(self, key: jax.Array, outputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Draw unit actions [..., A], and their log density [...]; differentiable in the outputs."""
        unit, each = self.each(key, outputs)
        return unit, jnp.sum(each, axis=-1)

    def each(self, key: jax.Array, outputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Draw as `draw` does, with the log density of each entry, [..., A]."""
        mean, log_deviation = self.moments(outputs)
        noise = jax.random.normal(key, mean.shape)
        raw = mean + jnp.exp(log_deviation) * noise
        normal = -0.5 * noise**2 - log_deviation - HALF_LOG
        return jnp.tanh(raw), normal - _squash(raw)

    def best(self, outputs: jax.Array) -> jax.Array:
        """Take the middle action, in units [..., A]."""
        return jnp.tanh(self.moments(outputs)[0])

    def log_prob(self, outputs: jax.Array, unit: jax.Array) -> jax.Array:
        """Compute the log density [...] of unit actions [..., A]."""
        mean, log_deviation = self.moments(outputs)
        raw = jnp.arctanh(jnp.clip(unit, -EDGE, EDGE))
        normal = -0.5 * ((raw - mean) * jnp.exp(-log_deviation)) ** 2 - log_deviation - HALF_LOG
        return jnp.sum(normal - _squash(raw), axis=-1)

    def entropy(self, key: jax.Array, outputs: jax.Array) -> jax.Array:
        """Estimate the entropy [...] from one draw: it has no closed form."""
        return -self.draw(key, outputs)[1]

    def features(self, unit: jax.Array) -> jax.Array:
        """Encode a unit action for a network: [..., A]."""
        return unit

    def action(self, unit: jax.Array) -> jax.Array:
        """Bring units [N, A] to the world's actions [N, *shape]."""
        middle, half = self._middle
        scaled = jnp.asarray(middle) + half * unit.reshape(*unit.shape[:-1], *self.space.shape)
        return scaled.astype(self.space.dtype)

    def unit(self, action: jax.Array) -> jax.Array:
        """Bring the world's actions [N, *shape] to units [N, A]."""
        middle, half = self._middle
        lead = action.ndim - len(self.space.shape)
        return ((action - middle) / half).reshape(*action.shape[:lead], self.size).astype(jnp.float32)

    @property
    def _middle(self) -> tuple[np.ndarray, np.ndarray]:
        low, high = (edge.astype(np.float32) for edge in self.space.bounds)
        half = (high - low) / 2
        return low + half, np.where(half > 0, half, np.float32(1.0))


@part
class Clipped:
    """Normals around a squashed mean. Their draws are cut only on the way into the world, so that density and entropy
    stay those of a normal. Outputs [..., 2A]: means, then deviations; zeros are wide, not narrow."""

    scaled: Gaussian
    """The policy that brings units to the bounds of the Box and back."""
    lowest: float = 0.1
    """The lowest deviation."""
    highest: float = 1.0
    """The highest deviation."""

    @property
    def size(self) -> int:
        """Entries of one action."""
        return self.scaled.size

    @property
    def width(self) -> int:
        """How many outputs the policy reads."""
        return self.scaled.width

    @property
    def inputs(self) -> int:
        """How many numbers a network reads of one action."""
        return self.scaled.inputs

    def moments(self, outputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Read mean and log deviation [..., A]."""
        mean, raw = jnp.split(outputs, 2, axis=-1)
        return jnp.tanh(mean), jnp.log(self.lowest + (self.highest - self.lowest) * jax.nn.sigmoid(raw + 2.0))

    def draw(self, key: jax.Array, outputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Draw actions [..., A] in units, some outside (-1, 1), and their log density [...]."""
        mean, log_deviation = self.moments(outputs)
        unit = mean + jnp.exp(log_deviation) * jax.random.normal(key, mean.shape)
        return unit, self.log_prob(outputs, unit)

    def best(self, outputs: jax.Array) -> jax.Array:
        """Take the middle action, in units [..., A]."""
        return self.moments(outputs)[0]

    def log_prob(self, outputs: jax.Array, unit: jax.Array) -> jax.Array:
        """Compute the log density [...] of actions [..., A] before they are cut."""
        mean, log_deviation = self.moments(outputs)
        return jnp.sum(-0.5 * ((unit - mean) * jnp.exp(-log_deviation)) ** 2 - log_deviation, -1) - self.size * HALF_LOG

    def entropy(self, key: jax.Array, outputs: jax.Array) -> jax.Array:
        """Compute the entropy [...] before anything is cut, exactly."""
        del key
        return jnp.sum(self.moments(outputs)[1] + 0.5, axis=-1) + self.size * HALF_LOG

    def action(self, unit: jax.Array) -> jax.Array:
        """Bring units [N, A] to the world's actions [N, *shape], cut to its bounds."""
        return self.scaled.action(jnp.clip(unit, -1.0, 1.0))

    def unit(self, action: jax.Array) -> jax.Array:
        """Bring the world's actions [N, *shape] to units [N, A]."""
        return self.scaled.unit(action)

    def features(self, unit: jax.Array) -> jax.Array:
        """Encode a unit action for a network: [..., A]."""
        return unit


@part
class Choice:
    """A categorical over a Discrete. Outputs [..., n] are logits; its unit action is the choice, int32 [...]."""

    space: Discrete
    uniform: float = 0.0
    """The share that is spread evenly over all admissible choices."""

    @property
    def size(self) -> int:
        """Entries of one action: the choice."""
        return 1

    @property
    def width(self) -> int:
        """How many outputs the policy reads."""
        return self.space.n

    @property
    def inputs(self) -> int:
        """How many numbers a network reads of one action."""
        return self.space.n

    def logits(self, outputs: jax.Array) -> jax.Array:
        """Compute log probabilities [..., n]; about `CLOSED` where a choice is not admissible."""
        if self.uniform == 0.0:
            return jax.nn.log_softmax(outputs, axis=-1)
        open = outputs > CLOSED / 2
        even = open / jnp.maximum(jnp.sum(open, axis=-1, keepdims=True), 1)
        chance = (1.0 - self.uniform) * jax.nn.softmax(outputs, axis=-1) + self.uniform * even
        # the inner `where` keeps the slope of log(0) out of the gradient
        return jnp.where(open, jnp.log(jnp.where(open, chance, 1.0)), CLOSED)

    def draw(self, key: jax.Array, outputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Draw choices int32 [...] and their log probability [...]."""
        logits = self.logits(outputs)
        chosen = jax.random.categorical(key, logits, axis=-1).astype(jnp.int32)
        return chosen, _taken(logits, chosen)

    def best(self, outputs: jax.Array) -> jax.Array:
        """Take the likeliest choice, int32 [...]."""
        return jnp.argmax(outputs, axis=-1).astype(jnp.int32)

    def log_prob(self, outputs: jax.Array, unit: jax.Array) -> jax.Array:
        """Compute the log probability [...] of choices [...]."""
        return _taken(self.logits(outputs), unit)

    def entropy(self, key: jax.Array, outputs: jax.Array) -> jax.Array:
        """Compute the entropy [...], exactly."""
        del key
        logits = self.logits(outputs)
        return -jnp.sum(jnp.exp(logits) * logits, axis=-1)

    def features(self, unit: jax.Array) -> jax.Array:
        """Encode a choice for a network: one-hot [..., n]."""
        return jax.nn.one_hot(unit, self.space.n, dtype=jnp.float32)

    def action(self, unit: jax.Array) -> jax.Array:
        """Bring a choice to the world's action, which it is."""
        return unit

    def unit(self, action: jax.Array) -> jax.Array:
        """Bring the world's action to a choice, which it is."""
        return jnp.asarray(action, jnp.int32)


Policy = Gaussian | Clipped | Choice


def over(space: Any, clipped: bool = False, **options: Any) -> Policy:
    """Make the policy of an action space: one bounded Box of floats (squashed, or clipped), or one Discrete."""
    if isinstance(space, Discrete):
        return Choice(space=space, **{name: value for name, value in options.items() if name == "uniform"})
    if not isinstance(space, Box) or np.dtype(space.dtype).kind != "f":
        raise ValueError(
            f"action space {space!r}: a policy acts in one Box of floats or one Discrete; flatten the space into one of them"
        )
    if not space.bounded:
        raise ValueError(
            f"action space {space!r} is unbounded: give the Box finite `low` and `high`, or rescale its actions to [-1, 1]"
        )
    given = {name: value for name, value in options.items() if name != "uniform"}
    return Clipped(scaled=Gaussian(space=space), **given) if clipped else Gaussian(space=space, **given)


def masked(outputs: jax.Array, open: jax.Array | None) -> jax.Array:
    """Close the choices that are not admissible: outputs [..., n] and `Form.open` of the observation, bool [..., n] or
    None, which admits all. A row that admits none, as where an episode has ended, stays as it is."""
    if open is None:
        return outputs
    return jnp.where(open | ~jnp.any(open, axis=-1, keepdims=True), outputs, CLOSED)


def _taken(logits: jax.Array, chosen: jax.Array) -> jax.Array:
    return jnp.take_along_axis(logits, chosen[..., None], axis=-1)[..., 0]


def _squash(raw: jax.Array) -> jax.Array:
    """log(1 - tanh(raw)^2), which does not vanish for large raw."""
    return 2.0 * (math.log(2.0) - raw - jax.nn.softplus(-2.0 * raw))
