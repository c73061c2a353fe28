"""Lives as folders with hand-made numbers, for pages and their tests."""

import json
from pathlib import Path

import numpy as np

from umwelt.core import Metric
from umwelt.life.chronicle.chronicle import Chronicle

METRICS = (
    Metric(name="reward", unit="points", meaning="how good", better="up"),
    Metric(name="surprise", unit="nats", meaning="how unexpected", better="down"),
)
TASKS = ("earth", "moon")
NAMES = ["sine", "<i>cosine</i>"]


def describe(path: Path, end: int = 100, command: str = "umwelt live") -> Path:
    """Make a folder with a recipe and no chronicle."""
    path.mkdir(parents=True)
    parts = {
        "world": {"part": "umwelt.worlds:Pendulum", "fields": {}},
        "agent": {"part": "umwelt.behaviours:RandomAgent", "fields": {}},
    }
    description = {"life": {"part": "umwelt.life.engine:Life", "fields": parts}, "end": end, "rows": 1, "command": command}
    description["observation_names"] = NAMES
    (path / "recipe.json").write_text(json.dumps({"umwelt": "life", "format": 1, "description": description}))
    return path


def live_on(chronicle: Chronicle, begin: int, end: int, seed: int = 0) -> None:
    """Write a row at each clock begin < clock <= end: reward is clock / 2, surprise minus that."""
    clocks = np.arange(begin + 1, end + 1)
    chronicle.declare(METRICS)
    chronicle.write(seed, clocks, {"reward": clocks / 2, "surprise": -clocks / 2})


def episode(chronicle: Chronicle, task: str, end: int, worth: float, seed: int = 0) -> None:
    """Write an episode of ten decisions."""
    row = {"seed": seed, "row": 0, "begin": end - 10, "end": end, "task": task, "return": worth, "length": 10}
    chronicle.write_episodes({**row, "end_kind": "truncated", "surprise": np.nan, "doubt": 0.5})


def probe(chronicle: Chronicle, clock: int, task: str, mean: float, error: float = 0.5, seed: int = 0) -> None:
    """Write a probe of two episodes, one better and one worse by 1."""
    returns = [mean - 1, mean + 1]
    chronicle.write_probe(
        seed, clock, task, "probe", returns, mean=mean, low=mean - 1, high=mean + 1, model_error=error, length=10
    )


def write_life(lives: Path, name: str = "first", end: int = 100) -> Path:
    """Write a life of `end` decisions and two lessons; it forgets half of the first in the second."""
    path = describe(lives / name, end)
    half = end // 2
    with Chronicle(path / "chronicle.db") as chronicle:
        live_on(chronicle, 0, end)
        for task, clock, worth in (("earth", half, 4.0), ("moon", end, 7.0)):
            episode(chronicle, task, clock, worth)
        for clock, earth, moon in ((0, 0.0, 1.0), (half, 8.0, 1.0), (end, 4.0, 9.0)):
            probe(chronicle, clock, "earth", earth)
            probe(chronicle, clock, "moon", moon, error=np.nan)
        chronicle.event(0, half, "changed", "a <b>new</b> task")
        ways = {"seed": 0, "clock": np.arange(10, end + 1, 10), "task": "earth", "z": np.nan, "doubt": 0.1}
        chronicle.write_trail({**ways, "x": np.cos(ways["clock"] / 20), "y": np.sin(ways["clock"] / 20)})
        seen = np.stack([np.sin(np.arange(60) / 9), np.cos(np.arange(60) / 9)], axis=1).astype(np.float32)
        frame = np.zeros((64, 64, 1), np.uint8)
        frame[20:44, 28:36] = 220
        chronicle.write_glimpse(0, "now", end, "moon", end - 59, {"seen": seen, "seen_positions": seen, "frame": frame})
        plan = seen[45:] + np.linspace(0, 0.3, 15, dtype=np.float32)[:, None]
        arrays = {"seen": seen, "seen_positions": seen, "plan": plan, "plan_positions": plan}
        chronicle.write_glimpse(0, "plan", end - 15, "moon", end - 59, arrays)
    return path
