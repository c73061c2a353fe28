"""One job: an arm, some of its seeds, and the folder that says so.

    python -m umwelt.claims FOLDER

The folder holds `job.json` (the arm's expression and the seeds), `progress.json` while it runs, and `done.json` or
`error.json` at the end. What the arm makes lies beside it, where jobs of the same key share it. A job that was broken off
goes on when it is run again.
"""

import fcntl
import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

import numpy as np

from umwelt.claims.arms import Arm, Report, Values, code_of, digest, named, timed, write_whole
from umwelt.core import part
from umwelt.life.compiled import keep_compiled
from umwelt.life.folder import expression
from umwelt.life.signals import Stopped

NEWS = 0.5
"""Seconds between two notes of progress."""
FAILED = 1
"""The exit code of a worker whose job raised. Any other is a death, after which the job goes on."""
WATCHED = "--watched"
"""Asks a worker to stop when its standard input ends, which is when its parent is gone."""


@part
class Job:
    """An arm and seeds of it that run in one piece."""

    arm: Arm
    seeds: tuple[int, ...]
    place: str = ""
    """The folder under the folder of work; empty for the arm's key."""

    def write(self, work: Path) -> Path:
        """Write the job into a folder of its own, whose name stands for what it holds; returns that folder."""
        written = {"arm": expression.write(self.arm), "seeds": list(self.seeds)}
        codes = [code_of(measure.read) for measure in self.arm.measures if measure.read]
        folder = work / (self.place or self.arm.key) / f"job-{digest([written, codes])}"
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "job.json").exists():
            write_whole(folder / "job.json", written)
        return folder


def run_folder(folder: Path, report: Report | None = None) -> None:
    """Run the job of a folder to its end, in this process."""
    job = json.loads((folder / "job.json").read_text())
    arm, seeds, place = expression.read(job["arm"]), tuple(job["seeds"]), folder.parent
    with (place / f"{named(seeds)}.lock").open("w") as lock:
        # another job may share what this one makes, and a worker that was taken for dead may still be about to die
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "done.json").exists():
            return
        noted = 0.0

        def looked(share: float) -> None:
            nonlocal noted
            if report is not None:
                report(share)
            if share >= 1 or time.monotonic() - noted > NEWS:
                noted = time.monotonic()
                write_whole(folder / "progress.json", share)

        values, seconds = timed(arm, seeds, place, looked)
        done = {"values": {name: each.tolist() for name, each in values.items()}, "seconds": seconds}
        write_whole(folder / "done.json", done)


def run_alone(folder: str, paths: tuple[str, ...] = ()) -> None:
    """Run the job of a folder in a process that does nothing else. paths: where parts of a script's own are found too."""
    sys.path += [path for path in paths if path not in sys.path]
    keep_compiled()
    run_folder(Path(folder))


def outcome(folder: Path) -> tuple[Values, float]:
    """Return the values of a job that is done, and the seconds that its seeds took so far."""
    done = json.loads((folder / "done.json").read_text())
    return {name: np.array(each, np.float64) for name, each in done["values"].items()}, float(done["seconds"])


def progress_of(folder: Path) -> float:
    """Return the share of a job that is done."""
    if (folder / "done.json").exists():
        return 1.0
    path = folder / "progress.json"
    return float(json.loads(path.read_text())) if path.exists() else 0.0


def sentence(error: BaseException) -> str:
    """Say in one line what was raised."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def main(arguments: list[str]) -> int:
    """Run one job; returns the exit code."""
    folder = Path(arguments[0])
    if WATCHED in arguments:
        threading.Thread(target=_stop_with_parent, daemon=True).start()
    try:
        run_alone(str(folder))
    except Stopped as stopped:
        return stopped.code
    except Exception as error:
        traceback.print_exc()
        write_whole(folder / "error.json", sentence(error))
        return FAILED
    return 0


def _stop_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
