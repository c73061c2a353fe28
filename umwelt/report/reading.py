"""What a report reads of a life: everything that can be read, and a sentence for everything that cannot.

A life may be running, stopped, half written or damaged. Each part is read by itself, so one bad page of a file costs one
section of the report.
"""

import zipfile
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy as np

from umwelt.core import Metric, part
from umwelt.life.chronicle.chronicle import EPISODE, EVENT, PROBE, TIMING, Chronicle, ChronicleError
from umwelt.life.chronicle.schema import TRAIL
from umwelt.life.chronicle.thinning import thinned
from umwelt.life.exams.film import read_film
from umwelt.life.exams.scores import lessons
from umwelt.life.folder.folder import Damaged, Folder, FolderError, Foreign

POINTS = 240
"""Points of a curve: more than a picture can show."""
CURVES = ("surprise", "doubt")
READABLE = (ChronicleError, FolderError, OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
"""What a damaged file may raise when it is read."""

Columns = dict[str, np.ndarray]


@part
class Story:
    """One life as far as it could be read. description: that of recipe.json. clock: decisions of each row, done.

    curves: metric -> seed -> thinned columns. lessons: (task, begin, end) of the first seed. film: see
    `umwelt.life.exams.film`. faults: what could not be read, a sentence each.
    """

    name: str
    path: Path
    description: dict[str, Any]
    clock: int
    seeds: tuple[int, ...]
    metrics: tuple[Metric, ...]
    curves: dict[str, dict[int, Columns]]
    means: dict[str, dict[tuple[int, int], float]]
    """metric -> (seed, number of a lesson) -> its mean over all rows of that lesson."""
    lessons: tuple[tuple[str, int, int], ...]
    episodes: Columns
    probes: Columns
    events: Columns
    timing: Columns
    trail: Columns
    film: dict[str, np.ndarray]
    examined: dict[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    @property
    def end(self) -> int:
        """The decisions of each row that it was begun for; what it has lived where nobody knows."""
        return int(self.description.get("end", self.clock))


def read_story(name: str | Path, lives: str | Path = "lives") -> Story:
    """Read the life of that name or path. Raises a FolderError where there is nothing of a life."""
    faults: list[str] = []
    path, description = _folder(name, lives, faults)
    found = {**_nothing(), **_told(path / "chronicle.db", faults)}
    film = _attempt(faults, "foresight.npz", lambda: read_film(path / "foresight.npz"), {})
    return Story(name=path.resolve().name, path=path, description=description, film=film, faults=tuple(faults), **found)


def _folder(name: str | Path, lives: str | Path, faults: list[str]) -> tuple[Path, dict[str, Any]]:
    """Its folder and description; without a good recipe.json a chronicle alone will do."""
    try:
        folder = Folder.read(name, lives=lives)
    except (Damaged, Foreign) as error:
        places = (Path(lives) / name, Path(name))
        path = next((place for place in places if (place / "chronicle.db").exists()), None)
        if path is None:
            raise
        faults.append(f"What was run is not known: {error}.")
        return path, {}
    description = dict(folder.description)
    for name in ("end", "rows"):
        if not isinstance(description.get(name, 1), int):
            faults.append(f"recipe.json has {description.pop(name)!r} where the number `{name}` should be.")
    return folder.path, description


def _nothing() -> dict[str, Any]:
    """What a chronicle tells that cannot be read at all."""
    columns = {"episodes": EPISODE, "probes": PROBE, "events": EVENT, "timing": TIMING, "trail": TRAIL}
    empty = {table: {name: np.zeros(0) for name in names} for table, names in columns.items()}
    others: dict[str, Any] = {"clock": 0, "seeds": (), "metrics": (), "lessons": (), "curves": {}, "means": {}}
    return {**empty, **others}


def _told(path: Path, faults: list[str]) -> dict[str, Any]:
    """What the chronicle tells, all of one moment even while somebody writes."""
    found: dict[str, Any] = {}
    try:
        with Chronicle.read(path) as chronicle, chronicle.snapshot():
            _read_tables(chronicle, found, faults)
        if _cut_short(path):
            faults.append("The end of the chronicle is missing; what is shown stood before it.")
    except READABLE as error:
        what = "The chronicle could not be closed properly" if found else "Nothing was read of what the life wrote down"
        faults.append(f"{what}: {error}.")
    return found


def _cut_short(path: Path) -> bool:
    """Whether the file is shorter than it says, which nobody notices whose rows all stand before the cut. Where there is a
    write-ahead log, pages may be missing because they stand there still."""
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        return False
    with path.open("rb") as file:
        head = file.read(32)
    # of SQLite's header: the bytes of a page (65536 does not fit, and is told as 1), and how many pages there are
    size, count = int.from_bytes(head[16:18], "big"), int.from_bytes(head[28:32], "big")
    return path.stat().st_size < count * (65536 if size == 1 else size)


def _read_tables(chronicle: Chronicle, found: dict[str, Any], faults: list[str]) -> None:
    """Fill `found` table by table."""

    def read(what: str, reader: Callable[[], Any]) -> None:
        nothing = object()
        value = _attempt(faults, what, reader, nothing)
        if value is not nothing:
            found[what] = value

    read("metrics", chronicle.metrics)
    read("clock", chronicle.last_clock)
    read("seeds", lambda: tuple(chronicle.seeds()))
    read("episodes", chronicle.episodes)
    read("probes", chronicle.probes)
    read("events", chronicle.events)
    read("timing", chronicle.timing)
    read("trail", chronicle.trail)
    if "episodes" in found and "clock" in found:
        found["lessons"] = _lessons(found["episodes"], found["clock"])
    known = {metric.name for metric in found.get("metrics", ())}
    shown = [name for name in CURVES if name in known and "clock" in found and "seeds" in found]
    read("curves", lambda: {name: _curves(chronicle, name, found) for name in shown})
    read("means", lambda: {name: _means(chronicle, name, found) for name in shown})


def _attempt(faults: list[str], what: str, reader: Callable[[], Any], otherwise: Any) -> Any:
    try:
        return reader()
    except READABLE as error:
        faults.append(f"Left out, since it could not be read: {what} ({error}).")
        return otherwise


def _lessons(episodes: Columns, clock: int) -> tuple[tuple[str, int, int], ...]:
    """Of the first seed's first row."""
    if not len(episodes["seed"]):
        return ()
    mine = (episodes["seed"] == episodes["seed"].min()) & (episodes["row"] == 0)
    return tuple(lessons(episodes["task"][mine], episodes["end"][mine], clock))


def _curves(chronicle: Chronicle, name: str, found: dict[str, Any]) -> dict[int, Columns]:
    drawn = {seed: thinned(chronicle, name, seed, 0, found["clock"], POINTS) for seed in found["seeds"]}
    return {seed: columns for seed, columns in drawn.items() if len(columns["clock"])}


def _means(chronicle: Chronicle, name: str, found: dict[str, Any]) -> dict[tuple[int, int], float]:
    order = "SELECT AVG(value) FROM metrics WHERE name_id = ? AND seed = ? AND clock > ? AND clock <= ?"
    number, means = chronicle.number_of(name), {}
    for seed in found["seeds"]:
        for index, (_, begin, end) in enumerate(found.get("lessons", ())):
            mean = chronicle.rows(order, (number, seed, begin, end))[0][0]
            means[seed, index] = float("nan") if mean is None else mean
    return means
