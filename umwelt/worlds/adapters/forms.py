"""Describe observations and actions as they look from outside, and turn a simulator's own into them.

Like `simulators.py` this file also runs in worker processes, which must not load JAX.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

MOST_CHOICES = 1000
"""The largest product of discrete actions that is offered as one choice."""
UNBOUNDED = 1e10
"""Bounds from here on stand for infinity: MuJoCo gives this number for an actuator without limits, others the largest float."""


MOST_CHANNELS, LEAST_SIDE = 4, 32
"""Where bytes are a picture, though its channels do not stand last: the most channels, and the shortest side."""


class Misfit(Exception):
    """Something that a world handed out does not fit what it promised; `name` is the event's name."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclasses.dataclass(frozen=True, kw_only=True)
class ArrayForm:
    """Arrays of one shape, or (choices > 0) whole numbers 0 .. choices - 1. low, high: of the full shape.

    achieved: (first, last + 1) of the numbers of an observation that hold the goal it achieves; empty where none do.
    names: what each number is called, for people; empty where that is not known.
    """

    shape: tuple[int, ...] = ()
    dtype: str = "float32"
    low: Any = None
    high: Any = None
    choices: int = 0
    achieved: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    def like(self, other: "ArrayForm") -> bool:
        """True where both describe the same values."""
        same = [(each.shape, each.dtype, each.choices, each.achieved) for each in (self, other)]
        return same[0] == same[1] and np.array_equal(self.low, other.low) and np.array_equal(self.high, other.high)

    def __str__(self) -> str:
        return f"{self.choices} choices" if self.choices else f"{self.dtype}{list(self.shape)}"


def box(shape: tuple[int, ...], low: Any, high: Any, dtype: str) -> ArrayForm:
    """The form of arrays between two bounds."""
    edges = []
    if np.dtype(dtype).kind in "iu":
        limits = np.iinfo(dtype)
        low, high = (np.clip(np.broadcast_to(edge, shape), limits.min, limits.max).astype(dtype) for edge in (low, high))
        return ArrayForm(shape=tuple(shape), dtype=dtype, low=low, high=high)
    for edge in (low, high):
        wide = np.broadcast_to(np.asarray(edge, np.float64), shape)
        wide = np.where(np.abs(wide) >= UNBOUNDED, np.copysign(np.inf, wide), wide)
        edges.append(wide.astype(dtype))
    return ArrayForm(shape=tuple(shape), dtype=dtype, low=edges[0], high=edges[1])


def observations(space: Any) -> tuple[ArrayForm, Callable[[Any], np.ndarray]]:
    """What observations of a Gymnasium space look like from outside, and how they are made so."""
    from gymnasium import spaces

    # Bytes stay bytes: memories hold four times as many of them as of float32.
    if isinstance(space, spaces.Box) and len(space.shape) == 1 and space.dtype == np.uint8:
        return box(space.shape, space.low, space.high, "uint8"), lambda raw: _bytes(raw, space.shape)
    if isinstance(space, spaces.Box) and space.dtype == np.uint8 and (axes := picture_axes(space.shape)):
        low, high = _arranged(space.low, axes), _arranged(space.high, axes)
        return box(low.shape, low, high, "uint8"), lambda raw: _arranged(_bytes(raw, space.shape), axes)
    if isinstance(space, spaces.Box):
        flat = (math.prod(space.shape),)
        form = box(flat, space.low.reshape(flat), space.high.reshape(flat), "float32")
        return form, lambda raw: _vector(raw, space.shape)
    try:
        flat = spaces.flatten_space(space)
    except NotImplementedError:
        flat = None
    if not isinstance(flat, spaces.Box):
        raise ValueError(
            f"observations of {space} cannot be made one vector:"
            " give the environment a wrapper with a Box, Dict, Tuple, Discrete or MultiDiscrete observation space"
        )
    form = box(flat.shape, flat.low, flat.high, "float32")
    form = dataclasses.replace(form, achieved=_achieved(space), names=_entries(space))
    return form, lambda raw: _flattened(space, raw)


def _achieved(space: Any) -> tuple[int, ...]:
    """Where the entry `achieved_goal` of a goal environment's Dict stands once it is flat; empty where there is none."""
    from gymnasium import spaces

    names = list(space.spaces) if isinstance(space, spaces.Dict) else []
    if not {"achieved_goal", "desired_goal"} <= set(names):
        return ()
    begin = sum(spaces.flatdim(space[name]) for name in names[: names.index("achieved_goal")])
    return begin, begin + spaces.flatdim(space["achieved_goal"])


def _entries(space: Any) -> tuple[str, ...]:
    """Name the numbers of a Dict by its entries once it is flat; empty for another space."""
    from gymnasium import spaces

    entries = space.spaces.items() if isinstance(space, spaces.Dict) else ()
    return tuple(each for name, inner in entries for each in numbered(name, spaces.flatdim(inner)))


def numbered(name: str, count: int) -> list[str]:
    """Names for so many numbers of one entry."""
    return [name] if count == 1 else [f"{name} {index}" for index in range(count)]


