"""`umwelt report`: a page to read about one life, or several side by side."""

import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import tyro

from umwelt.cli.options import UsageError, parse
from umwelt.core import part

DESCRIPTION = """Write a report: one HTML file that opens from disk and needs no network, and each figure beside it as SVG
and PNG. It says what was run and how to repeat it, returns, surprise and doubt over the clock, what every task was worth
after every lesson and what was kept, imagination against reality, where the agent went and doubted, what its archive holds,
where its skills lead, and where the time went.
Several lives are shown side by side, grouped by recipe, with intervals over seeds.

A life may be running meanwhile; of a damaged one everything is shown that can be read. Nothing in its folder changes.

  umwelt report lives/A                        one life, into the folder report/
  umwelt report lives/A lives/B --out compared two lives, side by side
  umwelt report lives/A --examine              examine the world model too, which takes a minute or so"""


@part
class Command:
    """What `umwelt report` takes."""

    life: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="LIFE [LIFE ...]")]
    """The folders of lives, or their names under --lives."""
    out: str = "report"
    """The folder that the report is written into: a new one, or that of an earlier report, which it replaces."""
    examine: bool = False
    """Examine the world model of each life's last save, where that was not done before for this folder."""
    lives: str = "lives"
    """The folder of all lives."""
    json: bool = False
    """Print one JSON object in place of words."""


def run(arguments: list[str]) -> int:
    """Read, draw and write; an error only where no life could be reported."""
    from umwelt.life.chronicle.chronicle import ChronicleError
    from umwelt.life.folder.folder import FolderError
    from umwelt.report.examination import examined_of
    from umwelt.report.reading import read_life_data
    from umwelt.report.writing import BadTarget, write_report

    command = parse(Command, None, arguments, "umwelt report", DESCRIPTION)
    if not command.life:
        raise UsageError("name at least one life, such as `umwelt report lives/A`")
    read, missing = [], []
    for name in dict.fromkeys(command.life):
        try:
            life = read_life_data(name, command.lives)
        except (FolderError, ChronicleError) as error:
            missing.append(str(error))
            continue
        found, fault = examined_of(life, Path(command.out) / "examined", command.examine)
        read.append(replace(life, examined=found, faults=(*life.faults, *([fault] if fault else []))))
    if not read:
        raise UsageError("; ".join(missing))
    again = "umwelt report " + shlex.join(word for word in arguments if word not in ("--examine", "--json"))
    try:
        written = write_report(read, Path(command.out), again, tuple(f"Left out: {sentence}." for sentence in missing))
    except BadTarget as error:
        raise UsageError(str(error)) from error
    if command.json:
        print(json.dumps({"page": str(written.page), "figures": written.figures, "faults": written.faults}))
        return 0
    for fault in written.faults:
        print(f"umwelt: {fault}", file=sys.stderr)
    print(f"report:   {written.page}, with {written.figures} figures beside it")
    if not command.examine and any(not life.examined for life in read):
        print(f"examine:  {again} --examine")
    return 0
