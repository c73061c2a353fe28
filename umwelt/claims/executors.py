"""Where jobs run: in turn, on several processes, or on a Ray cluster. A job is a folder; see `umwelt.claims.jobs`.

A worker that dies loses nothing: its job runs again in the same folder, where its life resumes.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from umwelt.claims.jobs import FAILED, WATCHED, progress_of, run_alone, run_folder, sentence
from umwelt.core import part
from umwelt.life.signals import Signals, Stopped

OnJobs = Callable[[dict[str, float]], None]
"""Receives job -> the share that is done."""
DEATHS = 20
"""How often the worker of one job may die before its job is given up."""
LOOK = 0.3
"""Seconds between two looks at the workers."""
LOCAL = "local"
"""The address of a Ray cluster of this machine's own."""
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
                        code = _ended(running.pop(name))
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
    workers: processors of such a cluster; 0 for all. gpus: what Ray gives to each job; with 0 a job may use all of its
    machine.
    """

    address: str = LOCAL
    workers: int = 0
    gpus: float = 0.0

    def run(self, jobs: dict[str, Path], on_jobs: OnJobs) -> None:
        """Run all jobs; Ray starts one again whose worker has died."""
        ray = _ray(self.address)
        mine = not ray.is_initialized()
        # Ray prints what it does about a death, and standard output belongs to the results
        with contextlib.redirect_stdout(sys.stderr):
            if mine:
                self._connect(ray)
            try:
                with Signals() as signals:
                    self._run(ray, jobs, on_jobs, signals)
            finally:
                if mine:
                    ray.shutdown()
        on_jobs(_shares(jobs))

    def _run(self, ray: Any, jobs: dict[str, Path], on_jobs: OnJobs, signals: Signals) -> None:
        if self.gpus > (most := max((node["Resources"].get("GPU", 0.0) for node in ray.nodes() if node["Alive"]), default=0.0)):
            raise JobFailed(
                f"--gpus {self.gpus:g}: no machine of this cluster has more than {most:g}, so no job could ever begin"
            )
        wanted = {"num_gpus": self.gpus} if self.gpus else {}
        work = ray.remote(num_cpus=1, max_retries=DEATHS, retry_exceptions=[Stopped], **wanted)(run_alone)
        todo = {name: folder for name, folder in jobs.items() if not (folder / "done.json").exists()}
        tasks = {name: work.options(name=name) for name in todo}
        waiting = {tasks[name].remote(str(folder.resolve()), _paths()): name for name, folder in todo.items()}
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

    def _connect(self, ray: Any) -> None:
        own: dict[str, Any] = {}
        if self.address == LOCAL:
            # jobs pass nothing but the names of folders, so that its own store may be as small as Ray allows
            own = {"num_cpus": self.workers or os.cpu_count(), "include_dashboard": False, "object_store_memory": 80_000_000}
        try:
            with warnings.catch_warnings():
                # what JAX warns of is a fork that goes on; Ray's become other programs at once
                warnings.filterwarnings("ignore", r"os\.fork\(\) was called", RuntimeWarning)
                ray.init(address=self.address, log_to_driver=False, configure_logging=False, **own)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise JobFailed(f"--ray {self.address}: {sentence(error)}") from error


def executor(jobs: int = 1, ray: str = "", gpus: float = 0.0) -> Executor:
    """Choose an executor by what the command line says."""
    if jobs < 1:
        raise ValueError(f"--jobs {jobs}: give at least one process")
    if gpus < 0 or (gpus and not ray):
        raise ValueError(
            f"--gpus {gpus:g}: " + ("give a number above 0" if gpus < 0 else "Ray hands them out, so give --ray too")
        )
    if ray:
        _ray(ray)
        return OnRay(address=ray, workers=jobs if jobs > 1 else 0, gpus=gpus)
    return InTurn() if jobs == 1 else Processes(number=jobs)


def _shares(jobs: dict[str, Path]) -> dict[str, float]:
    return {name: progress_of(folder) for name, folder in jobs.items()}


def _start(folder: Path) -> subprocess.Popen[bytes]:
    """A session of its own keeps a Ctrl-C from it, which would be its second signal: the first is sent by `_stop`."""
    (folder / "error.json").unlink(missing_ok=True)
    command = [sys.executable, "-m", "umwelt.claims", str(folder), WATCHED]
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(_paths())}
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True, env=here)


def _paths() -> tuple[str, ...]:
    """Where this process finds modules: parts of a script's own folder must be found by its workers too."""
    return tuple(path or os.getcwd() for path in sys.path)


def _stop(running: dict[str, subprocess.Popen[bytes]]) -> None:
    """Let the workers save and end; a second signal to this process ends them at once."""
    try:
        for process in running.values():
            process.send_signal(signal.SIGTERM)
        for process in running.values():
            _ended(process)
    except BaseException:
        for process in running.values():
            process.kill()
            _ended(process)
        raise


def _ended(process: subprocess.Popen[bytes]) -> int:
    """Wait for its end, and only then let go of the pipe that it watches; returns the exit code."""
    code = process.wait()
    if process.stdin is not None:
        process.stdin.close()
    return code


def _fault(name: str, folder: Path, code: int) -> str:
    path, log = folder / "error.json", folder / "log.txt"
    if path.exists():
        return f"{name}: {json.loads(path.read_text())}; all that it wrote is in {log}"
    why = f"its worker died {DEATHS + 1} times, at last" if code != FAILED else "its worker could not begin, and ended"
    return f"{name}: {why} with exit code {code}; what it wrote is in {log}"


def _ray(address: str) -> Any:
    """Import Ray; these settings are read when it is imported, and by what it starts."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if address == LOCAL:
        # without clusters of several machines, its servers listen to this one alone
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
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
