"""Sets of cards: small pictures, each of one class, drawn at random.

A set has `classes`, the `shape` of a picture, and `draw(key, label, held_out)`, which makes one picture of a class.
"""

from functools import lru_cache
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import part


class CardSet(Protocol):
    """Pictures of about zero mean and unit variance, in some number of classes."""

    @property
    def classes(self) -> int:
        """How many classes there are."""
        ...

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a picture."""
        ...

    def draw(self, key: jax.Array, label: jax.Array, held_out: jax.Array) -> jax.Array:
        """Draw a picture float32 [h, w] of class `label`, int32 []; of those that are held out where that is 1."""
        ...


@part
class Glyphs:
    """Signs that the program draws itself: one smooth random field for each class, deformed in a new way for each card.

    Every card is a fresh one, so none needs to be held out.

    >>> Glyphs(size=8).draw(jax.random.key(0), jnp.int32(3), jnp.int32(0)).shape
    (8, 8)
    """

    classes: int = 10
    """How many signs there are."""
    size: int = 12
    """Rows, and columns, of a picture."""
    shift: float = 1.0
    """How far a sign is moved at most along each axis, in pixels."""
    stretch: float = 0.1
    """The deviation of the logarithm of its size."""
    noise: float = 0.3
    """The deviation of what is added to each pixel."""
    seed: int = 0
    """Which signs are drawn."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a picture."""
        return self.size, self.size

    def draw(self, key: jax.Array, label: jax.Array, held_out: jax.Array) -> jax.Array:
        """Move and stretch the sign of a class, and add noise."""
        move, size, grain = jax.random.split(key, 3)
        middle = (self.size - 1) / 2.0
        places = jnp.stack(jnp.meshgrid(*(jnp.arange(self.size) - middle,) * 2, indexing="ij"))
        scale = jnp.exp(self.stretch * jax.random.normal(size))
        offset = jax.random.uniform(move, (2, 1, 1), minval=-self.shift, maxval=self.shift)
        signs = jnp.asarray(prototypes(self.classes, self.size, self.seed))
        moved = jax.scipy.ndimage.map_coordinates(signs[label], list(places * scale + offset + middle), 1, mode="nearest")
        return moved + self.noise * jax.random.normal(grain, self.shape)


@part
class Digits:
    """The 1,797 handwritten digits of 8 x 8 pixels that scikit-learn holds. A fifth of each class is held out.

    >>> Digits().classes, Digits().shape
    (10, (8, 8))
    """

    classes = 10
    shape = (8, 8)

    def draw(self, key: jax.Array, label: jax.Array, held_out: jax.Array) -> jax.Array:
        """Draw one of the digit's pictures evenly."""
        pictures, table, counts = digits()
        # a share of all, which compiles sooner than `jax.random.randint`
        which = (jax.random.uniform(key) * jnp.asarray(counts)[held_out, label]).astype(jnp.int32)
        return jnp.asarray(pictures)[jnp.asarray(table)[held_out, label, which]]


@lru_cache(maxsize=8)
def prototypes(classes: int, size: int, seed: int) -> np.ndarray:
    """Draw the signs of a set: smooth fields float32 [classes, size, size] of zero mean and unit variance."""
    field = np.random.default_rng(seed).normal(size=(classes, size, size))
    waves = np.fft.fftfreq(size)
    # a Gaussian blur of one and a half pixels, around the edges
    blur = np.exp(-2.0 * (np.pi * 1.5) ** 2 * (waves[:, None] ** 2 + waves[None] ** 2))
    smooth = np.real(np.fft.ifft2(np.fft.fft2(field) * blur))
    smooth -= smooth.mean((1, 2), keepdims=True)
    return (smooth / smooth.std((1, 2), keepdims=True)).astype(np.float32)


@lru_cache(maxsize=1)
def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Load the digits: pictures float32 [1797, 8, 8]; their numbers int32 [2, 10, most], those to learn from and those held
    out, by class; and how many there are, int32 [2, 10]."""
    pictures, labels = _loaded()
    pictures = ((pictures - pictures.mean()) / pictures.std()).astype(np.float32).reshape(-1, 8, 8)
    order = np.random.default_rng(0).permutation(len(labels))
    sides: list[list[np.ndarray]] = [[], []]
    for label in range(10):
        mine = order[labels[order] == label]
        cut = len(mine) // 5
        sides[1].append(mine[:cut])
        sides[0].append(mine[cut:])
    counts = np.array([[len(each) for each in side] for side in sides], np.int32)
    table = np.zeros((2, 10, counts.max()), np.int32)
    for side in range(2):
        for label in range(10):
            table[side, label, : counts[side, label]] = sides[side][label]
    return pictures, table, counts


def _loaded() -> Any:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError(f"cards=Digits() needs scikit-learn ({error}): pip install 'umwelt[data]'") from error
    return load_digits(return_X_y=True)
