"""Low-rank changes of one network, which are mixed by weights of each row.

A layer computes x W + b + scale * sum over k of a_k x A_k B_k. The changes are those of "LoRA: low-rank adaptation" (ICLR
2022). The weights a [N, K] are those of "Skill expansion and composition in parameter space" (ICLR 2025).
"""

import jax
import jax.numpy as jnp

from umwelt.core import keys, struct
from umwelt.networks.layers import Activation, Stack


@struct
class Delta:
    """Changes of one layer. into: float32 [K, in, rank]. out: float32 [K, rank, out], zeros where nothing was learned."""

    into: jax.Array
    out: jax.Array


def deltas(key: jax.Array, layers: Stack, number: int, rank: int) -> tuple[Delta, ...]:
    """Make `number` changes of every layer of a stack, which change nothing yet."""
    made = []
    for index, each in enumerate(layers):
        wide, out = each.weight.shape
        drawn = jax.random.normal(keys.fold(key, f"layer{index}"), (number, wide, rank)) * wide**-0.5
        made.append(Delta(into=drawn, out=jnp.zeros((number, rank, out))))
    return tuple(made)


def apply(
    layers: Stack, changes: tuple[Delta, ...], weights: jax.Array, inputs: jax.Array, act: Activation, scale: float = 2.0
) -> jax.Array:
    """Apply a stack without norms, changed by weights [N, K], to inputs [N, in]: float32 [N, out]."""
    hidden = inputs
    for index, (each, change) in enumerate(zip(layers, changes, strict=True)):
        inner = jnp.einsum("ni,kir->nkr", hidden, change.into)
        turned = jnp.einsum("nkr,kro->no", inner * weights[:, :, None], change.out)
        hidden = hidden @ each.weight + each.bias + scale * turned
        hidden = hidden if index == len(layers) - 1 else act(hidden)
    return hidden


def numbers(changes: tuple[Delta, ...]) -> int:
    """Count the numbers of one change: rank x (in + out) for each layer."""
    return sum(leaf.size // leaf.shape[0] for leaf in jax.tree.leaves(changes))
