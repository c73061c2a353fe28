"""Lives with hand-made numbers, and a strict parser of pages."""

from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from umwelt.core import DOUBT, SURPRISE
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.folder.folder import Folder

EVIL = "<script>alert(1)</script>"
RETURNS = {0: (0.0, 0.0), 100: (8.0, 1.0), 200: (6.0, 9.0), 300: (8.0, 9.0)}
"""clock -> mean return on the two tasks, of every seed."""
ERRORS = {0: (1.0, 1.0), 100: (0.1, 0.8), 200: (0.3, 0.2), 300: (0.15, 0.2)}
VOID = {"meta", "br"}


def write_life(
    lives: Path, name: str, agent: str = "Pets", gain: float = 0.0, seeds: int = 2, tasks: tuple[str, str] = (EVIL, "b")
) -> Path:
    """Write lessons on two tasks and the first again, of 100 decisions and two episodes each.

    gain: added to every return after the first probe. The surprise at clock c is c, the doubt 300 - c.
    """
    fields = {"agent": {"part": f"umwelt:{agent}", "fields": {"horizon": 5}}, "seed": 0, "seeds": seeds}
    life = {"part": "umwelt.life.engine:Life", "fields": fields}
    versions = {"python": "3.11", "system": "linux"}
    description = {"life": life, "end": 300, "rows": seeds, "command": f"umwelt live --note '{EVIL}'", "versions": versions}
    with Folder.create(name, description, lives=lives) as folder, Chronicle(folder.chronicle) as chronicle:
        chronicle.declare((SURPRISE, DOUBT))
        clocks = np.arange(10, 301, 10)
        for seed in range(seeds):
            chronicle.write(seed, clocks, {"surprise": clocks, "doubt": 300 - clocks})
            for lesson, task in enumerate((*tasks, tasks[0])):
                ends, returns = 100 * lesson + np.array([50, 100]), lesson + np.array([1.0, 3.0])
                chronicle.write_episodes(
                    {"seed": seed, "row": 0, "begin": ends - 50, "end": ends, "task": task, "return": returns,
                     "length": 50, "end_kind": "truncated", "surprise": 0.0, "doubt": 0.0}
                )  # fmt: skip
            for clock, values in RETURNS.items():
                for index, task in enumerate(tasks):
                    mean = values[index] + gain * (clock > 0)
                    returns = mean + np.array([-1.0, 0.0, 1.0]) * (seed + 1)
                    chronicle.write_probe(seed, clock, task, "probe", returns, mean=mean, low=mean - 1, high=mean + 1,
                                          model_error=ERRORS[clock][index], length=50.0)  # fmt: skip
        chronicle.event(0, 120, "changed", f"the wind turned {EVIL}")
        for clock, living in ((100, 2.0), (200, 4.0), (250, 1.0), (300, 3.0)):  # resumed after 200
            chronicle.write_timing(clock, {"living": living, "probe": 1.0})
        return folder.path


class Page(HTMLParser):
    """Every element in order, every table, and the text; it raises where an element is not closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.tables: list[list[list[str]]] = []
        self.captions: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute twice in {tag}"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"{tag} closes nothing"
        assert self._open.pop() == tag, f"{tag} closes another element"

    def handle_data(self, data: str) -> None:
        self.text += data
        if "table" in self._open and self._open[-1] in ("td", "th"):
            self.tables[-1][-1][-1] += data
        if self._open and self._open[-1] == "caption":
            self.captions.append(data)

    def table(self, caption: str) -> list[list[str]]:
        """The rows of the table whose caption begins so, heads first."""
        return self.tables[next(index for index, said in enumerate(self.captions) if said.startswith(caption))]

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every such element."""
        return [attributes for name, attributes in self.elements if name == tag]
