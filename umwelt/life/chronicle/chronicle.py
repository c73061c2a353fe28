"""What a life wrote down: metrics, episodes, probes, events and timings, in one SQLite file.

One process writes, any number read at the same time. Every chunk of a life is one transaction, so a killed life leaves
whole chunks behind. Tables are returned as dicts of columns. Damage of any kind raises a ChronicleError.
"""

import contextlib
import hashlib
import time
from collections.abc import Iterable, Mapping
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from umwelt.core import KINDS, Metric
from umwelt.life.chronicle import buckets
from umwelt.life.chronicle.canonical import canonical
from umwelt.life.chronicle.database import ChronicleError, Database
from umwelt.life.chronicle.named_numbers import named_episodes, named_probes
from umwelt.life.chronicle.schema import (
    EPISODE,
    EPISODE_NUMBER,
    EVENT,
    GLIMPSE,
    INTEGER,
    NAME,
    PERHAPS,
    PROBE,
    PROBE_NUMBER,
    ROWS,
    SERIES,
    TEXT,
    TIMING,
    TRAIL,
    as_columns,
    as_rows,
    kinds,
    listed,
)
from umwelt.life.saves.arrays import pack, unpack
from umwelt.life.saves.disk import DiskFull

__all__ = ["EPISODE", "EVENT", "GLIMPSE", "LASTING", "PROBE", "TIMING", "TRAIL", "Chronicle", "ChronicleError", "DiskFull"]

LASTING = ("resumed", "killed", "damaged")
"""Events that happened to the life from outside. A rewind keeps events of these names, and of names <one>/...."""
LATEST = 2**63 - 1
NAMES = "SELECT name, id FROM names NOT INDEXED"
"""The index by name may be torn where the table is whole, and both must agree."""


