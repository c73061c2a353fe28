"""`umwelt check`: does a world keep its contract?"""

import json
from typing import Any

import tyro

from umwelt.cli.options import parse
from umwelt.core import part

DESCRIPTION = """Check a world against its contract and explain each fault in a sentence. The world is a built-in name,
gymnasium:ID (or a bare Gymnasium id), dm_control:DOMAIN-TASK, module:name of your own, or a stream NAME:SIZE, whose
world it then is."""

MOST = 24
"""The most names of numbers that are printed."""


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
    from umwelt.cli.recommend import fitting
    from umwelt.worlds.observed import names_of

    command = parse(Command, None, arguments, "umwelt check", DESCRIPTION)
    world = _world(command.world)
    report = check.world(world)
    fits = {word: [recipe.name for recipe in found] for word, found in (fitting(world) if report else {"": []}).items()}
    names = names_of(world) if "spec" in report.passed else ()
    if command.json:
        faults = [{"rule": fault.rule, "sentence": fault.sentence} for fault in report.faults]
        print(
            json.dumps(
                {
                    "world": command.world,
                    "passed": report.passed,
                    "faults": faults,
                    "notes": report.notes,
                    "observation_names": names,
                    "recipes": fits.pop(""),
                    "recipes_wrapped": fits,
                }
            )
        )
    else:
        print(report)
        if names:
            print(f"an observation has {len(names)} numbers: {_shown(names)}")
        if fits[""]:
            print(f"recipes that can live in it: {', '.join(fits[''])}; `umwelt recommend` says which to try first")
        for word, names in fits.items():
            if word and names:
                print(f"and behind a wrapper, by `--wrap {word}`: {', '.join(names)}")
    return 0 if report else 1


def _shown(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more


def _world(name: str) -> Any:
    from umwelt.cli.names import stream_of, world_of
    from umwelt.worlds import BUILT_IN, STREAMS

    if name.partition(":")[0] in STREAMS:
        return stream_of(name).world
    bare = ":" not in name and name not in BUILT_IN and "-v" in name
    return world_of(f"gymnasium:{name}" if bare else name)
