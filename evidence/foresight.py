"""Does a model still predict its first task as far as right after it was learned?

    python -m evidence.foresight --seeds 5

The agent that rehearses learns the six wishes of `evidence.forgetting`, in the order as it stands. The model's error on the
first task is measured after its own lesson, and again after all six. It predicts 1, 5, 15 and 50 steps ahead without a look.
The first lesson runs once more by itself, which is the same life until then. The result goes to
`evidence/results/foresight.json`.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from evidence.agents import TABLES
from evidence.forgetting import LIVES, life_of, live_it
from evidence.seeds import each_seed
from umwelt.evaluation.knowledge import HORIZONS
from umwelt.life.api import live, probe_model, resume

EPISODES = 10


def errors(path: Path, seed: int, task: str) -> dict[str, float]:
    """Steps ahead -> the share of the change that the model did not predict."""
    found = probe_model(path.resolve(), episodes=EPISODES, tasks=(task,))[seed][task]
    return {str(steps): round(float(error), 5) for steps, error in zip(HORIZONS, found.error, strict=True)}


def measured(seed: int) -> dict[str, Any]:
    """One life, twice."""
    table = TABLES["wishes"]
    life, task = life_of(table, "rehearsal", 0, seed), table.tasks[0]
    whole = live_it(table, f"wishes-rehearsal-0-{seed}", life)
    first = LIVES / f"wishes-first-{seed}"
    if first.exists():
        resume(first.name, lives=LIVES)
    else:
        live(life, steps=table.steps, name=first.name, lives=LIVES)
    then, now = errors(first, seed, task), errors(whole, seed, task)
    return {
        "seed": seed,
        "task": task,
        "after its lesson": then,
        "after all": now,
        "ratio": {steps: round(now[steps] / then[steps], 3) for steps in then},
    }


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Steps ahead -> the mean and the worst ratio over seeds."""
    ratios = {steps: [row["ratio"][steps] for row in rows] for steps in rows[0]["ratio"]}
    return {
        "mean_ratio": {steps: round(float(np.mean(each)), 3) for steps, each in ratios.items()},
        "worst_ratio": {steps: max(each) for steps, each in ratios.items()},
    }


if __name__ == "__main__":
    sys.exit(each_seed("foresight", __doc__, 5, measured, summary))
