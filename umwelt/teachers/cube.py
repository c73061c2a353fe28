"""Map the tasks of a world to places in a unit cube, and back: where teachers of continuous tasks work."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, spaces, static, struct

Range = tuple[str, float, float]
"""A field of the task, its lowest and its highest number."""


@struct
class Cube:
    """base: the default task, leaves [...]. low, high: float32 [D], the range of each side of the cube.

    fields: the leaves of the task space. taught: whether each of them varies; the others stay as in `base`.
    """

    base: Any
    low: jax.Array
    high: jax.Array
    fields: tuple[Any, ...] = static()
    taught: tuple[bool, ...] = static()

    @property
    def width(self) -> int:
        """D, the sides of the cube: one for each number, n for a choice among n."""
        return self.low.shape[0]

    def places(self, tasks: Any) -> jax.Array:
        """Tasks [N] as places float32 [N, D]."""
        pairs = zip(self.fields, jax.tree.leaves(tasks), self.taught, strict=True)
        flat = jnp.concatenate([spaces.features(space, leaf) for space, leaf, taught in pairs if taught], axis=-1)
        return jnp.clip((flat - self.low) / jnp.maximum(self.high - self.low, 1e-12), 0.0, 1.0)

    def tasks(self, places: jax.Array) -> Any:
        """Places float32 [N, D] as tasks [N], all inside the space."""
        rows, made, used = places.shape[0], [], 0
        flat = self.low + jnp.clip(places, 0.0, 1.0) * (self.high - self.low)
        leaves, tree = jax.tree.flatten(self.base)
        for space, leaf, taught in zip(self.fields, leaves, self.taught, strict=True):
            if not taught:
                made.append(jnp.broadcast_to(jnp.asarray(leaf), (rows, *space.shape)))
                continue
            wide = spaces.width(space)
            made.append(_leaf(space, flat[:, used : used + wide]))
            used += wide
        return jax.tree.unflatten(tree, made)


def cube_of(task_space: Any, named: dict[str, Any], within: tuple[Range, ...] = ()) -> Cube:
    """Return the cube of a task space, or of the fields `within` of it.

    >>> space = {"gravity": Box(low=0.0, high=20.0), "length": Box(low=0.5, high=2.5)}
    >>> named = {"earth": {"gravity": 10.0, "length": 1.0}}

    >>> cube = cube_of(space, named, within=(("gravity", 2.0, 12.0),))
    >>> task = cube.tasks(jnp.array([[0.5]]))
    >>> float(task["gravity"][0]), float(task["length"][0])
    (7.0, 1.0)
    """
    found = jax.tree_util.tree_leaves_with_path(task_space, is_leaf=spaces.is_leaf)
    names = [jax.tree_util.keystr(path[:1], simple=True) for path, _ in found]
    ranges = {name: (low, high) for name, low, high in within}
    if unknown := set(ranges) - set(names):
        raise ValueError(f"within: tasks have no field {', '.join(sorted(unknown))}; they have {', '.join(dict.fromkeys(names))}")
    taught = tuple(not ranges or name in ranges for name in names)
    edges = [_edges(name, space, ranges.get(name)) for name, (_, space), used in zip(names, found, taught, strict=True) if used]
    base = jax.tree.map(jnp.asarray, next(iter(named.values())))
    return Cube(
        base=base,
        low=jnp.asarray(np.concatenate([low for low, _ in edges]), jnp.float32),
        high=jnp.asarray(np.concatenate([high for _, high in edges]), jnp.float32),
        fields=tuple(space for _, space in found),
        taught=taught,
    )


def _edges(name: str, space: Any, given: tuple[float, float] | None) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and highest number of each side that a leaf has in the cube: float64 [n] each."""
    if isinstance(space, Discrete):
        return np.zeros(space.n), np.ones(space.n)
    low, high = (np.asarray(edge, np.float64).reshape(-1) for edge in space.bounds)
    if given is not None:
        low, high = np.maximum(low, given[0]), np.minimum(high, given[1])
    if not (np.all(np.isfinite(low)) and np.all(np.isfinite(high))):
        raise ValueError(
            f"within: the field {name or 'task'!r} has no bounds; name its range, as in within=(({name!r}, 0.0, 1.0),)"
        )
    if np.any(low > high):
        raise ValueError(f"within: the range of {name!r} lies outside its space")
    return low, high


def _leaf(space: Any, flat: jax.Array) -> jax.Array:
    """Numbers float32 [N, n] as one leaf of tasks [N, ...]."""
    if isinstance(space, Discrete):
        return jnp.argmax(flat, axis=-1).astype(jnp.int32)
    assert isinstance(space, Box)
    shaped = flat.reshape(flat.shape[0], *space.shape) if math.prod(space.shape) else flat[:, :0].reshape(-1, *space.shape)
    if np.dtype(space.dtype).kind in "iu":
        shaped = jnp.round(shaped)
    low, high = space.bounds
    return jnp.clip(shaped.astype(space.dtype), low, high)
