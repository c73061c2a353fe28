"""A representation whose distances are numbers of decisions.

"TLDR: unsupervised goal-conditioned RL via temporal distance-aware representations" (CoRL 2024): random pairs are pushed
apart, and moments that follow each other are held within a distance of 1. So two moments come to lie as far apart as the
shortest way between them is long.
"""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Info, part, struct
from umwelt.networks import layers
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped, where_any


@struct
class TemporalState:
    """network: features -> representation. multiplier: float32 [], the logarithm of the constraint's weight."""

    network: Stack
    multiplier: jax.Array
    optimisers: tuple[Any, Any]


@part
class Temporal:
    """Learns distances in decisions from moments and those that followed them.

    >>> temporal = Temporal(size=2, units=8)
    >>> state = temporal.init(jax.random.key(0), width=3)
    >>> temporal.embed(state, jnp.ones((5, 3))).shape
    (5, 2)
    """

    size: int = 4
    """Numbers of a representation."""
    units: int = 128
    """Width of the two hidden layers."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    far: float = 500.0
    """Distance at which a pair is hardly pushed any more."""
    softness: float = 0.01
    """How sharply that sets in (beta of the softplus)."""
    slack: float = 1e-3
    """How far within its limit a step counts, at most."""
    start: float = 3000.0
    """The multiplier at first."""

    def init(self, key: jax.Array, width: int) -> TemporalState:
        """Begin untrained, for `width` features."""
        if self.size < 1:
            raise ValueError(f"size={self.size}: a representation has at least 1 number")
        network = layers.stack(key, (width, self.units, self.units, self.size), normed=False)
        multiplier, adam = jnp.log(jnp.float32(self.start)), optimiser(self.learning_rate)
        return TemporalState(network=network, multiplier=multiplier, optimisers=(adam.init(network), adam.init(multiplier)))

    def embed(self, state: TemporalState, features: jax.Array) -> jax.Array:
        """Represent features [N, F]: float32 [N, size]."""
        return layers.apply(state.network, features, jax.nn.gelu)

    def distance(self, state: TemporalState, one: jax.Array, other: jax.Array) -> jax.Array:
        """Estimate the decisions from features [N, F] to others [N, F]: float32 [N]."""
        return length(self.embed(state, one) - self.embed(state, other))

    def learn(
        self, state: TemporalState, now: jax.Array, after: jax.Array, other: jax.Array, weight: jax.Array
    ) -> tuple[TemporalState, Info]:
        """Update once: after [N, F] followed now [N, F], other [N, F] is any moment; rows of weight 0 change nothing."""
        share = weight / jnp.maximum(jnp.sum(weight), 1.0)

        def miss(network: Stack) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
            here, next, there = (layers.apply(network, each, jax.nn.gelu) for each in (now, after, other))
            gap = self.far - length(here - there)
            near = jax.nn.softplus(self.softness * gap) / self.softness
            room = jnp.minimum(1.0 - jnp.sum((here - next) ** 2, axis=-1), self.slack)
            kept = jnp.sum(share * room)
            return jnp.sum(share * near) - jnp.exp(state.multiplier) * kept, (kept, jnp.sum(share * length(here - there)))

        gradient, (kept, apart) = jax.grad(miss, has_aux=True)(state.network)
        adam = optimiser(self.learning_rate)
        network, first = stepped(adam, gradient, state.optimisers[0], state.network)
        multiplier, second = stepped(adam, kept, state.optimisers[1], state.multiplier)
        learned = TemporalState(network=network, multiplier=multiplier, optimisers=(first, second))
        return where_any(weight, learned, state), {"apart": apart, "excess": -kept}


def length(vectors: jax.Array) -> jax.Array:
    """The length of vectors [..., K], whose slope at 0 is 0: float32 [...]."""
    square = jnp.sum(vectors**2, axis=-1)
    # the inner `where` keeps the infinite slope of the root at 0 out of the gradient
    return jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)


def neighbours(points: jax.Array, others: jax.Array, number: int) -> jax.Array:
    """The mean distance of points [N, K] to the `number` nearest of others [M, K], those at distance 0 aside: [N]."""
    square = jnp.sum((points[:, None] - others[None]) ** 2, axis=-1)
    apart = jnp.where(square > 0, square, jnp.inf)
    nearest, _ = jax.lax.top_k(-apart, min(number, others.shape[0]))
    found = jnp.isfinite(nearest)
    return jnp.sum(jnp.where(found, jnp.sqrt(jnp.where(found, -nearest, 0.0)), 0.0), -1) / jnp.maximum(jnp.sum(found, -1), 1)
