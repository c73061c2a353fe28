"""One SQLite file with one writer and any number of readers. What goes wrong becomes one sentence that says what to do."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from umwelt.life.chronicle.schema import FORMAT, LATER, PERHAPS, RENEWAL, SCHEMA, strange
from umwelt.life.saves.disk import disk_full

BATCH = 50_000
ADVICE = {
    "SQLITE_BUSY": "another process writes to it: wait for it to end, or stop it",
    "SQLITE_CANTOPEN": "make sure that its folder exists and that you may write there",
    "SQLITE_CONSTRAINT": "it has a row for one of these clocks already: call `rewind` before you write it again",
    "SQLITE_READONLY": "make sure that you may write there, and that it was not opened for reading",
}
CORRUPT = (UnicodeDecodeError, OverflowError, ValueError, TypeError)
"""What values from a torn page raise on their way to Python."""


class ChronicleError(Exception):
    """The chronicle cannot be used so. The message is one sentence: which file, and what to do."""


class Database:
    """The file at `path` with the tables of a chronicle. A writer makes the file if there is none."""

    def __init__(self, path: Path, writable: bool) -> None:
        self.path = path
        self._link: Any = None
        try:
            with self.plainly():
                if writable:
                    self._open_for_writing()
                else:
                    self._open_for_reading()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file. The last connection to close merges the write-ahead log into it."""
        if self._link is not None:
            self._link.close()

    def rows(self, statement: str, values: Any = (), kinds: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows that a statement yields. kinds: what the cells must be, or else the file is corrupt."""
        with self.plainly():
            found = self._link.execute(statement, values).fetchall()
            self._refuse(found, kinds)
            return found

    def number(self, statement: str, values: Any = (), otherwise: int = 0) -> int:
        """The whole number that an aggregate yields; `otherwise` where it is over no rows."""
        found = self.rows(statement, values, (PERHAPS,))[0][0]
        return otherwise if found is None else found

    def batches(self, statement: str, values: Any = (), kinds: tuple[str, ...] = ()) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the same rows, BATCH at a time."""
        with self.plainly():
            cursor = self._link.execute(statement, values)
            while rows := cursor.fetchmany(BATCH):
                self._refuse(rows, kinds)
                yield rows

    def many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run one statement for each row."""
        with self.plainly():
            self._link.executemany(statement, rows)

    def has(self, table: str) -> bool:
        """True where the file has this table."""
        return bool(self.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep everything written inside whole, or not at all. Inside another transaction it belongs to that."""
        with self._between("BEGIN IMMEDIATE"):
            yield

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read several times from one state of the file, while others write."""
        with self._between("BEGIN"):
            yield

    @contextlib.contextmanager
    def decoding(self) -> Iterator[None]:
        """Report values that no life writes as a corrupt file."""
        try:
            yield
        except CORRUPT as error:
            raise self.corrupt(str(error)) from error

    @contextlib.contextmanager
    def plainly(self) -> Iterator[None]:
        """Turn an error of SQLite into a sentence that says what to do."""
        try:
            yield
        except UnicodeDecodeError as error:  # text, or SQLite's own message about it, from a torn page
            raise self.corrupt("it holds text that is not UTF-8") from error
        except OverflowError as error:
            raise self.corrupt("it holds a number that no life writes") from error
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            starved = name.startswith("SQLITE_IOERR") and shutil.disk_usage(self.path.parent).free < 1 << 20
            if name in ("SQLITE_FULL", "SQLITE_IOERR_WRITE") or starved:  # a quota or a limit refuses the write itself
                raise disk_full(self.path) from error
            advice = next((text for start, text in ADVICE.items() if name.startswith(start)), "put back a copy of it")
            raise ChronicleError(f"{self.path} cannot be used ({error}); {advice}") from error

    def corrupt(self, why: str) -> ChronicleError:
        """The error that says so."""
        return ChronicleError(f"{self.path} cannot be used ({why}); put back a copy of it")

    def _refuse(self, rows: list[tuple[Any, ...]], kinds: tuple[str, ...]) -> None:
        if kinds and (why := strange(rows, kinds)):
            raise self.corrupt(why)

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
            # read-only. Where there is no log either, there is no writer, and no lock is needed.
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
