"""The tables of a chronicle as files: CSV, which every program reads, and Parquet, which is small and typed.

Both are exact: a number that is read back equals the recorded one, bit for bit.
"""

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from umwelt.export.extras import library
from umwelt.life.chronicle import reader
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.chronicle.reader import StoredTable
from umwelt.life.chronicle.schema import BLOB, INTEGER, REAL, TEXT

Batches = Iterable[list[tuple[Any, ...]]]
Write = Callable[[Path, StoredTable, Batches], int]


def write_csv(path: Path, table: StoredTable, batches: Batches) -> int:
    """Write one CSV file (RFC 4180) with a line of names; returns how many rows it has.

    NULL is an empty cell. A list of numbers has a blank between two.
    """
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([name for name, _ in table.columns])
        lists = any(kind == BLOB for _, kind in table.columns)
        for batch in batches:
            # the csv module writes the shortest text that reads back as the same float
            writer.writerows([[_blanked(cell) for cell in row] for row in batch] if lists else batch)
            count += len(batch)
    return count


def _blanked(cell: Any) -> Any:
    return " ".join(map(repr, cell)) if isinstance(cell, list) else cell


def write_parquet(path: Path, table: StoredTable, batches: Batches) -> int:
    """Write one Parquet file, a row group for each batch; returns how many rows it has."""
    arrow, parquet = library("pyarrow", "parquet"), library("pyarrow.parquet", "parquet")
    kinds = {INTEGER: arrow.int64(), REAL: arrow.float64(), TEXT: arrow.string(), BLOB: arrow.list_(arrow.float64())}
    schema = arrow.schema([(name, kinds[kind]) for name, kind in table.columns])
    count = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for batch in batches:
            columns = [arrow.array(column, field.type) for column, field in zip(zip(*batch, strict=True), schema, strict=True)]
            writer.write_table(arrow.Table.from_arrays(columns, schema=schema))
            count += len(batch)
    return count


FORMATS: dict[str, Write] = {"csv": write_csv, "parquet": write_parquet}


def write_tables(path: Path, folder: Path, form: str) -> dict[str, int]:
    """Write every table of the chronicle at `path` into a folder, all from one state; returns file -> rows."""
    found = {}
    with Chronicle.read(path) as chronicle, chronicle.snapshot():
        for table in reader.tables(chronicle):
            file = folder / f"{table.name}.{form}"
            found[file.name] = FORMATS[form](file, table, reader.table_batches(chronicle, table))
    return found
