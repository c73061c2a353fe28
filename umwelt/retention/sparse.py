"""Few weights learn at a time: an update leaves out the weights with small gradients."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from umwelt.core import part
from umwelt.networks.optimise import behind, transformation

HALVINGS = 20
"""How closely the least gradient that is kept is found: to a millionth of the greatest."""


@part
class Sparse:
    """Of each array of weights only the entries with the greatest gradients learn.

    Each update chooses again. An optimiser with momentum still moves a weight for a while after it was chosen, and one that
    decays weights decays them all.

    >>> protected = Sparse(share=0.5).around(optax.sgd(1.0))
    >>> weights = jnp.zeros(4)
    >>> step, _ = jax.jit(protected.update)(jnp.array([4.0, -1.0, 3.0, 0.5]), protected.init(weights), weights)
    >>> [int(each) for each in step]
    [-4, 0, -3, 0]
    """

    share: float = 0.1
    """The share of the entries of each array that learn; at least one."""

    def around(self, optimiser: optax.GradientTransformation) -> optax.GradientTransformationExtraArgs:
        """Put the protection before an optimiser."""
        return behind(self.transform(), optimiser)

    def transform(self) -> optax.GradientTransformation:
        """Set all but the greatest gradients to zero."""
        if not 0.0 < self.share <= 1.0:
            raise ValueError(f"share={self.share}: it must lie above 0 and be at most 1")

        def init(weights: optax.Params) -> optax.EmptyState:
            return optax.EmptyState()

        def update(gradient: Any, state: optax.EmptyState, weights: Any = None, **_: Any) -> tuple[Any, optax.EmptyState]:
            return jax.tree.map(self._greatest, gradient), state

        return transformation(init, update)

    def _greatest(self, slope: jax.Array) -> jax.Array:
        size = jnp.abs(slope)
        kept = max(1, round(self.share * size.size))

        def halve(_: Any, between: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            low, high = between
            middle = 0.5 * (low + high)
            enough = jnp.sum(size >= middle) >= kept
            return jnp.where(enough, middle, low), jnp.where(enough, high, middle)

        # by halving, because sorting them all costs fifty times an update
        least, _ = jax.lax.fori_loop(0, HALVINGS, halve, (jnp.zeros(()), jnp.max(size)))
        return jnp.where(size >= least, slope, 0.0)
