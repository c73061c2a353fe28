"""What a broken-off run of many lives says: all is saved, and the same command goes on."""

import contextlib
import signal
from collections.abc import Iterator
from typing import Annotated

import tyro

from umwelt.claims.executors import Executor, executor
from umwelt.cli.options import UsageError
from umwelt.life.signals import Stopped

Jobs = Annotated[int, tyro.conf.arg(metavar="N")]
"""The option --jobs."""
Ray = Annotated[str, tyro.conf.arg(metavar="ADDRESS")]
"""The option --ray."""


class BrokenOff(Stopped):
    """A signal ended a run of lives after they were saved; the message says how to go on."""

    def __init__(self, number: int, command: str) -> None:
        super().__init__(number)
        self.args = (f"{self}; what ran is saved. Go on with: {command}",)


@contextlib.contextmanager
def saved(command: str) -> Iterator[None]:
    """Turn a signal into a sentence that says how to go on."""
    try:
        yield
    except Stopped as stopped:
        raise BrokenOff(stopped.code - 128, command) from stopped
    except KeyboardInterrupt as interrupt:
        raise BrokenOff(signal.SIGINT, command) from interrupt


def chosen_executor(jobs: int, ray: str = "", gpus: float = 0.0) -> Executor:
    """Choose an executor; what cannot be is a `UsageError`."""
    try:
        return executor(jobs, ray, gpus)
    except ValueError as error:
        raise UsageError(str(error)) from error
