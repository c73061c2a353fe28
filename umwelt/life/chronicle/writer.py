"""Writing the records of a life into its chronicle, a few chunks at a time.

Quick lives have many chunks a second, and a statement to the database costs as much for one row as for fifty. So the
writer gathers chunks for a moment and writes them in one transaction. A killed life leaves whole chunks behind. What is
written does not depend on how chunks were gathered.
"""

import time
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from umwelt.core import part
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.chronicle.columns import (
    TaskNames,
    changes,
    episode_columns,
    means,
    number_columns,
    trail_columns,
    windows,
)
from umwelt.life.composition import Life
from umwelt.life.rhythm import Segment

EVERY = 0.5
"""Seconds between two transactions."""
MOST = 20_000
"""The most ticks that are gathered."""


@part
class Chunk:
    """A chunk that began at `clock`. records: leaves [seeds, ticks, B], or None for a chunk of study.

    infos: learning metrics [seeds, periods]. A chunk of study is lessons without decisions.
    """

    clock: int
    segment: Segment
    records: Any
    infos: dict[str, Any]


class ChronicleWriter:
    """Gathers the chunks of a life, and writes them into its chronicle."""

    def __init__(self, life: Life, names: TaskNames, chronicle: Chronicle) -> None:
        self.life, self.names, self.chronicle = life, names, chronicle
        self._chunks: list[Chunk] = []
        self._written = time.perf_counter()
        self._eventful = [metric for metric in life.agent.metrics if metric.event]
        self._before: dict[tuple[int, str], float] = {}

    def resume(self) -> None:
        """Continue after the rows that the chronicle holds."""
        for seed in range(self.life.seed, self.life.seed + self.life.seeds):
            for metric in self._eventful:
                last = self.chronicle.series(metric.name, seed=seed)["value"][-1:]
                # a mean between two values changed within the last window, and the value after the change is lost
                if last.size and last[0] == np.round(last[0]):
                    self._before[seed, metric.name] = float(last[0])

    def take(self, chunk: Chunk) -> None:
        """Gather a chunk, without its episodes, which the folder keeps."""
        records = None if chunk.records is None else replace(chunk.records, kept=None)
        self._chunks.append(replace(chunk, records=records))

    @property
    def due(self) -> bool:
        """Whether it is time to write."""
        late = time.perf_counter() - self._written > EVERY
        return late or sum(chunk.segment.ticks for chunk in self._chunks) >= MOST

    @property
    def empty(self) -> bool:
        """Whether all is written."""
        return not self._chunks

    def write(self) -> tuple[Any, int]:
        """Write what was gathered; returns the records of all decisions as one, and how many ticks were gathered.

        Records have leaves [seeds, ticks, B]; they are None where there were no decisions.
        """
        chunks, self._chunks = self._chunks, []
        decided = [chunk for chunk in chunks if chunk.records is not None]
        records = self._write_decisions(decided) if decided else None
        for index in range(self.life.seeds):
            self._write_learned(self.life.seed + index, index, chunks)
        self._written = time.perf_counter()
        return records, sum(chunk.segment.ticks for chunk in chunks)

    def _write_decisions(self, chunks: list[Chunk]) -> Any:
        """Write metrics, changes, episodes and trail of chunks that follow each other; returns their records as one."""
        clock, every = chunks[0].clock, self.life.rhythm.record_every
        records = chunks[0].records
        if len(chunks) > 1:
            records = jax.tree.map(lambda *leaves: np.concatenate(leaves, axis=1), *[chunk.records for chunk in chunks])
        # windows end where chunks end, so that they are the same however chunks were gathered
        cut = [windows(chunk.clock, chunk.segment.ticks, every) for chunk in chunks]
        starts = np.concatenate([begins + chunk.clock - clock for chunk, (begins, _) in zip(chunks, cut, strict=True)])
        clocks = np.concatenate([ends for _, ends in cut])
        for index in range(self.life.seeds):
            seed = self.life.seed + index
            record = jax.tree.map(lambda leaf: leaf[index], records)  # noqa: B023 - used at once
            values = {"reward": record.reward, "surprise": record.surprise, "doubt": record.doubt, **record.extra}
            self.chronicle.write(seed, clocks, {name: means(value, starts) for name, value in values.items()})
            self._write_changes(seed, record.extra, clock)
            self.chronicle.write_episodes({"seed": seed, **episode_columns(record, clock, self.names)})
            for columns in number_columns(record, clock):
                self.chronicle.write_episode_numbers({"seed": seed, **columns})
            if record.position is not None:
                self.chronicle.write_trail({"seed": seed, **trail_columns(record, starts, clocks, self.names)})
        return records

    def _write_learned(self, seed: int, index: int, chunks: list[Chunk]) -> None:
        """Write the metrics of learning, one value for each window of each chunk; chunks may differ in their metrics."""
        clocks: dict[str, list[np.ndarray]] = {}
        values: dict[str, list[np.ndarray]] = {}
        for chunk in [chunk for chunk in chunks if chunk.infos]:
            learned_at = chunk.clock + chunk.segment.every * (1 + np.arange(chunk.segment.periods))
            kept = np.flatnonzero(np.diff((learned_at - 1) // self.life.rhythm.record_every, append=-1))
            for name, column in chunk.infos.items():
                clocks.setdefault(name, []).append(learned_at[kept])
                values.setdefault(name, []).append(np.asarray(column[index], np.float64)[kept])
        for name, column in values.items():
            ends_a_round = not chunks[0].segment.every  # of an earlier process
            self.chronicle.write(seed, np.concatenate(clocks[name]), {name: np.concatenate(column)}, again=ends_a_round)

    def _write_changes(self, seed: int, extra: dict[str, Any], clock: int) -> None:
        """Write an event for each change of a metric that declares one."""
        for metric in self._eventful:
            values = np.asarray(extra.get(metric.name, np.zeros(0)), np.float64).ravel()
            for tick, value in changes(values, self._before.get((seed, metric.name), float("nan"))):
                self.chronicle.event(seed, clock + 1 + tick, metric.name, metric.event.format(f"{value:g}"))
            if (known := values[~np.isnan(values)]).size:
                self._before[seed, metric.name] = float(known[-1])
