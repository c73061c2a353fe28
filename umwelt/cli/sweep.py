"""`umwelt sweep`: several recipes in several worlds, with several seeds, as one table and one report."""

import json as json_module
import shlex
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from umwelt.claims.executors import Executor
from umwelt.claims.grid_of_lives import LIVES, Cell, Row, plain, sweep, words, write
from umwelt.cli.going_on import Jobs, Ray, chosen_executor, saved
from umwelt.cli.options import UsageError, parse_known
from umwelt.core import part
from umwelt.life.composition import BadLife, Life

DESCRIPTION = """Run every recipe in every world with every seed: --recipes times --worlds times --seeds lives. The results
are one table, means with intervals over seeds (Student's t, from three seeds on), and one report.

  umwelt sweep --recipes losse_mpc pets --worlds pendulum gymnasium:Pendulum-v1 --seeds 3 --steps 1000
  umwelt sweep --recipes pets --worlds pendulum --seeds 5 --steps 2000 --jobs 4       four processes at once
  umwelt sweep --recipes pets --worlds pendulum --seeds 5 --steps 2000 --ray auto     on a running Ray cluster
  umwelt sweep --recipes sac --worlds pendulum --seeds 64 --together 8 --ray auto     eight programs of eight seeds each
  umwelt sweep --recipes pets sac --worlds pendulum --rhythm.probe-every 500          other options of `umwelt live`

Every option of `umwelt live` (--recipe.FIELD, --world.FIELD, --rhythm.FIELD, --wrap, ...) holds for all lives, so each recipe
and world must have it. A recipe that does not fit a world is refused before anything runs. Ctrl-C saves, and the same command
goes on; so it does after a crash or kill -9. What has ended is not run again: with another recipe, only what is new runs. The
seeds of a pure world run as one compiled program, and another number of them is another program; --together N makes programs of
N seeds, which stay when more seeds are added.

The lives lie in OUT/lives, for `umwelt report`, `probe` and `watch`; the table in OUT/sweep.json; the report in OUT/report."""
OWN = ("steps", "seed", "seeds", "name", "lives", "json", "quiet", "watch", "log", "keep-episodes")
"""Options of `umwelt live` that a sweep sets itself, or that make no sense for many lives."""


@part
class Command:
    """What `umwelt sweep` takes, besides the options of `umwelt live`."""

    recipes: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME [NAME ...]")] = ()
    """Recipes; `umwelt list` shows them."""
    worlds: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME [NAME ...]")] = ("pendulum",)
    """Worlds, as --world of `umwelt live` takes them."""
    seeds: int = 3
    """Lives of each recipe in each world. Below three there is no interval."""
    seed: int = 0
    """The first seed; the others follow it."""
    steps: int = 2000
    """Decisions of each life."""
    together: Jobs = 0
    """Seeds of a pure world in one program, at most; 0 for all. Each program is one job for --jobs or --ray."""
    jobs: Jobs = 1
    """Processes at once; 1 runs all in this one, in turn."""
    ray: Ray = ""
    """Run on a Ray cluster, whose machines share OUT: its address, `auto` for the one that runs here, or `local` for one of
    this machine's own, with --jobs processors. Needs the extra of that name."""
    gpus: Annotated[float, tyro.conf.arg(metavar="N")] = 0.0
    """GPUs that Ray gives to each job; with 0 each job may use all of its machine."""
    out: str = "sweep"
    """The folder of the lives, the table and the report."""
    json: bool = False
    """Print one JSON object in place of words."""


def run(arguments: list[str]) -> int:
    """Run the lives that are missing, and print what all came to."""
    command, rest = parse_known(Command, None, arguments, "umwelt sweep", DESCRIPTION)
    _refuse(command, rest)
    lives = _lives(command, rest)
    where = chosen_executor(command.jobs, command.ray, command.gpus)
    seeds = tuple(range(command.seed, command.seed + command.seeds))
    again = "umwelt sweep " + shlex.join(word for word in arguments if word != "--json")
    return carry_out(lives, command.steps, seeds, Path(command.out), where, again, command.json, command.together)


