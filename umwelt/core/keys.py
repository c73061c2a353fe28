"""Randomness by name.

A key is split by the *names* of its consumers, so that a new consumer never reshuffles the others.
"""

import zlib

import jax


def fold(key: jax.Array, name: str) -> jax.Array:
    """The key of the consumer called `name`."""
    return jax.random.fold_in(key, zlib.crc32(name.encode()))


def split(key: jax.Array, *names: str) -> tuple[jax.Array, ...]:
    """One key for each name: `act, world = keys.split(key, "act", "world")`."""
    if len(set(names)) != len(names):
        raise ValueError(f"names must differ, or two consumers would draw the same numbers: {names}")
    return tuple(fold(key, name) for name in names)
