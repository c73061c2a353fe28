"""Encoders and decoders of observations for a latent model.

Vectors pass a stack in symlog units; a single picture of bytes [64, 64, channels] passes convolutions. Where squares of
`fold` pixels become channels first, there are fewer of them, which makes pictures cheap.
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


def observation_form(space: Any) -> Form:
    """Make the form of an observation space: one picture of the right size, or anything without pictures."""
    found = form(space)
    if not is_picture(found) and pictures_in(found):
        raise ValueError(
            f"observation: it holds a picture of shape {pictures_in(found)[0].shape}, and has to be nothing but a picture of"
            f" shape ({SIDE}, {SIDE}, channels); resize it (`--wrap resized={SIDE}`), and leave out what stands beside it"
        )
    return found


def is_picture(observation: Form) -> bool:
    """True for one Box of bytes of the shape (64, 64, channels)."""
    leaf = observation.leaves[0]
    alone = len(observation.leaves) == 1 and isinstance(leaf, Box) and len(leaf.shape) == 3
    return alone and leaf.shape[:2] == (SIDE, SIDE) and np.dtype(leaf.dtype) == np.uint8


def encoder(key: jax.Array, observation: Form, units: int, depth: int, fold: int = 1) -> tuple[Any, int]:
    """Make the weights, and count the numbers of an embedding."""
    if not is_picture(observation):
        return layers.stack(key, (observation.width + 1, units, units)), units
    channels = [_colours(observation) * fold**2 + 1, *(depth * factor for factor in _growth(fold))]
    kernels = [_kernel(keys.fold(key, f"layer{i}"), *pair) for i, pair in enumerate(itertools.pairwise(channels))]
    return tuple(kernels), SMALLEST * SMALLEST * channels[-1]


def encode(weights: Any, form: Form, observation: Any) -> jax.Array:
    """Embed observations [N, ...]: float32 [N, embedded]."""
    if not is_picture(form):
        return layers.apply(weights, layers.with_one(symlog(form.flat(observation))), jax.nn.silu)
    hidden = layers.with_one(pictures.folded(_picture(observation) - 0.5, SIDE // (SMALLEST * 2 ** len(weights))))
    for each in weights:
        hidden = layers.activated(each, pictures.halved(hidden, each.weight), jax.nn.silu)
    return hidden.reshape(hidden.shape[0], -1)


def decoder(key: jax.Array, observation: Form, width: int, units: int, depth: int, fold: int = 1) -> Any:
    """Make the weights that decode observations from `width` numbers."""
    if not is_picture(observation):
        return layers.stack(key, (width, units, units, observation.width))
    channels = [*(depth * factor for factor in reversed(_growth(fold))), _colours(observation) * fold**2]
    first = layers.layer(keys.fold(key, "first"), width, SMALLEST * SMALLEST * channels[0], normed=True)
    last = len(channels) - 2
    kernels = [_kernel(keys.fold(key, f"layer{i}"), *pair, i < last) for i, pair in enumerate(itertools.pairwise(channels))]
    return (first, *kernels)


def reconstruct(weights: Any, form: Form, latent: jax.Array) -> jax.Array:
    """Decode numbers [N, width] in the loss's units: float32 [N, F] symlog, or pictures [N, 64, 64, channels] in 0 .. 1."""
    if not is_picture(form):
        return layers.apply(weights, latent, jax.nn.silu)
    first, *kernels = weights
    hidden = layers.activated(first, latent @ first.weight, jax.nn.silu)
    hidden = hidden.reshape(latent.shape[0], SMALLEST, SMALLEST, -1)
    for index, each in enumerate(kernels):
        hidden = pictures.doubled(hidden, each.weight)
        hidden = layers.activated(each, hidden, jax.nn.silu) if index < len(kernels) - 1 else layers.finished(each, hidden)
    return pictures.unfolded(hidden, SIDE // hidden.shape[1]) + 0.5


def decode(weights: Any, form: Form, latent: jax.Array) -> Any:
    """Decode numbers [N, width] into observations of the space [N, ...]."""
    found = reconstruct(weights, form, latent)
    if not is_picture(form):
        return form.value(symexp(found))
    return form.value(jnp.clip(found * 255.0, 0.0, 255.0).reshape(found.shape[0], -1))


def error(weights: Any, form: Form, latent: jax.Array, observation: Any) -> jax.Array:
    """Sum the squared errors of decoded observations [N, ...] over their numbers: float32 [N]."""
    found = reconstruct(weights, form, latent)
    target = _picture(observation) if is_picture(form) else symlog(form.flat(observation))
    return jnp.sum((found - target).reshape(found.shape[0], -1) ** 2, axis=-1)


def _colours(observation: Form) -> int:
    return tuple(observation.leaves[0].shape)[-1]


def _picture(observation: Any) -> jax.Array:
    return jax.tree.leaves(observation)[0].astype(jnp.float32) / 255.0


def _growth(fold: int) -> tuple[int, ...]:
    if fold not in (1, 2, 4, 8):
        raise ValueError(f"fold={fold}: pictures are folded by 1, 2, 4 or 8")
    count = (SIDE // SMALLEST // fold).bit_length() - 1
    return GROWTH[-count:]


def _kernel(key: jax.Array, into: int, out: int, normed: bool = True) -> layers.Layer:
    """Make a 4 x 4 convolution; its weight is float32 [4, 4, into, out]."""
    made = layers.layer(key, 16 * into, out, normed)
    return dataclasses.replace(made, weight=made.weight.reshape(4, 4, into, out))
