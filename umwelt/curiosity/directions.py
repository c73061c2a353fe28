"""Skills as directions of a representation: a skill is paid for how far it moves along its own direction.

The distance that the representation may not exceed decides what skills are found. "Controllability-aware unsupervised skill
discovery" (2023) makes a change long that present skills seldom bring about. A straight line gives "Lipschitz-constrained
unsupervised skill discovery" (ICLR 2022), and one for each step "METRA: scalable unsupervised RL with metric-aware
abstraction" (ICLR 2024).
"""

from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.core import Info, Metric, keys, part, struct
from umwelt.networks import layers
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped, where_any

EXCESS = Metric(name="excess", unit="squared distance", meaning="by how much the representation misses its bound, on average")


@struct
class DirectionsState:
    """map: the representation, a stack. density: a stack, middle and log deviation of the next change. multiplier: float32 [],
    its logarithm. optimisers: Optax's, of the three."""

    map: Stack
    density: Stack
    multiplier: jax.Array
    optimisers: tuple[Any, Any, Any]


@part
class Directions:
    """Learns a representation in which skills are directions, under a bound by a distance of observations.

    >>> by = Directions(units=4, size=2)
    >>> state = by.init(jax.random.key(0), 3)

    >>> now, after = jnp.zeros((1, 3)), jnp.ones((1, 3))

    >>> there, back = (float(by.reward(state, now, after, sign * jnp.ones((1, 2)))[0]) for sign in (1, -1))

    >>> round(there + back, 6)  # the opposite skill is paid the opposite
    0.0
    """

    distance: Literal["controllable", "straight", "temporal"] = "controllable"
    """What bounds the representation: how seldom a change is, how far it is in a straight line, or one for each step."""
    size: int = 2
    """Numbers of a skill, and of the representation."""
    units: int = 64
    """Width of the two hidden layers."""
    learning_rate: float = 1e-3
    """Step size of Adam, for all of it."""
    multiplier: float = 3000.0
    """The multiplier of the bound at the beginning; it is learned."""
    slack: float = 1e-6
    """By how much a change may stay below its bound and still count as below."""

    metrics = (EXCESS,)
    cites = ("csd_2023",)

    def init(self, key: jax.Array, width: int) -> DirectionsState:
        """Begin untrained, for observations of `width` numbers."""
        if self.distance not in ("controllable", "straight", "temporal"):
            raise ValueError(f"distance={self.distance!r}: 'controllable', 'straight' or 'temporal'")
        mapping, density = keys.split(key, "map", "density")
        hidden = (self.units, self.units)
        made = layers.stack(mapping, (width, *hidden, self.size), normed=False)
        told = layers.stack(density, (width, *hidden, 2 * width), scale=0.01, normed=False)
        multiplier = jnp.log(jnp.float32(self.multiplier))
        begun = tuple(self._optimiser().init(each) for each in (made, told, multiplier))
        return DirectionsState(map=made, density=told, multiplier=multiplier, optimisers=begun)  # type: ignore[arg-type]

    def reward(self, state: DirectionsState, now: jax.Array, after: jax.Array, skill: jax.Array) -> jax.Array:
        """float32 [N]: the way along its own direction of skills [N, size] from observations [N, F] to the next ones."""
        return jnp.sum(self._moved(state.map, now, after) * skill, axis=-1)

    def squared(self, state: DirectionsState, now: jax.Array, after: jax.Array) -> jax.Array:
        """float32 [N]: the squared distance from observations [N, F] to the next ones."""
        if self.distance == "temporal":
            return jnp.ones(now.shape[0])
        if self.distance == "straight":
            return jnp.mean((after - now) ** 2, axis=-1)
        middle, log_deviation = self._density(state.density, now)
        # what counts is which entries change seldom, not how much all of them do
        shape = jnp.exp(log_deviation - jnp.mean(log_deviation, axis=-1, keepdims=True))
        return jnp.mean(((after - now - middle) / shape) ** 2, axis=-1)

    def learn(
        self, key: jax.Array, state: DirectionsState, now: jax.Array, after: jax.Array, skill: jax.Array, weight: jax.Array
    ) -> tuple[DirectionsState, Info]:
        """Update the density, the representation and the multiplier once; rows of weight 0 change nothing."""
        total = jnp.maximum(jnp.sum(weight), 1.0)
        bound = jax.lax.stop_gradient(self.squared(state, now, after))

        def unlikely(density: Stack) -> jax.Array:
            middle, log_deviation = self._density(density, now)
            nats = 0.5 * ((after - now - middle) * jnp.exp(-log_deviation)) ** 2 + log_deviation
            return jnp.sum(jnp.mean(nats, axis=-1) * weight) / total

        def below(map: Stack) -> jax.Array:
            return jnp.minimum(bound - jnp.sum(self._moved(map, now, after) ** 2, axis=-1), self.slack)

        def missed(map: Stack) -> tuple[jax.Array, jax.Array]:
            gain = jnp.sum(self._moved(map, now, after) * skill, axis=-1)
            room = below(map)
            worth = gain + jax.lax.stop_gradient(jnp.exp(state.multiplier)) * room
            return -jnp.sum(worth * weight) / total, jnp.sum(room * weight) / total

        (_, room), slope = jax.value_and_grad(missed, has_aux=True)(state.map)
        slopes = slope, jax.grad(unlikely)(state.density), jnp.exp(state.multiplier) * room
        weights = state.map, state.density, state.multiplier
        made = [
            stepped(self._optimiser(), slope, held, weight)
            for slope, held, weight in zip(slopes, state.optimisers, weights, strict=True)
        ]
        after_all = DirectionsState(
            map=made[0][0],
            density=made[1][0],
            multiplier=made[2][0],
            optimisers=tuple(held for _, held in made),  # type: ignore[arg-type]
        )
        return where_any(weight, after_all, state), {"excess": -room}

    def _moved(self, map: Stack, now: jax.Array, after: jax.Array) -> jax.Array:
        """float32 [N, size]: the change of the representation."""
        return layers.apply(map, after, jax.nn.relu) - layers.apply(map, now, jax.nn.relu)

    def _density(self, density: Stack, now: jax.Array) -> tuple[jax.Array, jax.Array]:
        middle, log_deviation = jnp.split(layers.apply(density, now, jax.nn.relu), 2, axis=-1)
        return middle, jnp.clip(log_deviation, -6.0, 2.0)

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate)
