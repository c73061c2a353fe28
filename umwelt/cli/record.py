"""`umwelt record`: episodes of a life as a data set."""

import json
import shlex
from pathlib import Path
from typing import Literal

import tyro

from umwelt.cli.options import parse
from umwelt.core import part

DESCRIPTION = """Record episodes of the last save of a life as a Minari data set, from which other agents can learn:
`umwelt live --shown FOLDER`. The life may be running meanwhile; nothing in its folder changes. Needs the minari extra.

  umwelt record lives/A --episodes 50 --out shown/A
  umwelt live --world pendulum --recipe pets --shown shown/A --rhythm.study 500"""


@part
class Command:
    """What `umwelt record` takes."""

    life: tyro.conf.Positional[str]
    """The life's folder, or its name under --lives."""
    episodes: int = 50
    """Episodes, spread evenly over its tasks."""
    out: str = ""
    """The folder to write, which is new; empty for shown/NAME."""
    mode: Literal["exploit", "explore", "random"] = "exploit"
    """How it acts: as well as it can, as in its life, or at random."""
    noise: float = 0.0
    """Noise on each action, in units of half its range; of choices the probability of a random one."""
    lives: str = "lives"
    """The folder of all lives."""
    json: bool = False
    """Print one JSON object in place of words."""


def run(arguments: list[str]) -> int:
    """Record the episodes and say where they are."""
    from umwelt.life.exams.recorder import record
    from umwelt.life.folder.folder import find

    command = parse(Command, None, arguments, "umwelt record", DESCRIPTION)
    out = Path(command.out or f"shown/{find(command.life, command.lives).resolve().name}")
    found = record(command.life, episodes=command.episodes, out=out, mode=command.mode, noise=command.noise, lives=command.lives)
    if command.json:
        print(json.dumps({**found, "folder": str(found["folder"])}))
        return 0
    print(f"{found['episodes']:,} episodes, {found['steps']:,} decisions, mean return {found['mean_return']:.1f}")
    print(f"folder:   {found['folder']}")
    print(f"use:      umwelt live --shown {shlex.quote(str(found['folder']))} --rhythm.study 500 ...")
    return 0
