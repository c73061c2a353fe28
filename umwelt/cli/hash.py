"""`umwelt hash`: the fingerprint of a life."""

import json

import tyro

from umwelt.cli.options import parse
from umwelt.core import part

DESCRIPTION = """Print a fingerprint of a life's whole value at its last save (models, optimisers, memory, planner,
teacher, randomness, world), and one of the chronicle's metrics. Two lives with the same two are the same."""


@part
class Command:
    """What `umwelt hash` takes."""

    life: tyro.conf.Positional[str]
    """The life's folder, or its name under --lives."""
    lives: str = "lives"
    """The folder of all lives."""
    json: bool = False
    """Print one JSON object in place of words."""


def run(arguments: list[str]) -> int:
    """Print the two."""
    from umwelt.life.api import fingerprints

    command = parse(Command, None, arguments, "umwelt hash", DESCRIPTION)
    found = fingerprints(command.life, lives=command.lives)
    if command.json:
        print(json.dumps(found))
    else:
        print(f"clock      {found['clock']}\nvalue      {found['value']}\nchronicle  {found['chronicle']}")
    return 0
