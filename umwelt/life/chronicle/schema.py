"""The tables of a chronicle, and the conversion between columns and rows."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

FORMAT = 2
"""The schema that this version writes, kept in PRAGMA user_version."""

BUCKET = 500
"""Clocks of a bucket. Bucket b holds the clocks b * BUCKET <= clock < (b + 1) * BUCKET."""
# The table of buckets is called `blocks` in the file since format 2. Renaming it would need a third format, and every
# reader of today's files a second query.
BUCKETS = """
CREATE TABLE blocks (
    name_id INTEGER, seed INTEGER, block INTEGER, last INTEGER, low REAL, high REAL, total REAL, count INTEGER,
    PRIMARY KEY (name_id, seed, block)
) WITHOUT ROWID;
"""
"""See `umwelt/life/chronicle/buckets.py`. last: the clock of the bucket's last row. total: the sum of its values."""
GATHER = f"""
INSERT OR REPLACE INTO blocks
SELECT name_id, seed, clock / {BUCKET}, MAX(clock), MIN(value), MAX(value), SUM(value), COUNT(*) FROM metrics
"""
"""Fills buckets. The caller appends which rows of `metrics` count, and a GROUP BY."""

SCHEMA = f"""
{BUCKETS}
CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, unit TEXT, meaning TEXT, better TEXT);
CREATE TABLE metrics (
    seed INTEGER, clock INTEGER, name_id INTEGER, value REAL NOT NULL, PRIMARY KEY (name_id, seed, clock)
) WITHOUT ROWID;
CREATE TABLE episodes (
    seed INTEGER, row INTEGER, begin INTEGER, end INTEGER, task TEXT, return REAL, length INTEGER, end_kind TEXT,
    surprise REAL, doubt REAL, PRIMARY KEY (seed, end, row)
) WITHOUT ROWID;
CREATE TABLE probes (
    seed INTEGER, clock INTEGER, task TEXT, label TEXT, returns BLOB, mean REAL, low REAL, high REAL,
    model_error REAL, length REAL, PRIMARY KEY (seed, clock, task, label)
) WITHOUT ROWID;
CREATE TABLE events (id INTEGER PRIMARY KEY, seed INTEGER, clock INTEGER, name TEXT, message TEXT, wall REAL);
CREATE TABLE timing (clock INTEGER, part TEXT, seconds REAL, wall REAL);
CREATE INDEX timing_by_clock ON timing (clock);
"""
RENEWAL = f"{BUCKETS} {GATHER} GROUP BY name_id, seed, clock / {BUCKET};"
"""What a chronicle of format 1 lacks."""
LATER = """
CREATE TABLE IF NOT EXISTS trail (
    seed INTEGER, clock INTEGER, task TEXT, x REAL, y REAL, z REAL, doubt REAL, PRIMARY KEY (seed, clock)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS glimpses (
    seed INTEGER, name TEXT, clock INTEGER, task TEXT, begin INTEGER, content BLOB, wall REAL, PRIMARY KEY (seed, name)
);
CREATE TABLE IF NOT EXISTS episode_numbers (
    seed INTEGER, row INTEGER, end INTEGER, name TEXT, value REAL, PRIMARY KEY (seed, end, row, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS probe_numbers (
    seed INTEGER, clock INTEGER, task TEXT, label TEXT, episode INTEGER, name TEXT, value REAL,
    PRIMARY KEY (seed, clock, task, label, episode, name)
) WITHOUT ROWID;
"""
"""Tables that chronicles of the same format may lack. A writer adds them when it opens the file; a reader finds them
empty."""
NAME = ("name", "unit", "meaning", "better")
EPISODE = ("seed", "row", "begin", "end", "task", "return", "length", "end_kind", "surprise", "doubt")
PROBE = ("seed", "clock", "task", "label", "returns", "mean", "low", "high", "model_error", "length")
EVENT = ("seed", "clock", "name", "message", "wall")
TIMING = ("clock", "part", "seconds", "wall")
TRAIL = ("seed", "clock", "task", "x", "y", "z", "doubt")
GLIMPSE = ("seed", "name", "clock", "task", "begin", "content", "wall")
EPISODE_NUMBER = ("seed", "row", "end", "name", "value")
PROBE_NUMBER = ("seed", "clock", "task", "label", "episode", "name", "value")

