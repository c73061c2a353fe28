"""`umwelt probe`: examine a life without touching it."""

import json

import tyro
from rich.console import Console
from rich.table import Table

from umwelt.cli.options import parse
from umwelt.core import part

DESCRIPTION = """Examine the last save of a life: it acts as well as it can on each of its tasks, and learns
nothing from it. The life may be running meanwhile; nothing in its folder changes."""


@part
class Command:
    """What `umwelt probe` takes."""

    life: tyro.conf.Positional[str]
    """The life's folder, or its name under --lives."""
    episodes: int = 10
    """Episodes of each task."""
    tasks: tuple[str, ...] = ()
    """Named tasks of its world; empty for those that it met."""
    lives: str = "lives"
    """The folder of all lives."""
    json: bool = False
    """Print one JSON object in place of words."""


def run(arguments: list[str]) -> int:
    """Examine and print."""
    from umwelt.life.api import probe

    command = parse(Command, None, arguments, "umwelt probe", DESCRIPTION)
    found = probe(command.life, episodes=command.episodes, tasks=command.tasks, lives=command.lives)
    if command.json:
        rows = {seed: {p.task: {"returns": p.returns, **p.statistics} for p in probes} for seed, probes in found.items()}
        print(json.dumps({"probes": rows}))
        return 0
    table = Table(title=f"{command.episodes} episodes of each task", title_justify="left")
    for head in ("seed", "task", "return [95 %]", "lowest", "length", "model error"):
        table.add_column(head, justify="left" if head == "task" else "right")
    for seed, probes in found.items():
        for p in probes:
            s = p.statistics
            interval = f"{s['mean']:.1f} [{s['low']:.1f}, {s['high']:.1f}]"
            table.add_row(str(seed), p.task, interval, f"{min(p.returns):.1f}", f"{s['length']:.0f}", f"{s['model_error']:.4f}")
    Console().print(table)
    return 0
