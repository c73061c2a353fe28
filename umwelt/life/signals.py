"""SIGINT and SIGTERM ask a life to stop at the next look up; a second one stops it at once."""

import signal
from types import FrameType, TracebackType
from typing import Any


class Stopped(Exception):
    """A signal ended the life after it was saved. `code` is the shell's exit code for it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.code = 128 + number


class Signals:
    """While open, remembers the first SIGINT or SIGTERM in `caught`, and lets the second one through."""

    def __init__(self) -> None:
        self.caught: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Signals":
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._before[number] = signal.signal(number, self._catch)
            except ValueError:
                # only the main thread may listen; elsewhere the caller stops the life by its own means
                return self
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _catch(self, number: int, frame: FrameType | None) -> None:
        if self.caught is not None:
            signal.signal(number, self._before[number] or signal.SIG_DFL)
            signal.raise_signal(number)
        self.caught = number
