"""A log follows a life: a thread with a connection of its own reads what is newly committed, and hands it on.

The life never waits for it. A failure is reported once, and never reaches the life.
"""

import dataclasses
import importlib
import json
import threading
from pathlib import Path
from typing import Any, Protocol

from umwelt.core import Metric, part
from umwelt.export.extras import library
from umwelt.export.new_points import Offset, Point, declared, new_points
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.saves.disk import write_atomically

EVERY = 2.0
"""Seconds between two reads."""
LOGS = {"tensorboard": "tensorboardX", "wandb": "wandb", "mlflow": "mlflow"}
"""Log -> the package that it needs. `umwelt/export/to_<name>.py` has each."""


@part
class Run:
    """What a log knows of a life when it begins. One run is one seed.

    name: the life's, with the seed where there are several. group: the life's. folder: of all logs of the life. known:
    the run's name with the log's own program, empty the first time. after: the clock up to which it was logged before,
    -1 the first time. settings: dotted fields of the life's expression.
    """

    name: str
    group: str
    seed: int
    folder: Path
    settings: dict[str, Any]
    known: str = ""
    after: int = -1


class Sink(Protocol):
    """One run in a program that tracks runs. `begin(run)` of its module makes it."""

    known: str
    """The program's name for the run, so that a later process continues it."""

    def describe(self, metrics: dict[str, Metric]) -> None:
        """Receive names with units and meanings, before their first points; more may come later."""
        ...

    def write(self, points: list[Point]) -> None:
        """Take points in the order of their clocks, and keep them through a kill where the program can."""
        ...

    def close(self) -> None:
        """End the run: the life, or this process of it, is over."""
        ...


def require(name: str) -> None:
    """Raise `ExportError` where the package that a log needs is missing."""
    library(LOGS[name], name)


def remembered(life: Path) -> tuple[str, ...]:
    """The logs that a life was kept in before."""
    return tuple(name for name in LOGS if _memory(life, name).exists())


class Follower(threading.Thread):
    """Follows the life in a folder for one log, until `finish`. `fault` says why it stopped before, else it is empty."""

    def __init__(self, log: str, life: Path, description: dict[str, Any], every: float = EVERY) -> None:
        super().__init__(name=f"umwelt log {log}", daemon=True)  # a daemon, so that a log that hangs cannot hold the process
        self.log, self.life, self.description, self.fault = log, life, description, ""
        self._every, self._over = every, threading.Event()

    def finish(self, within: float) -> None:
        """Catch up with a life that has written its last, for at most so many seconds."""
        self._over.set()
        if not self.fault:
            self.join(within)
        if self.is_alive() and not self.fault:
            self.fault = f"it had not caught up after {within:.0f} s; what is missing comes when the life is resumed"

    def run(self) -> None:
        """Run the thread."""
        try:
            self._follow()
        except (Exception, SystemExit) as error:
            self.fault = f"{type(error).__name__}: {error}"

    def _follow(self) -> None:
        memory = _memory(self.life, self.log)
        kept = json.loads(memory.read_text()) if memory.exists() else {"runs": {}, "offset": {}}
        at = Offset(**kept["offset"])
        with Chronicle.read(self.life / "chronicle.db") as chronicle:
            sinks = self._begin(kept["runs"], at)
            known = {str(seed): sink.known for seed, sink in sinks.items()}
            _remember(memory, known, at)
            described: dict[str, Metric] = {}
            over, rest = False, 0.0
            while not over:
                over, rest = self._over.wait(rest), self._every  # read before the chronicle is, or its end would be missed
                for points, reached in new_points(chronicle, range(min(sinks), max(sinks) + 1), at):
                    fresh = {name: metric for name, metric in declared(chronicle).items() if described.get(name) != metric}
                    described |= fresh
                    for seed, sink in sinks.items():
                        if fresh:
                            sink.describe(fresh)
                        sink.write(points[seed])
                    at = reached
                    _remember(memory, known, at)
            for sink in sinks.values():
                sink.close()

    def _begin(self, known: dict[str, str], at: Offset) -> dict[int, Sink]:
        fields = self.description["life"]["fields"]
        first, several = fields.get("seed", 0), fields.get("seeds", 1)
        module = importlib.import_module(f"umwelt.export.to_{self.log}")
        life, sinks = self.life.resolve().name, {}
        for seed in range(first, first + several):
            name = f"{life}-seed-{seed}" if several > 1 else life
            shown = {"command": self.description.get("command", ""), **settings(fields), "seed": seed}
            run = Run(name=name, group=life, seed=seed, folder=_memory(self.life, self.log).parent, settings=shown)
            sinks[seed] = module.begin(dataclasses.replace(run, known=known.get(str(seed), ""), after=at.clock))
        return sinks


def settings(fields: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flatten the fields of a written part to dotted names, as on the command line; a part's class has its own name."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, dict) and "part" in value:
            found[prefix + name] = value["part"].partition(":")[2]
            found |= settings(value["fields"], f"{prefix}{name}.")
        elif isinstance(value, dict):
            found[prefix + name] = json.dumps(next(iter(value.values()), None))
        else:
            found[prefix + name] = value
    return found


def _memory(life: Path, log: str) -> Path:
    """The file that holds how far a log has come."""
    return life / "logs" / f"{log}.json"


def _remember(memory: Path, known: dict[str, str], at: Offset) -> None:
    memory.parent.mkdir(exist_ok=True)
    write_atomically(memory, json.dumps({"runs": known, "offset": vars(at)}).encode())
