"""`umwelt atlas`: the published systems, what the library has of each, and what came of it."""

import json as json_module
from typing import Annotated, Any

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from umwelt.atlas.systems import KINDS, STATUSES, WINGS, Row, rows, search, summary
from umwelt.claims.documents import counted
from umwelt.cli.options import UsageError, nearest, parse
from umwelt.cli.show import COLOURS
from umwelt.core import part

DESCRIPTION = f"""Find a published system by its name, its paper or its idea, and see what came of it here. Words are looked
for in names, titles, keywords, recipes and claims; a row has all of them.

  umwelt atlas bisimulation                 which system does it
  umwelt atlas world model --status shown   what is shown about them
  umwelt atlas --wing continual             one wing
  umwelt atlas mudreamer --json

  wings     {", ".join(WINGS)}
  kinds     {", ".join(KINDS)}
  status    {", ".join(STATUSES)}

The first five are verdicts of claims. Without a claim there is a recipe, or a part that no recipe is named after, or nothing
yet (planned). `umwelt show CLAIM` has the seeds and the arms, `umwelt list RECIPE` the card. docs/atlas.html is a page of it."""
FEW = 12
"""Rows up to which each is printed in full."""


@part
class Command:
    """What `umwelt atlas` takes."""

    words: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[WORD ...]")] = ()
    """What to look for."""
    wing: str = ""
    """One wing only."""
    status: str = ""
    """One status only, such as shown, refuted or planned."""
    kind: str = ""
    """One kind of row only, such as system or testbed."""
    json: bool = False
    """Print one JSON object in place of words."""


def run(arguments: list[str]) -> int:
    """Print the rows that fit, and how many there are; 1 where there is none."""
    command = parse(Command, None, arguments, "umwelt atlas", DESCRIPTION)
    status = command.status.replace("-", " ")
    for given, known, what in ((command.wing, WINGS, "wing"), (status, STATUSES, "status"), (command.kind, KINDS, "kind")):
        if given and given not in known:
            raise UsageError(f"--{what}: {nearest(given, list(known), what)}")
    found = search(rows(), command.words, command.wing, status, command.kind)
    if command.json:
        print(json_module.dumps({row.system.name: _plain(row) for row in found}))
        return 0 if found else 1
    console = Console()
    if not found:
        console.print("no row has all of these; `umwelt atlas` shows every row", highlight=False)
        return 1
    if len(found) <= FEW:
        for row in found:
            _print_one(console, row)
    else:
        console.print(_table(found), highlight=False)
    claims = [each for row in found for each in row.claims]
    console.print("\n" + " ".join((summary(found), *([counted(claims)] if claims else []))), highlight=False)
    return 0


def _print_one(console: Console, row: Row) -> None:
    system = row.system
    title = f"{system.title} ({system.year})" if system.year else system.title
    console.print(f"\n[bold]{system.name}[/]  {_coloured(row)}  [dim]{system.kind}, {system.wing}[/]", highlight=False)
    for line in (title, system.words, *(f"recipe {name}: {said}" for name, said in row.summaries.items())):
        if line:
            console.print(f"  {escape(line)}", highlight=False)
    if row.parts:
        console.print(f"  parts: {', '.join(row.parts)}", highlight=False)
    for each in row.claims:
        colour = COLOURS[each.verdict]
        console.print(f"  [{colour}]{each.verdict}[/]  {each.claim.name}: {escape(each.sentence)}", highlight=False)
    if row.why:
        console.print(f"  {row.why}", highlight=False)


def _table(found: list[Row]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", expand=True)
    for column in ("name", "wing", "status"):
        table.add_column(column, no_wrap=True)
    table.add_column("paper", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in found:
        table.add_row(row.system.name, row.system.wing, _coloured(row), escape(row.system.title or row.system.words))
    return table


def _coloured(row: Row) -> str:
    return ", ".join(f"[{COLOURS.get(each, 'dim')}]{each}[/]" for each in row.status)


def _plain(row: Row) -> dict[str, Any]:
    system = row.system
    return {
        "kind": system.kind,
        "wing": system.wing,
        "title": system.title,
        "year": system.year,
        "words": system.words,
        "status": list(row.status),
        "recipes": list(row.recipes),
        "parts": list(row.parts),
        "claims": {each.claim.name: {"verdict": each.verdict, "says": each.sentence} for each in row.claims},
        "why": row.why,
    }
