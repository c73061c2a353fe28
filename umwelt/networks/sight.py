"""Read one picture of bytes among flat features: a few convolutions make it numbers, which dense layers read after that.

A picture has any size and any number of channels, which stand last. Each kernel is twice as wide as its stride, and what it
makes is as large as the picture over that stride, rounded up. The first stride brings sides of more than 48 pixels to 24 at
most; from 49 pixels to 96 it is 4, as in "Human-level control through deep reinforcement learning" (2015). All others are 2,
until no side is longer than SMALLEST.
"""

import itertools
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, keys, part, spaces, static, struct
from umwelt.networks import layers, soft_mixture
from umwelt.networks.form import Form
from umwelt.networks.layers import Layer, Stack
from umwelt.networks.soft_mixture import Experts

SMALLEST = 8
"""The convolutions end where no side is longer than this."""
HALVED = 48
"""The longest side that the first convolution halves; it takes longer ones in larger strides."""
CHANNELS = 32
"""Channels after each convolution."""


@part
class Picture:
    """Where a picture stands among flat features, and its shape (height, width, channels)."""

    begin: int
    shape: tuple[int, int, int]

    @property
    def strides(self) -> tuple[int, ...]:
        """The stride of each convolution; one there is at least."""
        longest = max(self.shape[:2])
        made = [2 ** (1 + max(0, -(-longest // HALVED) - 1).bit_length())]
        while -(-longest // int(np.prod(made))) > SMALLEST:
            made.append(2)
        return tuple(made)

    @property
    def numbers(self) -> int:
        """How many numbers the convolutions make of it."""
        high, wide = self.shape[:2]
        for stride in self.strides:
            high, wide = -(-high // stride), -(-wide // stride)
        return high * wide * CHANNELS

    @property
    def end(self) -> int:
        """The feature after the last one of the picture."""
        return self.begin + int(np.prod(self.shape))


@struct
class Sighted:
    """A network that reads a picture. kernels: layers whose weights are float32 [2 stride, 2 stride, in, out]. rest: dense
    layers, which read what the kernels make of the picture, and then all other features."""

    kernels: tuple[Layer, ...]
    rest: Any
    picture: Picture = static()


def picture_of(observation: Form) -> Picture | None:
    """Find the picture of an observation, a Box of bytes with three axes; None where there is none."""
    begins = itertools.accumulate((spaces.width(leaf) for leaf in observation.leaves), initial=0)
    found = [
        Picture(begin=begin, shape=leaf.shape)
        for begin, leaf in zip(begins, observation.leaves, strict=False)
        if isinstance(leaf, Box) and len(leaf.shape) == 3 and np.dtype(leaf.dtype) == np.uint8
    ]
    if len(found) > 1:
        shapes = " and ".join(str(each.shape) for each in found)
        raise ValueError(f"observation: it holds pictures of shapes {shapes}; stack them as the channels of one")
    return found[0] if found else None


def width_of(picture: Picture, observation: Form) -> int:
    """Count the numbers that dense layers read of an observation with this picture."""
    return observation.width - (picture.end - picture.begin) + picture.numbers


def kernels(key: jax.Array, picture: Picture) -> tuple[Layer, ...]:
    """Make the convolutions of a picture."""

    def kernel(index: int, stride: int) -> Layer:
        into, edge = CHANNELS if index else picture.shape[2], 2 * stride
        # rectifiers halve the variance, so weights of twice the variance keep it
        made = layers.layer(keys.fold(key, f"kernel{index}"), edge * edge * into, CHANNELS, scale=2.0)
        return replace(made, weight=made.weight.reshape(edge, edge, into, CHANNELS))

    return tuple(kernel(index, stride) for index, stride in enumerate(picture.strides))


def apply(network: Sighted | Stack | Experts, features: jax.Array, act: layers.Activation) -> jax.Array:
    """Apply a network to flat features [N, F]: float32 [N, out]."""
    if not isinstance(network, Sighted):
        return soft_mixture.apply(network, features, act)
    return soft_mixture.apply(network.rest, seen(network, features), act)


def seen(network: Sighted, features: jax.Array) -> jax.Array:
    """Replace the picture among features [N, F] by what the convolutions make of it: float32 [N, width_of(...)]."""
    picture = network.picture
    # bytes, brought to -1 .. 1
    hidden = features[:, picture.begin : picture.end].reshape(-1, *picture.shape) / 127.5 - 1.0
    for each, stride in zip(network.kernels, picture.strides, strict=True):
        made = jax.lax.conv_general_dilated(
            hidden, each.weight, (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        hidden = layers.activated(each, made, jax.nn.relu)
    rest = (features[:, : picture.begin], features[:, picture.end :])
    return jnp.concatenate([hidden.reshape(features.shape[0], -1), *rest], axis=-1)
