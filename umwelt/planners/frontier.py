"""Choose the next place to look from: unexplored, near, and likely to matter.

The weights of frontiers in "Explore until confident: efficient exploration for embodied question answering" (2024).
"""

import jax
import jax.numpy as jnp

from umwelt.core import part


@part
class Frontier:
    """Scores places by their value and their distance; places that are explored or occupied are never chosen.

    >>> frontier = Frontier(value=0.5, distance=10.0)
    >>> value, distance = jnp.array([0.0, 1.0, 9.0]), jnp.array([1.0, 4.0, 0.0])
    >>> int(frontier.choose(value, jnp.array([True, True, False]), distance))
    1
    """

    value: float = 0.5
    """Temperature of the value; infinite where value does not count, and the nearest place is chosen."""
    distance: float = 10.0
    """Temperature of the distance."""

    def scores(self, value: jax.Array, open: jax.Array, distance: jax.Array) -> jax.Array:
        """float32 [..., P] of the values, of which places are open (bool), and of the distances [..., P]."""
        return jnp.where(open, value / self.value - distance / self.distance, -jnp.inf)

    def choose(self, value: jax.Array, open: jax.Array, distance: jax.Array) -> jax.Array:
        """int32 [...]: the best place; the first one where none is open."""
        return jnp.argmax(self.scores(value, open, distance), axis=-1).astype(jnp.int32)
