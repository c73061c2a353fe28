"""A life as a recording for the Rerun viewer: `rerun exports/NAME-rerun/NAME.rrd`.

Two timelines: `clock`, in decisions, and `ahead`, for one stretch as it was imagined and as it came. On the clock:

    seed-N/metrics/NAME          every metric, with unit and meaning beside it
    seed-N/episode/...           return and length at the end of each episode, and the task at its beginning
    seed-N/probe/TASK/...        mean, low, high, model_error and length of each probe
    seed-N/events                what happened, in words
    seed-N/row-R/...             kept episodes: observation, action, reward, and the frame where there is one
    foresight/real, /imagined    on `ahead`
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from umwelt.core import Metric
from umwelt.export.extras import ExportError, library
from umwelt.export.kept import Kept, kept_episodes
from umwelt.export.news import EPISODES, PROBED
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.chronicle.database import Database
from umwelt.life.chronicle.schema import ROWS
from umwelt.life.exams.film import read_film
from umwelt.life.folder.folder import Folder

CLOCK, AHEAD = "clock", "ahead"


class Recording:
    """A file that is being written. `count`: rows on a timeline so far."""

    def __init__(self, path: Path, name: str) -> None:
        self.rerun: Any = library("rerun", "rerun")
        self.count, self._path = 0, path
        self._stream = self.rerun.RecordingStream("umwelt", recording_id=f"umwelt life {name}")
        self._stream.save(path)
        # the clock of the life is the only one
        self._stream.set_log_time_enabled(False)
        self._stream.set_log_tick_enabled(False)
        self._stream.send_recording_name(name)

    def close(self) -> None:
        """Have everything in the file."""
        try:
            self._stream.flush()
        except RuntimeError as error:
            raise ExportError(
                f"{self._path} cannot be written ({error}); make room on that disk, or give another --out"
            ) from error
        finally:
            self._stream.disconnect()

    def place(self, *names: Any) -> str:
        """Where something stands, with whatever a name may hold."""
        return "/".join(self.rerun.escape_entity_path_part(str(name)) for name in names)

    def say(self, place: str, *things: Any) -> None:
        """What holds at a place all the time."""
        self._stream.log(place, *things, static=True)

    def meaning(self, place: str, metric: Metric) -> None:
        """A line's name, its unit and what it means."""
        said = self.rerun.AnyValues(unit=metric.unit, meaning=metric.meaning)
        self.say(place, self.rerun.SeriesLines(names=metric.name), said)

    def series(self, place: str, at: Any, values: Any, timeline: str = CLOCK) -> None:
        """Numbers [T] or [T, width] at the times `at` [T]."""
        values = np.asarray(values, np.float64)
        columns = self.rerun.Scalars.columns(scalars=values.ravel())
        self.send(place, at, columns if values.ndim == 1 else columns.partition([values.shape[1]] * len(values)), timeline)

    def send(self, place: str, at: Any, columns: Any, timeline: str = CLOCK) -> None:
        """Columns of T rows at the times `at` [T]; nothing where T is 0."""
        at = np.asarray(at, np.int64)
        if at.size:
            self._stream.send_columns(place, indexes=[self.rerun.TimeColumn(timeline, sequence=at)], columns=columns)
            self.count += at.size

    def frames(self, place: str, at: Any, frames: np.ndarray) -> None:
        """Pictures uint8 [T, H, W, 1 or 3] at the clocks `at` [T]."""
        for clock, frame in zip(at, frames, strict=True):
            self._stream.set_time(CLOCK, sequence=int(clock))
            self._stream.log(place, self.rerun.Image(frame[..., 0] if frame.shape[-1] == 1 else frame))
        self._stream.reset_time()
        self.count += len(frames)


@contextmanager
def _strictly(rerun: Any) -> Iterator[None]:
    """What the package would only warn of is an error here, since files are whole or not at all."""
    before = rerun.strict_mode()
    rerun.set_strict_mode(True)
    try:
        yield
    finally:
        rerun.set_strict_mode(before)


