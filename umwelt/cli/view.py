"""The live view: one small table, redrawn after every chunk."""

import math
import sys
import time
from types import TracebackType
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

PLAIN_EVERY = 5.0
"""Seconds between two lines where the output is no terminal."""


class View:
    """Draws `Progress` values. On a terminal it redraws in place; elsewhere it writes a line now and then.

    stderr: draw and print on the error stream. A silent view prints there too, and draws nothing.
    """

    def __init__(self, silent: bool = False, stderr: bool = False) -> None:
        self.silent, self.folder = silent, ""
        self.console = Console(stderr=silent or stderr)
        self._live: Live | None = None
        self._last_line, self._phase = -math.inf, ""

    def __enter__(self) -> "View":
        if not self.silent and self.console.is_terminal:
            self._live = Live(console=self.console, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._live.stop()

    def on_progress(self, progress: Any) -> None:
        """Show how the life stands."""
        self.folder = progress.folder
        if self.silent:
            return
        if self._live:
            self._live.update(_panel(progress))
            return
        now = time.monotonic()
        if now - self._last_line > PLAIN_EVERY or (
            progress.phase != self._phase and progress.phase in ("first action", "resumed")
        ):
            print(_line(progress), file=self.console.file, flush=True)
            self._last_line = now
        self._phase = progress.phase

    def say(self, sentence: str) -> None:
        """One sentence on the error stream."""
        print(f"umwelt: {sentence}", file=sys.stderr)

    def print(self, *things: Any) -> None:
        """After the life: tables and sentences."""
        for thing in things:
            self.console.print(thing, soft_wrap=isinstance(thing, str), highlight=False)


def _panel(progress: Any) -> Group:
    table = Table.grid(padding=(0, 3))
    for _ in range(8):
        table.add_column(justify="right")
    heads = ("clock", "task", "return", "surprise", "doubt", "steps/s", "time left", "doing")
    table.add_row(*(Text(head, style="dim") for head in heads))
    table.add_row(*_cells(progress))
    first = Text(f"first action {progress.first_action}", style="dim") if progress.first_action else Text("")
    return Group(table, ProgressBar(total=max(progress.end, 1), completed=progress.clock, width=72), first)


def _cells(progress: Any) -> tuple[str, ...]:
    return (
        f"{progress.clock:,}/{progress.end:,}",
        progress.task or "-",
        _number(progress.returned, ".1f"),
        _number(progress.surprise, ".3f"),
        _number(progress.doubt, ".4f"),
        _number(progress.rate, ",.0f"),
        time_left(progress),
        progress.phase,
    )


def _line(progress: Any) -> str:
    if progress.phase == "first action":
        return f"first action {progress.first_action} after {progress.seconds:.1f} s"
    heads = ("clock", "task", "return", "surprise", "doubt", "steps/s", "left", "doing")
    return "  ".join(f"{head} {cell}" for head, cell in zip(heads, _cells(progress), strict=True))


def time_left(progress: Any) -> str:
    """At the present rate, as minutes and seconds."""
    if not progress.rate > 0:
        return "-"
    rows = progress.decisions / progress.clock if progress.clock else 1
    seconds = int((progress.end - progress.clock) * rows / progress.rate)
    return f"{seconds // 60}:{seconds % 60:02d}"


def _number(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)
