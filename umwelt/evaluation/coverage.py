"""How much of a world was visited: cells against time, the area under that curve, distinct cells of an episode.

All functions are pure and take positions or cells of one life; `vmap` them over seeds. Cells are numbers 0 .. N - 1.
"""

import jax
import jax.numpy as jnp


def visits(cells: jax.Array, number: int, weight: jax.Array | None = None) -> jax.Array:
    """Count how often each cell was visited: float32 [number]; cells int32 of any shape, weight of the same."""
    ones = jnp.ones(cells.shape) if weight is None else weight
    return jnp.zeros(number).at[cells.reshape(-1)].add(ones.reshape(-1).astype(jnp.float32))


def visited_by(cells: jax.Array, number: int) -> jax.Array:
    """Count the distinct cells that were visited by each time: cells int32 [T, ...] -> int32 [T]."""
    flat = cells.reshape(cells.shape[0], -1)
    time = jnp.broadcast_to(jnp.arange(flat.shape[0])[:, None], flat.shape)
    first = jnp.full(number, flat.shape[0], jnp.int32).at[flat].min(time.astype(jnp.int32))
    return jnp.cumsum(jnp.zeros(flat.shape[0], jnp.int32).at[first].add(1, mode="drop"))


def area(curve: jax.Array, number: int) -> jax.Array:
    """Take the mean share of `number` cells that a curve [T] of `visited_by` holds over time: float32 []."""
    return jnp.mean(curve.astype(jnp.float32)) / number


def distinct(cells: jax.Array, episode: jax.Array, episodes: int, number: int) -> jax.Array:
    """Count the distinct cells of each episode: cells, episode int32 [T] -> int32 [episodes]."""
    met = jnp.zeros((episodes, number), bool).at[episode, cells].set(True, mode="drop")
    return jnp.sum(met, axis=1, dtype=jnp.int32)


def shift(one: jax.Array, other: jax.Array) -> jax.Array:
    """Compare two counts of visits [N]: half the sum of differences between their shares, 0 for equal, 1 for apart."""
    return 0.5 * jnp.sum(jnp.abs(one / jnp.maximum(jnp.sum(one), 1.0) - other / jnp.maximum(jnp.sum(other), 1.0)))
