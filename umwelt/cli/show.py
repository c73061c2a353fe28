"""`umwelt show`: the verdicts of the claims, and how to repeat them."""

import json as json_module
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from umwelt.claims import Claim, Judged, claims, load
from umwelt.claims.arms import Published, Recorded
from umwelt.claims.differences import differences
from umwelt.claims.documents import against, counted, interval, wanted
from umwelt.claims.executors import Executor
from umwelt.claims.judging import LEAST, spread
from umwelt.claims.results import STORED, judged, read, write
from umwelt.claims.trial import WORK, forget, show
from umwelt.cli.going_on import Jobs, Ray, chosen_executor, saved
from umwelt.cli.options import UsageError, parse
from umwelt.core import part

DESCRIPTION = """Show what each idea is good for, as it was tried: one line a claim, or one claim in full. A verdict is
shown, open, refuted, stale (the expression or the seeds have changed since) or not run.

  umwelt show                                    all claims
  umwelt show losse_mpc                          one of them: the arms, what differs, every seed
  umwelt show losse_mpc --run                    repeat it; Ctrl-C saves, and the same command goes on
  umwelt show losse_mpc --run --fresh            repeat it from nothing, also what was finished before
  umwelt show losse_mpc --run --jobs 4           four processes at once
  umwelt show losse_mpc --run --ray local        on a Ray cluster; one that is killed there goes on elsewhere

Repeated claims run in build/claims, and their verdict is printed beside the stored one. What an earlier run finished there
is not run again, even where the code has changed since; --fresh is for that. The exit code of --run is 0 where all are
shown, else 1."""
COLOURS = {"shown": "green", "refuted": "red", "open": "yellow", "stale": "magenta", "not run": "dim"}


@part
class Command:
    """What `umwelt show` takes."""

    names: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[NAME ...]")] = ()
    """Claims, or recipes, whose claims are meant; none for the table of all."""
    run: bool = False
    """Repeat the claims, or go on with what was broken off."""
    store: bool = False
    """Keep the new results in the package, in place of the stored ones."""
    fresh: bool = False
    """Delete what earlier runs of these claims left, and begin from nothing."""
    jobs: Jobs = 1
    """Processes at once; 1 runs all in this one, in turn."""
    ray: Ray = ""
    """Run on a Ray cluster: its address, or `local` for one on this machine, then with --jobs processors. Needs the extra of
    that name."""
    seeds: int = 0
    """Run this many seeds, from 0 on, in place of the claim's own; such a result is not stored."""
    work: str = str(WORK)
    """The folder that claims run in."""
    json: bool = False
    """Print one JSON object in place of words."""


def run(arguments: list[str]) -> int:
    """Print verdicts, after repeating the claims where asked."""
    command = parse(Command, None, arguments, "umwelt show", DESCRIPTION)
    chosen = [claim for name in command.names for claim in _claims(name)]
    if command.run and not chosen:
        raise UsageError("--run: name the claims to repeat, such as `umwelt show losse_mpc --run`")
    if (command.store or command.seeds or command.fresh) and not command.run:
        raise UsageError("--store, --seeds and --fresh belong to --run")
    if command.seeds < 0:
        raise UsageError(f"--seeds {command.seeds}: give at least 1, or leave it out for the claim's own")
    if command.store and command.seeds:
        raise UsageError("--store: a result of other seeds than the claim's cannot be stored; leave out --seeds")
    if not command.run:
        found = [judged(claim, read(claim.name)) for claim in chosen or claims().values()]
        if command.json:
            print(json_module.dumps({each.claim.name: _plain(each) for each in found}))
        elif chosen:
            for each in found:
                _print_one(each)
        else:
            _print_table(found)
        return 0
    where = chosen_executor(command.jobs, command.ray)
    if command.fresh:
        for claim in chosen:
            forget(claim, Path(command.work))
    with saved(_words(arguments, "--fresh")):
        fresh = [_repeated(claim, command, where, arguments) for claim in chosen]
    if command.json:
        print(json_module.dumps({each.claim.name: _plain(each) for each in fresh}))
    return 0 if all(each.verdict == "shown" for each in fresh) else 1


def _claims(name: str) -> list[Claim]:
    """The claim of that name, else all claims of the recipe of that name."""
    try:
        return [load(name)]
    except KeyError as error:
        if found := [claim for claim in claims().values() if claim.recipe == name]:
            return found
        raise UsageError(str(error.args[0])) from error