def record(folder: Folder, path: Path, episodes: int) -> int:
    """Write the life in `folder` to a .rrd file, with its newest kept episodes; returns how many rows it has."""
    recording = Recording(path, folder.name)
    with _strictly(recording.rerun):
        try:
            with Chronicle.read(folder.chronicle) as chronicle, chronicle.snapshot():
                _chronicle(recording, chronicle)
                table = chronicle.episodes()
            _metrics(recording, folder.chronicle)
            _foresight(recording, folder.path / "foresight.npz")
            for kept in kept_episodes(folder, table, episodes):
                _episode(recording, kept)
        finally:
            recording.close()
    return recording.count


def _metrics(recording: Recording, path: Path) -> None:
    """Some at a time, for a life may be long."""
    with closing(Database(path, writable=False)) as database, database.snapshot():
        asked = "SELECT seed, clock, value FROM metrics WHERE name_id = ? ORDER BY seed, clock"
        for number, name, unit, meaning in database.rows("SELECT id, name, unit, meaning FROM names ORDER BY id"):
            described = set()
            for rows in database.batches(asked, (number,)):
                table = np.array(rows, ROWS)
                for seed in np.unique(table["seed"]):
                    mine = table[table["seed"] == seed]
                    place = recording.place(f"seed-{seed}", "metrics", *name.split("/"))
                    if seed not in described:
                        recording.meaning(place, Metric(name=name, unit=unit, meaning=meaning))
                        described.add(seed)
                    recording.series(place, mine["clock"], mine["value"])


def _chronicle(recording: Recording, chronicle: Chronicle) -> None:
    """Episodes, probes and events: few, next to metrics."""
    rerun = recording.rerun
    episodes, probes, events = chronicle.episodes(), chronicle.probes(), chronicle.events()
    for seed in np.unique(episodes["seed"]):
        mine = episodes["seed"] == seed
        for metric in EPISODES:
            place = f"seed-{seed}/{metric.name}"
            recording.meaning(place, metric)
            recording.series(place, episodes["end"][mine], episodes[metric.name.partition("/")[2]][mine])
        first = mine & (episodes["row"] == 0)
        recording.send(
            f"seed-{seed}/episode/task", episodes["begin"][first], rerun.StateChange.columns(state=episodes["task"][first])
        )
    for seed, task in sorted(set(zip(probes["seed"].tolist(), probes["task"].tolist(), strict=True))):
        mine = (probes["seed"] == seed) & (probes["task"] == task)
        for metric in PROBED:
            known = mine & ~np.isnan(probes[metric.name])
            place = recording.place(f"seed-{seed}", "probe", task, metric.name)
            recording.meaning(place, metric)
            recording.series(place, probes["clock"][known], probes[metric.name][known])
    for seed in np.unique(events["seed"]):
        mine = events["seed"] == seed
        told = [f"{name}: {message}" for name, message in zip(events["name"][mine], events["message"][mine], strict=True)]
        recording.send(f"seed-{seed}/events", events["clock"][mine], rerun.TextLog.columns(text=told, level=["INFO"] * len(told)))


def _foresight(recording: Recording, path: Path) -> None:
    """One stretch as the agent imagined it, and as it came; absent where the agent has no model."""
    film = read_film(path)
    if not film:
        return
    real = film["real"][0, 0]
    known = np.flatnonzero(np.isfinite(real).all(axis=1))
    for name in ("real", "imagined"):
        recording.series(f"foresight/{name}", known, film[name][0, 0][known], timeline=AHEAD)
    told = f"One stretch of the task {film['tasks'][0]}: the observation as it came, and as it was imagined beforehand."
    recording.say("foresight", recording.rerun.TextDocument(told))


def _episode(recording: Recording, kept: Kept) -> None:
    place = f"seed-{kept.seed}/row-{kept.row}"
    recording.series(f"{place}/observation", kept.clocks, kept.observation)
    recording.series(f"{place}/action", kept.clocks[:-1], kept.action)
    recording.series(f"{place}/reward", kept.clocks[1:], kept.reward)
    if kept.frames is not None:
        recording.frames(f"{place}/frame", kept.clocks, kept.frames)
