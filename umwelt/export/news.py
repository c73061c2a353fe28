"""What a chronicle has that a log has not heard of yet, as points on the clock."""

from collections.abc import Iterator
from typing import Any

from umwelt.core import Metric, part
from umwelt.life.chronicle.database import Database

STRETCH = 20_000
"""Clocks that are read at once, so that a log which is begun late never holds a whole life in memory."""
PROBED = (
    Metric(name="mean", unit="the world's own", meaning="mean return of the episodes of a probe", better="up"),
    Metric(name="low", unit="the world's own", meaning="lower end of the 95 % interval of that mean", better="up"),
    Metric(name="high", unit="the world's own", meaning="upper end of the 95 % interval of that mean", better="up"),
    Metric(name="model_error", unit="share", meaning="one-step change that stays unexplained; 0 is perfect", better="down"),
    Metric(name="length", unit="decisions", meaning="mean length of the episodes of a probe"),
)
"""What is logged of a probe, each under probe/TASK/NAME."""
EPISODES = (
    Metric(name="episode/return", unit="the world's own", meaning="sum of the rewards of an episode, at its end", better="up"),
    Metric(name="episode/length", unit="decisions", meaning="how long an episode was, at its end"),
)

Point = tuple[int, str, float]
"""(clock, name, value). Within a name, clocks never fall."""


@part
class Position:
    """How far a log has come: metrics and episodes up to the clock `lived`, probes up to the clock `probed`."""

    lived: int = -1
    probed: int = -1


def declared(database: Database) -> dict[str, Metric]:
    """Everything that may be logged, by name, with unit and meaning."""
    rows = database.rows("SELECT name, unit, meaning, better FROM names ORDER BY id")
    metrics = [Metric(name=name, unit=unit, meaning=meaning, better=better) for name, unit, meaning, better in rows]
    tasks = [task for (task,) in database.rows("SELECT DISTINCT task FROM probes ORDER BY task")]
    probes = [
        Metric(name=f"probe/{task}/{each.name}", unit=each.unit, meaning=each.meaning, better=each.better)
        for task in tasks
        for each in PROBED
    ]
    return {metric.name: metric for metric in (*metrics, *EPISODES, *probes)}


def news(database: Database, seeds: range, after: Position) -> Iterator[tuple[dict[int, list[Point]], Position]]:
    """Stretch by stretch, the points of each seed beyond `after`, and the position behind them.

    A chunk of a life is one transaction, so what lies up to the newest clock is complete; but for its probe, which comes
    in a transaction of its own, and therefore has a position of its own.
    """
    while True:
        with database.snapshot():
            newest = _newest(database, after.lived)
            until = min(newest, after.lived + STRETCH)
            found = {seed: _points(database, seed, after, until) for seed in seeds}
            probed = database.rows("SELECT MAX(clock) FROM probes WHERE clock <= ?", (until,))[0][0]
        reached = Position(lived=until, probed=max(after.probed, -1 if probed is None else probed))
        if reached != after:
            yield found, reached
        if until >= newest:
            return
        after = reached


def _newest(database: Database, at_least: int) -> int:
    """The clock of the last whole chunk. Each chunk ends with its timing."""
    found = database.rows("SELECT MAX(clock) FROM timing")[0][0]
    return max(at_least, 0, -1 if found is None else found)


def _points(database: Database, seed: int, after: Position, until: int) -> list[Point]:
    """In the order of their clocks."""
    found: list[Point] = []
    for number, name in database.rows("SELECT id, name FROM names ORDER BY id"):
        asked = "SELECT clock, value FROM metrics WHERE name_id = ? AND seed = ? AND clock > ? AND clock <= ? ORDER BY clock"
        found += [(clock, name, value) for clock, value in database.rows(asked, (number, seed, after.lived, until))]
    asked = 'SELECT "end", return, length FROM episodes WHERE seed = ? AND "end" > ? AND "end" <= ? ORDER BY "end", row'
    found += _told([metric.name for metric in EPISODES], database.rows(asked, (seed, after.lived, until)))
    columns = ", ".join(metric.name for metric in PROBED)
    asked = f"SELECT clock, task, {columns} FROM probes WHERE seed = ? AND clock > ? AND clock <= ? ORDER BY clock, task"
    for clock, task, *values in database.rows(asked, (seed, after.probed, until)):
        found += _told([f"probe/{task}/{metric.name}" for metric in PROBED], [(clock, *values)])
    return sorted(found, key=lambda point: point[0])


def _told(names: list[str], rows: list[tuple[Any, ...]]) -> list[Point]:
    """Points from rows (clock, a value for each name); None says nothing."""
    return [(row[0], name, value) for row in rows for name, value in zip(names, row[1:], strict=True) if value is not None]
