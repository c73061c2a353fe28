"""Leaky recurrent networks that say the parity of the last N bits, and how long their units remember.

"Emergent mechanisms for long timescales depend on training curriculum and affect performance in memory tasks" (ICLR 2024).
Each unit has a time constant that is learned. No unit feeds itself, so the constant alone says how long one remembers by
itself; several units can remember longer together.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from umwelt.core import keys, struct

SHORTEST = 2
"""The least N."""


@struct
class Leaky:
    """inputs, bias: float32 [U]. between: [U, U], from unit to unit. constants: [U], time constants in steps, at least 1.
    heads: [K, U] and offsets: [K], a logit for each N from SHORTEST on."""

    inputs: jax.Array
    bias: jax.Array
    between: jax.Array
    constants: jax.Array
    heads: jax.Array
    offsets: jax.Array


def drawn(key: jax.Array, units: int, heads: int) -> Leaky:
    """Draw weights evenly within 1 / sqrt(units), and constants from 1 to 3 steps."""
    first, second, third, fourth, fifth = keys.split(key, "inputs", "bias", "between", "constants", "heads")
    edge = units**-0.5

    def even(key: jax.Array, *shape: int) -> jax.Array:
        return jax.random.uniform(key, shape, minval=-edge, maxval=edge)

    return Leaky(
        inputs=even(first, units),
        bias=even(second, units),
        between=even(third, units, units),
        constants=jax.random.uniform(fourth, (units,), minval=1.0, maxval=3.0),
        heads=even(fifth, heads, units),
        offsets=jnp.zeros(heads),
    )


def remembered(network: Leaky, bits: jax.Array, lengths: jax.Array) -> jax.Array:
    """Read the last lengths [B] of bits float32 [T, B]: the state of the units, float32 [B, U]. Before that they rest at 0."""
    between = network.between * (1.0 - jnp.eye(len(network.bias)))
    share = 1.0 / network.constants
    begins = bits.shape[0] - lengths

    def onward(state: jax.Array, given: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        index, bit = given
        drive = state @ between + bit[:, None] * network.inputs + network.bias
        after = jax.nn.leaky_relu((1.0 - share) * state + share * drive, 0.1)
        return jnp.where((index >= begins)[:, None], after, state), None

    begun = jnp.zeros((bits.shape[1], len(network.bias)))
    return jax.lax.scan(onward, begun, (jnp.arange(bits.shape[0]), bits))[0]


def parities(bits: jax.Array, heads: int) -> jax.Array:
    """Whether an odd number of the last N bits [T, B] are 1, for each N from SHORTEST on: bool [K, B]."""
    sums = jnp.cumsum(bits[::-1], axis=0)
    return sums[SHORTEST - 1 : SHORTEST - 1 + heads] % 2 > 0.5


def logits(network: Leaky, state: jax.Array) -> jax.Array:
    """What every head says of states [B, U]: float32 [K, B]."""
    return network.heads @ state.T + network.offsets[:, None]


def handed_on(network: Leaky, head: jax.Array) -> Leaky:
    """Copy a head to the next one, so that a single head seems to go on to the next N."""
    heads = network.heads.at[head + 1].set(network.heads[head], mode="drop")
    return replace(network, heads=heads, offsets=network.offsets.at[head + 1].set(network.offsets[head], mode="drop"))
