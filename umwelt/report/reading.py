"""What a report reads of a life: everything that can be read, and a sentence for everything that cannot.

A life may be running, stopped, half written or damaged. Each part is read by itself, so one bad page of a file costs one
section of the report.
"""

import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy as np

from umwelt.core import Metric, part
from umwelt.life.chronicle import reader
from umwelt.life.chronicle.chronicle import Chronicle, ChronicleError
from umwelt.life.chronicle.schema import EPISODE, EVENT, PROBE, TIMING, TRAIL, as_columns
from umwelt.life.chronicle.thinning import thinned
from umwelt.life.exams.film import called, read_film
from umwelt.life.exams.scores import lessons
from umwelt.life.folder.folder import Damaged, Folder, FolderError, Foreign
from umwelt.report.saved import BEYOND, SavedData, read_saved

POINTS = 240
"""Points of a curve: more than a picture can show."""
CURVES = ("surprise", "doubt")
READABLE = (ChronicleError, FolderError, OSError, ValueError, KeyError, EOFError)
"""What a damaged folder raises when it is read."""
FILM = (*READABLE, TypeError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error, struct.error)
"""What a damaged archive of arrays raises besides."""

Columns = dict[str, np.ndarray]


@part
class LifeData:
    """One life as far as it could be read. description: that of recipe.json. clock: decisions of each row so far.

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
    saved: SavedData | None = None
    examined: dict[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    @property
    def end(self) -> int:
        """The planned decisions of each row; those so far where the plan is not known."""
        return int(self.description.get("end", self.clock))

    def called(self, number: int) -> str:
        """What a number of its observation is called."""
        return called(self.description, number)


def read_life_data(name: str | Path, lives: str | Path = "lives") -> LifeData:
    """Read the life of that name or path. Raises a FolderError where there is nothing of a life."""
    faults: list[str] = []
    path, description = _folder(name, lives, faults)
    found = {**_nothing(), **_from_chronicle(path / "chronicle.db", faults)}
    film = _attempt(faults, "foresight.npz", lambda: _film(path / "foresight.npz"), {})
    saved = _attempt(faults, "archives and skills of its last save", lambda: read_saved(Folder(path, description)), None)
    name = path.resolve().name
    return LifeData(name=name, path=path, description=description, film=film, saved=saved, faults=tuple(faults), **found)


def _folder(name: str | Path, lives: str | Path, faults: list[str]) -> tuple[Path, dict[str, Any]]:
    """Find its folder and description; a chronicle alone will do where recipe.json is damaged."""
    try:
        folder = Folder.read(name, lives=lives)
    except (Damaged, Foreign) as error:
        paths = (Path(lives) / name, Path(name))
        path = next((path for path in paths if (path / "chronicle.db").exists()), None)
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
    """What is read of a chronicle that cannot be opened."""
    columns = {"episodes": EPISODE, "probes": PROBE, "events": EVENT, "timing": TIMING, "trail": TRAIL}
    empty = {table: as_columns(names, []) for table, names in columns.items()}
    others: dict[str, Any] = {"clock": 0, "seeds": (), "metrics": (), "lessons": (), "curves": {}, "means": {}}
    return {**empty, **others}


def _from_chronicle(path: Path, faults: list[str]) -> dict[str, Any]:
    """Read the chronicle, all of one state even while a life writes."""
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
    """Whether the file is shorter than it says. SQLite misses that where all rows that it reads stand before the cut.

    Beside a write-ahead log nothing can be said: pages may be missing because they are in the log still.
    """
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        return False
    with path.open("rb") as file:
        head = file.read(32)
    # of SQLite's header: the bytes of a page (65536 does not fit, and is written as 1), and how many pages there are
    size, count = int.from_bytes(head[16:18], "big"), int.from_bytes(head[28:32], "big")
    return path.stat().st_size < count * (65536 if size == 1 else size)


def _read_tables(chronicle: Chronicle, found: dict[str, Any], faults: list[str]) -> None:
    """Fill `found` table by table."""

    def read(what: str, read_it: Callable[[], Any]) -> None:
        nothing = object()
        value = _attempt(faults, what, read_it, nothing)
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


def _film(path: Path) -> dict[str, np.ndarray]:
    """Read the film, and refuse one whose arrays do not fit each other."""
    film = read_film(path)
    if film:
        tasks, stretches, ahead, kept = film["real"].shape
        wanted = {"tasks": (tasks,), "dimensions": (kept,), "imagined": (tasks, stretches, ahead, kept)}
        wanted |= {name: (tasks, ahead) for name in ("frames", "imagined_frames") if name in film}
        if bad := [name for name, shape in wanted.items() if film[name].shape[: len(shape)] != shape]:
            raise ValueError(f"{bad[0]} has the shape {film[bad[0]].shape}, where real has {film['real'].shape}")
    return film


def _attempt(faults: list[str], what: str, read_it: Callable[[], Any], otherwise: Any) -> Any:
    try:
        return read_it()
    except (*FILM, *BEYOND) as error:
        faults.append(f"Left out, since it could not be read: {what} ({error}).")
        return otherwise


def _lessons(episodes: Columns, clock: int) -> tuple[tuple[str, int, int], ...]:
    """Find the lessons of the first seed's first row."""
    if not len(episodes["seed"]):
        return ()
    mine = (episodes["seed"] == episodes["seed"].min()) & (episodes["row"] == 0)
    return tuple(lessons(episodes["task"][mine], episodes["end"][mine], clock))


def _curves(chronicle: Chronicle, name: str, found: dict[str, Any]) -> dict[int, Columns]:
    drawn = {seed: thinned(chronicle, name, seed, 0, found["clock"], POINTS) for seed in found["seeds"]}
    return {seed: columns for seed, columns in drawn.items() if len(columns["clock"])}


def _means(chronicle: Chronicle, name: str, found: dict[str, Any]) -> dict[tuple[int, int], float]:
    return {
        (seed, index): reader.mean_of(chronicle, name, seed, begin, end)
        for seed in found["seeds"]
        for index, (_, begin, end) in enumerate(found.get("lessons", ()))
    }
