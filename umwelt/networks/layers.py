"""Layers and stacks of them.

A stack whose hidden layers are normalised computes act(norm(x W + b)) in each of them, and x W + b
in the last. Several stacks that read the same inputs can be evaluated as one: see `together`.
"""

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import keys, struct

Activation = Callable[[jax.Array], jax.Array]


@struct
class Layer:
    """weight: float32 [in, out]. bias: [out]. gain, shift: [out] of the normalisation, or None without one."""

    weight: jax.Array
    bias: jax.Array
    gain: Any = None
    shift: Any = None


Stack = tuple[Layer, ...]
"""Layers in order; the last one is linear."""


def layer(key: jax.Array, into: int, out: int, normed: bool = False, scale: float = 1.0) -> Layer:
    """Weights from a normal truncated at two deviations, of variance scale / in; a scale of 0 begins at zero."""
    # 0.8796 is the standard deviation of a unit normal cut at two
    spread = (scale / into) ** 0.5 / 0.87962566
    weight = spread * jax.random.truncated_normal(key, -2.0, 2.0, (into, out), jnp.float32)
    ones, zeros = jnp.ones(out, jnp.float32), jnp.zeros(out, jnp.float32)
    return Layer(weight=weight, bias=zeros, gain=ones if normed else None, shift=zeros if normed else None)


def stack(key: jax.Array, widths: tuple[int, ...], scale: float = 1.0, normed: bool = True) -> Stack:
    """Hidden layers and a linear last one, whose weights begin at `scale`; widths: inputs first."""
    last = len(widths) - 2
    return tuple(
        layer(keys.fold(key, f"layer{i}"), widths[i], widths[i + 1], normed and i < last, scale if i == last else 1.0)
        for i in range(last + 1)
    )


def apply(layers: Stack, inputs: jax.Array, act: Activation) -> jax.Array:
    """inputs [N, in] -> outputs [N, out]."""
    hidden = inputs
    for each in layers[:-1]:
        hidden = act(normed(each, hidden @ each.weight + each.bias))
    return hidden @ layers[-1].weight + layers[-1].bias


def together(stacks: tuple[Stack, ...], inputs: jax.Array, act: Activation) -> list[jax.Array]:
    """Stacks that read the same inputs [N, in]: their outputs, with the first layers as one product."""
    if len(stacks[0]) < 2:
        return [apply(each, inputs, act) for each in stacks]
    wide = inputs @ jnp.concatenate([each[0].weight for each in stacks], axis=1)
    ends = [0]
    for each in stacks:
        ends.append(ends[-1] + each[0].weight.shape[1])
    hidden = [wide[:, start:stop] for start, stop in itertools.pairwise(ends)]
    return [apply(each[1:], act(normed(each[0], one + each[0].bias)), act) for each, one in zip(stacks, hidden, strict=True)]


def normed(each: Layer, hidden: jax.Array) -> jax.Array:
    """hidden [N, out] at mean 0 and deviation 1 in each row, then scaled and shifted; as it is without a gain."""
    if each.gain is None:
        return hidden
    mean = jnp.mean(hidden, axis=-1, keepdims=True)
    centred = hidden - mean
    inverse = jax.lax.rsqrt(jnp.mean(centred * centred, axis=-1, keepdims=True) + 1e-5)
    return centred * inverse * each.gain + each.shift


def mish(x: jax.Array) -> jax.Array:
    """x * tanh(log(1 + e^x)), with a single exponential: tanh(log(1 + u)) = (u^2 + 2u) / (u^2 + 2u + 2)."""
    u = jnp.exp(jnp.minimum(x, 20.0))
    square = u * (u + 2.0)
    return x * (square / (square + 2.0))


def simplices(x: jax.Array, group: int) -> jax.Array:
    """Each run of `group` features of x [..., F] as a softmax of its own (simplicial normalisation)."""
    shape = x.shape
    return jax.nn.softmax(x.reshape(*shape[:-1], shape[-1] // group, group), axis=-1).reshape(shape)
