"""Spaces: what values an observation, an action or a task may take.

A space is a pytree whose leaves are `Box` or `Discrete`, of the same structure as the values that
it describes. The functions below take a whole space.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import keys
from umwelt.core.struct import part

Bound = float | tuple[float, ...]


@part
class Box:
    """Arrays of one shape between two bounds (infinite where unbounded).

    low, high: one number for all entries, or one for each entry in row-major order.
    """

    shape: tuple[int, ...] = ()
    low: Bound = -math.inf
    high: Bound = math.inf
    dtype: str = "float32"

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """(low, high), each of the box's shape and dtype."""
        made = [np.broadcast_to(np.asarray(edge).reshape(self.shape if np.size(edge) > 1 else ()), self.shape)
                for edge in (self.low, self.high)]  # fmt: skip
        if np.dtype(self.dtype).kind in "iu":
            limits = np.iinfo(self.dtype)
            made = [np.clip(edge, limits.min, limits.max) for edge in made]
        return made[0].astype(self.dtype), made[1].astype(self.dtype)

    @property
    def bounded(self) -> bool:
        """True where every entry has two finite bounds."""
        return bool(np.all(np.isfinite(self.low)) and np.all(np.isfinite(self.high)))


@part
class Discrete:
    """Whole numbers 0 .. n - 1, as int32."""

    n: int

    shape = ()
    dtype = "int32"


def is_leaf(node: Any) -> bool:
    """True for a Box or a Discrete."""
    return isinstance(node, Box | Discrete)


def map_space(function: Any, space: Any, *values: Any) -> Any:
    """`jax.tree.map` over the leaves of a space and the matching parts of values."""
    return jax.tree.map(function, space, *values, is_leaf=is_leaf)


def leaves(space: Any) -> list[Box | Discrete]:
    """The Box and Discrete leaves of a space, in pytree order."""
    return jax.tree.leaves(space, is_leaf=is_leaf)


def zeros(space: Any, *lead: int) -> Any:
    """A value of zeros with the leading axes `lead`."""
    return map_space(lambda leaf: jnp.zeros((*lead, *leaf.shape), leaf.dtype), space)


def sample(key: jax.Array, space: Any, *lead: int) -> Any:
    """Uniform draws with leading axes `lead`; a side without a bound is drawn from a unit normal."""
    flat, tree = jax.tree.flatten(space, is_leaf=is_leaf)
    drawn = [_sample_leaf(keys.fold(key, f"leaf{index}"), leaf, lead) for index, leaf in enumerate(flat)]
    return jax.tree.unflatten(tree, drawn)


def _sample_leaf(key: jax.Array, leaf: Box | Discrete, lead: tuple[int, ...]) -> jax.Array:
    shape = (*lead, *leaf.shape)
    if isinstance(leaf, Discrete):
        return jax.random.randint(key, shape, 0, leaf.n, jnp.int32)
    low, high = leaf.bounds
    if np.dtype(leaf.dtype).kind in "iu":
        return jax.random.randint(key, shape, low, high.astype(np.int64) + 1, jnp.int32).astype(leaf.dtype)
    finite = np.isfinite(low) & np.isfinite(high)
    uniform = jax.random.uniform(key, shape, leaf.dtype)
    inside = np.where(finite, low, 0) + uniform * np.where(finite, high - np.where(finite, low, 0), 1)
    outside = jnp.clip(jax.random.normal(keys.fold(key, "unbounded"), shape, leaf.dtype), low, high)
    return jnp.where(finite, inside, outside).astype(leaf.dtype)


