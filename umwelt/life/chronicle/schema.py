"""The tables of a chronicle, and the way between columns and rows."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

FORMAT = 2
"""The schema that this version writes, kept in PRAGMA user_version."""

BLOCK = 500
"""Clocks of a block. Block b holds the clocks b * BLOCK <= clock < (b + 1) * BLOCK."""
BLOCKS = """
CREATE TABLE blocks (
    name_id INTEGER, seed INTEGER, block INTEGER, last INTEGER, low REAL, high REAL, total REAL, count INTEGER,
    PRIMARY KEY (name_id, seed, block)
) WITHOUT ROWID;
"""
"""See `umwelt/life/chronicle/buckets.py`. last: the clock of the block's last row. total: the sum of its values."""
GATHER = f"""
INSERT OR REPLACE INTO blocks
SELECT name_id, seed, clock / {BLOCK}, MAX(clock), MIN(value), MAX(value), SUM(value), COUNT(*) FROM metrics
"""
"""Counts blocks anew; what follows it says which rows of `metrics` are looked at, and groups them."""

SCHEMA = f"""
{BLOCKS}
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
RENEWAL = f"{BLOCKS} {GATHER} GROUP BY name_id, seed, clock / {BLOCK};"
"""What a chronicle of format 1 lacks."""
LATER = """
CREATE TABLE IF NOT EXISTS trail (
    seed INTEGER, clock INTEGER, task TEXT, x REAL, y REAL, z REAL, doubt REAL, PRIMARY KEY (seed, clock)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS glimpses (
    seed INTEGER, name TEXT, clock INTEGER, task TEXT, begin INTEGER, content BLOB, wall REAL, PRIMARY KEY (seed, name)
);
"""
"""Tables that chronicles of the same format may lack: whoever opens one for writing adds them, and a reader finds
them empty."""
EPISODE = ("seed", "row", "begin", "end", "task", "return", "length", "end_kind", "surprise", "doubt")
PROBE = ("seed", "clock", "task", "label", "returns", "mean", "low", "high", "model_error", "length")
EVENT = ("seed", "clock", "name", "message", "wall")
TIMING = ("clock", "part", "seconds", "wall")
TRAIL = ("seed", "clock", "task", "x", "y", "z", "doubt")
GLIMPSE = ("seed", "name", "clock", "task", "begin", "content", "wall")
TYPES = {"seed": np.int64, "row": np.int64, "begin": np.int64, "end": np.int64, "clock": np.int64,
         "task": object, "label": object, "end_kind": object, "part": object, "name": object,
         "message": object, "returns": object, "content": object}  # fmt: skip
ROWS = np.dtype([("seed", "<i8"), ("clock", "<i8"), ("value", "<f8")])


def as_rows(names: tuple[str, ...], columns: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Columns (arrays, lists, or one value for all rows) as rows for SQLite; NaN becomes NULL."""
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
    """Rows as one NumPy array for each column; NULL becomes NaN."""
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    made = {}
    for name, column in zip(names, columns, strict=True):
        made[name] = np.empty(len(column), TYPES.get(name, np.float64))
        made[name][:] = [np.nan if value is None else value for value in column]
    return made


def listed(columns: Iterable[str]) -> str:
    """Column names for an order to SQLite."""
    return ", ".join(f'"{name}"' for name in columns)


def exact(value: Any) -> Any:
    """A value of a row in a form that text keeps to the last bit."""
    return value.hex() if isinstance(value, float | bytes) else value
