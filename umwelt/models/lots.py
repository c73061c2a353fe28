"""Lots drawn from the contents of a row: a bootstrap that keeps no record of which member has read which row."""

import jax
import jax.numpy as jnp
import numpy as np


def draw(rows: jax.Array) -> jax.Array:
    """Draw lots for rows float32 [E, n, F]: float32 [E, n], even in [0, 1), the same for the same contents and member.

    A sum of the words by odd factors, and the finaliser of MurmurHash3, which spreads every bit over all.
    """
    members, _, features = rows.shape
    words = jax.lax.bitcast_convert_type(rows, jnp.uint32)
    factors = (np.arange(1, features + 1, dtype=np.uint64) * 0x9E3779B9 | 1).astype(np.uint32)
    mixed = jnp.sum(words * factors, axis=-1, dtype=jnp.uint32)
    mixed = mixed + (np.arange(members, dtype=np.uint64) * 0x85EBCA77).astype(np.uint32)[:, None]
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        mixed = (mixed ^ (mixed >> shift)) * np.uint32(factor)
    mixed = mixed ^ (mixed >> 16)
    return (mixed >> 8).astype(jnp.float32) * np.float32(2**-24)
