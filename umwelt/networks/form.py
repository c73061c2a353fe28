"""Spaces as flat vectors, and back."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, part, spaces

OPEN = "open"
"""The observation leaf that names the admissible choices."""


@part
class Form:
    """A space that can be a constant of a compiled function, whatever containers it is made of."""

    leaves: tuple[Box | Discrete, ...]
    tree: Any

    @property
    def space(self) -> Any:
        """The space itself."""
        return jax.tree.unflatten(self.tree, self.leaves)

    @property
    def width(self) -> int:
        """How many numbers `flat` makes of one value."""
        return sum(spaces.width(leaf) for leaf in self.leaves)

    def flat(self, value: Any) -> jax.Array:
        """Flatten a value with one leading axis: float32 [N, width]."""
        return spaces.features(self.space, value)

    def units(self, value: Any) -> jax.Array:
        """Flatten like `flat`, and bring the entries of a box that have two bounds to [-1, 1]. What a network reads of
        an action must not depend on whether a motor takes volts or millivolts."""
        middle, half = self._middle
        return (self.flat(value) - middle) / half

    def value(self, flat: jax.Array) -> Any:
        """Find the nearest value of the space to [N, width]: boxes clipped to their bounds, choices by argmax."""
        sizes = [spaces.width(leaf) for leaf in self.leaves]
        pieces = jnp.split(flat, np.cumsum(sizes)[:-1], axis=-1)
        return jax.tree.unflatten(self.tree, [_nearest(leaf, piece) for leaf, piece in zip(self.leaves, pieces, strict=True)])

    def open(self, observation: Any) -> jax.Array | None:
        """Read which choices are admissible from an observation [N]: the leaf called `open` as bool [N, n], or None where
        the space has none."""
        found = [index for index, names in enumerate(self._paths) if names[-1:] == (OPEN,)]
        return jax.tree.leaves(observation)[found[0]].astype(bool) if found else None

    def under(self, names: tuple[str, ...]) -> np.ndarray:
        """Mark the numbers of `flat` that stand in a part of one of these names, at any depth: bool [width]."""
        marks = [
            np.full(spaces.width(leaf), bool(set(path) & set(names))) for leaf, path in zip(self.leaves, self._paths, strict=True)
        ]
        return np.concatenate(marks)

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """(low, high) of the flat vector, float64 [width]."""
        edges = [(np.zeros(leaf.n), np.ones(leaf.n)) if isinstance(leaf, Discrete) else leaf.bounds for leaf in self.leaves]
        low, high = ([np.ravel(edge).astype(np.float64) for edge in side] for side in zip(*edges, strict=True))
        return np.concatenate(low), np.concatenate(high)

    @property
    def _paths(self) -> list[tuple[str, ...]]:
        """The names that lead to each leaf, the outermost first."""
        found = jax.tree_util.tree_leaves_with_path(self.space, is_leaf=spaces.is_leaf)
        return [tuple(jax.tree_util.keystr((step,), simple=True) for step in path) for path, _ in found]

    @property
    def _middle(self) -> tuple[np.ndarray, np.ndarray]:
        """Middle and half width, float32 [width], of the entries that `units` scales; 0 and 1 for the others."""
        low, high = self.bounds
        boxed = np.concatenate([np.full(spaces.width(leaf), isinstance(leaf, Box)) for leaf in self.leaves])
        scaled = boxed & np.isfinite(low) & np.isfinite(high) & (high > low)
        low, high = np.where(scaled, low, -1.0), np.where(scaled, high, 1.0)
        return ((low + high) / 2).astype(np.float32), ((high - low) / 2).astype(np.float32)


def numbers(belief: Any) -> jax.Array:
    """Lay all numbers of a pytree of arrays [N, ...] side by side: float32 [N, width]."""
    leaves = [jnp.asarray(leaf, jnp.float32) for leaf in jax.tree.leaves(belief)]
    return jnp.concatenate([leaf.reshape(leaf.shape[0], -1) for leaf in leaves], axis=-1)


def form(space: Any) -> Form:
    """Make the form of a space."""
    leaves, tree = jax.tree.flatten(space, is_leaf=spaces.is_leaf)
    return Form(leaves=tuple(leaves), tree=tree)


def pictures(observation: Form) -> list[Box]:
    """List the leaves that are pictures: boxes of bytes with three axes, of which two are no shorter than 32."""
    boxes = [leaf for leaf in observation.leaves if isinstance(leaf, Box) and len(leaf.shape) == 3]
    return [leaf for leaf in boxes if np.dtype(leaf.dtype) == np.uint8 and sorted(leaf.shape)[1] >= 32]


def vectors(space: Any, reader: Any) -> Form:
    """Make the form of an observation space for a `reader` that reads vectors alone; refuse pictures."""
    found = form(space)
    if seen := pictures(found):
        raise ValueError(
            f"observation: {type(reader).__name__} reads numbers, not pictures of shape {seen[0].shape}; take a recipe that reads"
            " pictures, such as dqn or dreamer_v3, or a world whose observation is a vector"
        )
    return found


def _nearest(leaf: Box | Discrete, piece: jax.Array) -> jax.Array:
    if isinstance(leaf, Discrete):
        return jnp.argmax(piece, -1).astype(jnp.int32)
    low, high = leaf.bounds
    whole = np.dtype(leaf.dtype).kind in "iu"
    value = (jnp.round(piece) if whole else piece).reshape(piece.shape[0], *leaf.shape)
    return jnp.clip(value, low.astype(np.float32), high.astype(np.float32)).astype(leaf.dtype)
