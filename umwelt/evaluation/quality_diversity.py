"""How much of a space of behaviour is covered, and how well: coverage and QD score of a grid of cells."""

import jax
import jax.numpy as jnp

from umwelt.core import part, struct
from umwelt.networks.cells import cells_of


@struct
class Elites:
    """best: float32 [cells], the highest return in each cell, -inf where nothing came."""

    best: jax.Array


@part
class Cells:
    """A grid over points of some axes; a cell remembers the highest return of what fell into it."""

    low: tuple[float, ...] = (-1.0, -1.0)
    """The lower edge of each axis; what lies outside counts for the nearest cell."""
    high: tuple[float, ...] = (1.0, 1.0)
    """The upper edge of each axis."""
    number: tuple[int, ...] = (50, 50)
    """Cells along each axis."""

    def init(self) -> Elites:
        """Nothing came yet."""
        size = 1
        for each in self.number:
            size *= each
        return Elites(best=jnp.full(size, -jnp.inf))

    def where(self, points: jax.Array) -> jax.Array:
        """The cell of points [n, axes]: int32 [n]."""
        return cells_of(points, self.low, self.high, self.number)

    def add(self, elites: Elites, points: jax.Array, returns: jax.Array) -> Elites:
        """Take in points [n, axes] and their returns [n]."""
        return Elites(best=elites.best.at[self.where(points)].max(returns))


def coverage(elites: Elites) -> jax.Array:
    """The share of cells into which something came, float32 []."""
    return jnp.mean(jnp.isfinite(elites.best))


def qd_score(elites: Elites, offset: float = 0.0) -> jax.Array:
    """The sum over occupied cells of the highest return less `offset`, the lowest return that there can be: float32 []."""
    return jnp.sum(jnp.where(jnp.isfinite(elites.best), elites.best - offset, 0.0))
