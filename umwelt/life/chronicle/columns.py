"""Conversion of what the body recorded to what the chronicle keeps."""

from typing import Any

import jax
import numpy as np

from umwelt.core import BROKEN, TERMINATED
from umwelt.core.contracts import World


class TaskNames:
    """Finds the name of a task by its value."""

    def __init__(self, world: World) -> None:
        self.known = {self._bytes(task): name for name, task in world.tasks().items()}

    def of(self, task: Any) -> str:
        """The world's name of one task, or its numbers."""
        return self.known.get(self._bytes(task)) or ",".join(f"{value:.4g}" for value in self._numbers(task))

    def _numbers(self, task: Any) -> list[float]:
        return [float(value) for leaf in jax.tree.leaves(task) for value in np.ravel(leaf)]

    def _bytes(self, task: Any) -> bytes:
        return np.asarray(self._numbers(task), np.float64).tobytes()


def windows(clock: int, ticks: int, every: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut the ticks clock + 1 ... clock + ticks at the multiples of `every`.

    Returns (where each window starts, [W], and the clock of its last tick, [W]).
    """
    clocks = clock + 1 + np.arange(ticks)
    starts = np.flatnonzero(np.diff((clocks - 1) // every, prepend=-1))
    return starts, clocks[np.append(starts[1:], ticks) - 1]


def means(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Average over windows of ticks, leaving out NaN: [ticks, ...] -> float64 [W]."""
    values = np.asarray(values, np.float64).reshape(len(values), -1)
    known = ~np.isnan(values)
    total = np.add.reduceat(np.where(known, values, 0).sum(axis=1), starts)
    count = np.add.reduceat(known.sum(axis=1), starts)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def changes(values: np.ndarray, before: float) -> list[tuple[int, float]]:
    """Find (tick, new value) wherever values [ticks] differ from the one before.

    NaN is no value, and the first value is no change where `before` is NaN.
    """
    known = np.flatnonzero(~np.isnan(values))
    last = np.append(before, values[known])[:-1]
    changed = (values[known] != last) & ~np.isnan(last)
    return [(int(tick), float(values[tick])) for tick in known[changed]]


def trail_columns(record: Any, starts: np.ndarray, clocks: np.ndarray, names: TaskNames) -> dict[str, Any]:
    """The position of the first row at the end of each window, and its mean doubt: columns of a record [ticks, B]."""
    ends = np.append(starts[1:], len(record.kind)) - 1
    positions = np.full((len(ends), 3), np.nan)
    positions[:, : record.position.shape[-1]] = record.position[ends, 0]
    x, y, z = positions.T
    return {"clock": clocks, "task": _names_at(ends, record.task, names), "x": x, "y": y, "z": z,
            "doubt": means(record.doubt[:, 0], starts)}  # fmt: skip


def _names_at(ticks: np.ndarray, task: Any, names: TaskNames) -> list[str]:
    """The names of the first row's tasks [ticks, B] at some ticks; each stretch of one task is looked up once."""
    leaves, form = jax.tree.flatten(task)
    chosen = [np.asarray(leaf)[ticks, 0] for leaf in leaves]
    flat = np.concatenate([leaf.reshape(len(ticks), -1).astype(np.float64) for leaf in chosen], axis=1)
    first = np.flatnonzero(np.any(flat[1:] != flat[:-1], axis=1)) + 1
    begins = np.append(0, first)
    named = [names.of(jax.tree.unflatten(form, [leaf[begin] for leaf in chosen])) for begin in begins]
    return [name for name, count in zip(named, np.diff(np.append(begins, len(ticks))), strict=True) for _ in range(count)]


def episode_columns(record: Any, clock: int, names: TaskNames) -> dict[str, Any]:
    """The episodes that ended in a record with leaves [ticks, B], as the chronicle's columns.

    The return of an episode that broke is NaN: what it would have been is not known.
    """
    ticks, rows = np.nonzero(record.kind >= TERMINATED)
    ends = clock + 1 + ticks
    tasks = [jax.tree.map(lambda leaf: leaf[tick, row], record.task) for tick, row in zip(ticks, rows, strict=True)]  # noqa: B023
    return {
        "row": rows,
        "begin": ends - record.length[ticks, rows],
        "end": ends,
        "task": [names.of(task) for task in tasks],
        "return": np.where(record.kind[ticks, rows] == BROKEN, np.nan, record.returns[ticks, rows]),
        "length": record.length[ticks, rows],
        "end_kind": record.kind[ticks, rows],
        "surprise": record.mean_surprise[ticks, rows],
        "doubt": record.mean_doubt[ticks, rows],
    }


def number_columns(record: Any, clock: int) -> list[dict[str, Any]]:
    """What the world named of the episodes that ended in a record with leaves [ticks, B]: columns for each name.

    Of an episode that broke nothing is known.
    """
    ticks, rows = np.nonzero(record.kind >= TERMINATED)
    broken = record.kind[ticks, rows] == BROKEN
    return [
        {"row": rows, "end": clock + 1 + ticks, "name": name, "value": np.where(broken, np.nan, values[ticks, rows])}
        for name, values in (record.named or {}).items()
    ]
