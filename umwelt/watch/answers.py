"""What the page asks of a chronicle. Each answer is small, whatever the life's length, and every number is the life's own."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from umwelt.life.chronicle import reader
from umwelt.life.chronicle.chronicle import Chronicle, ChronicleError
from umwelt.life.chronicle.schema import BUCKET
from umwelt.life.chronicle.thinning import thinned
from umwelt.life.exams.scores import Diary, ledgers

EVENTS, POSITIONS, TIMINGS = 200, 2000, 200
"""The most events and positions of a trail that are shown, and the most timings that a rate is computed from."""
WHOLE, SOME = 20_000, 40
"""The most episodes that are read whole; where there are more, the most of each stretch."""
POINTS = 50_000
"""The most rows of a metric that are read for one curve."""

DAMAGE = (ValueError, TypeError, LookupError, ArithmeticError)
"""What an answer may raise that is computed from numbers which no life writes."""


def overview(chronicle: Chronicle) -> dict[str, Any]:
    """Read what there is to see, and how fast it comes. faults: what cannot be read, a sentence each."""
    found: dict[str, Any] = {"metrics": [], "seeds": [], "clock": 0, "tasks": [], "probes": [0, None], "events": 0}
    found |= {"glimpses": [], "rate": None, "faults": []}
    for name, question in OVERVIEW.items():
        try:
            found[name] = question(chronicle)
        except (ChronicleError, *DAMAGE) as error:
            found["faults"].append(f"{name}: {error}")
    return found


def series(chronicle: Chronicle, metric: str, seed: int, begin: int, end: int, points: int) -> dict[str, Any]:
    """Summarise one metric in a window: clock, low, mean, high, each [points] at most; fewer where more would be slow."""
    if reader.count_points(chronicle, metric, seed, begin, end, POINTS + 1) > POINTS:
        points = min(points, max(2, (end - begin + 1) // BUCKET + 1))  # so that its buckets are read in place of its rows
    return thinned(chronicle, metric, seed, begin, end, points)


def returns(chronicle: Chronicle, seed: int, begin: int, end: int, points: int) -> dict[str, Any]:
    """task -> columns clock, low, mean, high of the episodes in a window, and of all probes with model_error."""
    width = max(1, -(-(end - begin + 1) // (points - 1)))
    most = None if reader.count_episodes(chronicle, seed, begin, end, WHOLE + 1) <= WHOLE else SOME
    episodes = reader.returns(chronicle, seed, begin, end, width, most)
    return {"episodes": _by_task(episodes), "probes": _by_task(reader.probe_means(chronicle))}


def matrix(chronicle: Chronicle) -> dict[str, Any]:
    """tasks, lessons, and [lessons, tasks] of returns and of model errors as means over seeds; null where not known yet."""
    columns = []
    for seed in reader.probe_seeds(chronicle):
        columns += [(seed, 0, task, end) for task, end in reader.task_stretches(chronicle, seed)]
    whole = list(zip(*columns, strict=True)) or [()] * 4
    episodes = {name: np.array(values, object) for name, values in zip(("seed", "row", "task", "end"), whole, strict=True)}
    read = Diary(episodes=episodes, probes=chronicle.probes(), end=chronicle.last_clock())
    values, errors = ledgers(read), ledgers(read, errors=True)
    met = [ledger.lessons for ledger in values.values()]
    if not met or len({tuple(lesson.task for lesson in each) for each in met}) > 1 or not met[0]:
        return {"tasks": [], "lessons": [], "returns": [], "errors": [], "retention": {}, "mixed": len(met) > 1}
    first = next(iter(values.values()))
    # a present lesson without a probe has no row yet, not the row of an earlier lesson
    probed = [any(lesson.begin < clock <= lesson.end for clock in first.clocks) for lesson in first.lessons]
    known = np.where(probed, 0.0, np.nan)[:, None]
    return {
        "tasks": first.tasks,
        "lessons": [vars(lesson) for lesson in first.lessons],
        "returns": known + np.mean([ledger.matrix() for ledger in values.values()], axis=0),
        "errors": known + np.mean([ledger.matrix() for ledger in errors.values()], axis=0),
        "retention": {task: np.mean([ledger.retention()[task] for ledger in values.values()]) for task in first.tasks},
        "mixed": False,
    }


def events(chronicle: Chronicle) -> list[dict[str, Any]]:
    """The newest events, the newest first."""
    return reader.newest_events(chronicle, EVENTS)


def glimpse(chronicle: Chronicle) -> dict[str, Any]:
    """The present episode and the last plan, and where the first seed has been; the frame is a picture of its own."""
    found = chronicle.glimpses()
    shown = {}
    for index, name in enumerate(found["name"]):
        content = {key: np.round(rows, 5) for key, rows in found["content"][index].items() if key != "frame"}
        plain = {column: found[column][index] for column in ("clock", "task", "begin", "wall")}
        shown[str(name)] = {**plain, **content, "frame": "frame" in found["content"][index]}
    return {"glimpses": shown, "trail": reader.trail(chronicle, POSITIONS)}


def frame(chronicle: Chronicle) -> np.ndarray | None:
    """The world at the newest glimpse, uint8 [H, W, 1 or 3]."""
    found = chronicle.glimpses()
    frames = [content["frame"] for content in found["content"] if "frame" in content]
    return frames[-1] if frames else None


def as_json(value: Any) -> bytes:
    """Encode as JSON; NaN and infinity become null."""
    return json.dumps(_plain(value), allow_nan=False, separators=(",", ":")).encode()


def _by_task(rows: reader.Rows) -> dict[str, dict[str, list[Any]]]:
    """Turn rows (task, clock, low, mean, high, model_error if there) into columns for each task."""
    names, found = ("clock", "low", "mean", "high", "model_error"), {}
    for task, *values in rows:
        columns = found.setdefault(task, {name: [] for name in names[: len(values)]})
        for name, value in zip(names, values, strict=False):
            columns[name].append(value)
    return found


def _rate(recent: reader.Rows) -> float | None:
    """Decisions of a row each second, over the newest timings (clock, wall)."""
    if len(recent) < 2 or recent[0][1] <= recent[-1][1]:
        return None
    return (recent[0][0] - recent[-1][0]) / (recent[0][1] - recent[-1][1])


OVERVIEW: dict[str, Callable[[Chronicle], Any]] = {
    "metrics": lambda it: [vars(metric) for metric in it.metrics()],
    "seeds": lambda it: it.seeds(),
    "clock": lambda it: it.last_clock(),
    "tasks": reader.probe_tasks,
    "probes": reader.count_probes,
    "events": reader.last_event,
    "glimpses": reader.glimpse_clocks,
    "rate": lambda it: _rate(reader.newest_timings(it, TIMINGS)),
}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not abs(value) < float("inf") else value
