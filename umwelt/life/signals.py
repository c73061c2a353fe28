"""SIGINT and SIGTERM ask a life to stop at the next look up; a second one stops it at once.

Python runs a signal's handler only between two of its own instructions, and a compiled program may take seconds. So a
thread of its own hears of the signal first. It says that the life will stop, and after a second signal it ends a process
whose program does not come back. What was saved is safe: files are written whole or not at all.
"""

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

GRACE = 1.5
"""Seconds after a second signal in which a process may end by itself."""


class Stopped(Exception):
    """A signal ended the life after it was saved. `code` is the shell's exit code for it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.code = 128 + number


class Signals:
    """While open, remembers the first SIGINT or SIGTERM in `caught`, and lets the second one through.

    say: receives the number of the first signal at once, in a thread of its own.
    """

    insists = False
    """End the process where a second signal does not come through. The command line sets it; a notebook goes on."""

    def __init__(self, say: Callable[[int], None] | None = None) -> None:
        self.caught: int | None = None
        self._say = say
        self._before: dict[int, Any] = {}
        self._pipe: tuple[socket.socket, socket.socket] | None = None
        self._wakeup = -1
        self._over = threading.Event()

    def __enter__(self) -> "Signals":
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._before[number] = signal.signal(number, self._catch)
            except ValueError:
                # only the main thread may listen; elsewhere the caller stops the life by its own means
                return self
        self._listen()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        if self._pipe:
            signal.set_wakeup_fd(self._wakeup)
            for end in self._pipe:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self.caught is not None:
            signal.signal(number, self._before[number] or signal.SIG_DFL)
            signal.raise_signal(number)
        self.caught = number

    def _listen(self) -> None:
        """Start the thread that hears of signals while the main thread is in a compiled program."""
        self._pipe = socket.socketpair()
        self._pipe[1].setblocking(False)
        self._wakeup = signal.set_wakeup_fd(self._pipe[1].fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._hear, args=(self._pipe[0],), daemon=True, name="signals").start()

    def _hear(self, end: socket.socket) -> None:
        heard = 0
        while True:
            try:
                numbers = end.recv(16)
            except OSError:
                return
            if not numbers:
                return
            for number in numbers:
                if number in self._before:
                    heard += 1
                    self._react(number, heard)

    def _react(self, number: int, heard: int) -> None:
        if heard == 1 and self._say:
            self._say(number)
        if heard == 2 and self.insists and not self._over.wait(GRACE):
            os._exit(128 + number)
