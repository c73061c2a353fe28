"""The questions that reports, the page and exports ask a chronicle. Each answer is small, or comes in batches."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from umwelt.core import part
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.chronicle.schema import BLOB, CELLS, INTEGER, NULL, PERHAPS, REAL, ROWS, SERIES, TEXT, kinds, listed

Rows = list[tuple[Any, ...]]
NOTHING = -1
"""The clock before the first one."""
DERIVED = ("blocks",)
"""Tables that are computed from others."""
NUMBERS = ("episode_numbers", "probe_numbers")
"""Tables of what the world named, which are empty in most lives."""

EPISODES = """
SELECT task, MAX("end"), MIN("return"), AVG("return"), MAX("return") FROM episodes
WHERE seed = ? AND "end" BETWEEN ? AND ? GROUP BY task, "end" / ? ORDER BY 2
"""
SOME_EPISODES = """
SELECT task, MAX("end"), MIN("return"), AVG("return"), MAX("return") FROM (
    SELECT * FROM episodes WHERE seed = ? AND "end" BETWEEN ? AND ? ORDER BY "end", row LIMIT ?
) GROUP BY task ORDER BY 2
"""
PROBES = """
SELECT task, clock, AVG(low), AVG(mean), AVG(high), AVG(model_error) FROM probes
WHERE label = 'probe' GROUP BY task, clock ORDER BY clock
"""
# Lessons are made of the last episode of each stretch on one task.
STRETCHES = """
SELECT task, "end" FROM (
    SELECT task, "end", LEAD(task) OVER (ORDER BY "end") AS following FROM episodes WHERE seed = ? AND row = 0
) WHERE following IS NULL OR following <> task ORDER BY "end"
"""
TRAIL = ("clock", "x", "y", "z", "doubt")


@part
class StoredTable:
    """One table. columns: (name, kind) of each, with the kinds of `schema`. query: selects its rows."""

    name: str
    columns: tuple[tuple[str, str], ...]
    query: str


METRICS = StoredTable(
    name="metrics",
    columns=(("name", TEXT), ("unit", TEXT), ("seed", INTEGER), ("clock", INTEGER), ("value", REAL)),
    # CROSS JOIN keeps the order of the two, so that rows come as they lie on the disk, without a sort
    query="SELECT name, unit, seed, clock, value FROM names CROSS JOIN metrics ON name_id = id",
)


def count_metrics(chronicle: Chronicle) -> int:
    """Count the rows of all metrics."""
    return chronicle.database.number("SELECT COUNT(*) FROM metrics")


def count_points(chronicle: Chronicle, metric: str, seed: int, begin: int, end: int, most: int) -> int:
    """Count the rows of one metric of one seed from clock `begin` to `end`, no further than `most`."""
    inner = "SELECT 1 FROM metrics WHERE name_id = ? AND seed = ? AND clock BETWEEN ? AND ? LIMIT ?"
    return chronicle.database.number(f"SELECT COUNT(*) FROM ({inner})", (chronicle.number_of(metric), seed, begin, end, most))


def mean_of(chronicle: Chronicle, metric: str, seed: int, begin: int, end: int) -> float:
    """Average one metric of one seed over begin < clock <= end; NaN where it has no rows."""
    query = "SELECT AVG(value) FROM metrics WHERE name_id = ? AND seed = ? AND clock > ? AND clock <= ?"
    found = chronicle.database.rows(query, (chronicle.number_of(metric), seed, begin, end), (REAL,))[0][0]
    return float("nan") if found is None else float(found)


def metric_points(chronicle: Chronicle, metric: str, seed: int, after: int, until: int) -> Rows:
    """Rows (clock, value) of one metric of one seed over after < clock <= until."""
    query = "SELECT clock, value FROM metrics WHERE name_id = ? AND seed = ? AND clock > ? AND clock <= ? ORDER BY clock"
    return chronicle.database.rows(query, (chronicle.number_of(metric), seed, after, until), (INTEGER, REAL))


def metric_batches(chronicle: Chronicle, metric: str) -> Iterator[np.ndarray]:
    """Yield all rows of one metric as arrays of `ROWS`, by seed, then clock, some at a time."""
    query = "SELECT seed, clock, value FROM metrics WHERE name_id = ? ORDER BY seed, clock"
    for rows in chronicle.database.batches(query, (chronicle.number_of(metric),), SERIES):
        yield np.array(rows, ROWS)


def count_episodes(chronicle: Chronicle, seed: int, begin: int, end: int, most: int) -> int:
    """Count the episodes of a seed that end from clock `begin` to `end`, no further than `most`."""
    inner = 'SELECT 1 FROM episodes WHERE seed = ? AND "end" BETWEEN ? AND ? LIMIT ?'
    return chronicle.database.number(f"SELECT COUNT(*) FROM ({inner})", (seed, begin, end, most))


def returns(chronicle: Chronicle, seed: int, begin: int, end: int, width: int, most: int | None = None) -> Rows:
    """Rows (task, clock, low, mean, high) of the returns of a seed, for each stretch of `width` clocks and each task.

    most: how many episodes of each stretch are read, for lives of very many; all where it is None.
    """
    form = (TEXT, INTEGER, REAL, REAL, REAL)
    if most is None:
        return chronicle.database.rows(EPISODES, (seed, begin, end, width), form)
    starts = range(begin // width * width, end + 1, width)
    each = [chronicle.database.rows(SOME_EPISODES, (seed, start, start + width - 1, most), form) for start in starts]
    return [row for rows in each for row in rows]


def episode_points(chronicle: Chronicle, seed: int, after: int, until: int) -> Rows:
    """Rows (clock, return, length) of the episodes of a seed that ended, and did not break, over after < clock <= until."""
    whole = 'seed = ? AND "end" > ? AND "end" <= ? AND "return" IS NOT NULL'
    query = f'SELECT "end", "return", length FROM episodes WHERE {whole} ORDER BY "end", row'
    return chronicle.database.rows(query, (seed, after, until), (INTEGER, REAL, REAL))


def task_stretches(chronicle: Chronicle, seed: int) -> Rows:
    """Rows (task, clock) of the last episode of each stretch on one task, of the first row of a seed."""
    return chronicle.database.rows(STRETCHES, (seed,), (TEXT, INTEGER))


def probe_means(chronicle: Chronicle) -> Rows:
    """Rows (task, clock, low, mean, high, model error) of all probes, means over seeds, by clock."""
    return chronicle.database.rows(PROBES, (), (TEXT, INTEGER, REAL, REAL, REAL, REAL))


def probe_seeds(chronicle: Chronicle) -> list[int]:
    """The seeds that were probed."""
    return [seed for (seed,) in chronicle.database.rows("SELECT DISTINCT seed FROM probes ORDER BY seed", (), (INTEGER,))]


def probe_tasks(chronicle: Chronicle) -> list[str]:
    """The tasks that were probed, by their first probe, then by name."""
    query = "SELECT task, MIN(clock) FROM probes GROUP BY task ORDER BY 2, 1"
    return [task for task, _ in chronicle.database.rows(query, (), (TEXT, INTEGER))]


def count_probes(chronicle: Chronicle) -> tuple[int, int | None]:
    """How many probes there are, and the clock of the last one. It changes with every new probe."""
    count, last = chronicle.database.rows("SELECT COUNT(*), MAX(clock) FROM probes", (), (INTEGER, PERHAPS))[0]
    return count, last


def last_probe(chronicle: Chronicle, until: int) -> int:
    """The clock of the last probe up to `until`, NOTHING where there is none."""
    return chronicle.database.number("SELECT MAX(clock) FROM probes WHERE clock <= ?", (until,), NOTHING)


def probe_points(chronicle: Chronicle, seed: int, after: int, until: int, columns: Sequence[str]) -> Rows:
    """Rows (clock, task, a number for each of `columns`) of the probes of a seed over after < clock <= until."""
    query = f"SELECT clock, task, {listed(columns)} FROM probes WHERE seed = ? AND clock > ? AND clock <= ? ORDER BY clock, task"
    return chronicle.database.rows(query, (seed, after, until), (INTEGER, TEXT, *kinds(columns)))


def newest_events(chronicle: Chronicle, most: int) -> list[dict[str, Any]]:
    """The newest events, the newest first."""
    names = ("id", "seed", "clock", "name", "message", "wall")
    query = f"SELECT {listed(names)} FROM events ORDER BY id DESC LIMIT ?"
    rows = chronicle.database.rows(query, (most,), (INTEGER, *kinds(names[1:])))
    return [dict(zip(names, row, strict=True)) for row in rows]


def named_numbers(chronicle: Chronicle) -> list[str]:
    """What the world named of its episodes, by name."""
    tables = [table for table in NUMBERS if chronicle.database.has(table)]
    rows = [chronicle.database.rows(f"SELECT DISTINCT name FROM {table}", (), (TEXT,)) for table in tables]
    return sorted({name for found in rows for (name,) in found})


def episode_number_points(chronicle: Chronicle, seed: int, after: int, until: int) -> Rows:
    """Rows (clock, name, value) of what the world named of the episodes of a seed that ended over after < clock <= until."""
    if not chronicle.database.has("episode_numbers"):
        return []
    query = 'SELECT "end", name, value FROM episode_numbers WHERE seed = ? AND "end" > ? AND "end" <= ? ORDER BY "end", row, name'
    return chronicle.database.rows(query, (seed, after, until), (INTEGER, TEXT, REAL))


def probe_number_points(chronicle: Chronicle, seed: int, after: int, until: int) -> Rows:
    """Rows (clock, task, name, mean) of what the world named of the probes of a seed over after < clock <= until."""
    if not chronicle.database.has("probe_numbers"):
        return []
    where, key = "WHERE seed = ? AND clock > ? AND clock <= ? AND label = 'probe'", "clock, task, name"
    query = f"SELECT {key}, AVG(value) FROM probe_numbers {where} GROUP BY {key} ORDER BY {key}"
    return chronicle.database.rows(query, (seed, after, until), (INTEGER, TEXT, TEXT, REAL))


def last_event(chronicle: Chronicle) -> int:
    """The number of the newest event, 0 where there is none."""
    return chronicle.database.number("SELECT MAX(id) FROM events")


def last_timing(chronicle: Chronicle) -> int:
    """The clock of the newest timing, NOTHING where there is none. Each chunk of a life ends with its timing."""
    return chronicle.database.number("SELECT MAX(clock) FROM timing", (), NOTHING)


def newest_timings(chronicle: Chronicle, most: int) -> Rows:
    """Rows (clock, wall) of the newest timings, the newest first."""
    return chronicle.database.rows("SELECT clock, wall FROM timing ORDER BY clock DESC LIMIT ?", (most,), (INTEGER, REAL))


def glimpse_clocks(chronicle: Chronicle) -> list[int]:
    """The clocks of the glimpses. They change when there is something new to see."""
    if not chronicle.database.has("glimpses"):
        return []
    return [clock for (clock,) in chronicle.database.rows("SELECT clock FROM glimpses ORDER BY name", (), (INTEGER,))]


def trail(chronicle: Chronicle, most: int) -> dict[str, list[Any]]:
    """The positions of the first seed, columns `TRAIL`, evenly spread over its clocks, about `most` of them."""
    database = chronicle.database
    if not database.has("trail"):
        return {name: [] for name in TRAIL}
    query = "SELECT MIN(seed), MAX(clock) FROM trail WHERE seed = (SELECT MIN(seed) FROM trail)"
    seed, last = database.rows(query, (), (PERHAPS, PERHAPS))[0]
    first = [
        clock for (clock,) in database.rows("SELECT clock FROM trail WHERE seed = ? ORDER BY clock LIMIT 2", (seed,), (INTEGER,))
    ]
    step = max(1, first[1] - first[0]) if len(first) == 2 else 1
    stride = max(1, -(-(last or 0) // (step * most)))
    if stride == 1:
        rows = database.rows(f"SELECT {listed(TRAIL)} FROM trail WHERE seed = ? ORDER BY clock", (seed,), kinds(TRAIL))
    else:
        # a long trail is found position by position in its index, and never read whole
        query = f"SELECT {listed(TRAIL)} FROM trail WHERE seed = ? AND clock >= ? ORDER BY clock LIMIT 1"
        clocks = range(step, (last or 0) + 1, step * stride)
        rows = [row for clock in clocks for row in database.rows(query, (seed, clock), kinds(TRAIL))]
    return {name: [row[index] for row in rows] for index, name in enumerate(TRAIL)}


def tables(chronicle: Chronicle) -> tuple[StoredTable, ...]:
    """Every table for export, also those that a later version added, without pictures (a cell of bytes, but for returns).

    Tables of named numbers are left out where nothing was named.
    """
    database = chronicle.database
    names = [name for (name,) in database.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", (), (TEXT,))]
    found = []
    for name in names:
        columns = tuple((row[1], row[2]) for row in database.rows(f'PRAGMA table_info("{name}")'))
        if strange := {kind for _, kind in columns} - set(CELLS):
            raise database.corrupt(f"its table {name} has cells of the kind {min(strange)}")
        pictures = [column for column, kind in columns if kind == BLOB and (name, column) != ("probes", "returns")]
        if name in DERIVED or pictures or (name in NUMBERS and not database.number(f"SELECT COUNT(*) FROM {name}")):
            continue
        query = f'SELECT {listed(column for column, _ in columns)} FROM "{name}"'
        found.append(METRICS if name == "metrics" else StoredTable(name=name, columns=columns, query=query))
    return tuple(found)


def table_batches(chronicle: Chronicle, table: StoredTable) -> Iterator[Rows]:
    """Yield the rows of a table by its key, some at a time; a cell of returns is a list of floats."""
    cells = [index for index, (_, kind) in enumerate(table.columns) if kind == BLOB]
    for rows in chronicle.database.batches(table.query, (), tuple(kind + NULL for _, kind in table.columns)):
        with chronicle.database.decoding():
            unpacked = [_unpacked(row, cells) for row in rows] if cells else rows
        yield unpacked


def _unpacked(row: tuple[Any, ...], cells: list[int]) -> tuple[Any, ...]:
    return tuple(np.frombuffer(cell or b"", "<f8").tolist() if index in cells else cell for index, cell in enumerate(row))
