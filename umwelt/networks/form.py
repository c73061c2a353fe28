"""Spaces as flat vectors, and back."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, part, spaces


@part
class Form:
    """A space that can be a constant of a compiled function, whatever containers it is made of."""

    leaves: tuple[Box | Discrete, ...]
    tree: Any

    @property
    def space(self) -> Any:
        """The space itself."""
        return jax.tree.unflatten(self.tree, self.leaves)

    def flat(self, value: Any) -> jax.Array:
        """A value with one leading axis as float32 [N, width]."""
        return spaces.features(self.space, value)

    def units(self, value: Any) -> jax.Array:
        """As `flat`, where the entries of a box that have two bounds are brought to [-1, 1]. What a network reads of
        an action must not depend on whether a motor is told volts or millivolts."""
        middle, half = self._middle
        return (self.flat(value) - middle) / half

    def value(self, flat: jax.Array) -> Any:
        """The nearest value of the space to [N, width]: boxes clipped to their bounds, choices by argmax."""
        sizes = [spaces.width(leaf) for leaf in self.leaves]
        pieces = jnp.split(flat, np.cumsum(sizes)[:-1], axis=-1)
        return jax.tree.unflatten(self.tree, [_nearest(leaf, piece) for leaf, piece in zip(self.leaves, pieces, strict=True)])

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """(low, high) of the flat vector, float64 [width]."""
        edges = [(np.zeros(leaf.n), np.ones(leaf.n)) if isinstance(leaf, Discrete) else leaf.bounds for leaf in self.leaves]
        low, high = zip(*edges, strict=True)
        return tuple(np.concatenate([np.ravel(edge).astype(np.float64) for edge in side]) for side in (low, high))

    @property
    def _middle(self) -> tuple[np.ndarray, np.ndarray]:
        """Middle and half width, float32 [width], of the entries that `units` scales; 0 and 1 for the others."""
        low, high = self.bounds
        boxed = np.concatenate([np.full(spaces.width(leaf), isinstance(leaf, Box)) for leaf in self.leaves])
        scaled = boxed & np.isfinite(low) & np.isfinite(high) & (high > low)
        low, high = np.where(scaled, low, -1.0), np.where(scaled, high, 1.0)
        return ((low + high) / 2).astype(np.float32), ((high - low) / 2).astype(np.float32)


def numbers(belief: Any) -> jax.Array:
    """All numbers of any pytree of arrays [N, ...] side by side, float32 [N, width]."""
    leaves = [jnp.asarray(leaf, jnp.float32) for leaf in jax.tree.leaves(belief)]
    return jnp.concatenate([leaf.reshape(leaf.shape[0], -1) for leaf in leaves], axis=-1)


def form(space: Any) -> Form:
    """The form of a space."""
    leaves, tree = jax.tree.flatten(space, is_leaf=spaces.is_leaf)
    return Form(leaves=tuple(leaves), tree=tree)


def pictures(seen: Form) -> list[Box]:
    """The leaves of a form that are pictures: boxes of bytes with three axes, of which two are no shorter than 32."""
    boxes = [leaf for leaf in seen.leaves if isinstance(leaf, Box) and len(leaf.shape) == 3]
    return [leaf for leaf in boxes if np.dtype(leaf.dtype) == np.uint8 and sorted(leaf.shape)[1] >= 32]


def vectors(space: Any, who: Any) -> Form:
    """The form of an observation space for `who`, who has no eyes: pictures are refused."""
    found = form(space)
    if seen := pictures(found):
        raise ValueError(
            f"observation: {type(who).__name__} reads numbers, not pictures of shape {seen[0].shape}; take a recipe that has"
            " eyes, such as dreamer_v3, or a world that is seen as numbers"
        )
    return found


def _nearest(leaf: Box | Discrete, piece: jax.Array) -> jax.Array:
    if isinstance(leaf, Discrete):
        return jnp.argmax(piece, -1).astype(jnp.int32)
    low, high = leaf.bounds
    whole = np.dtype(leaf.dtype).kind in "iu"
    value = (jnp.round(piece) if whole else piece).reshape(piece.shape[0], *leaf.shape)
    return jnp.clip(value, low.astype(np.float32), high.astype(np.float32)).astype(leaf.dtype)
