"""Multilayer perceptrons of a whole ensemble at once.

Every array is laid out as [members, features, rows]. The rows are the axis that is contiguous in memory: there are many,
and their number is usually a power of two. On two cores we measured these products at 1.5 times the speed of rows first.
Automatic differentiation of this layout was as fast as a backward pass written by hand.
"""

import itertools
import math

import jax
import jax.numpy as jnp

from umwelt.core import keys, struct

# 1 / E[silu(z)^2] for a unit normal z: with it, every layer passes on a unit variance.
SILU_GAIN = 2.8108


@struct
class Network:
    """weights: for each layer float32 [E, out, in]. biases: for each layer float32 [E, out, 1]."""

    weights: tuple[jax.Array, ...]
    biases: tuple[jax.Array, ...]


def init(key: jax.Array, members: int, widths: tuple[int, ...]) -> Network:
    """Make networks of the given widths, inputs first, whose outputs have about unit variance on unit inputs."""
    pairs = list(itertools.pairwise(widths))
    weights = []
    for index, (into, out) in enumerate(pairs):
        spread = math.sqrt((SILU_GAIN if index else 1.0) / into)
        weights.append(spread * jax.random.normal(keys.fold(key, f"layer{index}"), (members, out, into)))
    return Network(weights=tuple(weights), biases=tuple(jnp.zeros((members, out, 1)) for _, out in pairs))


def apply(network: Network, inputs: jax.Array) -> jax.Array:
    """Apply the networks: inputs [E, in, N] -> outputs [E, out, N], with SiLU between the layers."""
    hidden = inputs
    for index, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        hidden = weight @ (jax.nn.silu(hidden) if index else hidden) + bias
    return hidden
