"""Order tasks: functions from names to the names of all lessons, one after the other.

Blocks of long lessons, cycles with returns, short interleaved lessons, old tasks that come back ever more rarely:
`umwelt.teachers.Blocks(names=cycle(("earth", "moon"), 3), steps=800)`.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

Names = tuple[str, ...]
MOST = 8
"""Tasks of which all orders are tried."""


def cycle(names: Sequence[str], times: int) -> Names:
    """All tasks in their order, again and again. With lessons of one step each episode has the next task."""
    return _some(names) * times


def shuffled(names: Sequence[str], times: int, seed: int = 0) -> Names:
    """All tasks `times` times, each time in a new order, never the same task twice in a row."""
    random, lessons = np.random.default_rng(seed), []
    for _ in range(times):
        order = random.permutation(_some(names)).tolist()
        if lessons and order[0] == lessons[-1]:
            order = [*order[1:], order[0]]
        lessons += order
    return tuple(lessons)


def drawn(names: Sequence[str], lessons: int, seed: int = 0) -> Names:
    """Each lesson's task drawn evenly from all but the last one."""
    names, random = _some(names), np.random.default_rng(seed)
    made: list[str] = []
    for _ in range(lessons):
        made.append(str(random.choice([name for name in names if name not in made[-1:]] or names)))
    return tuple(made)


def revisits(names: Sequence[str], lessons: int, power: float = 1.0, seed: int = 0) -> Names:
    """New tasks at an even pace; between them known ones come back, one of n lessons ago with a weight of n^-power. So
    recent ones come back often, and old ones ever more rarely."""
    names, random = _some(names), np.random.default_rng(seed)
    if lessons < len(names):
        raise ValueError(f"lessons={lessons}: at least one for each of the {len(names)} tasks")
    fresh = {round(index * lessons / len(names)): name for index, name in enumerate(names)}
    made: list[str] = []
    last: dict[str, int] = {}
    for number in range(lessons):
        known = [name for name in last if name != made[-1]]
        if number in fresh or not known:
            made.append(fresh.get(number, made[-1] if made else names[0]))
        else:
            weights = np.array([(number - last[name]) ** -power for name in known])
            made.append(str(random.choice(known, p=weights / weights.sum())))
        last[made[-1]] = number
    return tuple(made)


def _some(names: Sequence[str]) -> Names:
    if not names:
        raise ValueError("names: an order needs at least one task")
    return tuple(names)


def scored(orders: Any, apart: Any, recent: bool = False) -> Any:
    """How far each task of an order lies from those before it, summed: [O] of orders int [O, L].

    apart: [K, K], the distance of each task from each other one. recent: only the task right before counts; else the mean
    distance from all before. Similar neighbours make a low score. Works on arrays of NumPy and of JAX.

    >>> apart = np.array([[0.0, 1.0, 4.0], [1.0, 0.0, 3.0], [4.0, 3.0, 0.0]])
    >>> scored(np.array([[0, 1, 2], [0, 2, 1]]), apart, recent=True).tolist()
    [4.0, 7.0]
    """
    total = 0.0
    for place in range(1, orders.shape[1]):
        first = place - 1 if recent else 0
        total = total + apart[orders[:, place, None], orders[:, first:place]].mean(axis=1)
    return total


def designed(names: Sequence[str], apart: np.ndarray, far: bool = False, recent: bool = False) -> Names:
    """The order whose tasks lie nearest to those before them, or farthest where `far`, of all orders of a few tasks."""
    if len(names) > MOST:
        raise ValueError(f"names: {len(names)} tasks have too many orders to try them all; give {MOST} at most")
    orders = np.array(list(itertools.permutations(range(len(_some(names))))))
    scores = scored(orders, apart, recent) if len(names) > 1 else np.zeros(1)
    best = orders[np.argmax(scores) if far else np.argmin(scores)]
    return tuple(str(names[index]) for index in best)
