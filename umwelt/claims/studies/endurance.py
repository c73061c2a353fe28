"""What can be read from the folder of a life of very many lessons: whether it slows down, and whether it still learns."""

from pathlib import Path
from typing import Any

import numpy as np

from umwelt.claims.arms import Measure
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.exams.scores import lessons

CALM = 1.5
"""A task is known where surprise is below this many times what it is at the end of its lesson."""
MOST = 2.0
"""Nats for each number of the observation; more count as this many, because new networks are wrong by any amount."""
WINDOW = 5
"""Points of the chronicle over which surprise is averaged."""
MANY = 5
"""Lessons whose mean is taken at either end of a life; its first three are left out."""


def steadiness(folder: Path, seed: int) -> float:
    """Return the decisions a second in the last tenth of a life, over those in its second tenth."""
    with Chronicle.read(folder / "chronicle.db") as chronicle:
        spent = chronicle.timing()
    mine = spent["part"] == "living"
    clock, seconds = spent["clock"][mine], spent["seconds"][mine]
    early, late = (_rate(clock, seconds, share * clock[-1], (share + 0.1) * clock[-1]) for share in (0.1, 0.9))
    return late / early


def readiness(folder: Path, seed: int) -> float:
    """Return the decisions until surprise is calm in the last five lessons, over those in the fourth to the eighth."""
    with Chronicle.read(folder / "chronicle.db") as chronicle:
        episodes, surprise = chronicle.episodes(), chronicle.series("surprise")
    mine, seen = (episodes["seed"] == seed) & (episodes["row"] == 0), surprise["seed"] == seed
    clock, value = surprise["clock"][seen], surprise["value"][seen]
    found = lessons(episodes["task"][mine], episodes["end"][mine], int(clock[-1]))
    took = [calm_after(clock, value, begin, end) for _, begin, end in found]
    return float(np.mean(took[-MANY:]) / np.mean(took[3 : 3 + MANY]))


def calm_after(clock: np.ndarray, surprise: np.ndarray, begin: int, end: int) -> float:
    """Return the decisions of a lesson until the mean surprise of a window was calm; clock, surprise: [T], in nats."""
    inside = (clock > begin) & (clock <= end)
    error = np.exp(np.minimum(np.nan_to_num(surprise[inside], nan=MOST), MOST))
    goal = CALM * float(np.median(error[-len(error) // 3 :]))
    means = np.convolve(error, np.full(WINDOW, 1 / WINDOW), mode="valid")
    there = np.flatnonzero(means <= goal)
    return float(clock[inside][there[0] + WINDOW - 1] - begin) if there.size else float(end - begin)


STEADINESS = Measure(name="steadiness", unit="times", better="up", read=steadiness)
READINESS = Measure(name="readiness", unit="times", better="down", read=readiness)


def _rate(clock: Any, seconds: Any, begin: float, end: float) -> float:
    inside = np.flatnonzero((clock >= begin) & (clock <= end))
    return float((clock[inside[-1]] - clock[inside[0]]) / (seconds[inside[-1]] - seconds[inside[0]]))