def contains(space: Any, value: Any, slack: float = 1e-5) -> str:
    """An empty string where `value` (any leading axes) lies in `space`; else a sentence that says why not."""
    expected, found = jax.tree.structure(space, is_leaf=is_leaf), jax.tree.structure(value)
    if expected != found:
        return f"its structure is {found}, where the space has {expected}"
    for leaf, array in zip(leaves(space), jax.tree.leaves(value), strict=True):
        array = np.asarray(array)
        trailing = array.shape[array.ndim - len(leaf.shape) :]
        if trailing != tuple(leaf.shape):
            return f"its shape {array.shape} does not end in {tuple(leaf.shape)}"
        if array.dtype != np.dtype(leaf.dtype):
            return f"its dtype is {array.dtype}, where the space has {leaf.dtype}"
        low, high = (np.asarray(0), np.asarray(leaf.n - 1)) if isinstance(leaf, Discrete) else leaf.bounds
        if np.dtype(leaf.dtype).kind == "f" and not np.all(np.isfinite(array)):
            return "it holds NaN or infinity"
        room = slack * np.maximum(1.0, np.abs(np.where(np.isfinite(low), low, 0.0)))
        if np.any(array < low - room) or np.any(array > high + room):
            return f"it leaves the bounds [{np.min(low):g}, {np.max(high):g}] (lowest {array.min():g}, highest {array.max():g})"
    return ""


def width(space: Any) -> int:
    """How many numbers `features` makes of one value."""
    return sum(leaf.n if isinstance(leaf, Discrete) else math.prod(leaf.shape) for leaf in leaves(space))


def features(space: Any, value: Any) -> jax.Array:
    """A value with one leading axis as float32 [N, width]: boxes flattened, choices one-hot."""

    def encode(leaf: Box | Discrete, array: Any) -> jax.Array:
        if isinstance(leaf, Discrete):
            return jax.nn.one_hot(array, leaf.n, dtype=jnp.float32)
        return jnp.asarray(array, jnp.float32).reshape(array.shape[0], -1)

    parts = [encode(leaf, array) for leaf, array in zip(leaves(space), jax.tree.leaves(value), strict=True)]
    return jnp.concatenate(parts, axis=-1) if len(parts) > 1 else parts[0]


def from_gymnasium(space: Any) -> Any:
    """The Umwelt space of a Gymnasium Box, Discrete, Dict or Tuple space.

    A Discrete space that starts elsewhere than 0 is shifted to 0; the adapter shifts it back.
    """
    from gymnasium import spaces

    if isinstance(space, spaces.Box):
        return Box(shape=tuple(space.shape), low=_bound(space.low), high=_bound(space.high), dtype=_plain(space.dtype))
    if isinstance(space, spaces.Discrete):
        return Discrete(n=int(space.n))
    if isinstance(space, spaces.Dict):
        return {name: from_gymnasium(inner) for name, inner in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(from_gymnasium(inner) for inner in space.spaces)
    raise TypeError(
        f"space {space} of kind {type(space).__name__} has no Umwelt counterpart;"
        " flatten it first (gymnasium.spaces.flatten_space) or use Box, Discrete, Dict or Tuple"
    )


def to_gymnasium(space: Any) -> Any:
    """The Gymnasium space of an Umwelt space: Box, Discrete, a dict, a tuple or a struct of those."""
    from gymnasium import spaces

    if isinstance(space, Discrete):
        return spaces.Discrete(space.n)
    if isinstance(space, Box):
        low, high = space.bounds
        return spaces.Box(low, high, space.shape, np.dtype(space.dtype).type)
    if isinstance(space, tuple):
        return spaces.Tuple([to_gymnasium(inner) for inner in space])
    fields = space if isinstance(space, dict) else vars(space)
    return spaces.Dict({name: to_gymnasium(inner) for name, inner in fields.items()})


def _bound(edge: np.ndarray) -> Bound:
    first = float(edge.flat[0]) if edge.size else 0.0
    return first if np.all(edge == edge.flat[:1]) else tuple(float(x) for x in edge.reshape(-1))


def _plain(dtype: Any) -> str:
    """Lives run in float32; a float64 space is read as float32."""
    return "float32" if np.dtype(dtype) == np.float64 else str(np.dtype(dtype))