def carry_out(
    lives: dict[Cell, Life],
    steps: int,
    seeds: tuple[int, ...],
    out: Path,
    where: Executor,
    again: str,
    json: bool,
    together: int = 0,
) -> int:
    """Run the lives of `steps` decisions that are missing in `out`, and print what all came to. again: the same command."""
    console = Console(stderr=True, quiet=json)
    console.print(f"{len(lives)} times {len(seeds)} lives of {steps} decisions, in {out / LIVES}", highlight=False)
    with saved(again), _bars(console) as bars:
        tasks = {" in ".join(cell): bars.add_task(" in ".join(cell), total=1.0) for cell in lives}

        def looked(shares: dict[str, float]) -> None:
            for name, share in shares.items():
                bars.update(tasks[name], completed=share)

        rows = sweep(lives, steps=steps, seeds=seeds, out=out, executor=where, on_cells=looked, together=together)
    path = write(rows, seeds, again, out)
    page = _report(rows, out, again)
    if json:
        print(json_module.dumps({**plain(rows, seeds, again), "table": str(path), "report": page}))
        return 0
    Console().print(_table(rows, len(seeds)), highlight=False)
    print(f"table:    {path}\nreport:   {page}\nrepeat:   {again}")
    return 0


def _refuse(command: Command, rest: list[str]) -> None:
    """Refuse what cannot be swept, before any world is made."""
    if not command.recipes:
        raise UsageError("--recipes: name at least one, such as `umwelt sweep --recipes losse_mpc pets --worlds pendulum`")
    if not command.worlds:
        raise UsageError("--worlds: name at least one, such as pendulum")
    for name in ("seeds", "steps"):
        if getattr(command, name) < 1:
            raise UsageError(f"--{name} must be at least 1, not {getattr(command, name)}")
    if command.together < 0:
        raise UsageError(f"--together must be at least 1, or 0 for all seeds, not {command.together}")
    for name in ("recipes", "worlds"):
        if twice := {each for each in getattr(command, name) if getattr(command, name).count(each) > 1}:
            raise UsageError(f"--{name}: {', '.join(sorted(twice))} is there twice")
    own = {f"--{name}" for name in (*OWN, "world", "recipe", "stream")}
    if found := [word for word in rest if word.split("=")[0].replace("_", "-") in own]:
        raise UsageError(f"{found[0]} is for one life; `umwelt sweep --help` shows what a sweep takes")


def _lives(command: Command, rest: list[str]) -> dict[Cell, Life]:
    """Make every life and let its parts look at each other; all that do not fit are named at once."""
    from umwelt.cli.live import read
    from umwelt.life.engine import Engine

    made: dict[Cell, Life] = {}
    faults = []
    for recipe in command.recipes:
        for world in command.worlds:
            words = ["--world", world, "--recipe", recipe, "--steps", str(command.steps), *rest]
            try:
                life = read(words)[0]
                Engine(life).check()
                made[recipe, world] = life
            except (UsageError, BadLife) as error:
                faults.append(f"{recipe} in {world}: {error}")
    if faults:
        raise UsageError("; ".join(dict.fromkeys(faults)))
    return made


def _bars(console: Console) -> Progress:
    columns = (TextColumn("{task.description:<32}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    return Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console)


def _table(rows: list[Row], seeds: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", title_justify="left")
    for column in ("world", "recipe", "final return", "model error", "seconds"):
        table.add_column(column, overflow="fold")
    for row in sorted(rows, key=lambda row: row.world):
        numbers = [escape(words(row.values[name])) for name in ("final_return", "model_error")]
        table.add_row(escape(row.world), escape(row.recipe), *numbers, f"{row.seconds:.1f}")
    table.caption = f"over {seeds} seeds" + (", 95 % intervals" if seeds >= 3 else ": too few for intervals")
    table.caption += "; model error: unexplained share of the next change"
    return table


def _report(rows: list[Row], out: Path, command: str) -> str:
    from umwelt.report.reading import read_life_data
    from umwelt.report.writing import write_report

    lives = [read_life_data(folder.name, folder.parent) for row in rows for folder in row.lives]
    return str(write_report(lives, out / "report", command).page)
