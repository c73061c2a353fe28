"""The logs of a life, from its first moment to its last: what `--log` stands for.

log = Log(("tensorboard",))
umwelt.live(life, steps=2000, watch=log.watch, hear=log.hear)
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
"""Seconds that logs have to catch up with a life that is over."""


def _warn(sentence: str) -> None:
    warnings.warn(sentence, stacklevel=3)


class Log:
    """Follows a life for each of the named logs. A log that fails is told once, by `say` and as an event; the life goes on."""

    def __init__(
        self, names: tuple[str, ...], watch: Callable[[Any], None] | None = None, say: Callable[[str], None] = _warn
    ) -> None:
        unknown = [name for name in names if name not in LOGS]
        if unknown:
            raise ExportError(f"--log {unknown[0]}: there is no such log; there are {', '.join(LOGS)}")
        for name in names:
            require(name)
        self._names, self._watch, self._say = tuple(dict.fromkeys(names)), watch, say
        self._followers: list[Follower] | None = None
        self._told: set[str] = set()

    def watch(self, progress: Any) -> None:
        """To be called with every `Progress` of the life: the first begins the logs, the last ends them."""
        if self._watch:
            self._watch(progress)
        if self._followers is None:
            # by now a life that is resumed has taken back what came after its last save
            life = Path(progress.folder)
            description = Folder.read(life).description if self._names else {}
            self._followers = [Follower(name, life, description) for name in self._names]
            for follower in self._followers:
                follower.start()
        if progress.phase == "end":
            self.finish()

    def hear(self) -> list[tuple[str, str]]:
        """(name, message) of what went wrong since the last call, for the chronicle's events."""
        found = []
        for follower in self._followers or ():
            if follower.fault and follower.log not in self._told:
                self._told.add(follower.log)
                found.append((f"log/{follower.log}", f"logging stopped ({follower.fault}); the life goes on"))
                self._say(f"--log {follower.log}: stopped ({follower.fault}); the life goes on")
        return found

    def finish(self) -> None:
        """Let the logs catch up with what was written."""
        until = time.monotonic() + PATIENCE
        for follower in self._followers or ():
            follower.finish(max(until - time.monotonic(), 0.1))
