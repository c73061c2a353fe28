"""`umwelt watch`: a page to watch lives."""

import json as json_module
from pathlib import Path

import tyro

from umwelt.cli.options import UsageError, parse
from umwelt.core import part

DESCRIPTION = """Serve a page with the lives in a folder: those that run now and those that ran before, their curves, the
episode under way with the plan the agent imagines, what they kept, and how to go on with them. It only reads. The link
holds a token, and opens the page for everyone that has it. Ctrl-C ends it. Needs the watch extra."""


@part
class Command:
    """What `umwelt watch` takes."""

    lives: tyro.conf.Positional[str] = "lives"
    """The folder of all lives."""
    port: int = 0
    """The port that it listens on; 0 takes 8765, or any free one where that is taken."""
    host: str = "127.0.0.1"
    """The address that it listens on: by default this machine alone. Any other needs --token, and is not encrypted."""
    token: str = ""
    """What opens the page, at least 16 letters; empty for a random one, new each time."""
    idle: float = 0.0
    """Minutes without a visitor after which it ends by itself; 0 for never."""
    json: bool = False
    """Print one JSON object with the link in place of words."""


def run(arguments: list[str]) -> int:
    """Serve until Ctrl-C."""
    from umwelt.watch.address import PageAddress
    from umwelt.watch.serve import serve

    command = parse(Command, None, arguments, "umwelt watch", DESCRIPTION)
    if not 0 <= command.port < 2**16:
        raise UsageError(f"--port must be from 0 to 65535, not {command.port}")

    def on_open(address: PageAddress) -> None:
        words = f"watch {command.lives} at {address.link}\nCtrl-C ends the page; the lives go on without it"
        print(json_module.dumps({"link": address.link, "lives": command.lives}) if command.json else words, flush=True)

    serve(Path(command.lives), command.host, command.port or None, command.token, command.idle * 60, on_open)
    return 0
