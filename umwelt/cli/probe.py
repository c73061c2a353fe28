"""`umwelt probe`: examine a life without touching it."""

import json
import math
from typing import Any

import numpy as np
import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from umwelt.cli.options import UsageError, parse
from umwelt.core import part

DESCRIPTION = """Examine the last save of a life: it acts as well as it can on each of its tasks, and learns
nothing from it. The life may be running meanwhile; nothing in its folder changes.

  umwelt probe lives/A --episodes 20           returns on each task
  umwelt probe lives/A --model                 how far its world model predicts, and whether its doubt is right
  umwelt probe lives/A --lifelong              what it kept of each task
  umwelt probe lives/A --lifelong --measure success"""


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
    measure: str = "return"
    """With --lifelong: what of each episode counts, the return or a number that --world.record kept, such as success."""
    best: float | None = None
    """With --lifelong: what regret counts from, such as 1 for success; the best probe of each task where it is not given."""
    json: bool = False
    """Print one JSON object in place of words."""


MODEL_NOTES = (
    "errors: share of the variance of the change, or of the reward, that the model leaves unexplained where the agent acts as"
    " well as it can; 0 is perfect, 1 as good as always guessing the mean",
    "doubt, rank: rank correlation of doubt with the real error, 1 is best",
    "doubt, gap: between scaled doubt and the real error in ten groups, 0 is best",
)
MOST = 24
"""The most numbers of an observation whose errors are printed: the worst ones."""


def run(arguments: list[str]) -> int:
    """Examine and print."""
    from umwelt.evaluation.exam import MODEL_ERROR
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
            seed: {
                p.task: _jsonable({"returns": p.returns, "broken": p.broken, **p.statistics}) | {"named": _named_rows(p, seed)}
                for p in probes
            }
            for seed, probes in found.items()
        }
        print(json.dumps({"probes": rows}))
        return 0
    table = Table(title=f"{command.episodes} episodes of each task", title_justify="left")
    names = next(probes for probes in found.values())[0].named
    heads = ("seed", "task", "return [95 %]", "lowest", "length", *(f"{name} [95 %]" for name in names), "model error")
    broke = any(p.broken for probes in found.values() for p in probes)
    for head in (*heads, "broken") if broke else heads:
        table.add_column(head, justify="left" if head == "task" else "right")
    for seed, probes in found.items():
        for p in probes:
            table.add_row(str(seed), *_row(p, seed), *([f"{p.broken} of {len(p.returns)}"] if broke else []))
    Console().print(table)
    if any(not math.isnan(p.statistics["model_error"]) for probes in found.values() for p in probes):
        Console().print(f"model error: {MODEL_ERROR.meaning}", style="dim", highlight=False)
    if broke:
        Console().print("episodes that broke because the world failed count in no return; `umwelt check` the world")
    return 0


def _named_rows(found: Any, seed: int) -> dict[str, Any]:
    """What the world named of a probe's episodes: name -> their values, and their mean with its interval."""
    from umwelt.life.exams.examine import mean_with_interval

    made = {}
    for name, values in found.named.items():
        mean, low, high = mean_with_interval(values, seed)
        made[name] = _jsonable({"values": values, "mean": mean, "low": low, "high": high})
    return made


def _row(found: Any, seed: int) -> tuple[str, ...]:
    """What the table shows of one task's probe."""
    s, whole = found.statistics, [each for each in found.returns if not math.isnan(each)]
    interval = f"{s['mean']:.1f} [{s['low']:.1f}, {s['high']:.1f}]" if whole else "-"
    lowest = f"{min(whole):.1f}" if whole else "-"
    rows = _named_rows(found, seed).values()
    named = ("-" if row["mean"] is None else f"{row['mean']:.3g} [{row['low']:.3g}, {row['high']:.3g}]" for row in rows)
    return found.task, interval, lowest, f"{s['length']:.0f}", *named, _shown(s["model_error"], ".4f")


def run_model(command: Command) -> int:
    """Examine the world model and print."""
    from umwelt.check.history import hidden
    from umwelt.evaluation.knowledge import HORIZONS
    from umwelt.life.api import life_of, probe_model
    from umwelt.life.folder.folder import Folder
    from umwelt.worlds.observed import names_of

    found = probe_model(command.life, episodes=command.episodes, tasks=command.tasks, lives=command.lives)
    world = life_of(Folder.read(command.life, lives=command.lives)).world
    note, names = hidden(world), names_of(world)
    if command.json:
        rows = {seed: {task: _jsonable(vars(row)) for task, row in each.items()} for seed, each in found.items()}
        print(json.dumps({"model": rows, "observation_names": names, "note": note}))
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
    if by_number := _by_number(dict(rows), names):
        console.print(by_number)
    for line in MODEL_NOTES:
        console.print(line, style="dim", highlight=False)
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
        try:
            kept = score(chronicle, command.measure, command.best)
        except ValueError as error:
            raise UsageError(f"--{error}") from error
    if command.json:
        print(json.dumps({"lifelong": kept}))
    elif not kept:
        print("this life has met one task only, so there is nothing that it could have forgotten")
    else:
        console = Console()
        for shown in lifelong_tables(kept, best=command.best):
            console.print(shown, highlight=False)
    return 0


def _by_number(rows: dict[str, Any], names: tuple[str, ...]) -> Table | None:
    """The error of each number of the observation, the worst MOST of those that change; None where beliefs were compared."""
    errors = np.array([row.by_number for row in rows.values()])
    moving = [index for index in range(errors.shape[1]) if not np.isnan(errors[:, index]).all()]
    if not moving:
        return None
    worst = sorted(sorted(moving, key=lambda index: -np.nanmean(errors[:, index]))[:MOST])
    left = f" (the {MOST} worst of {len(moving)})" if len(moving) > MOST else ""
    table = Table(title=f"error after 1, of each number of the observation{left}", title_justify="left")
    table.add_column("")
    for name in rows:
        table.add_column(escape(name), justify="right")
    for index in worst:
        table.add_row(escape(names[index]) if names else f"number {index}", *(_shown(error) for error in errors[:, index]))
    return table


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
