"""`umwelt list`: what there is."""

import importlib
import inspect
import json
import re
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from umwelt.cli.options import parse
from umwelt.core import part

DESCRIPTION = """Show what there is, one line each: worlds, wrappers, streams, parts and recipes. What another package adds
by its entry points (groups umwelt.recipes, umwelt.worlds, umwelt.models ...) is shown with the package's name.

  umwelt list                  every shelf
  umwelt list pets tdmpc2      the cards of recipes, with the verdicts of their claims

`umwelt live` takes these names: --world pendulum --recipe pets --recipe.planner icem. Parts are spelt in lower case, or as
in brackets."""
ROOMS = ("models", "planners", "memory", "curiosity", "teachers", "retention", "behaviours")


@part
class Command:
    """What `umwelt list` takes."""

    names: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[RECIPE ...]")] = ()
    """Recipes whose cards are printed; none for all shelves."""
    json: bool = False
    """Print one JSON object in place of words."""


def run(arguments: list[str]) -> int:
    """Print the shelves."""
    command = parse(Command, None, arguments, "umwelt list", DESCRIPTION)
    if command.names:
        return _cards(command.names, command.json)
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


def _cards(names: tuple[str, ...], as_json: bool) -> int:
    from umwelt.claims.documents import card, stored
    from umwelt.cli.names import recipe_of

    found = stored()
    cards = {name: card(recipe_of(name), found) for name in dict.fromkeys(names)}
    if as_json:
        print(json.dumps({name: [list(row) for row in rows] for name, rows in cards.items()}))
        return 0
    for name, rows in cards.items():
        table = Table.grid(padding=(0, 2))
        for heading, words in rows:
            table.add_row(f"  [dim]{heading}[/]", escape(words))
        Console().print(f"[bold]{name}[/]", table, "", sep="\n", highlight=False)
    return 0


def contents() -> dict[str, dict[str, str]]:
    """Collect shelf -> name -> one line."""
    from umwelt.worlds import BUILT_IN, STREAMS, WRAPPERS

    outside = {
        "gymnasium:ID": "any Gymnasium environment, such as gymnasium:Pendulum-v1",
        "dm_control:DOMAIN-TASK": "DeepMind Control, such as dm_control:cartpole-swingup (needs the dmcontrol extra)",
        "module:name": "your own world, or a function that makes a Gymnasium environment",
    }
    worlds = {name: _line(world) for name, world in BUILT_IN.items()}
    return {
        "worlds": worlds | _added("worlds", set(worlds)) | outside,
        "wrappers": {name: _line(wrapper) for name, wrapper in WRAPPERS.items()},
        "streams": {name: _line(stream) for name, stream in STREAMS.items()},
        **{room: _parts(room) for room in ROOMS},
        "recipes": _recipes(),
    }


def _parts(room: str) -> dict[str, str]:
    """The public parts of a room, and those of other packages."""
    from umwelt.cli.parts import snake

    module = importlib.import_module(f"umwelt.{room}")
    own = {name: thing for name in module.__all__ if callable(thing := getattr(module, name))}
    spelt = {name: "" if snake(name) == name.lower() else f"({snake(name)}) " for name in own}
    lines = {name: spelt[name] + _line(thing) for name, thing in own.items()}
    return lines | _added(room, {snake(name) for name in own})


def _recipes() -> dict[str, str]:
    from umwelt.recipes import load, names
    from umwelt.recipes.plugins import origin, plugins

    outside, lines, claims = plugins("recipes"), {}, _verdicts()
    for name in names():
        try:
            found = load(name)
        except Exception as error:  # another package's fault must not hide the rest
            lines[name] = f"cannot be loaded: {error}"
            continue
        kinds = ", ".join(found.needs)
        lines[name] = f"{found.summary} ({kinds}{'; sizes ' + ', '.join(found.sizes) if found.sizes else ''})"
        lines[name] += f"; {', '.join(claims[name])}" if name in claims else ""
        if found.make.__module__.split(".")[0] != "umwelt" and name in outside:
            lines[name] += f" [from {origin(outside[name])}]"
    return lines


def _verdicts() -> dict[str, list[str]]:
    """Recipe -> its claims with their verdicts."""
    from umwelt.claims.documents import stored

    lines: dict[str, list[str]] = {}
    for each in stored():
        lines.setdefault(each.claim.recipe, []).append(f"{each.claim.name} {each.verdict}")
    return lines


def _added(room: str, known: set[str]) -> dict[str, str]:
    """What other packages add to a room, with the package's name."""
    from umwelt.recipes.plugins import origin, plugins

    lines = {}
    for name, point in plugins(room).items():
        try:
            line = _line(point.load())
        except Exception as error:  # another package's fault must not hide the rest
            line = f"cannot be loaded: {error}"
        hidden = name in known
        lines[f"{name} ({origin(point)})" if hidden else name] = (
            f"{line} [from {origin(point)}{'; the name is taken by the library, write module:Name' if hidden else ''}]"
        )
    return lines


def _line(thing: Any) -> str:
    """The first sentence of a docstring."""
    paragraph = " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())
    return re.split(r"(?<=\.)\s", paragraph)[0]
