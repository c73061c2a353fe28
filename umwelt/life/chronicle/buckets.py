"""Blocks: the metrics of a chronicle in a few numbers for every BLOCK clocks, kept while a life writes.

A picture of millions of rows needs the lowest, the mean and the highest of some hundred stretches. To read all rows for it
takes seconds; to read their blocks takes milliseconds. `umwelt/life/chronicle/thinning.py` reads them.
"""

from umwelt.life.chronicle.database import Database
from umwelt.life.chronicle.schema import BLOCK, GATHER


def gather(database: Database, name_id: int, seed: int, begin: int, end: int) -> None:
    """Count anew the blocks of one metric of one seed that hold the clocks from `begin` to `end`."""
    first, last = begin // BLOCK * BLOCK, (end // BLOCK + 1) * BLOCK
    where = f"WHERE name_id = ? AND seed = ? AND clock >= ? AND clock < ? GROUP BY clock / {BLOCK}"
    database.rows(GATHER + where, (name_id, seed, first, last))


def forget(database: Database, name_id: int, seed: int, clock: int) -> None:
    """Let the blocks of one metric of one seed follow its rows, of which those after `clock` are gone."""
    order = "DELETE FROM blocks WHERE name_id = ? AND seed = ? AND block >= ?"
    database.rows(order, (name_id, seed, clock // BLOCK))
    gather(database, name_id, seed, clock, clock)


def kept(database: Database) -> bool:
    """False for a chronicle that an earlier version wrote, and that nobody has gone on with."""
    return bool(database.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'blocks'"))
