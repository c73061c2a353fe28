"""How long a report takes, and how big it is: a life of 30 tasks and 5 seeds, and the same with ten million rows of metrics.

python -m benchmarks.report

The lives are written row by row, not lived. The time is that of the whole command, from its start to its end.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from umwelt.core import Metric
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.chronicle.reader import count_metrics
from umwelt.life.chronicle.thinning import thinned
from umwelt.life.folder.folder import Folder

TASKS, SEEDS, EPISODE = 30, 5, 200
METRICS = ("reward", "surprise", "doubt", "loss", "value", "entropy", "gradient")


def write_life(lives: Path, name: str, lesson: int, record_every: int) -> Path:
    """A folder as a life of TASKS lessons of `lesson` decisions leaves it, with made-up numbers. Returns its path."""
    random, end = np.random.default_rng(0), TASKS * lesson
    tasks = [f"task {number}" for number in range(TASKS)]
    teacher = {"part": "umwelt.teachers.blocks:Blocks", "fields": {"names": {"tuple": tasks}, "steps": lesson}}
    life = {"part": "umwelt.life.engine:Life", "fields": {"teacher": teacher, "seed": 0, "seeds": SEEDS}}
    description = {"life": life, "end": end, "rows": 1, "command": "umwelt live", "versions": {"python": "3"}}
    with Folder.create(name, description, lives=lives) as folder, Chronicle(folder.chronicle) as chronicle:
        chronicle.declare([Metric(name=metric, unit="nats", meaning="made up") for metric in METRICS])
        for seed in range(SEEDS):
            for number, task in enumerate(tasks):
                clocks = np.arange(number * lesson, (number + 1) * lesson, record_every) + record_every
                fall = np.exp(-np.arange(len(clocks)) / (0.2 * len(clocks)))
                values = {metric: fall * random.gamma(4.0, 0.25, len(clocks)) for metric in METRICS}
                ends = np.arange(number * lesson, (number + 1) * lesson, EPISODE) + EPISODE
                returns = random.normal(-1000 + 900 * np.linspace(0, 1, len(ends)), 50)
                with chronicle.transaction():
                    chronicle.write(seed, clocks, values)
                    chronicle.write_episodes(
                        {"seed": seed, "row": 0, "begin": ends - EPISODE, "end": ends, "task": task, "return": returns,
                         "length": EPISODE, "end_kind": "truncated", "surprise": 0.1, "doubt": 0.1}
                    )  # fmt: skip
                    chronicle.write_timing((number + 1) * lesson, {"living": 10.0 * number, "probe": 1.0 * number})
            for lessons in range(TASKS + 1):
                for number, task in enumerate(tasks):
                    kept = np.exp(-(lessons - number - 1) / 20) if lessons > number else 0.0
                    returns = random.normal(-1000 + 900 * kept, 30, 5)
                    chronicle.write_probe(
                        seed, lessons * lesson, task, "probe", returns, mean=float(returns.mean()), low=float(returns.min()),
                        high=float(returns.max()), model_error=1.0 - 0.9 * kept, length=EPISODE,
                    )  # fmt: skip
        return folder.path


def report(life: Path) -> tuple[float, float, float]:
    """Seconds of the whole command, those of its processor, and megabytes of its page."""
    out = life.parent / "report"
    began, before = time.perf_counter(), _processor()
    subprocess.run([sys.executable, "-m", "umwelt", "report", str(life), "--out", str(out)], check=True, capture_output=True)
    return time.perf_counter() - began, _processor() - before, (out / "index.html").stat().st_size / 1e6


def _processor() -> float:
    """Seconds that processes begun here have kept a processor busy."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def one(name: str, lesson: int, record_every: int) -> dict[str, dict[str, Any]]:
    """The report of one life, and one of its curves."""
    with tempfile.TemporaryDirectory() as lives:
        life = write_life(Path(lives), "bench", lesson, record_every)
        with Chronicle.read(life / "chronicle.db") as chronicle:
            rows = count_metrics(chronicle)
            began = time.perf_counter()
            for metric in METRICS:
                thinned(chronicle, metric, 0, 0, TASKS * lesson, 500)
            curve = (time.perf_counter() - began) / len(METRICS)
        seconds, busy, size = report(life)
    note = f"{TASKS} tasks, {SEEDS} seeds, {rows:,} rows of metrics"
    return {
        f"report, {name}": {"value": seconds, "unit": "s", "share": None, "of": None, "note": note},
        f"report, {name}, processor": {"value": busy, "unit": "s", "share": None, "of": None, "note": note},
        f"page, {name}": {"value": size, "unit": "MB", "share": None, "of": None, "note": note},
        f"curve, {name}": {"value": 1e3 * curve, "unit": "ms", "share": None, "of": None, "note": "500 points of one metric"},
    }


def run() -> dict[str, dict[str, Any]]:
    """Both lives."""
    return one("long life", lesson=10_000, record_every=10) | one("ten million rows", lesson=10_000, record_every=1)


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
