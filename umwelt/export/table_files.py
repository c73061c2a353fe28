"""The tables of a chronicle in rows, some at a time, so that a long life never has to fit into memory."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from umwelt.core import part
from umwelt.life.chronicle.database import Database
from umwelt.life.chronicle.schema import listed

WHOLE, REAL, TEXT, REALS = "INTEGER", "REAL", "TEXT", "BLOB"
"""Kinds of columns, as SQLite calls them. REALS: float64 [n] in one cell."""
DERIVED = ("blocks",)
"""Tables that are made anew from others."""


@part
class Table:
    """One table. columns: (name, kind) of each. query: what asks the chronicle for its rows."""

    name: str
    columns: tuple[tuple[str, str], ...]
    query: str


METRICS = Table(
    name="metrics",
    columns=(("name", TEXT), ("unit", TEXT), ("seed", WHOLE), ("clock", WHOLE), ("value", REAL)),
    # CROSS JOIN keeps the order of the two, so that rows come as they lie on the disk and nothing has to be sorted
    query="SELECT name, unit, seed, clock, value FROM names CROSS JOIN metrics ON name_id = id",
)


def tables_of(database: Database) -> tuple[Table, ...]:
    """Every table, also those that a later version added; but for pictures (a cell of bytes that are no returns)."""
    names = [name for (name,) in database.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    found = []
    for name in names:
        columns = tuple((row[1], row[2]) for row in database.rows(f'PRAGMA table_info("{name}")'))
        pictures = [column for column, kind in columns if kind == REALS and (name, column) != ("probes", "returns")]
        if name in DERIVED or pictures:
            continue
        asked = f'SELECT {listed(column for column, _ in columns)} FROM "{name}"'
        found.append(METRICS if name == "metrics" else Table(name=name, columns=columns, query=asked))
    return tuple(found)


def batches(database: Database, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a table, by its key; None where nothing was to say, and a list of floats for a cell of returns."""
    cells = [index for index, (_, kind) in enumerate(table.columns) if kind == REALS]
    for rows in database.batches(table.query):
        yield [_unpacked(row, cells) for row in rows] if cells else rows


def _unpacked(row: tuple[Any, ...], cells: list[int]) -> tuple[Any, ...]:
    return tuple(np.frombuffer(cell, "<f8").tolist() if index in cells else cell for index, cell in enumerate(row))
