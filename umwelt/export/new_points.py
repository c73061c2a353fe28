"""The rows of a chronicle that a log has not received yet, as points on the clock."""

from collections.abc import Iterator

from umwelt.core import Metric, part
from umwelt.life.chronicle import reader
from umwelt.life.chronicle.chronicle import Chronicle

STRETCH = 20_000
"""Clocks that are read at once, so that a log which begins late never holds a whole life in memory."""
PROBED = (
    Metric(name="mean", unit="the world's own", meaning="mean return of the episodes of a probe", better="up"),
    Metric(name="low", unit="the world's own", meaning="lower end of the 95 % interval of that mean", better="up"),
    Metric(name="high", unit="the world's own", meaning="upper end of the 95 % interval of that mean", better="up"),
    Metric(
        name="model_error",
        unit="unexplained share",
        meaning="of the variance of the next change, under random actions; 0 is perfect, 1 as good as guessing",
        better="down",
    ),
    Metric(name="length", unit="decisions", meaning="mean length of the episodes of a probe"),
)
"""What is logged of a probe, each under probe/TASK/NAME."""
EPISODES = (
    Metric(name="episode/return", unit="the world's own", meaning="sum of the rewards of an episode, at its end", better="up"),
    Metric(name="episode/length", unit="decisions", meaning="length of an episode, at its end"),
)

Point = tuple[int, str, float]
"""(clock, name, value). Within a name, clocks never fall."""


@part
class Offset:
    """How far a log has come: metrics and episodes up to `clock`, probes up to `probe`."""

    clock: int = reader.NOTHING
    probe: int = reader.NOTHING


def declared(chronicle: Chronicle) -> dict[str, Metric]:
    """Everything that may be logged, by name, with unit and meaning."""
    tasks, names = sorted(reader.probe_tasks(chronicle)), reader.named_numbers(chronicle)
    probes = [
        Metric(name=f"probe/{task}/{each.name}", unit=each.unit, meaning=each.meaning, better=each.better)
        for task in tasks
        for each in PROBED
    ]
    named = [
        Metric(name=f"{where}/{name}", unit="the world's own", meaning=f"last {name} that an episode reports{means}")
        for name in names
        for where, means in (("episode", ""), *((f"probe/{task}", ", mean over a probe") for task in tasks))
    ]
    return {metric.name: metric for metric in (*chronicle.metrics(), *EPISODES, *probes, *named)}


def new_points(chronicle: Chronicle, seeds: range, after: Offset) -> Iterator[tuple[dict[int, list[Point]], Offset]]:
    """Yield the points of each seed beyond `after`, stretch by stretch, with the offset behind them.

    A chunk of a life is one transaction, so what lies up to the newest clock is complete. Its probe comes in another
    transaction, and therefore has an offset of its own.
    """
    while True:
        with chronicle.snapshot():
            newest = max(after.clock, 0, reader.last_timing(chronicle))
            until = min(newest, after.clock + STRETCH)
            found = {seed: _points(chronicle, seed, after, until) for seed in seeds}
            probe = max(after.probe, reader.last_probe(chronicle, until))
        reached = Offset(clock=until, probe=probe)
        if reached != after:
            yield found, reached
        if until >= newest:
            return
        after = reached


def _points(chronicle: Chronicle, seed: int, after: Offset, until: int) -> list[Point]:
    """The points of one seed in the order of their clocks; NULL is no point."""
    found: list[tuple[int, str, float | None]] = []
    for metric in chronicle.metrics():
        rows = reader.metric_points(chronicle, metric.name, seed, after.clock, until)
        found += [(clock, metric.name, value) for clock, value in rows]
    for clock, *values in reader.episode_points(chronicle, seed, after.clock, until):
        found += [(clock, metric.name, value) for metric, value in zip(EPISODES, values, strict=True)]
    columns = [metric.name for metric in PROBED]
    for clock, task, *values in reader.probe_points(chronicle, seed, after.probe, until, columns):
        found += [(clock, f"probe/{task}/{name}", value) for name, value in zip(columns, values, strict=True)]
    found += [(clock, f"episode/{name}", value) for clock, name, value in
              reader.episode_number_points(chronicle, seed, after.clock, until)]  # fmt: skip
    found += [(clock, f"probe/{task}/{name}", value) for clock, task, name, value in
              reader.probe_number_points(chronicle, seed, after.probe, until)]  # fmt: skip
    return sorted([(clock, name, value) for clock, name, value in found if value is not None], key=lambda point: point[0])
