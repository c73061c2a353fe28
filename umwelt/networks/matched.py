"""Values of filling in a page, which depend on what matches and not on which value it is."""

import jax
import jax.numpy as jnp

from umwelt.networks import layers
from umwelt.networks.layers import Stack


def stack(key: jax.Array, fields: int, units: int) -> Stack:
    """Make a stack that reads three marks of each field, and values three things."""
    return layers.stack(key, (3 * fields, units, units, 2 * fields + 1), scale=0.01, normed=False)


def values(network: Stack, instruction: jax.Array, page: jax.Array) -> jax.Array:
    """Value every choice of bits [N, fields, values] each: float32 [N, fields * values + 1], submission last.

    The network reads of each field whether it is empty, right or wrong. It values, for each field, filling in what the
    instruction says and filling in anything else. So what is learned of one instruction holds for all.
    """
    right = jnp.sum(instruction * page, axis=-1)
    empty = 1.0 - jnp.max(page, axis=-1)
    marks = jnp.stack([empty, right, 1.0 - empty - right], axis=-1)
    found = layers.apply(network, marks.reshape(marks.shape[0], -1), jax.nn.relu)
    fields = instruction.shape[1]
    told, other = found[:, :fields, None], found[:, fields : 2 * fields, None]
    filling = instruction * told + (1.0 - instruction) * other
    return jnp.concatenate([filling.reshape(filling.shape[0], -1), found[:, 2 * fields :]], axis=1)