def _repeated(claim: Claim, command: Command, where: Executor, arguments: list[str]) -> Judged:
    stored = judged(claim, read(claim.name))
    if command.seeds:
        claim = replace(claim, seeds=tuple(range(command.seeds)))
    console = Console(stderr=True, quiet=command.json)
    console.print(f"{claim.name}: {len(claim.arms)} arms, {len(claim.seeds)} seeds, about {claim.minutes:g} minutes on two cores")
    columns = (TextColumn("{task.description:<24}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as bars:
        rows = {
            name: bars.add_task(name, total=1.0) for name, arm in claim.arms.items() if not isinstance(arm, Published | Recorded)
        }

        def looked(shares: dict[str, float]) -> None:
            for name, share in shares.items():
                bars.update(rows[name], completed=share)

        made = show(
            claim, work=Path(command.work), executor=where, on_arms=looked, command=_words(arguments, "--store", "--json")
        )
    assert made.result is not None
    path = write(made.result, STORED if command.store else Path(command.work) / "results")
    if not command.json:
        _print_one(made)
        note = "" if command.seeds or command.store else f"; the stored verdict is {stored.verdict}: {stored.sentence}"
        Console().print(f"written to {path}{note}", highlight=False)
    return made


def _words(arguments: list[str], *without: str) -> str:
    return "umwelt show " + shlex.join(word for word in arguments if word not in without)


def _print_table(found: list[Judged]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("claim", "verdict", "what it says", "seeds", "date"):
        table.add_column(column, overflow="fold", no_wrap=column in ("verdict", "date"))
    for each in found:
        result = each.result
        colour = COLOURS[each.verdict]
        table.add_row(
            each.claim.name,
            f"[{colour}]{each.verdict}[/]",
            escape(each.sentence),
            str(len(result.seeds)) if result else "",
            result.date if result else "",
        )
    console = Console()
    console.print(table, highlight=False)
    console.print(counted(found), highlight=False)


def _print_one(each: Judged) -> None:
    console, claim, result = Console(), each.claim, each.result
    console.print(f"\n[bold]{claim.name}[/]  [{COLOURS[each.verdict]}]{each.verdict}[/]", highlight=False)
    console.print(each.sentence, highlight=False, markup=False)
    for expect, gain in zip(claim.expects, each.gains, strict=False):
        came = f"{interval(gain)}, wanted {wanted(expect, claim)}: {gain.verdict}"
        console.print(f"  {expect.measure}: {against(expect)}: {came}", highlight=False, markup=False)
    first = next(iter(claim.arms))
    for name, arm in claim.arms.items():
        if name == first or isinstance(arm, Published):
            words = f"{arm.source}" if isinstance(arm, Published) else "the idea"
            console.print(f"  arm {name}: {words}", highlight=False, markup=False)
            continue
        for path, mine, other in differences(claim.arms[first], arm):
            console.print(f"  arm {name}: {path} is {other}, not {mine}", highlight=False, markup=False)
    if result:
        console.print(_values(each), highlight=False)
        units = {measure.name: measure.unit for arm in claim.arms.values() for measure in arm.measures}
        console.print("units: " + ", ".join(f"{name}: {unit}" for name, unit in units.items()), highlight=False, markup=False)
        machine = f"{result.machine.get('cores')} cores, {result.machine.get('gflops')} GFLOP/s"
        console.print(
            f"{result.date}, {result.minutes:g} minutes on {machine}; umwelt {result.versions.get('umwelt')},"
            f" jax {result.versions.get('jax')}; {result.tries} setting(s) tried; {result.command}",
            highlight=False,
        )
    for text in (claim.tried, claim.not_shown and f"Not shown: {claim.not_shown}"):
        if text:
            console.print(text, highlight=False, markup=False)


def _values(each: Judged) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 2), header_style="dim")
    assert each.result is not None
    for column in ("arm", "measure", "mean", "95 %", "seeds"):
        table.add_column(column)
    for arm, measures in each.result.values.items():
        for measure, numbers in measures.items():
            values = np.array(numbers)
            mean, low, high = spread(values)
            interval = f"{low:.4g}, {high:.4g}" if len(values) >= LEAST else ""
            table.add_row(arm, measure, f"{mean:.4g}", interval, " ".join(f"{value:.4g}" for value in numbers))
    return table


def _plain(each: Judged) -> dict[str, Any]:
    gains = [{"mean": gain.mean, "low": gain.low, "high": gain.high, "verdict": gain.verdict} for gain in each.gains]
    values = each.result.values if each.result else {}
    return {
        "verdict": each.verdict,
        "says": each.sentence,
        "gains": gains,
        "values": values,
        "date": each.result.date if each.result else None,
    }