def picture_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Order the axes of bytes so that height and width come first, and all others are channels; empty for no picture.

    Channels may stand first or last, or be left out; pictures may be stacked as [number, height, width, channels].
    """
    if len(shape) == 3:
        return (1, 2, 0) if shape[0] <= MOST_CHANNELS < shape[2] else (0, 1, 2)
    if len(shape) == 2 and min(shape) >= LEAST_SIDE:
        return 0, 1
    if len(shape) == 4 and min(shape[1:3]) >= LEAST_SIDE and shape[3] <= MOST_CHANNELS:
        return 1, 2, 0, 3
    return ()


def _arranged(raw: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """A picture [height, width, channels]; of stacked ones the channels of the first come first."""
    moved = np.ascontiguousarray(raw.transpose(axes))
    return moved.reshape(*moved.shape[:2], -1)


def _vector(raw: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A float32 vector, maybe the world's own array: what keeps it copies it."""
    if type(raw) is not np.ndarray:
        raw = _array(raw)
    if raw.shape != shape:
        raise Misfit("world_changed_shape", f"the observation has shape {list(raw.shape)} instead of {list(shape)}")
    if raw.dtype.kind not in "fiub":
        raise Misfit("world_changed_type", f"the observation holds {raw.dtype} instead of numbers")
    with np.errstate(over="ignore"):
        vector = raw.astype(np.float32, copy=False)
    return vector if len(shape) == 1 else vector.reshape(-1)


def _bytes(raw: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A picture, or a vector of bytes."""
    raw, what = _array(raw), "vector" if len(shape) == 1 else "picture"
    if raw.shape != shape:
        raise Misfit("world_changed_shape", f"the {what} has shape {list(raw.shape)} instead of {list(shape)}")
    if raw.dtype.kind not in "iu":
        raise Misfit("world_changed_type", f"the {what} holds {raw.dtype} instead of whole numbers 0 .. 255")
    if raw.dtype != np.uint8 and (raw.min() < 0 or raw.max() > 255):
        raise Misfit("world_left_space", f"the {what} holds {raw.min()} .. {raw.max()}, outside 0 .. 255")
    return raw.astype(np.uint8)


def _array(raw: Any) -> np.ndarray:
    if not isinstance(raw, np.ndarray | np.generic | int | float | list | tuple):
        raise Misfit("world_changed_type", f"the observation is {named(raw)} instead of an array")
    try:
        return np.asarray(raw)
    except ValueError as error:
        raise Misfit("world_changed_type", f"the observation is no array: {error}") from error


def _flattened(space: Any, raw: Any) -> np.ndarray:
    from gymnasium import spaces

    try:
        outside = _outside(space, raw)
        flat = None if outside else spaces.flatten(space, raw)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        message = f"the observation does not have the parts of {space}: {type(error).__name__}: {error}"
        raise Misfit("world_changed_type", message) from error
    if outside:
        raise Misfit("world_left_space", outside)
    return np.asarray(flat, np.float32)


def _outside(space: Any, raw: Any) -> str:
    """A sentence where a choice lies outside its space. Boxes are checked once they are flat."""
    from gymnasium import spaces

    if isinstance(space, spaces.Dict):
        return next((s for name, inner in space.spaces.items() if (s := _outside(inner, raw[name]))), "")
    if isinstance(space, spaces.Tuple):
        return next((s for inner, part in zip(space.spaces, raw, strict=True) if (s := _outside(inner, part))), "")
    if isinstance(space, spaces.Box):
        return ""
    return "" if space.contains(raw) else f"the observation {raw!r} is not in {space}"


def actions(space: Any) -> tuple[ArrayForm, Callable[[Any], Any]]:
    """What actions for a Gymnasium space look like from outside, and how they are turned into its own."""
    from gymnasium import spaces

    if isinstance(space, spaces.Box):
        # Lives hold whole numbers as int32 at the widest, and real ones as float32.
        small = str(space.dtype) if space.dtype.itemsize < 4 else "int32"
        form = box(space.shape, space.low, space.high, small if space.dtype.kind in "iu" else "float32")
        low, high, dtype = space.low, space.high, space.dtype
        return form, lambda action: np.minimum(np.maximum(action, low), high).astype(dtype, copy=False)
    if isinstance(space, spaces.Discrete):
        start = int(space.start)
        return ArrayForm(dtype="int32", choices=int(space.n)), lambda action: int(action) + start
    if not isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
        raise ValueError(
            f"actions of {space} are not supported:"
            " give the environment a wrapper with a Box, Discrete, MultiDiscrete or MultiBinary action space"
        )
    shape = space.shape
    binary = isinstance(space, spaces.MultiBinary)
    counts = (2,) * math.prod(shape) if binary else tuple(int(n) for n in np.ravel(space.nvec))
    choices = math.prod(counts)
    if choices > MOST_CHOICES:
        raise ValueError(f"{space} has {choices} joint actions, more than {MOST_CHOICES}: give the environment a smaller one")
    start = 0 if binary else np.ravel(space.start)
    table = (np.stack(np.unravel_index(np.arange(choices), counts), axis=-1) + start).astype(space.dtype)
    table = table.reshape(choices, *shape)
    return ArrayForm(dtype="int32", choices=choices), lambda action: table[int(action)].copy()


def number(reward: Any) -> float:
    """A reward as a float."""
    try:
        return float(reward)
    except (TypeError, ValueError) as error:
        raise Misfit("world_changed_type", f"the reward is {named(reward)} instead of a number") from error


def reported(name: str, value: Any) -> float:
    """A number that an environment reports beside its step; True is 1, False is 0, and None is NaN."""
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        return float(np.asarray(value, np.float64).reshape(()))
    except (TypeError, ValueError) as error:
        message = f"info[{name!r}] is {named(value)} instead of a number; leave it out of `record`"
        raise Misfit("world_changed_type", message) from error


def flag(over: Any) -> bool:
    """`terminated` or `truncated` as a bool."""
    if isinstance(over, bool | np.bool_ | int | np.integer) or (isinstance(over, np.ndarray) and over.ndim == 0):
        return bool(over)
    raise Misfit("world_changed_type", f"terminated and truncated must be True or False; one is {named(over)}")


def named(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, tuple):
        return f"{len(value)} values"
    return "nothing" if value is None else f"a value of type {type(value).__name__}"
