"""The logs of a life, from its first chunk to its last: what `--log` stands for.

log = Log(("tensorboard",))
umwelt.live(life, steps=2000, on_progress=log.on_progress, events=log.events)
"""

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from umwelt.export.extras import ExportError
from umwelt.export.follow import LOGS, Follower, require
from umwelt.life.folder.folder import Folder

PATIENCE = 30.0
"""Seconds that logs have to catch up with a life that has ended."""


def _warn(sentence: str) -> None:
    warnings.warn(sentence, stacklevel=3)


class Log:
    """Follows a life for each of the named logs. `say` and an event report a failing log once; the life goes on.

    on_progress: a further callback, which is called first with every `Progress`.
    """

    def __init__(
        self, names: tuple[str, ...], on_progress: Callable[[Any], None] | None = None, say: Callable[[str], None] = _warn
    ) -> None:
        unknown = [name for name in names if name not in LOGS]
        if unknown:
            raise ExportError(f"--log {unknown[0]}: there is no such log; there are {', '.join(LOGS)}")
        for name in names:
            require(name)
        self._names, self._also, self._say = tuple(dict.fromkeys(names)), on_progress, say
        self._followers: list[Follower] | None = None
        self._reported: set[str] = set()

    def on_progress(self, progress: Any) -> None:
        """Call this with every `Progress` of the life: the first begins the logs, the last ends them."""
        if self._also:
            self._also(progress)
        if self._followers is None:
            # by now a resumed life has deleted what came after its last save
            life = Path(progress.folder)
            description = Folder.read(life).description if self._names else {}
            self._followers = [Follower(name, life, description) for name in self._names]
            for follower in self._followers:
                follower.start()
        if progress.phase == "end":
            self.finish()

    def events(self) -> list[tuple[str, str]]:
        """(name, message) of each log that failed since the last call, for the chronicle's events."""
        found = []
        for follower in self._followers or ():
            if follower.fault and follower.log not in self._reported:
                self._reported.add(follower.log)
                found.append((f"log/{follower.log}", f"logging stopped ({follower.fault}); the life goes on"))
                self._say(f"--log {follower.log}: stopped ({follower.fault}); the life goes on")
        return found

    def finish(self) -> None:
        """Let the logs catch up with what was written."""
        until = time.monotonic() + PATIENCE
        for follower in self._followers or ():
            follower.finish(max(until - time.monotonic(), 0.1))
