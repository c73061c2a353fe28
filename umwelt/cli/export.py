"""`umwelt export`: what a life wrote down, for other programs."""

import json
from pathlib import Path
from typing import Any, Literal

import tyro

from umwelt.cli.options import parse
from umwelt.core import part

DESCRIPTION = """Write down a life for other programs, as a folder of files. The life may be running meanwhile; nothing in
its folder changes.

csv and parquet: every table of its chronicle, one file each. metrics: name, unit, seed, clock, value. names: what each
metric means. episodes: those that ended. probes: examinations, with all returns. events, and timing. Numbers are exact;
NaN, "nothing to say", is an empty cell. parquet needs the parquet extra.

rerun: a recording NAME.rrd for the Rerun viewer: metrics, probes, tasks and events over the clock, imagined against real,
and the kept episodes, drawn where the world can be drawn. Needs the rerun extra.

gif: one moving picture NAME.gif of ten seconds: the first episode, the last, and some between, side by side. It needs a
life that was begun with --keep-episodes, in a world that can be drawn, and the minari extra.

policy: one file NAME-policy.zip that acts as the life's last save does, in a program that has JAX and NumPy but no Umwelt:
  import sys; sys.path.insert(0, "mine-policy.zip")
  from mine_policy import Policy
  action = Policy(seed=0)(observation)

Its README says the rest. In Python, umwelt.load acts without an export; over HTTP, umwelt serve.

Whole episodes are kept as a Minari dataset, in the life's folder, by `umwelt live --keep-episodes`."""


@part
class Command:
    """What `umwelt export` takes."""

    life: tyro.conf.Positional[str]
    """The life's folder, or its name under --lives."""
    format: Literal["csv", "parquet", "rerun", "gif", "policy"] = "csv"
    """What kind of files."""
    out: str = ""
    """The folder to write, which is new or an earlier export; empty for exports/NAME-FORMAT. Of gif and
    policy it is a file, and empty means exports/NAME.gif or exports/NAME-policy.zip."""
    episodes: int = 20
    """Of rerun: how many of the kept episodes, the newest; 0 for none."""
    which: int = 0
    """Of policy: of a life of several seeds, the place of the one that is meant."""
    rows: int = 0
    """Of policy: so many observations at once; 0 for one without a leading axis."""
    lives: str = "lives"
    """The folder of all lives."""
    json: bool = False
    """Print one JSON object in place of words."""


def run(arguments: list[str]) -> int:
    """Write the files and say which."""
    from umwelt.export.exported import export
    from umwelt.life.folder.folder import Folder

    command = parse(Command, None, arguments, "umwelt export", DESCRIPTION)
    folder = Folder.read(command.life, lives=command.lives)
    if command.format == "policy":
        return run_policy(command, folder)
    if command.format == "gif":
        return run_gif(command, folder)
    target = Path(command.out or f"exports/{folder.name}-{command.format}")
    files = export(folder, target, command.format, episodes=command.episodes)
    if command.json:
        print(json.dumps({"folder": str(target), "files": files}))
        return 0
    for name, count in files.items():
        print(f"{target / name}  {count:,} {'rows' if command.format != 'rerun' else 'rows on the clock'}")
    return 0


def run_gif(command: Command, folder: Any) -> int:
    """Write the moving picture."""
    from umwelt.export.moving_picture import write_moving_picture

    target = Path(command.out or f"exports/{folder.name}.gif")
    count = write_moving_picture(folder, target)
    size = target.stat().st_size
    print(json.dumps({"file": str(target), "pictures": count}) if command.json else f"{target}  {count} pictures, {size:,} bytes")
    return 0


def run_policy(command: Command, folder: Any) -> int:
    """Write the policy's one file and say how to use it."""
    from umwelt.policy.bundle import bundle, module_of
    from umwelt.policy.policy import learned_of

    target = Path(command.out or f"exports/{folder.name}-policy.zip")
    rows = command.rows or None
    files = bundle(learned_of(folder, command.which), folder.name, target, rows)
    module = module_of(folder.name)
    if command.json:
        print(json.dumps({"file": str(target), "module": module, "files": files}))
        return 0
    print(f"{target}  {target.stat().st_size:,} bytes")
    print(f'use it:   import sys; sys.path.insert(0, "{target}"); from {module} import Policy')
    return 0
