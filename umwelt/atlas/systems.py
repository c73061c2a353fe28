"""The table of systems, beside what the library has of each: recipes, parts, claims and their verdicts.

The table names the recipes and the claims of each row. A test finds those that no row names, and those that two rows name.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cache
from importlib.resources import files

from umwelt import recipes
from umwelt.claims.documents import own, stored
from umwelt.claims.results import Judged
from umwelt.core import part
from umwelt.recipes.citations import PARTS, entries
from umwelt.recipes.plugins import plugins

KINDS = ("system", "baseline", "part", "testbed", "metric", "analysis")
"""A baseline is what the systems are compared with or built on; a part is of the library itself, without a paper."""
WINGS = {
    "world-model": "World models",
    "planning": "Planning",
    "behaviour": "Behaviour",
    "data": "Data",
    "curiosity": "Curiosity",
    "curriculum": "Teachers and curricula",
    "continual": "Continual learning",
    "social": "Several agents",
    "language": "Language",
    "evaluation": "Evaluation",
    "library": "The library itself",
}
STATUSES = ("shown", "refuted", "open", "stale", "not run", "recipe", "part", "planned")
"""Verdicts of its claims; without any: a recipe alone, a part without a recipe, or nothing yet."""
REASONS = {
    "recipe": "no claim yet",
    "part": "built as a part, without a recipe and a claim of its own",
    "planned": "not built yet",
}


@part
class System:
    """One row of systems.tsv. name: stable, and the recipe's where there is one. words: what to find it by."""

    name: str
    kind: str
    wing: str
    title: str
    year: int | None = None
    recipes: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    words: str = ""
    why: str = ""
    """Why it has no claim, where that is not plain from its status."""


@part
class Row:
    """A system beside what the library has of it. parts: `umwelt.ROOM:Part` of those that follow its work."""

    system: System
    recipes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    claims: tuple[Judged, ...] = ()
    summaries: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> tuple[str, ...]:
        """Return the verdicts of its claims, or what there is without a claim; never empty."""
        if found := {each.verdict for each in self.claims}:
            return tuple(each for each in STATUSES if each in found)
        return ("recipe",) if self.recipes else ("part",) if self.parts else ("planned",)

    @property
    def why(self) -> str:
        """Say why there is no claim; empty where there is one."""
        return "" if self.claims else self.system.why or REASONS[self.status[0]]

    @property
    def text(self) -> str:
        """Return everything that a search looks at, in lower case."""
        system = self.system
        said = [f"{each.claim.name} {each.sentence}" for each in self.claims]
        titles = (system.name, system.name.replace("_", " "), system.title, str(system.year or ""))
        places = (system.kind, system.wing, WINGS[system.wing], system.words)
        return " ".join((*titles, *places, *self.recipes, *self.parts, *self.summaries.values(), *said)).lower()


@cache
def systems() -> tuple[System, ...]:
    """Read systems.tsv. The year of a work in references.bib is the one that it has there."""
    known = {_title(key): found[1] for key, entry in entries().items() if (found := re.search(r"year = \{(\d+)\}", entry))}
    text = (files("umwelt.atlas") / "systems.tsv").read_text(encoding="utf8")
    table = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(
        System(
            name=row["name"],
            kind=row["kind"],
            wing=row["wing"],
            title=row["title"],
            year=int(year) if (year := known.get(_plain(row["title"])) or row["year"]) else None,
            recipes=tuple(row["recipes"].split()),
            claims=tuple(row["claims"].split()),
            words=row["words"],
            why=row["why"],
        )
        for row in table
    )


def rows(found: Sequence[Judged] | None = None) -> tuple[Row, ...]:
    """Return the whole atlas: every system with its recipes, parts and claims, in the order of the file.

    found: the claims with their verdicts; the stored ones where it is None.
    """
    judged = {each.claim.name: each for each in (stored() if found is None else found)}
    parts: dict[str, list[str]] = {}
    for name, keys in PARTS.items():
        for key in keys:
            parts.setdefault(_title(key), []).append(name)
    return tuple(
        Row(
            system=system,
            recipes=system.recipes,
            parts=tuple(parts.get(_plain(system.title), ())),
            claims=tuple(judged[name] for name in system.claims if name in judged),
            summaries={name: recipes.load(name).summary for name in system.recipes},
        )
        for system in systems()
    )


def search(found: Sequence[Row], words: Sequence[str] = (), wing: str = "", status: str = "", kind: str = "") -> list[Row]:
    """Return the rows that have every word, and the wing, status and kind where they are given.

    A row that has them in its name or keywords comes before one that has them elsewhere.
    """
    wanted = [word.lower() for word in words]
    fit = [
        row
        for row in found
        if all(word in row.text for word in wanted)
        and wing in ("", row.system.wing)
        and kind in ("", row.system.kind)
        and (not status or status in row.status)
    ]
    return sorted(fit, key=lambda row: not all(word in f"{row.system.name} {row.system.words}".lower() for word in wanted))


def summary(found: Sequence[Row]) -> str:
    """Say how many systems there are, and how many have a recipe or a claim."""
    systems = [row for row in found if row.system.kind == "system"]
    with_recipe, with_claim = (sum(bool(getattr(row, name)) for row in systems) for name in ("recipes", "claims"))
    others = len(found) - len(systems)
    beside = f" Beside them: {others} baselines, parts, testbeds, metrics and analyses." if others else ""
    noun = "system" if len(systems) == 1 else "systems"
    return f"{len(systems)} published {noun}: {with_recipe} with a recipe here, {with_claim} with a claim.{beside}"


def unplaced(found: Sequence[Row]) -> tuple[str, ...]:
    """Return the recipes and claims of the library that no row holds, each with the mend."""
    held = {name for row in found for name in row.recipes}
    claimed = {each.claim.name for row in found for each in row.claims}
    lost = [
        f"recipe {name}: name it in a row's column `recipes` of umwelt/atlas/systems.tsv"
        for name in _own_recipes()
        if name not in held
    ]
    return (*lost, *(f"claim {name}: name it in a row's column `claims`" for name in own() if name not in claimed))


def _own_recipes() -> tuple[str, ...]:
    """The recipes of the library, without those of other packages."""
    outside = plugins("recipes")
    return tuple(name for name in recipes.names() if name not in outside)


def _title(key: str) -> str:
    """The title of an entry of references.bib, plain."""
    found = re.search(r"title = \{(.*)\},\n", entries().get(key, ""))
    return _plain(found[1]) if found else ""


def _plain(title: str) -> str:
    """A title without what two spellings of it differ in."""
    return re.sub(r"\W+", " ", re.sub(r"[{}\\`'\"]", "", title)).strip().lower()
