"""`umwelt.live` and `umwelt.resume`: lives that a script or a notebook runs, with a view of them and a picture at the end."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from umwelt.cli.view import View
from umwelt.life import api
from umwelt.life.composition import Life
from umwelt.life.session import Events, Living, OnProgress
from umwelt.report.picture import draw_life


def live(
    life: Life,
    *,
    steps: int,
    name: str | None = None,
    lives: str | Path = "lives",
    progress: bool | None = None,
    on_progress: OnProgress | None = None,
    events: Events | None = None,
) -> Living:
    """Begin a life in the folder `lives/name` and run it for `steps` decisions, after the study of its rhythm.

    At the end the folder holds `life.png`, and the result's `outcome` holds probes, returns and retention as arrays. A
    notebook shows both. Stops early on SIGINT and SIGTERM with `Stopped`, when all is saved.

    progress: show on the error stream how it goes; None shows it where that is a terminal.
    on_progress: receives how the life stands.
    events: returns events to write down.
    """
    return _seen(
        lambda look: api.live(life, steps=steps, name=name, lives=lives, on_progress=look, events=events), progress, on_progress
    )


def resume(
    path: str | Path,
    *,
    steps: int | None = None,
    lives: str | Path = "lives",
    progress: bool | None = None,
    on_progress: OnProgress | None = None,
    events: Events | None = None,
) -> Living:
    """Continue a life from its last good save; with `steps`, to that many decisions in all. Shows it as `live` does."""
    return _seen(lambda look: api.resume(path, steps=steps, lives=lives, on_progress=look, events=events), progress, on_progress)


def _seen(run: Callable[[OnProgress], Living], progress: bool | None, on_progress: OnProgress | None) -> Living:
    """Run a life with a view where one is wanted, and draw its picture."""
    terminal = sys.stderr is not None and sys.stderr.isatty()
    with View(silent=not (terminal if progress is None else progress), stderr=True) as view:

        def look(now: Any) -> None:
            view.on_progress(now)
            if on_progress:
                on_progress(now)

        living = run(look)
    draw_life(living.folder.path)
    return living
