"""Buckets: the lowest, the mean and the highest of each metric for every BUCKET clocks, kept up to date by the writer.

A picture of millions of rows needs a few hundred such triples. Reading all rows for it takes seconds, reading their
buckets takes milliseconds. `umwelt/life/chronicle/thinning.py` reads them.
"""

from umwelt.life.chronicle.database import Database
from umwelt.life.chronicle.schema import BUCKET, GATHER


def gather(database: Database, name_id: int, seed: int, begin: int, end: int) -> None:
    """Fill the buckets of one metric of one seed that hold the clocks from `begin` to `end`."""
    first, last = begin // BUCKET * BUCKET, (end // BUCKET + 1) * BUCKET
    where = f"WHERE name_id = ? AND seed = ? AND clock >= ? AND clock < ? GROUP BY clock / {BUCKET}"
    database.rows(GATHER + where, (name_id, seed, first, last))


def forget(database: Database, name_id: int, seed: int, clock: int) -> None:
    """Bring the buckets of one metric of one seed up to date after its rows beyond `clock` were deleted."""
    statement = "DELETE FROM blocks WHERE name_id = ? AND seed = ? AND block >= ?"
    database.rows(statement, (name_id, seed, clock // BUCKET))
    gather(database, name_id, seed, clock, clock)
