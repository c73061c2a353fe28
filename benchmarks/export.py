"""What exports and logs cost: rows a second and memory for 10 million rows of metrics, processor time for a logged value.

Run `python -m benchmarks.run export`, or `python -m benchmarks.export FORMAT CHRONICLE OUT` for one export in a process of
its own, which prints its seconds and its peak of memory. Memory is what the export added to a process that had imported all
(Linux counts it). Of Weights & Biases only this process is counted, not the one that it starts.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from umwelt.core import Metric
from umwelt.export.flat import write_tables
from umwelt.export.follow import LOGS, Follower
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.chronicle.database import Database

ROWS, NAMES = 10_000_000, 20
LOGGED = 100_000
FILL = """
WITH RECURSIVE clocks (clock) AS (SELECT 1 UNION ALL SELECT clock + 1 FROM clocks WHERE clock < ?)
INSERT INTO metrics (seed, clock, name_id, value) SELECT 0, clock, id, sin(clock) * id FROM names CROSS JOIN clocks
"""


def run() -> dict[str, dict[str, float]]:
    """{name: {figure: value}}."""
    with tempfile.TemporaryDirectory() as home:
        path = filled(Path(home), ROWS)
        found = {form: exported(form, path, Path(home) / form) for form in ("csv", "parquet") if form == "csv" or has("pyarrow")}
    os.environ["WANDB_MODE"] = "offline"
    logs = {f"log to {name}": logged(name) for name, package in LOGS.items() if has(package)}
    return {**found, **logs}


def has(package: str) -> bool:
    """Whether an extra's package is installed."""
    return importlib.util.find_spec(package) is not None


def filled(folder: Path, rows: int) -> Path:
    """A chronicle of so many rows of metrics."""
    path = folder / "chronicle.db"
    with Chronicle(path) as chronicle:
        chronicle.declare([Metric(name=f"metric {n}", unit="points", meaning="a number") for n in range(NAMES)])
        chronicle.write_timing(rows // NAMES, {"living": 1.0})
    with closing(Database(path, writable=True)) as database, database.transaction():
        database.rows(FILL, (rows // NAMES,))
    return path


def exported(form: str, path: Path, target: Path) -> dict[str, float]:
    """One export in a process of its own."""
    target.mkdir()
    command = [sys.executable, "-m", "benchmarks.export", form, str(path), str(target)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    megabytes = sum(file.stat().st_size for file in target.iterdir()) / 1e6
    return {"rows_per_second": ROWS / found["seconds"], "peak_megabytes": found["peak"], "file_megabytes": megabytes}


def logged(name: str) -> dict[str, float]:
    """The processor's time for one value; all threads together."""
    with tempfile.TemporaryDirectory() as home:
        filled(Path(home), LOGGED)
        follower = Follower(name, Path(home), {"life": {"fields": {"seed": 0, "seeds": 1}}})
        began = time.process_time()
        follower.start()
        follower.finish(600)
        spent = time.process_time() - began
        if follower.fault:
            raise RuntimeError(follower.fault)
    return {"microseconds_per_value": spent / LOGGED * 1e6}


def main(form: str, path: str, target: str) -> None:
    """One export; prints seconds and megabytes as JSON."""
    if form == "parquet":
        importlib.import_module("pyarrow.parquet")
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak: importing had one of its own
    before, began = _memory("VmRSS"), time.perf_counter()
    write_tables(Path(path), Path(target), form)
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "peak": _memory("VmHWM") - before}))


def _memory(what: str) -> float:
    """A line of what Linux says of this process, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith(what))


if __name__ == "__main__":
    main(*sys.argv[1:])
