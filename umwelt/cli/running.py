"""Run a life with the live view, then print its end and what to do next."""

import json as json_module
import shlex
from collections.abc import Callable
from typing import Any

from umwelt.cli.summary import summary_of, summary_tables
from umwelt.cli.view import View
from umwelt.export.log import Log
from umwelt.life.signals import Stopped


def show_life(begin: Callable[[Any, Any], Any], json: bool, quiet: bool, log: tuple[str, ...] = ()) -> int:
    """Run a life with a view and logs, then print the summary. `begin` takes the callbacks `on_progress` and `events`, and
    returns the `Living`."""
    with View(silent=json or quiet) as view:
        logs = Log(log, on_progress=view.on_progress, say=view.say)
        try:
            living = begin(logs.on_progress, logs.events)
        except Stopped as stopped:
            view.say(f"{stopped}; everything is saved. Go on with: umwelt resume {shlex.quote(view.folder)}")
            raise
        finally:
            logs.finish()
    folder = living.folder.path
    summary = summary_of(folder)
    picture = _draw(folder)
    if json:
        print(json_module.dumps({**summary, "picture": picture}))
        return 0
    view.print(*summary_tables(summary))
    named = shlex.quote(str(folder))  # so that the lines can be pasted
    acting = [
        f"go on:    umwelt resume {named} --steps {2 * summary['decisions'] or 2000}",
        f"examine:  umwelt probe {named} --episodes 20",
    ]
    using = [f"use it:   umwelt export {named} --format policy", f"serve it: umwelt serve {named}"]
    view.print(
        f"picture:  {picture}",
        *(acting if summary["acts"] else using),
        f"the same: umwelt hash {named}",
        f"repeat:   {summary['command'] or 'run the same script again'}",
    )
    return 0


def _draw(folder: Any) -> str:
    from umwelt.report.picture import draw_life

    return str(draw_life(folder))
