"""Where jobs run: in turn, on several processes, or on a Ray cluster. A job is a folder; see `umwelt.claims.worker`.

A worker that dies loses nothing: its job runs again in the same folder, where its life resumes.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from umwelt.claims.worker import FAILED, WATCHED, progress_of, run_alone, run_folder, sentence
from umwelt.core import part
from umwelt.life.signals import Signals, Stopped

OnJobs = Callable[[dict[str, float]], None]
"""Receives job -> the share that is done."""
DEATHS = 20
"""How often the worker of one job may die before its job is given up."""
LOOK = 0.3
"""Seconds between two looks at the workers."""
SAVING = 600.0
"""Seconds that the workers of a cluster have to save after a signal."""


class Executor(Protocol):
    """Runs jobs, each in its folder, until all are done. Raises `Stopped` after a signal, when all is saved."""

    def run(self, jobs: dict[str, Path], on_jobs: OnJobs) -> None: ...


class JobFailed(RuntimeError):
    """A job raised in another process, or its workers died too often. The message is one sentence."""


@part
class InTurn:
    """One job after the other, in this process, which raises what they raise."""

    def run(self, jobs: dict[str, Path], on_jobs: OnJobs) -> None:
        """Run all jobs."""
        shares = dict.fromkeys(jobs, 0.0)
        for name, folder in jobs.items():

            def report(share: float, name: str = name) -> None:
                shares[name] = share
                on_jobs(dict(shares))

            run_folder(folder, report)
            report(1.0)


@part
class Processes:
    """Several processes on this machine."""

    number: int = 2

    def run(self, jobs: dict[str, Path], on_jobs: OnJobs) -> None:
        """Run all jobs; one whose process is killed begins again where it stood."""
        waiting = [name for name, folder in jobs.items() if not (folder / "done.json").exists()]
        running: dict[str, subprocess.Popen[bytes]] = {}
        deaths = dict.fromkeys(jobs, 0)
        with Signals() as signals:
            try:
                while waiting or running:
                    while waiting and len(running) < self.number:
                        name = waiting.pop(0)
                        running[name] = _start(jobs[name])
                    time.sleep(LOOK)
                    on_jobs(_shares(jobs))
                    if signals.caught:
                        raise Stopped(signals.caught)
                    for name in [name for name, process in running.items() if process.poll() is not None]:
                        code = running.pop(name).returncode
                        deaths[name] += code != 0
                        if code == FAILED or deaths[name] > DEATHS:
                            raise JobFailed(_fault(name, jobs[name], code))
                        if code:
                            waiting.append(name)
            finally:
                _stop(running)
        on_jobs(_shares(jobs))


@part
class OnRay:
    """A Ray cluster, whose machines share the folder of the jobs and have this package.

    address: as `ray.init` takes it; `local` starts a cluster of this machine's own, which only it can reach.
    workers: processors of such a cluster; 0 for all.
    """

    address: str = "local"
    workers: int = 0

    def run(self, jobs: dict[str, Path], on_jobs: OnJobs) -> None:
        """Run all jobs; Ray starts one again whose worker has died."""
        ray = _ray()
        mine = not ray.is_initialized()
        if mine:
            self._connect(ray)
        try:
            with Signals() as signals:
                work = ray.remote(num_cpus=1, max_retries=DEATHS, retry_exceptions=[Stopped])(run_alone)
                todo = {name: folder for name, folder in jobs.items() if not (folder / "done.json").exists()}
                waiting = {work.options(name=name).remote(str(folder.resolve())): name for name, folder in todo.items()}
                try:
                    while waiting:
                        done, _ = ray.wait(list(waiting), timeout=LOOK)
                        on_jobs(_shares(jobs))
                        if signals.caught:
                            raise Stopped(signals.caught)
                        for each in done:
                            _finish(ray, each, waiting.pop(each))
                finally:
                    _cancel(ray, list(waiting))
            on_jobs(_shares(jobs))
        finally:
            if mine:
                ray.shutdown()

    def _connect(self, ray: Any) -> None:
        own: dict[str, Any] = {}
        if self.address == "local":
            own = {
                "num_cpus": self.workers or os.cpu_count(),
                "num_gpus": None,
                "include_dashboard": False,
                "object_store_memory": 100_000_000,  # jobs pass nothing but the names of folders
                "_node_ip_address": "127.0.0.1",
            }
        try:
            ray.init(address=self.address, log_to_driver=False, configure_logging=False, **own)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise JobFailed(f"--ray {self.address}: {sentence(error)}") from error


def executor(jobs: int = 1, ray: str = "") -> Executor:
    """Choose an executor by what the command line says."""
    if jobs < 1:
        raise ValueError(f"--jobs {jobs}: give at least one process")
    if ray:
        _ray()
        return OnRay(address=ray, workers=jobs if jobs > 1 else 0)
    return InTurn() if jobs == 1 else Processes(number=jobs)


def _shares(jobs: dict[str, Path]) -> dict[str, float]:
    return {name: progress_of(folder) for name, folder in jobs.items()}


def _start(folder: Path) -> subprocess.Popen[bytes]:
    """A session of its own keeps a Ctrl-C from it, which would be its second signal: the first is sent by `_stop`."""
    (folder / "error.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "umwelt.claims.worker", str(folder), WATCHED]
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)


def _stop(running: dict[str, subprocess.Popen[bytes]]) -> None:
    """Let the workers save and end; a second signal to this process ends them at once."""
    try:
        for process in running.values():
            process.send_signal(signal.SIGTERM)
        for process in running.values():
            process.wait()
    except BaseException:
        for process in running.values():
            process.kill()
        raise


def _fault(name: str, folder: Path, code: int) -> str:
    path, log = folder / "error.json", folder / "log.txt"
    if path.exists():
        return f"{name}: {json.loads(path.read_text())}; all that it wrote is in {log}"
    why = f"its worker died {DEATHS + 1} times, at last" if code != FAILED else "its worker could not begin, and ended"
    return f"{name}: {why} with exit code {code}; what it wrote is in {log}"


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when Ray is imported and by what it starts
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise ValueError("--ray: the package ray is missing; pip install 'umwelt[ray]'") from error
    return ray


def _finish(ray: Any, reference: Any, name: str) -> None:
    try:
        ray.get(reference)
    except ray.exceptions.RayError as error:
        raise JobFailed(f"{name}: {sentence(getattr(error, 'cause', None) or error)}") from error


def _cancel(ray: Any, references: list[Any]) -> None:
    """Let the workers save and end: a cancelled task sees Ctrl-C."""
    for each in references:
        with contextlib.suppress(ray.exceptions.RayError):
            ray.cancel(each)
    if references:
        ray.wait(references, num_returns=len(references), timeout=SAVING)
