"""Sixty tasks in one life: how fast it is at its end, how much it holds, and whether it still learns.

    python -m evidence.long_life --seeds 3

Sixty pendulums, each of its own gravity, length, mass and motor, which the agent is shown; its memory is full after a
third of its life. A task counts as learned when surprise has come down to where it stays (`evidence.forgetting`). The
result goes to `evidence/results/long_life.json`.
"""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evidence.agents import NETWORKS
from evidence.forgetting import CALM, MOST
from evidence.seeds import each_seed
from umwelt.behaviours import ModelPredictive
from umwelt.core import Objective
from umwelt.life.api import live
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.composition import Life
from umwelt.life.exams.scores import diary, ledgers
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Lifelong
from umwelt.planners import ICEM
from umwelt.teachers import Blocks
from umwelt.worlds import stream_named

LIVES = Path("build/evidence")
STEPS = 500
WINDOW = 5
"""Points of the chronicle over which surprise is averaged."""
BYTES = 1_000_000


def agent() -> ModelPredictive:
    """One ensemble that is shown the pendulum, and a reservoir of its whole life."""
    return ModelPredictive(
        model=replace(NETWORKS, units=64),
        planner=ICEM(samples=64, horizon=15, iterations=3, elites=8),
        memory=Lifelong(bytes=BYTES),
        objective=Objective(doubt=0.3),
        examined=Objective(),
        batch=256,
    )


def resident() -> float:
    """Megabytes that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def lived(seed: int) -> dict[str, Any]:
    """One life, and its figures."""
    stream = stream_named("many:short")
    teacher = Blocks(names=stream.names, steps=STEPS)
    rhythm = Rhythm(random=200, learn_every=10, updates=20, first_updates=500, probe_episodes=1, save_seconds=60.0)
    life = Life(world=stream.world, agent=agent(), teacher=teacher, rhythm=rhythm, seed=seed)
    whole, held, began = STEPS * len(stream.names), {}, time.perf_counter()

    def on_progress(progress: Any) -> None:
        held[progress.clock] = resident()

    living = live(life, steps=whole, name=f"long-life-{seed}-{int(time.time())}", lives=LIVES, on_progress=on_progress)
    minutes = (time.perf_counter() - began) / 60
    with Chronicle.read(living.folder.path / "chronicle.db") as chronicle:
        spent, surprise, episodes, probes = (
            chronicle.timing(),
            chronicle.series("surprise"),
            chronicle.episodes(),
            chronicle.probes(),
        )
        lessons = ledgers(diary(chronicle))[seed].lessons
    mine = spent["part"] == "living"
    clock, seconds = spent["clock"][mine], spent["seconds"][mine]
    early, late = (_rate(clock, seconds, share * whole, (share + 0.1) * whole) for share in (0.1, 0.9))
    took = np.array([_took(surprise["clock"], surprise["value"], lesson.begin, lesson.end) for lesson in lessons])
    final = {
        task: float(mean) for task, mean, at in zip(probes["task"], probes["mean"], probes["clock"], strict=True) if at == whole
    }
    last = {str(task): float(value) for task, value in zip(episodes["task"], episodes["return"], strict=True)}
    # the last probe, which compiles a program of its own, comes when the life is whole
    full, late_at = next(at for at in sorted(held) if at >= 0.4 * whole), max(at for at in held if at < whole)
    return {
        "seed": seed,
        "minutes": round(minutes, 1),
        "decisions_a_second": {"second tenth": round(early, 1), "last tenth": round(late, 1)},
        "megabytes": {"at 40 %": round(held[full]), "at the end": round(held[late_at])},
        "decisions_to_learn": {"tasks 4 to 8": round(float(took[3:8].mean())), "tasks 56 to 60": round(float(took[55:].mean()))},
        "return": {
            "last episode of each lesson": round(float(np.mean(list(last.values()))), 1),
            "all tasks at the end": round(float(np.mean(list(final.values()))), 1),
        },
    }


def _rate(clock: np.ndarray, seconds: np.ndarray, begin: float, end: float) -> float:
    inside = np.flatnonzero((clock >= begin) & (clock <= end))
    return float((clock[inside[-1]] - clock[inside[0]]) / (seconds[inside[-1]] - seconds[inside[0]]))


def _took(clock: np.ndarray, surprise: np.ndarray, begin: int, end: int) -> float:
    """Decisions of a lesson until the mean surprise of a window was calm."""
    inside = (clock > begin) & (clock <= end)
    error = np.exp(np.minimum(np.nan_to_num(surprise[inside], nan=MOST), MOST))
    goal = CALM * float(np.median(error[-len(error) // 3 :]))
    means = np.convolve(error, np.full(WINDOW, 1 / WINDOW), mode="valid")
    there = np.flatnonzero(means <= goal)
    return float(clock[inside][there[0] + WINDOW - 1] - begin) if there.size else float(end - begin)


if __name__ == "__main__":
    sys.exit(each_seed("long_life", __doc__, 3, lived))
