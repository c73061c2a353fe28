"""Few weights learn at a time: what a lesson does not need much, it does not touch."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from umwelt.core import part

HALVINGS = 20
"""How closely the least slope that is learned is found: to a millionth of the greatest."""


@part
class Sparse:
    """Of each array of weights only the entries with the greatest slopes are told of a lesson.

    Which ones is chosen anew by each lesson. `transform()` goes before an optimiser; one with momentum still moves a
    weight for a while after it was chosen, and one that decays weights decays them all.
    """

    share: float = 0.1
    """The share of the entries of each array that learn; at least one."""

    def transform(self) -> optax.GradientTransformation:
        """Sets all but the greatest slopes to zero."""
        if not 0.0 < self.share <= 1.0:
            raise ValueError(f"share={self.share}: it must lie above 0 and be at most 1")

        def init(weights: optax.Params) -> optax.EmptyState:
            return optax.EmptyState()

        def update(gradient: Any, state: optax.EmptyState, weights: Any = None) -> tuple[Any, optax.EmptyState]:
            return jax.tree.map(self._greatest, gradient), state

        return optax.GradientTransformation(init, update)

    def _greatest(self, slope: jax.Array) -> jax.Array:
        size = jnp.abs(slope)
        kept = max(1, round(self.share * size.size))

        def halve(_: Any, between: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            low, high = between
            middle = 0.5 * (low + high)
            enough = jnp.sum(size >= middle) >= kept
            return jnp.where(enough, middle, low), jnp.where(enough, high, middle)

        # by halving, because sorting them all costs fifty times a lesson
        least, _ = jax.lax.fori_loop(0, HALVINGS, halve, (jnp.zeros(()), jnp.max(size)))
        return jnp.where(size >= least, slope, 0.0)
