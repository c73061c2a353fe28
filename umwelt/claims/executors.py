"""Where jobs run: in turn, on several processes, or on a Ray cluster. A job is a folder; see `umwelt.claims.worker`.

A worker that dies loses nothing: its job runs again in the same folder, where its lives resume.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from umwelt.claims.worker import Job, progress_of, run_folder
from umwelt.core import part

OnJobs = Callable[[dict[str, float]], None]
"""Receives job -> the share that is done."""
DEATHS = 20
"""How often the worker of one job may die before its job is given up."""
LOOK = 0.3
"""Seconds between two looks at the workers."""


class Executor(Protocol):
    """Runs jobs, each in its folder, until all are done. Raises `JobFailed` where one raises."""

    def run(self, jobs: dict[str, Path], on_jobs: OnJobs) -> None: ...


class JobFailed(RuntimeError):
    """A job raised. The message holds the end of its log."""


@part
class InTurn:
    """One job after the other, in this process."""

    def run(self, jobs: dict[str, Path], on_jobs: OnJobs) -> None:
        """Run all jobs."""
        shares = dict.fromkeys(jobs, 0.0)
        for name, folder in jobs.items():

            def report(share: float, name: str = name) -> None:
                shares[name] = share
                on_jobs(shares)

            run_folder(folder, report)
            report(1.0)


@part
class Processes:
    """Several processes on this machine."""

    number: int = 2

    def run(self, jobs: dict[str, Path], on_jobs: OnJobs) -> None:
        """Run all jobs; one whose process is killed begins again where it stood."""
        if self.number < 1:
            raise ValueError(f"jobs={self.number}: give at least one process")
        waiting, running, deaths = list(jobs), {}, dict.fromkeys(jobs, 0)
        try:
            while waiting or running:
                while waiting and len(running) < self.number:
                    name = waiting.pop(0)
                    running[name] = _start(jobs[name])
                time.sleep(LOOK)
                on_jobs({name: progress_of(folder) for name, folder in jobs.items()})
                for name, process in list(running.items()):
                    if (code := process.poll()) is None:
                        continue
                    del running[name]
                    if code == 0:
                        continue
                    deaths[name] += 1
                    if code > 0 or deaths[name] > DEATHS:
                        raise JobFailed(f"{name}: {_end_of(jobs[name])}")
                    waiting.append(name)
        finally:
            _stop(running)


@part
class OnRay:
    """A Ray cluster, whose machines share the folder of the jobs."""

    address: str = "local"
    """As `ray.init` takes it; `local` starts one on this machine."""
    workers: int = 0
    """Processors that a local cluster has; 0 for all."""

    def run(self, jobs: dict[str, Path], on_jobs: OnJobs) -> None:
        """Run all jobs; Ray starts one again whose worker has died."""
        ray = _ray()
        mine = not ray.is_initialized()
        if mine:
            sizes = {"num_cpus": self.workers or None} if self.address == "local" else {}
            ray.init(address=self.address, include_dashboard=False, log_to_driver=False, configure_logging=False, **sizes)
        try:
            remote = ray.remote(num_cpus=1, max_retries=DEATHS)(run_folder)
            waiting = {remote.remote(folder.resolve()): name for name, folder in jobs.items()}
            while waiting:
                done, _ = ray.wait(list(waiting), timeout=LOOK)
                on_jobs({name: progress_of(folder) for name, folder in jobs.items()})
                for each in done:
                    name = waiting.pop(each)
                    try:
                        ray.get(each)
                    except ray.exceptions.RayTaskError as error:
                        raise JobFailed(f"{name}: {error}") from error
        finally:
            if mine:
                ray.shutdown()


def executor(jobs: int = 1, ray: str = "") -> Executor:
    """Choose an executor by what the command line says."""
    if ray:
        _ray()
        return OnRay(address=ray)
    return InTurn() if jobs == 1 else Processes(number=jobs)


def prepare(jobs: dict[str, Job], work: Path) -> dict[str, Path]:
    """Write the jobs into folders under `work`: name -> folder."""
    return {name: job.write(work) for name, job in jobs.items()}


def _ray() -> Any:
    try:
        import ray  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ValueError("--ray: the package ray is missing; pip install 'umwelt[ray]'") from error
    return ray


def _start(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "umwelt.claims.worker", str(folder)], stdout=log, stderr=log)


def _stop(running: dict[str, subprocess.Popen[bytes]]) -> None:
    """Let the workers save and end."""
    for process in running.values():
        process.send_signal(signal.SIGTERM)
    for process in running.values():
        process.wait()


def _end_of(folder: Path) -> str:
    log = folder / "log.txt"
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:]) if log.exists() else "its worker died without a word"
