"""One job: an arm, its seeds, and the folder that it runs in.

    python -m umwelt.claims.worker FOLDER

The folder holds `job.json` (the arm's expression and the seeds), `progress.json` while it runs, and `done.json` at the
end. A job that was broken off goes on when it is run again.
"""

import fcntl
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from umwelt.claims.arms import Arm, Values, timed
from umwelt.core import part
from umwelt.life.folder import expression

NEWS = 0.5
"""Seconds between two notes of progress."""


@part
class Job:
    """An arm and its seeds."""

    arm: Arm
    seeds: tuple[int, ...]

    def write(self, work: Path) -> Path:
        """Write the job into its folder under `work`, whose name is the arm's key; returns the folder."""
        folder = work / self.arm.key
        folder.mkdir(parents=True, exist_ok=True)
        written = {"arm": expression.write(self.arm), "seeds": list(self.seeds)}
        if not (folder / "job.json").exists() or json.loads((folder / "job.json").read_text()) != written:
            (folder / "done.json").unlink(missing_ok=True)
            _write(folder / "job.json", written)
        return folder


def run_folder(folder: Path, report: Any = None) -> None:
    """Run the job of a folder to its end."""
    folder = Path(folder)
    if (folder / "done.json").exists():
        return
    with (folder / "lock").open("w") as lock:
        # a worker that was taken for dead may still be about to die
        fcntl.flock(lock, fcntl.LOCK_EX)
        job = json.loads((folder / "job.json").read_text())
        told = [0.0]

        def looked(share: float) -> None:
            if report is not None:
                report(share)
            if share >= 1 or time.monotonic() - told[0] > NEWS:
                told[0] = time.monotonic()
                _write(folder / "progress.json", share)

        values, seconds = timed(expression.read(job["arm"]), tuple(job["seeds"]), folder, looked)
        _write(folder / "done.json", {"values": {name: each.tolist() for name, each in values.items()}, "seconds": seconds})


def outcome(folder: Path) -> tuple[Values, float]:
    """Return the values of a job that is done, and the seconds that it took."""
    done = json.loads((folder / "done.json").read_text())
    return {name: np.array(each, np.float64) for name, each in done["values"].items()}, float(done["seconds"])


def progress_of(folder: Path) -> float:
    """Return the share of a job that is done."""
    if (folder / "done.json").exists():
        return 1.0
    path = folder / "progress.json"
    return float(json.loads(path.read_text())) if path.exists() else 0.0


def _write(path: Path, value: Any) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(value))
    draft.replace(path)


if __name__ == "__main__":
    from umwelt.cli.compiled import keep_compiled

    keep_compiled()
    run_folder(Path(sys.argv[1]))
