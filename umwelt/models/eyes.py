"""How observations enter a latent model, and how they are told from it again.

Vectors pass a stack in symlog units; a single picture of bytes [64, 64, channels] passes convolutions. Where squares of
`fold` pixels are made channels first, there are fewer of them, which is what makes pictures cheap.
"""

import dataclasses
import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, keys
from umwelt.networks import layers, pictures
from umwelt.networks.form import Form, form
from umwelt.networks.form import pictures as pictures_in
from umwelt.networks.twohot import symexp, symlog

SIDE = 64
SMALLEST = 4
"""The convolutions halve a picture until its side is this."""
GROWTH = (1, 2, 3, 4)
"""Channels after each convolution, in units of `depth`; folded pictures pass the last ones only."""


def seeing(space: Any) -> Form:
    """The form of an observation space: one picture that can be looked at, or anything without pictures."""
    seen = form(space)
    if not is_picture(seen) and pictures_in(seen):
        raise ValueError(
            f"observation: it holds a picture of shape {pictures_in(seen)[0].shape}, and has to be nothing but a picture of shape"
            f" ({SIDE}, {SIDE}, channels); resize it, put its channels last, and leave out what stands beside it"
        )
    return seen


def is_picture(seen: Form) -> bool:
    """True for one Box of bytes of the shape (64, 64, channels)."""
    leaf = seen.leaves[0]
    alone = len(seen.leaves) == 1 and isinstance(leaf, Box) and len(leaf.shape) == 3
    return alone and leaf.shape[:2] == (SIDE, SIDE) and np.dtype(leaf.dtype) == np.uint8


def encoder(key: jax.Array, seen: Form, units: int, depth: int, fold: int = 1) -> tuple[Any, int]:
    """The weights, and how many numbers they make of an observation."""
    if not is_picture(seen):
        return layers.stack(key, (seen.bounds[0].size + 1, units, units)), units
    channels = [seen.leaves[0].shape[-1] * fold**2 + 1, *(depth * factor for factor in _growth(fold))]
    kernels = [_kernel(keys.fold(key, f"layer{i}"), *pair) for i, pair in enumerate(itertools.pairwise(channels))]
    return tuple(kernels), SMALLEST * SMALLEST * channels[-1]


def look(weights: Any, seen: Form, observation: Any) -> jax.Array:
    """Observations [N, ...] -> float32 [N, embedded]."""
    if not is_picture(seen):
        return layers.apply(weights, layers.with_one(symlog(seen.flat(observation))), jax.nn.silu)
    hidden = layers.with_one(pictures.folded(_picture(observation) - 0.5, SIDE // (SMALLEST * 2 ** len(weights))))
    for each in weights:
        hidden = layers.activated(each, pictures.halved(hidden, each.weight), jax.nn.silu)
    return hidden.reshape(hidden.shape[0], -1)


def decoder(key: jax.Array, seen: Form, width: int, units: int, depth: int, fold: int = 1) -> Any:
    """The weights that tell observations from `width` numbers."""
    if not is_picture(seen):
        return layers.stack(key, (width, units, units, seen.bounds[0].size))
    channels = [*(depth * factor for factor in reversed(_growth(fold))), seen.leaves[0].shape[-1] * fold**2]
    first = layers.layer(keys.fold(key, "first"), width, SMALLEST * SMALLEST * channels[0], normed=True)
    last = len(channels) - 2
    kernels = [_kernel(keys.fold(key, f"layer{i}"), *pair, i < last) for i, pair in enumerate(itertools.pairwise(channels))]
    return (first, *kernels)


def told(weights: Any, seen: Form, inner: jax.Array) -> jax.Array:
    """Numbers [N, width] -> observations: float32 [N, F] in symlog units, or pictures [N, 64, 64, channels] in 0 .. 1."""
    if not is_picture(seen):
        return layers.apply(weights, inner, jax.nn.silu)
    first, *kernels = weights
    hidden = layers.activated(first, inner @ first.weight, jax.nn.silu)
    hidden = hidden.reshape(inner.shape[0], SMALLEST, SMALLEST, -1)
    for index, each in enumerate(kernels):
        hidden = pictures.doubled(hidden, each.weight)
        hidden = layers.activated(each, hidden, jax.nn.silu) if index < len(kernels) - 1 else layers.finished(each, hidden)
    return pictures.unfolded(hidden, SIDE // hidden.shape[1]) + 0.5


def imagined(weights: Any, seen: Form, inner: jax.Array) -> Any:
    """Numbers [N, width] -> observations of the space [N, ...]."""
    found = told(weights, seen, inner)
    if not is_picture(seen):
        return seen.value(symexp(found))
    return seen.value(jnp.clip(found * 255.0, 0.0, 255.0).reshape(found.shape[0], -1))


def error(weights: Any, seen: Form, inner: jax.Array, observation: Any) -> jax.Array:
    """The squared error [N] of what is told of observations [N, ...], summed over their numbers."""
    found = told(weights, seen, inner)
    wanted = _picture(observation) if is_picture(seen) else symlog(seen.flat(observation))
    return jnp.sum((found - wanted).reshape(found.shape[0], -1) ** 2, axis=-1)


def _picture(observation: Any) -> jax.Array:
    return jax.tree.leaves(observation)[0].astype(jnp.float32) / 255.0


def _growth(fold: int) -> tuple[int, ...]:
    if fold not in (1, 2, 4, 8):
        raise ValueError(f"fold={fold}: pictures are folded by 1, 2, 4 or 8")
    count = (SIDE // SMALLEST // fold).bit_length() - 1
    return GROWTH[-count:]


def _kernel(key: jax.Array, into: int, out: int, normed: bool = True) -> layers.Layer:
    """A 4 x 4 convolution; its weight is float32 [4, 4, into, out]."""
    made = layers.layer(key, 16 * into, out, normed)
    return dataclasses.replace(made, weight=made.weight.reshape(4, 4, into, out))
