"""`umwelt check`: does a world keep its contract?"""

import json

import tyro

from umwelt.cli.options import parse
from umwelt.core import part

DESCRIPTION = """Check a world against its contract and explain each fault in a sentence. The world is a built-in name,
gymnasium:ID (or a bare Gymnasium id), dm_control:DOMAIN-TASK, or module:name of your own."""


@part
class Command:
    """What `umwelt check` takes."""

    world: tyro.conf.Positional[str]
    """The world to check, such as my_pkg:MyWorld or Pendulum-v1."""
    json: bool = False
    """Print one JSON object in place of words."""


def run(arguments: list[str]) -> int:
    """Check; the exit code is 1 where there are faults."""
    from umwelt import check
    from umwelt.cli.names import world_of
    from umwelt.worlds import BUILT_IN

    command = parse(Command, None, arguments, "umwelt check", DESCRIPTION)
    bare = ":" not in command.world and command.world not in BUILT_IN and "-v" in command.world
    report = check.world(world_of(f"gymnasium:{command.world}" if bare else command.world))
    if command.json:
        faults = [{"rule": fault.rule, "sentence": fault.sentence} for fault in report.faults]
        print(json.dumps({"world": command.world, "passed": report.passed, "faults": faults}))
    else:
        print(report)
    return 0 if report else 1
