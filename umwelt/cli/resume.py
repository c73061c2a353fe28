"""`umwelt resume`: go on with a life."""

from typing import Any

import tyro

from umwelt.cli.options import parse
from umwelt.core import part

DESCRIPTION = """Go on with a life from its last good save. A life that was killed, stopped or crashed becomes
bit for bit what it would have become; with --steps it runs past its end."""


@part
class Command:
    """What `umwelt resume` takes."""

    life: tyro.conf.Positional[str]
    """The life's folder, or its name under --lives."""
    steps: int = 0
    """Decisions in all, over all rows; 0 keeps the end that the life was begun with."""
    log: tuple[str, ...] = ()
    """Programs that keep track of runs: tensorboard, wandb, mlflow, or `none`; empty for those that the life was logged to
    before. They go on in the same run."""
    lives: str = "lives"
    """The folder of all lives."""
    json: bool = False
    """Print one JSON object at the end in place of words."""
    quiet: bool = False
    """No live view; only the summary."""
    watch: bool = False
    """Serve a page to watch this life, as a process of its own that stays when the life has ended; see `umwelt watch`."""


def run(arguments: list[str]) -> int:
    """Go on."""
    from umwelt.cli.running import show_life
    from umwelt.cli.watch_page import show_page
    from umwelt.export.follow import remembered
    from umwelt.life.api import resume
    from umwelt.life.folder.folder import find

    command = parse(Command, None, arguments, "umwelt resume", DESCRIPTION)

    log = () if command.log == ("none",) else command.log or remembered(find(command.life, command.lives))
    show_page(str(find(command.life, command.lives).parent), command.watch, command.json or command.quiet)

    def begin(on_progress: Any, events: Any) -> Any:
        steps = command.steps or None
        return resume(command.life, steps=steps, lives=command.lives, on_progress=on_progress, events=events)

    return show_life(begin, json=command.json, quiet=command.quiet, log=log)
