"""Beta distributions over a bounded Box: a policy whose draws never leave it, so that nothing is cut.

"Improving stochastic policy gradients in continuous control with deep reinforcement learning using the Beta
distribution" (2017). Both parameters are above 1, so the density has one peak and is 0 at the edges.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import betaln, digamma

from umwelt.core import part
from umwelt.networks.policies import EDGE, Gaussian


@part
class Beta:
    """A Beta distribution for each entry of a bounded Box. Outputs [..., 2A]: both parameters, before softplus."""

    scaled: Gaussian
    """The policy that brings units to the bounds of the Box and back."""

    @property
    def size(self) -> int:
        """Entries of one action."""
        return self.scaled.size

    @property
    def width(self) -> int:
        """How many outputs the policy reads."""
        return 2 * self.size

    @property
    def inputs(self) -> int:
        """How many numbers a network reads of one action."""
        return self.size

    def shape(self, outputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Read both parameters [..., A], above 1."""
        first, second = jnp.split(1.0 + jax.nn.softplus(outputs), 2, axis=-1)
        return first, second

    def draw(self, key: jax.Array, outputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Draw unit actions [..., A], and their log density [...]."""
        first, second = self.shape(outputs)
        unit = jnp.clip(2.0 * jax.random.beta(key, first, second) - 1.0, -EDGE, EDGE)
        return unit, self.log_prob(outputs, unit)

    def best(self, outputs: jax.Array) -> jax.Array:
        """Take the mean, in units [..., A]."""
        first, second = self.shape(outputs)
        return 2.0 * first / (first + second) - 1.0

    def log_prob(self, outputs: jax.Array, unit: jax.Array) -> jax.Array:
        """Compute the log density [...] of unit actions [..., A]."""
        first, second = self.shape(outputs)
        place = 0.5 * (jnp.clip(unit, -EDGE, EDGE) + 1.0)
        each = (first - 1.0) * jnp.log(place) + (second - 1.0) * jnp.log1p(-place) - betaln(first, second)
        return jnp.sum(each - np.log(2.0), axis=-1)

    def entropy(self, key: jax.Array, outputs: jax.Array) -> jax.Array:
        """Compute the entropy [...], exactly."""
        del key
        first, second = self.shape(outputs)
        both = (first + second - 2.0) * digamma(first + second)
        each = betaln(first, second) - (first - 1.0) * digamma(first) - (second - 1.0) * digamma(second) + both
        return jnp.sum(each + np.log(2.0), axis=-1)

    def divergence(self, outputs: jax.Array, others: jax.Array) -> jax.Array:
        """Compute the divergence [...], in nats, from the distributions of other outputs."""
        (first, second), (third, fourth) = self.shape(outputs), self.shape(others)
        each = betaln(third, fourth) - betaln(first, second) + (first - third) * digamma(first)
        each += (second - fourth) * digamma(second) + (third - first + fourth - second) * digamma(first + second)
        return jnp.sum(each, axis=-1)

    def action(self, unit: jax.Array) -> jax.Array:
        """Bring units [N, A] to the world's actions [N, *shape]."""
        return self.scaled.action(unit)

    def unit(self, action: jax.Array) -> jax.Array:
        """Bring the world's actions [N, *shape] to units [N, A]."""
        return self.scaled.unit(action)

    def features(self, unit: jax.Array) -> jax.Array:
        """Encode a unit action for a network: [..., A]."""
        return unit
