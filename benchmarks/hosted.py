"""How fast MiniGrid is as a hosted world: decisions a second by rows, in this process and each in its own.

    python -m benchmarks.run hosted

Notes compare with the same level stepped by itself, one row, without the house around it.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from umwelt.worlds.adapters import Variant, gymnasium
from umwelt.worlds.adapters.minigrid import make

DECISIONS = 4_000
ROWS = (1, 8, 16)


def alone() -> float:
    """Decisions a second of the level itself."""
    environment, random = make(level="doorkey"), np.random.default_rng(0)
    environment.reset(seed=0)

    def live() -> None:
        for number in range(DECISIONS):
            _, _, terminated, truncated, _ = environment.step(int(random.integers(7)))
            if terminated or truncated:
                environment.reset(seed=number)

    return _rate(live)


def hosted(rows: int, subprocesses: bool) -> float:
    """Decisions a second of all rows of the hosted world."""
    world = gymnasium(id=".minigrid:make", options=json.dumps([{"level": "doorkey"}]), batch=rows, subprocesses=subprocesses)
    task, random = Variant(index=np.zeros(rows, np.int32)), np.random.default_rng(0)
    ticket, _ = world.init(np.array([0, 0], np.uint32), task)

    def live() -> None:
        nonlocal ticket
        for number in range(DECISIONS // rows):
            key = np.array([1, number], np.uint32)
            ticket, _ = world.step(key, ticket, random.integers(0, 7, rows).astype(np.int32), task)

    found = _rate(live)
    world.close(ticket)
    return found


def _rate(live: Callable[[], None]) -> float:
    """The best of three runs, for the machine may be busy."""
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        live()
        seconds.append(time.perf_counter() - began)
    return DECISIONS / min(seconds)


def run() -> dict[str, Any]:
    """Every number of rows, inside and in processes."""
    bare = alone()
    found = {"minigrid alone": {"value": bare, "unit": "decisions/s"}}
    for rows in ROWS:
        for subprocesses in (False, True):
            where = "in processes" if subprocesses else "in this process"
            rate = hosted(rows, subprocesses)
            found[f"minigrid {rows} rows {where}"] = {
                "value": rate,
                "unit": "decisions/s",
                "note": f"{rate / bare:.2f} of it alone",
            }
    return found
