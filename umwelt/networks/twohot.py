"""Numbers as distributions over bins: regression as classification, at every scale of reward at once.

A number is squashed by symlog and written as weights on the two nearest of evenly spaced bins.
"""

import jax
import jax.numpy as jnp

from umwelt.core import part


def symlog(x: jax.Array) -> jax.Array:
    """Compute sign(x) log(1 + |x|): about x near 0, a logarithm far from it."""
    return jnp.sign(x) * jnp.log1p(jnp.abs(x))


def symexp(x: jax.Array) -> jax.Array:
    """Invert symlog."""
    return jnp.sign(x) * jnp.expm1(jnp.abs(x))


@part
class Bins:
    """Evenly spaced bins over symlog numbers."""

    low: float = -10.0
    """The lowest bin, in symlog units."""
    high: float = 10.0
    """The highest bin, in symlog units."""
    count: int = 101
    """How many bins there are."""

    @property
    def centres(self) -> jax.Array:
        """float32 [count], in symlog units."""
        return jnp.linspace(self.low, self.high, self.count, dtype=jnp.float32)

    def weights(self, x: jax.Array) -> jax.Array:
        """Put numbers [...] on their two nearest bins: weights [..., count]. What lies outside goes to the last bin."""
        position = (jnp.clip(symlog(x), self.low, self.high) - self.low) / (self.high - self.low) * (self.count - 1)
        away = jnp.abs(position[..., None] - jnp.arange(self.count, dtype=jnp.float32))
        return jnp.maximum(1.0 - away, 0.0)

    def mean(self, logits: jax.Array) -> jax.Array:
        """Compute the expected numbers [...] of logits [..., count]."""
        chance = jnp.exp(logits - jax.lax.stop_gradient(jnp.max(logits, axis=-1, keepdims=True)))
        # one product gives both sums, which is faster for rows of so few numbers
        sums = chance @ jnp.stack([self.centres, jnp.ones(self.count, jnp.float32)], axis=-1)
        return symexp(sums[..., 0] / sums[..., 1])

    def loss(self, logits: jax.Array, x: jax.Array) -> jax.Array:
        """Compute the cross entropy [...] of logits [..., count] with the weights of numbers [...]."""
        return -jnp.sum(self.weights(x) * jax.nn.log_softmax(logits, axis=-1), axis=-1)
