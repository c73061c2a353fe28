"""An evolution strategy: a mean that moves along a gradient estimated from pairs of opposite steps.

"Evolution strategies as a scalable alternative to reinforcement learning" (2017). It is a `Search`, so `Evolved` lives it, one
genome to a row. Studies of pure functions ask and tell it directly.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from umwelt.core import part, struct


@struct
class StrategiesState:
    """mean: float32 [D], the genome that is examined. speed: float32 [D], the running mean of gradients."""

    mean: jax.Array
    speed: jax.Array


@part
class Strategies:
    """Asks for pairs mean + step and mean - step, and moves the mean towards those of higher return.

    >>> search, key = Strategies(momentum=0.0), jax.random.key(0)
    >>> state, genomes = search.ask(key, search.init(key, size=2, traits=1), 4)
    >>> bool(jnp.allclose(genomes.mean(axis=0), state.mean, atol=1e-6))
    True
    """

    sigma: float = 0.1
    """Deviation of the steps."""
    rate: float = 0.02
    """How far the mean moves along the estimated gradient."""
    momentum: float = 0.9
    """Share of the running gradient that stays."""
    ranked: bool = True
    """Read the ranks of returns, from -0.5 to 0.5, in place of the returns. Equal returns have equal ranks."""
    begins: float = 0.0
    """Deviation of the first mean."""

    cites = ("evolution_strategies_2017",)

    def init(self, key: jax.Array, size: int, traits: int) -> StrategiesState:
        """Begin at a random mean, or at 0."""
        if self.sigma <= 0.0:
            raise ValueError(f"sigma={self.sigma}: steps need a deviation above 0")
        return StrategiesState(mean=self.begins * jax.random.normal(key, (size,)), speed=jnp.zeros(size, jnp.float32))

    def ask(self, key: jax.Array, state: StrategiesState, n: int) -> tuple[StrategiesState, jax.Array]:
        """Draw pairs; where n is odd, the last genome is the mean itself."""
        steps = self.sigma * jax.random.normal(key, (n // 2, state.mean.shape[0]))
        still = jnp.zeros((n % 2, state.mean.shape[0]))
        return state, state.mean + jnp.concatenate([steps, -steps, still])

    def tell(
        self, key: jax.Array, state: StrategiesState, genomes: jax.Array, returns: jax.Array, traits: jax.Array
    ) -> StrategiesState:
        """Move the mean along the gradient that the pairs show."""
        speed = self.momentum * state.speed + self.gradient(state, genomes, returns)
        return StrategiesState(mean=state.mean + self.rate * speed, speed=speed)

    def gradient(self, state: StrategiesState, genomes: jax.Array, returns: jax.Array) -> jax.Array:
        """The estimated gradient float32 [D] of the returns [n] of genomes [n, D] around the mean."""
        worth = ranks(returns) if self.ranked else returns
        return jnp.mean(worth[:, None] * (genomes - state.mean), axis=0) / self.sigma**2

    def best(self, state: StrategiesState) -> jax.Array:
        """The mean."""
        return state.mean

    def moved(self, state: StrategiesState, mean: jax.Array) -> StrategiesState:
        """Go on from another mean."""
        return replace(state, mean=mean)


def ranks(returns: jax.Array) -> jax.Array:
    """The ranks of returns [n], from -0.5 to 0.5; equal returns share one."""
    lower = jnp.sum(returns[None] < returns[:, None], axis=1)
    equal = jnp.sum(returns[None] == returns[:, None], axis=1) - 1
    return (lower + 0.5 * equal) / jnp.maximum(returns.shape[0] - 1, 1) - 0.5