INTEGER, REAL, TEXT, BLOB = "INTEGER", "REAL", "TEXT", "BLOB"
"""Kinds of cells, as SQLite calls them."""
NULL = " or NULL"
PERHAPS = INTEGER + NULL
"""The kind of an aggregate over whole numbers, which is NULL where there are no rows."""
CELLS: dict[str, set[type]] = {INTEGER: {int}, REAL: {float, int, type(None)}, TEXT: {str}, BLOB: {bytes}}
"""The Python types that a healthy chronicle yields for each kind. A NULL in a column of reals is a NaN."""
CELLS |= {kind + NULL: {*types, type(None)} for kind, types in CELLS.items()}
DTYPES: dict[str, Any] = {INTEGER: np.int64, REAL: np.float64, TEXT: object, BLOB: object}
KINDS = {
    **dict.fromkeys(("seed", "row", "begin", "end", "clock", "episode"), INTEGER),
    **dict.fromkeys((*NAME, "task", "label", "end_kind", "part", "message"), TEXT),
    **dict.fromkeys(("returns", "content"), BLOB),
}
"""The kinds of columns by name; all others hold reals."""
ROWS = np.dtype([("seed", "<i8"), ("clock", "<i8"), ("value", "<f8")])
SERIES = (INTEGER, INTEGER, REAL)


def kinds(names: Iterable[str]) -> tuple[str, ...]:
    """Look up the kind of each column."""
    return tuple(KINDS.get(name, REAL) for name in names)


def strange(rows: list[tuple[Any, ...]], wanted: tuple[str, ...]) -> str:
    """Say in a few words which cells no life writes, or nothing."""
    for column, kind in zip(zip(*rows, strict=True), wanted, strict=False):  # without rows there are no columns
        if other := set(map(type, column)) - CELLS[kind]:
            return f"it holds {min(one.__name__ for one in other)} where a life writes {kind}"
    return ""


def as_rows(names: tuple[str, ...], columns: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Convert columns (arrays, lists, or one value for all rows) to rows for SQLite; NaN becomes NULL."""
    if set(columns) != set(names):
        raise ValueError(f"columns: wanted are {', '.join(names)}; given were {', '.join(columns)}")
    whole = {name: np.asarray(column).tolist() if hasattr(column, "dtype") else column for name, column in columns.items()}
    count = max((len(column) for column in whole.values() if isinstance(column, list | tuple)), default=1)
    made = []
    for name in names:
        column = whole[name] if isinstance(whole[name], list | tuple) else [whole[name]] * count
        if len(column) != count:
            raise ValueError(f"columns: {name} has {len(column)} rows, where others have {count}")
        plain = (value.item() if hasattr(value, "item") else value for value in column)
        made.append([None if value != value else value for value in plain])
    return zip(*made, strict=True)


def as_columns(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> dict[str, np.ndarray]:
    """Convert rows to one NumPy array for each column; NULL becomes NaN."""
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    made = {}
    for name, kind, column in zip(names, kinds(names), columns, strict=True):
        made[name] = np.empty(len(column), DTYPES[kind])
        made[name][:] = [np.nan if value is None else value for value in column]
    return made


def listed(columns: Iterable[str]) -> str:
    """Quote column names for a statement."""
    return ", ".join(f'"{name}"' for name in columns)


def exact(value: Any) -> Any:
    """Convert a value of a row to a form that text keeps to the last bit."""
    return value.hex() if isinstance(value, float | bytes) else value
