"""One SQLite file with one writer and any number of readers, which speaks in sentences when it cannot go on."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from umwelt.life.chronicle.schema import FORMAT, LATER, RENEWAL, SCHEMA
from umwelt.life.saves.disk import disk_full

BATCH = 50_000
ADVICE = {
    "SQLITE_BUSY": "another process writes to it: wait for it to end, or stop it",
    "SQLITE_CANTOPEN": "make sure that its folder exists and that you may write there",
    "SQLITE_CONSTRAINT": "a row for one of these clocks is there already: call `rewind` before living again",
    "SQLITE_READONLY": "make sure that you may write there, and that it was not opened for reading",
}


class ChronicleError(Exception):
    """The chronicle cannot be used so. The message is one sentence: which file, and what to do."""


class Database:
    """The file at `path` with the tables of a chronicle. Written to, it is made where there is none."""

    def __init__(self, path: Path, writable: bool) -> None:
        self.path = path
        self._link: Any = None
        try:
            with self._plainly():
                if writable:
                    self._open_for_writing()
                else:
                    self._open_for_reading()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Put the file away. The last one to close folds the write-ahead log into it."""
        if self._link is not None:
            self._link.close()

    def rows(self, order: str, values: Any = ()) -> list[tuple[Any, ...]]:
        """All rows that an order yields."""
        with self._plainly():
            return self._link.execute(order, values).fetchall()

    def batches(self, order: str, values: tuple[Any, ...] = ()) -> Iterator[list[tuple[Any, ...]]]:
        """The same, some at a time."""
        with self._plainly():
            cursor = self._link.execute(order, values)
            while rows := cursor.fetchmany(BATCH):
                yield rows

    def many(self, order: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """One order for each row."""
        with self._plainly():
            self._link.executemany(order, rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything written inside is kept whole, or not at all. Inside another one it belongs to that."""
        with self._between("BEGIN IMMEDIATE"):
            yield

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Several looks at one state of the file, whoever writes meanwhile."""
        with self._between("BEGIN"):
            yield

    @contextlib.contextmanager
    def _between(self, begin: str) -> Iterator[None]:
        if self._link.in_transaction:
            yield
            return
        self.rows(begin)
        try:
            yield
            self.rows("COMMIT")
        except BaseException:
            if self._link.in_transaction:  # SQLite has undone it by itself where the disk is full
                self.rows("ROLLBACK")
            raise

    def _open_for_writing(self) -> None:
        self._open("mode=rwc")
        for setting in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-65536"):
            self._link.execute(f"PRAGMA {setting}")
        if self._version() == 0:
            self._link.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version={FORMAT}; COMMIT;")
        if self._version() < FORMAT:
            self._link.executescript(f"BEGIN IMMEDIATE; {RENEWAL} PRAGMA user_version={FORMAT}; COMMIT;")
        self._link.executescript(f"BEGIN IMMEDIATE; {LATER} COMMIT;")

    def _open_for_reading(self) -> None:
        if not self.path.exists():
            raise ChronicleError(f"there is no chronicle at {self.path}; give the path of a life that has begun")
        try:
            self._open("mode=ro")
        except sqlite3.OperationalError as error:
            # SQLite shares a file of locks with the writer, and cannot make it on a disk that is
            # read-only. Where there is no log either, nobody writes, and none is needed.
            log = self.path.with_name(self.path.name + "-wal")
            if error.sqlite_errorname != "SQLITE_CANTOPEN" or (log.exists() and log.stat().st_size):
                raise
            self.close()
            self._open("mode=ro&immutable=1")
        if self._version() == 0:
            raise ChronicleError(f"{self.path} holds no chronicle yet; try again when the life has begun")

    def _open(self, mode: str) -> None:
        address = f"file:{quote(str(self.path))}?{mode}"
        self._link = sqlite3.connect(address, uri=True, isolation_level=None, timeout=30.0)
        version = self._version()
        if version > FORMAT:
            raise ChronicleError(
                f"{self.path} was written by a newer Umwelt (format {version}, this version reads up to {FORMAT});"
                " open it with that version or a later one"
            )

    def _version(self) -> int:
        return self._link.execute("PRAGMA user_version").fetchone()[0]

    @contextlib.contextmanager
    def _plainly(self) -> Iterator[None]:
        """Turn what SQLite says into a sentence that says what to do."""
        try:
            yield
        except UnicodeDecodeError as error:  # text, or SQLite's own words about it, from a torn page
            raise ChronicleError(f"{self.path} cannot be used (it holds text that is none); put back a copy of it") from error
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            starved = name.startswith("SQLITE_IOERR") and shutil.disk_usage(self.path.parent).free < 1 << 20
            if name in ("SQLITE_FULL", "SQLITE_IOERR_WRITE") or starved:  # a quota or a limit refuses the write itself
                raise disk_full(self.path) from error
            advice = next((text for start, text in ADVICE.items() if name.startswith(start)), "put back a copy of it")
            raise ChronicleError(f"{self.path} cannot be used ({error}); {advice}") from error
