"""What a life wrote down: metrics, episodes, probes, events and timings, in one SQLite file.

One process writes, any number read at the same time. Every chunk of a life is one transaction, so
that a life that was killed leaves whole chunks behind. Tables are handed out as dicts of columns.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np

from umwelt.core import KINDS, Metric
from umwelt.life.chronicle import buckets as blocks
from umwelt.life.chronicle.database import ChronicleError, Database
from umwelt.life.chronicle.schema import EPISODE, EVENT, GLIMPSE, PROBE, ROWS, TIMING, TRAIL, as_columns, as_rows, exact, listed
from umwelt.life.saves.arrays import pack, unpack
from umwelt.life.saves.disk import DiskFull

__all__ = ["EPISODE", "EVENT", "GLIMPSE", "LASTING", "PROBE", "TIMING", "TRAIL", "Chronicle", "ChronicleError", "DiskFull"]

LASTING = ("resumed", "killed", "damaged")
"""Events that tell what happened to the life from outside. Those so called, or called <one>/..., outlast a rewind."""
LATEST = 2**63 - 1


class Chronicle:
    """The chronicle at `path`, made where there is none. `Chronicle.read` opens one for looking only."""

    def __init__(self, path: Path | str, writable: bool = True) -> None:
        self.path = Path(path)
        self._database = Database(self.path, writable)
        self._names = dict(self._database.rows("SELECT name, id FROM names"))

    @classmethod
    def read(cls, path: Path | str) -> "Chronicle":
        """Open for reading, while somebody may be writing."""
        return cls(path, writable=False)

    def close(self) -> None:
        """Put the file away. The last one to close folds the write-ahead log into it."""
        self._database.close()

    def __enter__(self) -> "Chronicle":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def transaction(self) -> contextlib.AbstractContextManager[None]:
        """Everything written inside is kept whole, or not at all. Inside another one it belongs to that."""
        return self._database.transaction()

    def snapshot(self) -> contextlib.AbstractContextManager[None]:
        """Several looks at one state of the file, whoever writes meanwhile."""
        return self._database.snapshot()

    def sync(self) -> None:
        """Have the disk remember everything written so far, even through a power cut. Call before a checkpoint."""
        self._database.rows("PRAGMA wal_checkpoint(PASSIVE)")

    def declare(self, metrics: Iterable[Metric]) -> None:
        """Say what will be written, once for each name; saying it again renews unit and meaning."""
        metrics = tuple(dict.fromkeys(metrics))
        names = [metric.name for metric in metrics]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"metrics: {', '.join(twice)} declared in two different ways; rename one of the two")
        order = "INSERT INTO names (name, unit, meaning, better) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
        order += " unit = excluded.unit, meaning = excluded.meaning, better = excluded.better"
        with self.transaction():
            self._database.many(order, [(m.name, m.unit, m.meaning, m.better) for m in metrics])
        self._names = dict(self._database.rows("SELECT name, id FROM names"))

    def write(self, seed: int, clocks: Any, values: Mapping[str, Any]) -> None:
        """Metrics of one seed: clocks int [T], values {name: [T]}. NaN means "nothing to say" and is not kept."""
        clocks = np.asarray(clocks)
        unknown = sorted(set(values) - set(self._names))
        if unknown:
            raise ValueError(f"values: {', '.join(unknown)} was never declared; call `declare` with its Metric first")
        order = "INSERT INTO metrics (name_id, seed, clock, value) VALUES (?, ?, ?, ?)"
        with self.transaction():
            for name, column in values.items():
                column = np.asarray(column, np.float64)
                if column.shape != clocks.shape or clocks.ndim != 1:
                    raise ValueError(
                        f"values: {name} has the shape {column.shape}, where clocks has {clocks.shape}; both are [T]"
                    )
                said = ~np.isnan(column)
                rows = zip(
                    repeat(self._names[name]), repeat(int(seed)), clocks[said].tolist(), column[said].tolist(), strict=False
                )
                self._database.many(order, rows)
                if said.any():
                    first, last = int(clocks[said].min()), int(clocks[said].max())
                    blocks.gather(self._database, self._names[name], int(seed), first, last)

    def write_episodes(self, columns: Mapping[str, Any]) -> None:
        """Finished episodes: a column, or one value for all, for each of `EPISODE`.

        begin, end: clocks of the first and last step. task: text. end_kind: text or a kind of TimeStep.
        """
        columns = dict(columns)
        kinds = np.asarray(columns["end_kind"]) if "end_kind" in columns else np.asarray("")
        if kinds.dtype.kind in "iu":
            columns["end_kind"] = np.asarray(KINDS)[kinds]
        self._insert("episodes", EPISODE, columns)

    def write_probe(
        self, seed: int, clock: int, task: str, label: str, returns: Any, *,
        mean: float, low: float, high: float, model_error: float, length: float,
    ) -> None:  # fmt: skip
        """One examination: returns float [episodes], their mean with an interval, the model's error (NaN: no model)."""
        blob = np.asarray(returns, "<f8").tobytes()
        row = (seed, clock, task, label, blob, mean, low, high, model_error, length)
        self._insert("probes", PROBE, dict(zip(PROBE, row, strict=True)))

    def event(self, seed: int, clock: int, name: str, message: str = "") -> None:
        """Something happened; see LASTING for the names that outlast a rewind."""
        row = (seed, clock, name, message, time.time())
        self._insert("events", EVENT, dict(zip(EVENT, row, strict=True)))

    def write_timing(self, clock: int, seconds: Mapping[str, float]) -> None:
        """How long each part took, up to `clock`. Never a part of the digest."""
        columns = {"clock": clock, "part": list(seconds), "seconds": list(seconds.values()), "wall": time.time()}
        self._insert("timing", TIMING, columns)

    def write_trail(self, columns: Mapping[str, Any]) -> None:
        """Where the first row of a seed was: a column, or one value for all, for each of `TRAIL`. z: NaN where there
        are two dimensions. Never a part of the digest."""
        self._insert("trail", TRAIL, columns)

    def write_glimpse(self, seed: int, name: str, clock: int, task: str, begin: int, content: Mapping[str, np.ndarray]) -> None:
        """The episode under way, as named arrays; see `umwelt/life/exams/preview.py`. Only the newest of each name is kept,
        and it is never a part of the digest."""
        row = (seed, name, clock, task, begin, pack(dict(content)), time.time())
        with self.transaction():
            self._database.rows("DELETE FROM glimpses WHERE seed = ? AND name = ?", (seed, name))
            self._insert("glimpses", GLIMPSE, dict(zip(GLIMPSE, row, strict=True)))

    def rewind(self, clock: int) -> None:
        """Forget everything after `clock`, as a life does that goes on from a checkpoint. See LASTING."""
        clock = int(clock)
        with self.transaction():
            for name_id, seed in self._kept_series():
                order = "DELETE FROM metrics WHERE name_id = ? AND seed = ? AND clock > ?"
                self._database.rows(order, (name_id, seed, clock))
                blocks.forget(self._database, name_id, seed, clock)
            self._database.rows('DELETE FROM episodes WHERE "end" > ?', (clock,))
            self._database.rows("DELETE FROM probes WHERE clock > ?", (clock,))
            for table in ("timing", "trail", "glimpses"):
                self._database.rows(f"DELETE FROM {table} WHERE clock > ?", (clock,))
            later = self._database.rows("SELECT id, name FROM events WHERE clock > ?", (clock,))
            gone = [(number,) for number, name in later if name.split("/")[0] not in LASTING]
            self._database.many("DELETE FROM events WHERE id = ?", gone)

    def metrics(self) -> tuple[Metric, ...]:
        """Everything declared, in the order of declaration."""
        rows = self._database.rows("SELECT name, unit, meaning, better FROM names ORDER BY id")
        return tuple(Metric(name=n, unit=u, meaning=m, better=b) for n, u, m, b in rows)

    def seeds(self) -> list[int]:
        """The seeds that wrote metrics."""
        return sorted({seed for _, seed in self._kept_series()})

    def number_of(self, name: str) -> int:
        """The number that stands for a metric's name in the tables."""
        found = self._database.rows("SELECT id FROM names WHERE name = ?", (name,))
        if not found:
            raise KeyError(f"name: {name!r} is not in {self.path}; it has {', '.join(m.name for m in self.metrics()) or 'none'}")
        return found[0][0]

    @property
    def has_blocks(self) -> bool:
        """False where an earlier version wrote it, and nobody has gone on with the life since."""
        return blocks.kept(self._database)

    def rows(self, order: str, values: Any = ()) -> list[tuple[Any, ...]]:
        """The answer to a question in SQL, for pictures that need less than a whole table."""
        return self._database.rows(order, values)

    def series(self, name: str, seed: int | None = None) -> dict[str, np.ndarray]:
        """One metric: columns seed, clock int64 [N] and value float64 [N], by seed, then clock."""
        number = self.number_of(name)
        only, wanted = ("", ()) if seed is None else (" AND seed = ?", (int(seed),))
        order = f"SELECT seed, clock, value FROM metrics WHERE name_id = ?{only} ORDER BY seed, clock"
        rows = np.array(self._database.rows(order, (number, *wanted)), ROWS)
        return {column: np.ascontiguousarray(rows[column]) for column in ROWS.names or ()}

    def episodes(self, seed: int | None = None) -> dict[str, np.ndarray]:
        """All finished episodes, columns `EPISODE`, by seed, end and row."""
        return self._table("episodes", EPISODE, 'seed, "end", row', seed)

    def probes(self, seed: int | None = None) -> dict[str, np.ndarray]:
        """All probes, columns `PROBE`, by seed and clock; `returns` holds one float64 array for each."""
        table = self._table("probes", PROBE, "seed, clock, task, label", seed)
        for index, blob in enumerate(table["returns"]):
            table["returns"][index] = np.frombuffer(blob, "<f8")
        return table

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
        for index, data in enumerate(table["content"]):
            table["content"][index] = unpack(data)
        return table

    def last_clock(self) -> int:
        """The newest clock of any metric, 0 where there is none."""
        newest = 0
        for pair in self._kept_series():
            newest = max(newest, self._database.rows("SELECT MAX(clock) FROM metrics WHERE name_id = ? AND seed = ?", pair)[0][0])
        return newest

    def digest(self, until: int | None = None) -> str:
        """sha256 over names, metrics, episodes and probes with the exact bits of every number, up to a clock if asked.

        It does not depend on the order of writing or declaring, nor on wall-clock time, timings and events.
        """
        total = hashlib.sha256()
        with self.snapshot():
            for part in self._canonical(LATEST if until is None else int(until)):
                total.update(part)
        return total.hexdigest()

    def _canonical(self, until: int) -> Iterator[bytes]:
        for name, number in sorted(self._database.rows("SELECT name, id FROM names")):
            yield json.dumps(["metric", name]).encode()
            order = "SELECT seed, clock, value FROM metrics WHERE name_id = ? AND clock <= ? ORDER BY seed, clock"
            for rows in self._database.batches(order, (number, until)):
                yield np.array(rows, ROWS).tobytes()
        for table, columns, when, order in (
            ("episodes", EPISODE, '"end"', 'seed, "end", row'),
            ("probes", PROBE, "clock", "seed, clock, task, label"),
        ):
            yield json.dumps([table, columns]).encode()
            wanted = f"SELECT {listed(columns)} FROM {table} WHERE {when} <= ? ORDER BY {order}"
            for rows in self._database.batches(wanted, (until,)):
                for row in rows:
                    yield json.dumps([exact(value) for value in row]).encode()

    def _insert(self, table: str, names: tuple[str, ...], columns: Mapping[str, Any]) -> None:
        rows = as_rows(names, columns)
        order = f"INSERT INTO {table} ({listed(names)}) VALUES ({', '.join('?' * len(names))})"
        with self.transaction():
            self._database.many(order, rows)

    def _table(self, table: str, names: tuple[str, ...], order: str, seed: int | None) -> dict[str, np.ndarray]:
        only, wanted = ("", ()) if seed is None else (" WHERE seed = ?", (int(seed),))
        known = self._database.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
        if not known and names in (TRAIL, GLIMPSE):  # an earlier version wrote neither
            return as_columns(names, [])
        return as_columns(names, self._database.rows(f"SELECT {listed(names)} FROM {table}{only} ORDER BY {order}", wanted))

    def _kept_series(self) -> list[tuple[int, int]]:
        """All (name_id, seed) that have rows; one look into the index for each, however long they are."""
        found = []
        for (number,) in self._database.rows("SELECT id FROM names ORDER BY id"):
            seed = self._database.rows("SELECT MIN(seed) FROM metrics WHERE name_id = ?", (number,))[0][0]
            while seed is not None:
                found.append((number, seed))
                seed = self._database.rows("SELECT MIN(seed) FROM metrics WHERE name_id = ? AND seed > ?", (number, seed))[0][0]
        return found
