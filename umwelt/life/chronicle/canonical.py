"""The canonical form of a chronicle: the bytes that its digest is taken of."""

import json
from collections.abc import Iterator

import numpy as np

from umwelt.life.chronicle.database import Database
from umwelt.life.chronicle.schema import (
    EPISODE,
    EPISODE_NUMBER,
    INTEGER,
    PROBE,
    PROBE_NUMBER,
    ROWS,
    SERIES,
    TEXT,
    exact,
    kinds,
    listed,
)


def canonical(database: Database, until: int) -> Iterator[bytes]:
    """Yield names, metrics, episodes, probes and their named numbers up to the clock `until`, with the exact bits of every
    number.

    The order is that of names, seeds and clocks, whatever the order of writing or declaring was. A life that records no named
    numbers has the digest that it had before there were any.
    """
    for name, number in sorted(database.rows("SELECT name, id FROM names", (), (TEXT, INTEGER))):
        yield json.dumps(["metric", name]).encode()
        query = "SELECT seed, clock, value FROM metrics WHERE name_id = ? AND clock <= ? ORDER BY seed, clock"
        for rows in database.batches(query, (number, until), SERIES):
            yield np.array(rows, ROWS).tobytes()
    for table, columns, when, order in (
        ("episodes", EPISODE, '"end"', 'seed, "end", row'),
        ("probes", PROBE, "clock", "seed, clock, task, label"),
        ("episode_numbers", EPISODE_NUMBER, '"end"', 'seed, "end", row, name'),
        ("probe_numbers", PROBE_NUMBER, "clock", "seed, clock, task, label, episode, name"),
    ):
        later = table.endswith("_numbers")
        if later and not (database.has(table) and database.number(f"SELECT COUNT(*) FROM {table} WHERE {when} <= ?", (until,))):
            continue
        yield json.dumps([table, columns]).encode()
        query = f"SELECT {listed(columns)} FROM {table} WHERE {when} <= ? ORDER BY {order}"
        for rows in database.batches(query, (until,), kinds(columns)):
            for row in rows:
                yield json.dumps([exact(value) for value in row]).encode()
