"""Run the rows of a hosted world, in this process or each in a process of its own, behind one interface."""

import contextlib
import dataclasses
import os
import pickle
import signal
import subprocess
import sys
import weakref
from collections.abc import Sequence
from typing import IO, Any

from umwelt.worlds.adapters.forms import ArrayForm
from umwelt.worlds.adapters.row import Outcome, Row

Call = tuple[int, str, tuple[Any, ...]]
"""Row, method, arguments."""
PATIENCE = 5.0
"""Seconds that a worker gets to close its world before it is killed."""


class Inside:
    """All rows in this process."""

    def __init__(self, builds: Sequence[dict[str, Any]], form: ArrayForm, batch: int) -> None:
        self.rows = [Row(builds, form) for _ in range(batch)]

    def ask(self, calls: Sequence[Call]) -> list[Outcome]:
        """The outcomes of `begin`, `step`, `replay` or `render` calls, in their order."""
        return [getattr(self.rows[row], method)(*arguments) for row, method, arguments in calls]

    def close(self) -> None:
        """Close every world."""
        for row in self.rows:
            row.close()


class Workers:
    """One process for each row. A process that dies is replaced when its row begins again."""

    def __init__(self, builds: Sequence[dict[str, Any]], form: ArrayForm, batch: int) -> None:
        try:
            setup = pickle.dumps((list(builds), dataclasses.asdict(form)))
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ValueError(
                f"the world cannot be sent to a subprocess ({error}):"
                " name it 'module:callable', or register it with an entry point 'module:Class'"
            ) from error
        self.opening = pickle.dumps(sys.path) + setup
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self.finalizer = weakref.finalize(self, _end, self.processes)
        for row in range(batch):
            self._start(row)

    def ask(self, calls: Sequence[Call]) -> list[Outcome]:
        """The outcomes of `begin`, `step`, `replay` or `render` calls, in their order; all rows work at once."""
        sent = [self._send(row, method, arguments) for row, method, arguments in calls]
        return [self._receive(row) if fine else self._died(row) for fine, (row, _, _) in zip(sent, calls, strict=True)]

    def close(self) -> None:
        """End every process: a word first, force after a while."""
        self.finalizer()

    def _start(self, row: int) -> None:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "worker.py")
        # -P: the script's folder has files called minigrid.py and metaworld.py, which must not hide the packages. A
        # session of its own: Ctrl-C in the terminal reaches the parent alone.
        command = [sys.executable, "-P", script, str(os.getpid())]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self.processes[row] = process
        with contextlib.suppress(BrokenPipeError):  # the first answer reports a process that dies at once
            _write(process, self.opening)

    def _send(self, row: int, method: str, arguments: tuple[Any, ...]) -> bool:
        if method in ("begin", "replay") and self.processes[row].poll() is not None:
            _end({row: self.processes[row]})
            self._start(row)
        try:
            _write(self.processes[row], pickle.dumps((method, arguments), pickle.HIGHEST_PROTOCOL))
        except BrokenPipeError:
            return False
        return True

    def _receive(self, row: int) -> Outcome:
        try:
            return Outcome(*pickle.load(_pipes(self.processes[row])[1]))
        except (EOFError, pickle.UnpicklingError, ConnectionError):
            return self._died(row)

    def _died(self, row: int) -> Outcome:
        process = self.processes[row]
        try:
            code = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        return Outcome(None, fault=("world_died", f"the subprocess of row {row} ended with {how}"))


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    """Its standard input and output."""
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _write(process: subprocess.Popen[bytes], order: bytes) -> None:
    pipe, _ = _pipes(process)
    pipe.write(order)
    pipe.flush()


def _end(processes: dict[int, subprocess.Popen[bytes]]) -> None:
    for process in processes.values():
        with contextlib.suppress(BrokenPipeError):
            _pipes(process)[0].close()
    for process in processes.values():
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _pipes(process)[1].close()
    processes.clear()
