"""`umwelt serve`: what a life learned, over HTTP."""

import json as json_module

import tyro

from umwelt.cli.options import UsageError, parse
from umwelt.core import part

DESCRIPTION = """Serve what a life learned to programs of this machine: an observation in, an action out. It acts as well as
it can, learns nothing, and writes nothing. The life may be running meanwhile.

  curl -s ADDRESS/act -H "Authorization: Bearer TOKEN" -d '{"observation": [1.0, 0.0, 0.0]}'

The answer holds the action and the model's doubt. With the next observation send "reward" and, after an end, "terminated" or
"truncated": true. "session" names one of 64 bodies that act apart. POST /reset begins a session again; /openapi.json has all
forms. Address and token are printed; Ctrl-C ends it. Needs the watch extra. In Python, umwelt.load does the same."""


@part
class Command:
    """What `umwelt serve` takes."""

    life: tyro.conf.Positional[str]
    """The life's folder, or its name under --lives."""
    port: int = 0
    """The port that it listens on, of this machine alone; 0 takes any free one."""
    token: str = ""
    """What every request must show, at least 16 letters; empty for a random one, new each time."""
    seed: int = 0
    """What its draws come from: the same seed gives a session the same actions."""
    which: int = 0
    """Of a life of several seeds, the place of the one that is meant."""
    lives: str = "lives"
    """The folder of all lives."""
    json: bool = False
    """Print one JSON object with address and token in place of words."""


def run(arguments: list[str]) -> int:
    """Serve until Ctrl-C."""
    from umwelt.watch.serve import need_extra

    command = parse(Command, None, arguments, "umwelt serve", DESCRIPTION)
    if not 0 <= command.port < 2**16:
        raise UsageError(f"--port must be from 0 to 65535, not {command.port}")
    if not 0 <= command.seed < 2**64:
        raise UsageError(f"--seed must be from 0 to 2**64 - 1, not {command.seed}")
    need_extra("serve")
    from umwelt.policy.policy import load
    from umwelt.policy.server import serve

    policy = load(command.life, seed=command.seed, which=command.which, lives=command.lives)

    def on_open(address: str, token: str) -> None:
        words = f"serving {command.life} at {address}\ntoken: {token}\npage:  {address}/?token={token}\nCtrl-C ends it"
        print(json_module.dumps({"address": address, "token": token}) if command.json else words, flush=True)

    serve(policy, command.life, command.port, command.token, on_open)
    return 0
