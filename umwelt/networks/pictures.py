"""Squares of pixels as channels and back, and convolutions of 4 x 4 that halve or double a picture, as matrix products.

Convolutions of few channels and many pixels wait for memory, however they are written; it helps to fold pictures first.
"""

import jax
import jax.numpy as jnp

SIDE = 4
"""Of the kernel."""


def folded(pictures: jax.Array, side: int) -> jax.Array:
    """Make squares of `side` pixels channels: pictures [N, H, W, C] -> [N, H / side, W / side, side^2 C]."""
    number, high, wide, channels = pictures.shape
    squares = pictures.reshape(number, high // side, side, wide // side, side, channels).swapaxes(2, 3)
    return squares.reshape(number, high // side, wide // side, side * side * channels)


def unfolded(pictures: jax.Array, side: int) -> jax.Array:
    """Undo `folded`."""
    number, high, wide, channels = pictures.shape
    squares = pictures.reshape(number, high, wide, side, side, channels // side**2).swapaxes(2, 3)
    return squares.reshape(number, high * side, wide * side, channels // side**2)


def halved(pictures: jax.Array, weight: jax.Array) -> jax.Array:
    """Convolve pictures [N, H, W, C] by a kernel [4, 4, C, D] with stride 2, padded by 1: `[N, H / 2, W / 2, D]`."""
    _, high, wide, channels = pictures.shape
    padded = jnp.pad(pictures, ((0, 0), (1, 1), (1, 1), (0, 0)))
    # squares of 2 x 2 become channels, of which every patch takes 2 x 2
    squares = folded(padded, 2)
    patches = [squares[:, a : a + high // 2, c : c + wide // 2] for a in (0, 1) for c in (0, 1)]
    kernel = weight.reshape(2, 2, 2, 2, channels, -1).swapaxes(1, 2)
    return jnp.concatenate(patches, axis=-1) @ kernel.reshape(SIDE * SIDE * channels, -1)


def doubled(pictures: jax.Array, weight: jax.Array) -> jax.Array:
    """Convolve pictures [N, H, W, C] by a kernel [4, 4, C, D], transposed, with stride 2: `[N, 2 H, 2 W, D]`."""
    number, high, wide, channels = pictures.shape
    strokes = pictures @ jnp.moveaxis(weight, 2, 0).reshape(channels, -1)
    strokes = strokes.reshape(number, high, wide, SIDE, SIDE, -1)
    rows = _overlaid(strokes, 1, 3)
    return _overlaid(rows.reshape(number, 2 * high, wide, SIDE, -1), 2, 3).reshape(number, 2 * high, 2 * wide, -1)


def _overlaid(strokes: jax.Array, axis: int, kernel: int) -> jax.Array:
    """Add four strokes of each position along `axis`, which lie along the axis `kernel`, over itself and half of both its
    neighbours. The two halves of a position stand after `axis`."""
    first, second, third, fourth = (jnp.take(strokes, index, axis=kernel) for index in range(SIDE))
    number = strokes.shape[axis]

    def moved(stroke: jax.Array, by: int) -> jax.Array:
        edges = [(0, 0)] * stroke.ndim
        edges[axis] = (1, 0) if by > 0 else (0, 1)
        begin = 0 if by > 0 else 1
        return jax.lax.slice_in_dim(jnp.pad(stroke, edges), begin, begin + number, axis=axis)

    return jnp.stack([third + moved(first, 1), second + moved(fourth, -1)], axis=axis + 1)
