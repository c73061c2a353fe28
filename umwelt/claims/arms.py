"""The sides of a comparison: lives, computations, published numbers and recorded runs of other libraries."""

import ast
import csv
import hashlib
import inspect
import json
import os
import shutil
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Protocol

import jax
import numpy as np

from umwelt.core import part
from umwelt.evaluation.proctor import is_hosted_mind
from umwelt.life.api import live, resume
from umwelt.life.composition import Life
from umwelt.life.folder import expression

Values = dict[str, np.ndarray]
"""Measure -> float64 [seeds]."""
Report = Callable[[float], None]
"""Receives the share that is done, from 0 to 1."""


@part
class Measure:
    """One number of one seed. `read` takes it from the folder of a finished life; it stands at the top of a module."""

    name: str
    unit: str = ""
    better: Literal["up", "down"] = "up"
    read: Callable[[Path, int], float] | None = None


class Arm(Protocol):
    """One side of a comparison. Its hash is that of its expression; another hash is another arm."""

    @property
    def measures(self) -> tuple[Measure, ...]: ...
    @property
    def key(self) -> str:
        """Name what `run` makes: arms of the same key share one folder."""
        ...

    def groups(self, seeds: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return the seeds that run in one piece; the pieces may run at once."""
        ...

    def run(self, seeds: tuple[int, ...], folder: Path, report: Report) -> Values:
        """Run the seeds in `folder`, or go on where they stopped. The values are in the order of `seeds`."""
        ...


@part
class Lived:
    """Lives, and what is measured when they end. A pure world runs all seeds in one program, a hosted one in turn."""

    life: Life
    """Its seed and its number of seeds are set by the claim."""
    steps: int
    """Decisions of one seed, over all its rows."""
    measures: tuple[Measure, ...]

    @property
    def key(self) -> str:
        """The hash of the life and its length: a life serves several measures."""
        return digest({"life": expression.identity(self.life), "steps": self.steps})

    def run(self, seeds: tuple[int, ...], folder: Path, report: Report) -> Values:
        """Run what is missing, and read the measures of each seed."""
        groups = self.groups(seeds)
        found: dict[int, dict[str, float]] = {}
        for index, group in enumerate(groups):
            path = folder / named(group)
            kept = _kept(path)
            if kept is None:
                self._live(group, path, lambda share, index=index: report((index + share) / len(groups)))
                kept = {}
            missing = {_reading(measure): measure for measure in self.measures if _reading(measure) not in kept}
            if missing:
                kept |= {name: [_read(measure, path, seed) for seed in group] for name, measure in missing.items()}
                write_whole(path.with_suffix(".json"), kept)
            for row, seed in enumerate(group):
                found[seed] = {measure.name: kept[_reading(measure)][row] for measure in self.measures}
            report((index + 1) / len(groups))
        return {measure.name: np.array([found[seed][measure.name] for seed in seeds], np.float64) for measure in self.measures}

    def groups(self, seeds: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return the seeds of each life: runs of neighbours where world and agent are pure, else one seed each."""
        apart = self.life.world.spec.hosted or is_hosted_mind(self.life.agent) or self.life.driver == "host"
        made: list[list[int]] = []
        for seed in sorted(seeds):
            if made and not apart and made[-1][-1] == seed - 1:
                made[-1].append(seed)
            else:
                made.append([seed])
        return [tuple(group) for group in made]

    def _live(self, group: tuple[int, ...], path: Path, report: Report) -> None:
        def progress(now: Any) -> None:
            report(now.clock / max(1, now.end))

        if (path / "recipe.json").exists():
            resume(path.name, lives=path.parent, on_progress=progress)
        else:
            shutil.rmtree(path, ignore_errors=True)  # a folder without a recipe was broken off before its first step
            life = replace(self.life, seed=group[0], seeds=len(group))
            live(life, steps=self.steps * len(group), name=path.name, lives=path.parent, on_progress=progress)


@part
class Computed:
    """A function of a seed that returns {measure: number}: a model on data, a detector, a kill compared with a calm life."""

    function: Callable[..., Mapping[str, Any]]
    """At the top of a module, or a part with `__call__`, whose fields are then the settings."""
    measures: tuple[Measure, ...]
    together: bool = False
    """The function is pure and takes a key; all seeds run in one compiled program. Otherwise it takes the seed's number."""
    in_turn: bool = False
    """In that program one seed comes after the other. Side by side, each branch of a `cond` costs its time, taken or not."""

    def __post_init__(self) -> None:
        """Refuse what would change nothing."""
        if self.in_turn and not self.together:
            raise ValueError("in_turn=True: it orders the seeds of one program; set together=True, or leave it out")

    @property
    def key(self) -> str:
        """The hash of the expression and of the function's own code."""
        return digest({"function": expression.identity(self.function), "code": code_of(self.function), "together": self.together})

    def groups(self, seeds: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return all seeds in one where they are computed together, else each alone."""
        return [seeds] if self.together else [(seed,) for seed in seeds]

    def run(self, seeds: tuple[int, ...], folder: Path, report: Report) -> Values:
        """Compute the seeds that are missing."""
        path = folder / f"{named(seeds)}.json"
        kept: dict[str, dict[str, float]] = json.loads(path.read_text()) if path.exists() else {}
        wanted = {measure.name for measure in self.measures}
        missing = [seed for seed in seeds if not wanted <= set(kept.get(str(seed), {}))]
        if missing and self.together:
            every = (lambda seeds: jax.lax.map(self.function, seeds)) if self.in_turn else jax.vmap(self.function)
            made = jax.jit(every)(jax.vmap(jax.random.key)(np.array(missing)))
            table = {name: np.asarray(values, np.float64) for name, values in made.items()}
            kept |= {str(seed): {name: float(table[name][row]) for name in table} for row, seed in enumerate(missing)}
            write_whole(path, kept)
        for index, seed in enumerate(() if self.together else missing):
            kept[str(seed)] = {name: float(value) for name, value in self.function(seed).items()}
            write_whole(path, kept)
            report((index + 1) / len(missing))
        if unknown := wanted - set(kept[str(seeds[0])]):
            raise ValueError(
                f"measures: the function returns no {', '.join(sorted(unknown))}; it has {', '.join(kept[str(seeds[0])])}"
            )
        return {name: np.array([kept[str(seed)][name] for seed in seeds], np.float64) for name in sorted(wanted)}


@part
class Published:
    """Numbers of a paper or of its published logs, and where they stand there."""

    values: Mapping[str, float]
    """Measure -> number."""
    source: str

    @property
    def measures(self) -> tuple[Measure, ...]:
        """None of its own: the arm that is compared says what is better."""
        return ()

    @property
    def key(self) -> str:
        """The hash of the numbers."""
        return digest({"published": dict(self.values), "source": self.source})

    def groups(self, seeds: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return all seeds in one."""
        return [seeds]

    def run(self, seeds: tuple[int, ...], folder: Path, report: Report) -> Values:
        """Return the numbers, one for each seed."""
        return {name: np.full(len(seeds), value, np.float64) for name, value in self.values.items()}


@part
class Recorded:
    """Another library's runs, kept as a table with the command that made it."""

    file: str
    """A CSV in `umwelt/claims/records`: a column `seed`, and one for each measure."""
    command: str
    measures: tuple[Measure, ...]

    @property
    def key(self) -> str:
        """The hash of the table."""
        return digest({"file": self.file, "table": self._text()})

    def groups(self, seeds: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return all seeds in one."""
        return [seeds]

    def run(self, seeds: tuple[int, ...], folder: Path, report: Report) -> Values:
        """Read the table; its seeds are its own, so such a comparison is not paired."""
        rows = list(csv.DictReader(self._text().splitlines()))
        return {measure.name: np.array([float(row[measure.name]) for row in rows], np.float64) for measure in self.measures}

    def _text(self) -> str:
        return (files("umwelt.claims") / "records" / self.file).read_text(encoding="utf8")


def named(seeds: tuple[int, ...]) -> str:
    """Return the name of what belongs to these seeds."""
    return f"seeds-{min(seeds)}-{max(seeds)}"


def digest(value: Any) -> str:
    """Return sixteen hexadecimal digits that stand for a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def code_of(function: Any) -> str:
    """Return the syntax tree of a function or of a part's class, without docstrings: its layout and words do not count."""
    return _code(function if inspect.isfunction(function) else type(function))


def timed(arm: Arm, seeds: tuple[int, ...], folder: Path, report: Report) -> tuple[Values, float]:
    """Run an arm; returns its values and the seconds that it took, over all its attempts."""
    folder.mkdir(parents=True, exist_ok=True)
    clock, began = folder / f"{named(seeds)}.seconds", time.perf_counter()
    before = float(json.loads(clock.read_text())) if clock.exists() else 0.0

    def looked(share: float) -> None:
        write_whole(clock, before + time.perf_counter() - began)
        report(share)

    values = arm.run(seeds, folder, looked)
    looked(1.0)
    return values, before + time.perf_counter() - began


@cache
def _code(thing: Any) -> str:
    """Kept from the first look on: the file may change while the claim runs, and what runs does not."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    except OSError:  # what was typed in by hand has no source
        return f"{thing.__module__}:{thing.__qualname__}"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.body = [each for each in node.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]
    return _tree(tree)


def _tree(node: Any) -> str:
    """Write a syntax tree as every Python writes it: `ast.dump` shows empty fields in some versions and not in others."""
    if isinstance(node, list):
        return "[" + ", ".join(map(_tree, node)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [(name, value) for name, value in ast.iter_fields(node) if value is not None and value != []]
    return f"{type(node).__name__}({', '.join(f'{name}={_tree(value)}' for name, value in fields)})"


def _read(measure: Measure, path: Path, seed: int) -> float:
    if measure.read is None:
        raise ValueError(f"measures: {measure.name!r} has no `read`, so it cannot be taken from the folder of a life")
    return float(measure.read(path, seed))


def _reading(measure: Measure) -> str:
    """Name what a measure reads: two that are called the same may read something else."""
    return f"{measure.name} {digest([expression.write(measure.read), measure.read and code_of(measure.read)])}"


def _kept(path: Path) -> dict[str, list[float]] | None:
    """The measures of a finished life that were read; None where it has not ended."""
    made = path.with_suffix(".json")
    return json.loads(made.read_text()) if made.exists() else None


def write_whole(path: Path, value: Any) -> None:
    """Write a JSON file whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(value))
    draft.replace(path)
