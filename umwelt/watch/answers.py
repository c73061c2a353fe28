"""What the page asks of a chronicle. Each answer is small, whatever the life's length, and every number is the life's own."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from umwelt.life.chronicle.chronicle import Chronicle, ChronicleError
from umwelt.life.chronicle.schema import BLOCK
from umwelt.life.chronicle.thinning import thinned
from umwelt.life.exams.scores import Diary, ledgers

EVENTS, PLACES = 200, 2000
"""The newest events, and the places of a trail, that are shown at most."""
WHOLE, SOME = 20_000, 40
"""Up to so many episodes are read whole; of more, so many in each stretch."""

READABLE = (ChronicleError, ValueError, TypeError, IndexError)
"""What a damaged chronicle may raise when it is read."""
READ = 50_000
"""Rows of a metric that are read for one curve, at most."""

EPISODES = """
SELECT task, MAX("end"), MIN("return"), AVG("return"), MAX("return") FROM episodes
WHERE seed = ? AND "end" BETWEEN ? AND ? GROUP BY task, "end" / ? ORDER BY 2
"""
SOME_EPISODES = """
SELECT task, MAX("end"), MIN("return"), AVG("return"), MAX("return") FROM (
    SELECT * FROM episodes WHERE seed = ? AND "end" BETWEEN ? AND ? ORDER BY "end", row LIMIT ?
) GROUP BY task ORDER BY 2
"""
PROBES = """
SELECT task, clock, AVG(mean), AVG(low), AVG(high), AVG(model_error) FROM probes
WHERE label = 'probe' GROUP BY task, clock ORDER BY clock
"""
# The last episode of each stretch on one task is all that lessons are made of.
STRETCHES = """
SELECT task, "end" FROM (
    SELECT task, "end", LEAD(task) OVER (ORDER BY "end") AS following FROM episodes WHERE seed = ? AND row = 0
) WHERE following IS NULL OR following <> task ORDER BY "end"
"""


def overview(chronicle: Chronicle) -> dict[str, Any]:
    """What there is to see, and how fast it comes. faults: what could not be read, a sentence each; the rest is told."""
    told: dict[str, Any] = {"metrics": [], "seeds": [], "clock": 0, "tasks": [], "probes": [0, None], "events": 0, "glimpses": [],
                            "rate": None, "faults": []}  # fmt: skip
    for name, question in OVERVIEW.items():
        try:
            told[name] = question(chronicle)
        except READABLE as error:
            told["faults"].append(f"{name}: {error}")
    return told


def series(chronicle: Chronicle, metric: str, seed: int, begin: int, end: int, points: int) -> dict[str, Any]:
    """One metric in a window: clock, low, mean, high, each [points] at most; fewer where more would take too long."""
    order = "SELECT COUNT(*) FROM (SELECT 1 FROM metrics WHERE name_id = ? AND seed = ? AND clock BETWEEN ? AND ? LIMIT ?)"
    asked = (chronicle.number_of(metric), seed, begin, end, READ + 1)
    if chronicle.rows(order, asked)[0][0] > READ:
        points = min(points, max(2, (end - begin + 1) // BLOCK + 1))  # so that its blocks are read in place of its rows
    return thinned(chronicle, metric, seed, begin, end, points)


def returns(chronicle: Chronicle, seed: int, begin: int, end: int, points: int) -> dict[str, Any]:
    """task -> columns clock, low, mean, high of the episodes in a window, and of all probes with model_error."""
    width = max(1, -(-(end - begin + 1) // (points - 1)))
    if _episodes_between(chronicle, seed, begin, end) <= WHOLE:
        lived = chronicle.rows(EPISODES, (seed, begin, end, width))
    else:
        edges = range(begin // width * width, end + 1, width)
        lived = [row for edge in edges for row in chronicle.rows(SOME_EPISODES, (seed, edge, edge + width - 1, SOME))]
    probed = [(task, clock, low, mean, high, error) for task, clock, mean, low, high, error in chronicle.rows(PROBES)]
    return {"episodes": _by_task(lived), "probes": _by_task(probed)}


def matrix(chronicle: Chronicle) -> dict[str, Any]:
    """tasks, lessons, and [lessons, tasks] of returns and of model errors as means over seeds; null where not known yet."""
    seeds, columns = [seed for (seed,) in chronicle.rows("SELECT DISTINCT seed FROM probes ORDER BY seed")], []
    for seed in seeds:
        columns += [(seed, 0, task, end) for task, end in chronicle.rows(STRETCHES, (seed,))]
    whole = list(zip(*columns, strict=True)) or [()] * 4
    episodes = {name: np.array(values, object) for name, values in zip(("seed", "row", "task", "end"), whole, strict=True)}
    read = Diary(episodes=episodes, probes=chronicle.probes(), end=chronicle.last_clock())
    values, errors = ledgers(read), ledgers(read, errors=True)
    met = [ledger.lessons for ledger in values.values()]
    if not met or len({tuple(lesson.task for lesson in each) for each in met}) > 1 or not met[0]:
        return {"tasks": [], "lessons": [], "returns": [], "errors": [], "retention": {}, "mixed": len(met) > 1}
    first = next(iter(values.values()))
    # a lesson under way that was not probed yet has nothing to say, and not what an earlier one said
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
    names = ("id", "seed", "clock", "name", "message", "wall")
    rows = chronicle.rows(f"SELECT {', '.join(names)} FROM events ORDER BY id DESC LIMIT {EVENTS}")
    return [dict(zip(names, row, strict=True)) for row in rows]


def glimpse(chronicle: Chronicle) -> dict[str, Any]:
    """The episode under way and the last plan, and where the first seed has been; the frame is a picture of its own."""
    found = chronicle.glimpses()
    shown = {}
    for index, name in enumerate(found["name"]):
        content = {key: np.round(rows, 5) for key, rows in found["content"][index].items() if key != "frame"}
        plain = {column: found[column][index] for column in ("clock", "task", "begin", "wall")}
        shown[str(name)] = {**plain, **content, "frame": "frame" in found["content"][index]}
    return {"glimpses": shown, "trail": _trail(chronicle)}


def frame(chronicle: Chronicle) -> np.ndarray | None:
    """The world as it looked at the newest glimpse, uint8 [H, W, 1 or 3]."""
    found = chronicle.glimpses()
    frames = [content["frame"] for content in found["content"] if "frame" in content]
    return frames[-1] if frames else None


def as_json(value: Any) -> bytes:
    """JSON in which what is no number is null."""
    return json.dumps(_plain(value), allow_nan=False, separators=(",", ":")).encode()


def _trail(chronicle: Chronicle) -> dict[str, list[Any]]:
    """At most PLACES places of the first seed, evenly spread over its clocks."""
    columns = ("clock", "x", "y", "z", "doubt")
    if not _has(chronicle, "trail"):
        return {name: [] for name in columns}
    seed, last = chronicle.rows("SELECT MIN(seed), MAX(clock) FROM trail WHERE seed = (SELECT MIN(seed) FROM trail)")[0]
    apart = chronicle.rows("SELECT clock FROM trail WHERE seed = ? ORDER BY clock LIMIT 2", (seed,))
    step = apart[1][0] - apart[0][0] if len(apart) == 2 else 1
    stride = max(1, -(-(last or 0) // (step * PLACES)))
    # a long trail is found place by place in its index, and never read whole
    if stride == 1:
        rows = chronicle.rows("SELECT clock, x, y, z, doubt FROM trail WHERE seed = ? ORDER BY clock", (seed,))
    else:
        order = "SELECT clock, x, y, z, doubt FROM trail WHERE seed = ? AND clock >= ? ORDER BY clock LIMIT 1"
        rows = [row for clock in range(step, last + 1, step * stride) for row in chronicle.rows(order, (seed, clock))]
    return {name: [row[index] for row in rows] for index, name in enumerate(columns)}


def _episodes_between(chronicle: Chronicle, seed: int, begin: int, end: int) -> int:
    """How many episodes end in a window, counted no further than is asked."""
    order = f'SELECT COUNT(*) FROM (SELECT 1 FROM episodes WHERE seed = ? AND "end" BETWEEN ? AND ? LIMIT {WHOLE + 1})'
    return chronicle.rows(order, (seed, begin, end))[0][0]


def _by_task(rows: list[tuple[Any, ...]]) -> dict[str, dict[str, list[Any]]]:
    """Rows (task, clock, low, mean, high, model_error if there) as columns for each task."""
    names, found = ("clock", "low", "mean", "high", "model_error"), {}
    for task, *values in rows:
        columns = found.setdefault(task, {name: [] for name in names[: len(values)]})
        for name, value in zip(names, values, strict=False):
            columns[name].append(value)
    return found


def _rate(recent: list[tuple[int, float]]) -> float | None:
    """Decisions of a row each second, over the newest timings (clock, wall)."""
    if len(recent) < 2 or recent[0][1] <= recent[-1][1]:
        return None
    return (recent[0][0] - recent[-1][0]) / (recent[0][1] - recent[-1][1])


def _glimpses(chronicle: Chronicle) -> list[int]:
    """The clocks of what was glimpsed: they change when there is something new to see."""
    rows = chronicle.rows("SELECT clock FROM glimpses ORDER BY name") if _has(chronicle, "glimpses") else []
    return [clock for (clock,) in rows]


OVERVIEW: dict[str, Callable[[Chronicle], Any]] = {
    "metrics": lambda it: [vars(metric) for metric in it.metrics()],
    "seeds": lambda it: it.seeds(),
    "clock": lambda it: it.last_clock(),
    "tasks": lambda it: [task for task, _ in it.rows("SELECT task, MIN(clock) FROM probes GROUP BY task ORDER BY 2, 1")],
    "probes": lambda it: it.rows("SELECT COUNT(*), MAX(clock) FROM probes")[0],
    "events": lambda it: it.rows("SELECT MAX(id) FROM events")[0][0] or 0,
    "glimpses": _glimpses,
    "rate": lambda it: _rate(it.rows("SELECT clock, wall FROM timing ORDER BY clock DESC LIMIT 200")),
}


def _has(chronicle: Chronicle, table: str) -> bool:
    return bool(chronicle.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not abs(value) < float("inf") else value
