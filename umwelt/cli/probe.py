"""`umwelt probe`: examine a life without touching it."""

import json
import math
from typing import Any

import tyro
from rich.console import Console
from rich.table import Table

from umwelt.cli.options import UsageError, parse
from umwelt.core import part

DESCRIPTION = """Examine the last save of a life: it acts as well as it can on each of its tasks, and learns
nothing from it. The life may be running meanwhile; nothing in its folder changes.

  umwelt probe lives/A --episodes 20           returns on each task
  umwelt probe lives/A --model                 how far its world model predicts, and whether its doubt is right
  umwelt probe lives/A --lifelong              what it kept of each task"""


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
    model: bool = False
    """Examine what its world model knows, in place of what it can do."""
    lifelong: bool = False
    """Show what its probes found of each task over its life, and what it kept; nothing is examined again."""
    json: bool = False
    """Print one JSON object in place of words."""


MODEL_NOTES = """errors are shares of what there was to explain: 0 is perfect, 1 is as good as guessing
doubt, rank: rank correlation of doubt with the real error, 1 is best
doubt, gap: between scaled doubt and the real error in ten groups, 0 is best"""


def run(arguments: list[str]) -> int:
    """Examine and print."""
    from umwelt.life.api import probe

    command = parse(Command, None, arguments, "umwelt probe", DESCRIPTION)
    if command.episodes < 1:
        raise UsageError(f"--episodes {command.episodes}: it takes at least 1")
    if command.model:
        return run_model(command)
    if command.lifelong:
        return run_lifelong(command)
    found = probe(command.life, episodes=command.episodes, tasks=command.tasks, lives=command.lives)
    if command.json:
        rows = {
            seed: {p.task: _jsonable({"returns": p.returns, "broken": p.broken, **p.statistics}) for p in probes}
            for seed, probes in found.items()
        }
        print(json.dumps({"probes": rows}))
        return 0
    table = Table(title=f"{command.episodes} episodes of each task", title_justify="left")
    heads = ("seed", "task", "return [95 %]", "lowest", "length", "model error")
    broke = any(p.broken for probes in found.values() for p in probes)
    for head in (*heads, "broken") if broke else heads:
        table.add_column(head, justify="left" if head == "task" else "right")
    for seed, probes in found.items():
        for p in probes:
            table.add_row(str(seed), *_row(p), *([f"{p.broken} of {len(p.returns)}"] if broke else []))
    Console().print(table)
    if broke:
        Console().print("episodes that broke because the world failed count in no return; `umwelt check` the world")
    return 0


def _row(found: Any) -> tuple[str, ...]:
    """What the table shows of one task's probe."""
    s, whole = found.statistics, [each for each in found.returns if not math.isnan(each)]
    interval = f"{s['mean']:.1f} [{s['low']:.1f}, {s['high']:.1f}]" if whole else "-"
    lowest = f"{min(whole):.1f}" if whole else "-"
    return found.task, interval, lowest, f"{s['length']:.0f}", _shown(s["model_error"], ".4f")


def run_model(command: Command) -> int:
    """Examine the world model and print."""
    from umwelt.check.history import hidden
    from umwelt.evaluation.knowledge import HORIZONS
    from umwelt.life.api import life_of, probe_model
    from umwelt.life.folder.folder import Folder

    found = probe_model(command.life, episodes=command.episodes, tasks=command.tasks, lives=command.lives)
    note = hidden(life_of(Folder.read(command.life, lives=command.lives)).world)
    if command.json:
        rows = {seed: {task: _jsonable(vars(row)) for task, row in each.items()} for seed, each in found.items()}
        print(json.dumps({"model": rows, "note": note}))
        return 0
    table = Table(title=f"the world model, in {command.episodes} episodes of each task", title_justify="left")
    table.add_column("")
    rows = [(f"{task}, seed {seed}", row) for seed, each in found.items() for task, row in each.items()]
    for name, _ in rows:
        table.add_column(name, justify="right")
    shown = [_figures(row, HORIZONS) for _, row in rows]
    for figure in shown[0]:
        table.add_row(figure, *(column[figure] for column in shown))
    console = Console()
    console.print(table)
    console.print(MODEL_NOTES, style="dim", highlight=False)
    if note:
        console.print(f"note: {note}", highlight=False)
    return 0


def run_lifelong(command: Command) -> int:
    """Read the chronicle's probes and print."""
    from umwelt.cli.probe_lifelong import lifelong_tables
    from umwelt.life.chronicle.chronicle import Chronicle
    from umwelt.life.exams.scores import score
    from umwelt.life.folder.folder import Folder

    with Chronicle.read(Folder.read(command.life, lives=command.lives).chronicle) as chronicle:
        kept = score(chronicle)
    if command.json:
        print(json.dumps({"lifelong": kept}))
    elif not kept:
        print("this life has met one task only, so there is nothing that it could have forgotten")
    else:
        console = Console()
        for shown in lifelong_tables(kept):
            console.print(shown, highlight=False)
    return 0


def _figures(row: Any, horizons: tuple[int, ...]) -> dict[str, str]:
    """What the table shows of one task, from top to bottom."""
    errors = {f"error after {ahead}": _shown(error) for ahead, error in zip(horizons, row.error, strict=True)}
    return {
        "compared": row.compared,
        **errors,
        "reward error": _shown(row.reward_error),
        "doubt, rank": _shown(row.doubt_rank),
        "doubt, gap": _shown(row.doubt_error),
        "imagined return": f"{_shown(row.imagined_return, '.1f')} in {row.return_steps}",
        "real return": f"{_shown(row.real_return, '.1f')} in {row.return_steps}",
        "decisions/s": _shown(row.decisions, ".1f"),
    }


def _shown(value: float, form: str = ".3g") -> str:
    return "-" if math.isnan(value) else f"{value:{form}}"


def _jsonable(row: dict[str, Any]) -> dict[str, Any]:
    """Make a row of JSON's own types; NaN, which JSON lacks, becomes null."""

    def plain(value: Any) -> Any:
        if isinstance(value, tuple):
            return [plain(each) for each in value]
        return None if isinstance(value, float) and math.isnan(value) else value

    return {name: plain(value) for name, value in row.items()}
