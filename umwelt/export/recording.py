"""A life as a recording for the Rerun viewer: `rerun exports/NAME-rerun/NAME.rrd`.

Two timelines: `clock`, in decisions, and `ahead`, for one stretch as imagined and as observed. On the clock:

    seed-N/metrics/NAME          every metric, with unit and meaning beside it
    seed-N/episode/...           return and length at the end of each episode, and the task at its beginning
    seed-N/probe/TASK/...        mean, low, high, model_error and length of each probe
    seed-N/events                what happened, in words
    seed-N/row-R/...             kept episodes: observation, action, reward, and the frame where there is one
    foresight/real, /imagined    on `ahead`
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from umwelt.core import Metric
from umwelt.export.extras import ExportError, library
from umwelt.export.kept import KeptEpisode, count_kept, kept_episodes
from umwelt.export.new_points import EPISODES, PROBED
from umwelt.life.chronicle import reader
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.exams.film import read_film
from umwelt.life.folder.folder import Folder

CLOCK, AHEAD = "clock", "ahead"


class RerunFile:
    """A .rrd file that is being written. `count`: rows on a timeline so far."""

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
        """Flush everything to the file."""
        try:
            self._stream.flush()
        except RuntimeError as error:
            raise ExportError(
                f"{self._path} cannot be written ({error}); make room on that disk, or give another --out"
            ) from error
        finally:
            self._stream.disconnect()

    def entity(self, *names: Any) -> str:
        """The path of an entity, from names with any letters."""
        return "/".join(self.rerun.escape_entity_path_part(str(name)) for name in names)

    def always(self, entity: str, *things: Any) -> None:
        """Log what holds at an entity all the time."""
        self._stream.log(entity, *things, static=True)

    def describe(self, entity: str, metric: Metric) -> None:
        """Log a line's name, its unit and its meaning."""
        described = self.rerun.AnyValues(unit=metric.unit, meaning=metric.meaning)
        self.always(entity, self.rerun.SeriesLines(names=metric.name), described)

    def series(self, entity: str, at: Any, values: Any, timeline: str = CLOCK) -> None:
        """Log numbers [T] or [T, width] at the times `at` [T]."""
        values = np.asarray(values, np.float64)
        columns = self.rerun.Scalars.columns(scalars=values.ravel())
        self.send(entity, at, columns if values.ndim == 1 else columns.partition([values.shape[1]] * len(values)), timeline)

    def send(self, entity: str, at: Any, columns: Any, timeline: str = CLOCK) -> None:
        """Log columns of T rows at the times `at` [T]; nothing where T is 0."""
        at = np.asarray(at, np.int64)
        if at.size:
            self._stream.send_columns(entity, indexes=[self.rerun.TimeColumn(timeline, sequence=at)], columns=columns)
            self.count += at.size

    def frames(self, entity: str, at: Any, frames: np.ndarray) -> None:
        """Log pictures uint8 [T, H, W, 1 or 3] at the clocks `at` [T]."""
        for clock, frame in zip(at, frames, strict=True):
            self._stream.set_time(CLOCK, sequence=int(clock))
            self._stream.log(entity, self.rerun.Image(frame[..., 0] if frame.shape[-1] == 1 else frame))
        self._stream.reset_time()
        self.count += len(frames)


@contextmanager
def _strictly(rerun: Any) -> Iterator[None]:
    """Turn the package's warnings into errors, because files are whole or not at all."""
    before = rerun.strict_mode()
    rerun.set_strict_mode(True)
    try:
        yield
    finally:
        rerun.set_strict_mode(before)


def record(folder: Folder, path: Path, episodes: int) -> int:
    """Write the life in `folder` to a .rrd file, with its newest kept episodes; returns how many rows it has."""
    file = RerunFile(path, folder.name)
    with _strictly(file.rerun):
        try:
            with Chronicle.read(folder.chronicle) as chronicle, chronicle.snapshot():
                table = chronicle.episodes()
                _episodes(file, table)
                _probes(file, chronicle.probes())
                _events(file, chronicle.events())
                _metrics(file, chronicle)
            _foresight(file, folder.path / "foresight.npz")
            count = count_kept(folder, table) if episodes else 0
            for kept in kept_episodes(folder, table, range(max(0, count - episodes), count)):
                _kept(file, kept)
        finally:
            file.close()
    return file.count


def _metrics(file: RerunFile, chronicle: Chronicle) -> None:
    """Log metrics in batches, because a life may be long."""
    for metric in chronicle.metrics():
        described = set()
        for rows in reader.metric_batches(chronicle, metric.name):
            for seed in np.unique(rows["seed"]):
                mine = rows[rows["seed"] == seed]
                entity = file.entity(f"seed-{seed}", "metrics", *metric.name.split("/"))
                if seed not in described:
                    file.describe(entity, metric)
                    described.add(seed)
                file.series(entity, mine["clock"], mine["value"])


def _episodes(file: RerunFile, episodes: dict[str, np.ndarray]) -> None:
    for seed in np.unique(episodes["seed"]):
        mine = episodes["seed"] == seed
        for metric in EPISODES:
            entity = f"seed-{seed}/{metric.name}"
            file.describe(entity, metric)
            file.series(entity, episodes["end"][mine], episodes[metric.name.partition("/")[2]][mine])
        first = mine & (episodes["row"] == 0)
        changes = file.rerun.StateChange.columns(state=episodes["task"][first])
        file.send(f"seed-{seed}/episode/task", episodes["begin"][first], changes)


def _probes(file: RerunFile, probes: dict[str, np.ndarray]) -> None:
    for seed, task in sorted(set(zip(probes["seed"].tolist(), probes["task"].tolist(), strict=True))):
        mine = (probes["seed"] == seed) & (probes["task"] == task)
        for metric in PROBED:
            known = mine & ~np.isnan(probes[metric.name])
            entity = file.entity(f"seed-{seed}", "probe", task, metric.name)
            file.describe(entity, metric)
            file.series(entity, probes["clock"][known], probes[metric.name][known])


def _events(file: RerunFile, events: dict[str, np.ndarray]) -> None:
    for seed in np.unique(events["seed"]):
        mine = events["seed"] == seed
        texts = [f"{name}: {message}" for name, message in zip(events["name"][mine], events["message"][mine], strict=True)]
        lines = file.rerun.TextLog.columns(text=texts, level=["INFO"] * len(texts))
        file.send(f"seed-{seed}/events", events["clock"][mine], lines)


def _foresight(file: RerunFile, path: Path) -> None:
    """Log one stretch as the agent imagined it, and as observed; absent where the agent has no model."""
    film = read_film(path)
    if not film:
        return
    real = film["real"][0, 0]
    known = np.flatnonzero(np.isfinite(real).all(axis=1))
    for name in ("real", "imagined"):
        file.series(f"foresight/{name}", known, film[name][0, 0][known], timeline=AHEAD)
    text = f"One stretch of the task {film['tasks'][0]}: the observation that the agent predicted, and the one that followed."
    file.always("foresight", file.rerun.TextDocument(text))


def _kept(file: RerunFile, kept: KeptEpisode) -> None:
    entity = f"seed-{kept.seed}/row-{kept.row}"
    file.series(f"{entity}/observation", kept.clocks, kept.observation)
    file.series(f"{entity}/action", kept.clocks[:-1], kept.action)
    file.series(f"{entity}/reward", kept.clocks[1:], kept.reward)
    if kept.frames is not None:
        file.frames(f"{entity}/frame", kept.clocks, kept.frames)
