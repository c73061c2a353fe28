"""Number what is alike: the cells of a grid, and slots of a table by a hash."""

import jax
import jax.numpy as jnp


def cells_of(positions: jax.Array, low: tuple[float, ...], high: tuple[float, ...], bins: tuple[int, ...]) -> jax.Array:
    """Number the cell of a grid that positions float32 [..., D] lie in, row by row: int32 [...]. What lies outside
    belongs to the nearest cell."""
    share = (positions - jnp.array(low)) / (jnp.array(high) - jnp.array(low))
    index = jnp.clip(jnp.floor(share * jnp.array(bins)), 0, jnp.array(bins) - 1).astype(jnp.int32)
    found = index[..., 0]
    for axis in range(1, len(bins)):
        found = found * bins[axis] + index[..., axis]
    return found


def mixed(sums: jax.Array) -> jax.Array:
    """Mix the bits of sums uint32, such as of codes times odd numbers: of the same shape. The lower bits of such a sum depend
    on few of the codes; the upper ones of what is returned depend on all."""
    return (sums ^ (sums >> 15)) * jnp.uint32(0x9E3779B1)


def slots_of(codes: jax.Array, odds: jax.Array, slots: int) -> jax.Array:
    """Find the slot of codes [N, F], whole numbers, in a table of `slots`, a power of two: int32 [N]. odds: uint32 [F], odd."""
    sums = jnp.sum(codes.astype(jnp.uint32) * odds, axis=-1, dtype=jnp.uint32)
    return (mixed(sums) >> (33 - slots.bit_length())).astype(jnp.int32)