class Chronicle:
    """The chronicle at `path`, made if there is none. `Chronicle.read` opens one for reading only.

    database: for the SQL of this package alone; `umwelt.life.chronicle.reader` has the questions of all others.
    """

    def __init__(self, path: Path | str, writable: bool = True) -> None:
        self.path = Path(path)
        self.database = Database(self.path, writable)
        try:
            self._names = dict(self.database.rows(NAMES, (), (TEXT, INTEGER)))
        except BaseException:
            self.close()
            raise

    @classmethod
    def read(cls, path: Path | str) -> "Chronicle":
        """Open for reading, while another process may be writing."""
        return cls(path, writable=False)

    def close(self) -> None:
        """Close the file. The last connection to close merges the write-ahead log into it."""
        self.database.close()

    def __enter__(self) -> "Chronicle":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """Keep everything written inside whole, or not at all. Inside another transaction it belongs to that."""
        return self.database.transaction()

    def snapshot(self) -> contextlib.AbstractContextManager[None]:
        """Read several times from one state of the file, while others write."""
        return self.database.snapshot()

    def sync(self) -> None:
        """Flush everything written so far to the disk, so that it survives a power cut. Call it before a checkpoint."""
        self.database.rows("PRAGMA wal_checkpoint(PASSIVE)")

    def declare(self, metrics: Iterable[Metric]) -> None:
        """Declare what will be written, once for each name. A later declaration replaces unit and meaning."""
        metrics = tuple(dict.fromkeys(metrics))
        names = [metric.name for metric in metrics]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"metrics: {', '.join(twice)} declared in two different ways; rename one of the two")
        statement = "INSERT INTO names (name, unit, meaning, better) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        statement += " unit = excluded.unit, meaning = excluded.meaning, better = excluded.better"
        with self.transaction():
            self.database.many(statement, [(m.name, m.unit, m.meaning, m.better) for m in metrics])
        self._names = dict(self.database.rows(NAMES, (), (TEXT, INTEGER)))

    def write(self, seed: int, clocks: Any, values: Mapping[str, Any], again: bool = False) -> None:
        """Write metrics of one seed: clocks int [T], values {name: [T]}. NaN means "no value" and is left out.

        again: rows of the same clocks may be there, from a process that was killed after the life was saved inside a segment.
        """
        clocks = np.asarray(clocks)
        unknown = sorted(set(values) - set(self._names))
        if unknown:
            raise ValueError(f"values: {', '.join(unknown)} was never declared; call `declare` with its Metric first")
        verb = "INSERT OR REPLACE" if again else "INSERT"
        statement = f"{verb} INTO metrics (name_id, seed, clock, value) VALUES (?, ?, ?, ?)"
        with self.transaction():
            for name, column in values.items():
                column = np.asarray(column, np.float64)
                if column.shape != clocks.shape or clocks.ndim != 1:
                    raise ValueError(
                        f"values: {name} has the shape {column.shape}, where clocks has {clocks.shape}; both are [T]"
                    )
                known = ~np.isnan(column)
                rows = zip(
                    repeat(self._names[name]), repeat(int(seed)), clocks[known].tolist(), column[known].tolist(), strict=False
                )
                self.database.many(statement, rows)
                if known.any():
                    first, last = int(clocks[known].min()), int(clocks[known].max())
                    buckets.gather(self.database, self._names[name], int(seed), first, last)

    def write_episodes(self, columns: Mapping[str, Any]) -> None:
        """Write finished episodes: a column, or one value for all, for each of `EPISODE`.

        begin, end: clocks of the first and last step. task: text. end_kind: text or a kind of TimeStep.
        """
        columns = dict(columns)
        ends = np.asarray(columns["end_kind"]) if "end_kind" in columns else np.asarray("")
        if ends.dtype.kind in "iu":
            columns["end_kind"] = np.asarray(KINDS)[ends]
        self._insert("episodes", EPISODE, columns)

    def write_episode_numbers(self, columns: Mapping[str, Any]) -> None:
        """Write what the world named of finished episodes: a column, or one value for all, for each of `EPISODE_NUMBER`."""
        self._insert("episode_numbers", EPISODE_NUMBER, columns)

    def write_probe(
        self, seed: int, clock: int, task: str, label: str, returns: Any, *,
        mean: float, low: float, high: float, model_error: float, length: float, named: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Write one examination: returns float [episodes], their mean with an interval, the model's error (NaN: no model).

        named: {name: float [episodes]}, what the world named of each episode.
        """
        blob = np.asarray(returns, "<f8").tobytes()
        row = (seed, clock, task, label, blob, mean, low, high, model_error, length)
        with self.transaction():
            self._insert("probes", PROBE, dict(zip(PROBE, row, strict=True)))
            for name, values in (named or {}).items():
                columns = (seed, clock, task, label, list(range(len(values))), name, np.asarray(values, np.float64))
                self._insert("probe_numbers", PROBE_NUMBER, dict(zip(PROBE_NUMBER, columns, strict=True)))

    def event(self, seed: int, clock: int, name: str, message: str = "") -> None:
        """Write what happened; see LASTING for the names that outlast a rewind."""
        row = (seed, clock, name, message, time.time())
        self._insert("events", EVENT, dict(zip(EVENT, row, strict=True)))

    def write_timing(self, clock: int, seconds: Mapping[str, float]) -> None:
        """Write how long each part took, up to `clock`. It is never a part of the digest."""
        columns = {"clock": clock, "part": list(seconds), "seconds": list(seconds.values()), "wall": time.time()}
        self._insert("timing", TIMING, columns)

    def write_trail(self, columns: Mapping[str, Any]) -> None:
        """Write where the first row of a seed was: a column, or one value for all, for each of `TRAIL`.

        z: NaN where there are two dimensions. It is never a part of the digest.
        """
        self._insert("trail", TRAIL, columns)

    def write_glimpse(self, seed: int, name: str, clock: int, task: str, begin: int, content: Mapping[str, np.ndarray]) -> None:
        """Write the present episode as named arrays; see `umwelt/life/exams/preview.py`.

        Only the newest of each name is kept. It is never a part of the digest.
        """
        row = (seed, name, clock, task, begin, pack(dict(content)), time.time())
        with self.transaction():
            self.database.rows("DELETE FROM glimpses WHERE seed = ? AND name = ?", (seed, name))
            self._insert("glimpses", GLIMPSE, dict(zip(GLIMPSE, row, strict=True)))

    def rewind(self, clock: int, inside: bool = False) -> None:
        """Delete everything after `clock`, before a life resumes from a checkpoint. See LASTING.

        inside: the checkpoint is inside a segment, so a probe at `clock` came later.
        """
        clock = int(clock)
        with self.transaction():
            for name_id, seed in self.pairs():
                statement = "DELETE FROM metrics WHERE name_id = ? AND seed = ? AND clock > ?"
                self.database.rows(statement, (name_id, seed, clock))
                buckets.forget(self.database, name_id, seed, clock)
            for table in ("episodes", "episode_numbers"):
                self.database.rows(f'DELETE FROM {table} WHERE "end" > ?', (clock,))
            for table in ("probes", "probe_numbers"):
                self.database.rows(f"DELETE FROM {table} WHERE clock > ?", (clock - inside,))
            for table in ("timing", "trail", "glimpses"):
                self.database.rows(f"DELETE FROM {table} WHERE clock > ?", (clock,))
            later = self.database.rows("SELECT id, name FROM events WHERE clock > ?", (clock,), (INTEGER, TEXT))
            gone = [(number,) for number, name in later if name.split("/")[0] not in LASTING]
            self.database.many("DELETE FROM events WHERE id = ?", gone)

    def metrics(self) -> tuple[Metric, ...]:
        """Everything declared, in the order of declaration."""
        rows = self.database.rows(f"SELECT {listed(NAME)} FROM names ORDER BY id", (), kinds(NAME))
        return tuple(Metric(name=n, unit=u, meaning=m, better=b) for n, u, m, b in rows)

    def seeds(self) -> list[int]:
        """The seeds that wrote metrics."""
        return sorted({seed for _, seed in self.pairs()})

    def number_of(self, name: str) -> int:
        """The number that stands for a metric's name in the tables."""
        found = dict(self.database.rows(NAMES, (), (TEXT, INTEGER)))
        if name not in found:
            raise KeyError(f"name: {name!r} is not in {self.path}; it has {', '.join(m.name for m in self.metrics()) or 'none'}")
        return found[name]

    def series(self, name: str, seed: int | None = None) -> dict[str, np.ndarray]:
        """One metric: columns seed, clock int64 [N] and value float64 [N], by seed, then clock."""
        number = self.number_of(name)
        only, wanted = ("", ()) if seed is None else (" AND seed = ?", (int(seed),))
        query = f"SELECT seed, clock, value FROM metrics WHERE name_id = ?{only} ORDER BY seed, clock"
        rows = self.database.rows(query, (number, *wanted), SERIES)
        with self.database.decoding():
            table = np.array(rows, ROWS)
        return {column: np.ascontiguousarray(table[column]) for column in ROWS.names or ()}

    def episodes(self, seed: int | None = None) -> dict[str, np.ndarray]:
        """All finished episodes, columns `EPISODE`, by seed, end and row, and a column for each number that the world named."""
        table = self._table("episodes", EPISODE, 'seed, "end", row', seed)
        numbers = self._table("episode_numbers", EPISODE_NUMBER, 'seed, "end", row, name', seed)
        return table | named_episodes(table, numbers)

    def probes(self, seed: int | None = None) -> dict[str, np.ndarray]:
        """All probes, columns `PROBE`, by seed and clock; `returns` holds one float64 array for each.

        So does a column for each number that the world named.
        """
        table = self._table("probes", PROBE, "seed, clock, task, label", seed)
        with self.database.decoding():
            for index, blob in enumerate(table["returns"]):
                table["returns"][index] = np.frombuffer(blob, "<f8")
        numbers = self._table("probe_numbers", PROBE_NUMBER, "seed, clock, task, label, episode, name", seed)
        return table | named_probes(table, numbers)

    def events(self, seed: int | None = None) -> dict[str, np.ndarray]:
        """All events, columns `EVENT`, as they happened."""
        return self._table("events", EVENT, "id", seed)

    def timing(self) -> dict[str, np.ndarray]:
        """All timings, columns `TIMING`."""
        return self._table("timing", TIMING, "clock, rowid", None)

    def trail(self, seed: int | None = None) -> dict[str, np.ndarray]:
        """Where the first row of each seed was, columns `TRAIL`, by seed and clock."""
        return self._table("trail", TRAIL, "seed, clock", seed)

    def glimpses(self) -> dict[str, np.ndarray]:
        """The newest glimpse of each name, columns `GLIMPSE`; `content` holds a dict of arrays for each."""
        table = self._table("glimpses", GLIMPSE, "seed, name", None)
        with self.database.decoding():
            for index, data in enumerate(table["content"]):
                table["content"][index] = unpack(data)
        return table

    def last_clock(self) -> int:
        """The newest clock of any metric, 0 where there is none."""
        # a torn page may list a pair whose metrics are gone
        query = "SELECT MAX(clock) FROM metrics WHERE name_id = ? AND seed = ?"
        return max([0, *(self.database.number(query, pair) for pair in self.pairs())])

    def pairs(self) -> list[tuple[int, int]]:
        """All (name_id, seed) that have rows: one look into the index for each, however many rows they have."""
        found = []
        for (number,) in self.database.rows("SELECT id FROM names ORDER BY id", (), (INTEGER,)):
            seed, after = self._seed_after(number, None), None
            while seed is not None:
                if after is not None and seed <= after:  # an index out of order would never end the loop
                    raise self.database.corrupt("its seeds are out of order")
                found.append((number, seed))
                seed, after = self._seed_after(number, seed), seed
        return found

    def _seed_after(self, number: int, seed: int | None) -> int | None:
        only, wanted = ("", (number,)) if seed is None else (" AND seed > ?", (number, seed))
        return self.database.rows(f"SELECT MIN(seed) FROM metrics WHERE name_id = ?{only}", wanted, (PERHAPS,))[0][0]

    def digest(self, until: int | None = None) -> str:
        """The sha256 of names, metrics, episodes and probes with the exact bits of every number, up to a clock if asked.

        It does not depend on the order of writing or declaring, nor on wall-clock time, timings and events.
        """
        total = hashlib.sha256()
        with self.snapshot():
            for part in canonical(self.database, LATEST if until is None else int(until)):
                total.update(part)
        return total.hexdigest()

    def _insert(self, table: str, names: tuple[str, ...], columns: Mapping[str, Any]) -> None:
        rows = as_rows(names, columns)
        statement = f"INSERT INTO {table} ({listed(names)}) VALUES ({', '.join('?' * len(names))})"
        with self.transaction():
            self.database.many(statement, rows)

    def _table(self, table: str, names: tuple[str, ...], order: str, seed: int | None) -> dict[str, np.ndarray]:
        only, wanted = ("", ()) if seed is None else (" WHERE seed = ?", (int(seed),))
        if names in (TRAIL, GLIMPSE, EPISODE_NUMBER, PROBE_NUMBER) and not self.database.has(table):  # of an earlier version
            return as_columns(names, [])
        query = f"SELECT {listed(names)} FROM {table}{only} ORDER BY {order}"
        return as_columns(names, self.database.rows(query, wanted, kinds(names)))
