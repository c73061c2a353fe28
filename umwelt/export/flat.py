"""The tables of a chronicle as files: CSV, which every program reads, and Parquet, which is small and typed.

Both are exact: a number that is read back is the number that was lived, bit for bit.
"""

import csv
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from umwelt.export.extras import library
from umwelt.export.table_files import REAL, REALS, TEXT, WHOLE, Table, batches, tables_of
from umwelt.life.chronicle.database import Database

Rows = Iterable[list[tuple[Any, ...]]]
Write = Callable[[Path, Table, Rows], int]


def write_csv(path: Path, table: Table, rows: Rows) -> int:
    """One CSV file (RFC 4180) with a line of names. A cell that says nothing is empty; a list of numbers has a blank between
    two. Returns how many rows it has."""
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([name for name, _ in table.columns])
        lists = any(kind == REALS for _, kind in table.columns)
        for batch in rows:
            # the csv module writes the shortest text that is read as the same float
            writer.writerows([[_blanked(cell) for cell in row] for row in batch] if lists else batch)
            count += len(batch)
    return count


def _blanked(cell: Any) -> Any:
    return " ".join(map(repr, cell)) if isinstance(cell, list) else cell


def write_parquet(path: Path, table: Table, rows: Rows) -> int:
    """One Parquet file, a row group for each batch. Returns how many rows it has."""
    arrow, parquet = library("pyarrow", "parquet"), library("pyarrow.parquet", "parquet")
    kinds = {WHOLE: arrow.int64(), REAL: arrow.float64(), TEXT: arrow.string(), REALS: arrow.list_(arrow.float64())}
    schema = arrow.schema([(name, kinds[kind]) for name, kind in table.columns])
    count = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for batch in rows:
            columns = [arrow.array(column, field.type) for column, field in zip(zip(*batch, strict=True), schema, strict=True)]
            writer.write_table(arrow.Table.from_arrays(columns, schema=schema))
            count += len(batch)
    return count


FORMATS: dict[str, Write] = {"csv": write_csv, "parquet": write_parquet}


def write_tables(chronicle: Path, folder: Path, form: str) -> dict[str, int]:
    """Every table of the chronicle at a path into a folder, all of one moment, whoever writes meanwhile: file -> rows."""
    found = {}
    with closing(Database(chronicle, writable=False)) as database, database.snapshot():
        for table in tables_of(database):
            path = folder / f"{table.name}.{form}"
            found[path.name] = FORMATS[form](path, table, batches(database, table))
    return found
