"""`umwelt list`: what there is."""

import inspect
import json
from typing import Any

from rich.console import Console
from rich.table import Table

from umwelt.cli.options import parse
from umwelt.core import part

DESCRIPTION = "Show what the library has, one line each."


@part
class Command:
    """What `umwelt list` takes."""

    json: bool = False
    """Print one JSON object in place of words."""


def run(arguments: list[str]) -> int:
    """Print the shelves."""
    command = parse(Command, None, arguments, "umwelt list", DESCRIPTION)
    shelves = contents()
    if command.json:
        print(json.dumps(shelves))
        return 0
    for shelf, things in shelves.items():
        table = Table.grid(padding=(0, 2))
        for name, line in things.items():
            table.add_row(f"  {name}", line)
        Console().print(shelf, table, "", sep="\n", highlight=False)
    return 0


def contents() -> dict[str, dict[str, str]]:
    """shelf -> name -> one line."""
    from umwelt import memory, models, planners, retention, teachers
    from umwelt.recipes import ALL
    from umwelt.worlds import BUILT_IN, STREAMS, WRAPPERS

    outside = {
        "gymnasium:ID": "any Gymnasium environment, such as gymnasium:Pendulum-v1",
        "dm_control:DOMAIN-TASK": "DeepMind Control, such as dm_control:cartpole-swingup (needs the dmcontrol extra)",
        "module:name": "your own world, or a function that makes a Gymnasium environment",
    }
    return {
        "worlds": {name: _line(world) for name, world in BUILT_IN.items()} | outside,
        "wrappers": {name: _line(wrapper) for name, wrapper in WRAPPERS.items()},
        "streams": {name: _line(stream) for name, stream in STREAMS.items()},
        "models": {name: _line(getattr(models, name)) for name in models.__all__},
        "planners": {name: _line(getattr(planners, name)) for name in planners.__all__},
        "memories": {name: _line(getattr(memory, name)) for name in memory.__all__},
        "retention": {name: _line(getattr(retention, name)) for name in retention.__all__},
        "teachers": {name: _line(getattr(teachers, name)) for name in teachers.__all__},
        "recipes": {name: recipe.summary for name, recipe in ALL.items()},
    }


def _line(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").split("\n")[0]
