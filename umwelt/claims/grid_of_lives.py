"""A sweep: lives of several recipes in several worlds, by the machinery of claims. One that was broken off goes on."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from umwelt.claims.arms import Lived, named, write_whole
from umwelt.claims.executors import Executor
from umwelt.claims.judging import LEAST, spread
from umwelt.claims.measures import FINAL_RETURN, MODEL_ERROR
from umwelt.claims.trial import pieces_of, run_arms
from umwelt.core import part
from umwelt.life.composition import Life
from umwelt.life.folder.folder import slug

MEASURES = (FINAL_RETURN, MODEL_ERROR)
LIVES = "lives"
"""The folder of all lives of a sweep."""

Cell = tuple[str, str]
"""A recipe and a world."""


@part
class Row:
    """What the lives of one recipe in one world came to.

    values: measure -> float64 [seeds]. seconds: what all its seeds took. lives: their folders.
    """

    recipe: str
    world: str
    values: Mapping[str, np.ndarray]
    seconds: float
    lives: tuple[Path, ...]


def sweep(
    lives: Mapping[Cell, Life],
    *,
    steps: int,
    seeds: tuple[int, ...],
    out: Path,
    executor: Executor | None = None,
    on_cells: Callable[[dict[str, float]], None] | None = None,
    together: int = 0,
) -> list[Row]:
    """Run what is missing of lives of `steps` decisions a seed, in `out`, and measure them when all have ended.

    together: seeds of a pure world in one program, at most; 0 for all.
    """
    arms = {" in ".join(cell): Lived(life=life, steps=steps, measures=MEASURES) for cell, life in lives.items()}
    # the name is for the reader; the key keeps lives of other settings apart
    places = {name: f"{slug(name)}-{arm.key[:8]}" for name, arm in arms.items()}
    values, spent = run_arms(arms, seeds, out / LIVES, executor=executor, on_arms=on_cells, places=places, together=together)
    rows = []
    for (recipe, world), name in zip(lives, arms, strict=True):
        folders = tuple(out / LIVES / places[name] / named(group) for group in pieces_of(arms[name], seeds, together))
        seconds = sum(spent[folder] for folder in folders)
        rows.append(Row(recipe=recipe, world=world, values=values[name], seconds=seconds, lives=folders))
    return rows


def plain(rows: list[Row], seeds: tuple[int, ...], command: str) -> dict[str, Any]:
    """Return a sweep as JSON has it: each cell with its means, intervals and numbers of seeds."""
    return {"command": command, "seeds": list(seeds), "cells": [_cell(row) for row in rows]}


def write(rows: list[Row], seeds: tuple[int, ...], command: str, out: Path) -> Path:
    """Write `out/sweep.json`, whole or not at all."""
    path = out / "sweep.json"
    write_whole(path, plain(rows, seeds, command))
    return path


def figures(values: np.ndarray) -> dict[str, float | None]:
    """Return the mean of values [seeds] and its interval; None for what is not finite, or is no interval below three seeds."""
    found = dict(zip(("mean", "low", "high"), spread(values), strict=True))
    return {name: value if np.isfinite(value) else None for name, value in found.items()}


def words(values: np.ndarray) -> str:
    """Write a mean and its interval; a dash where nothing was measured."""
    found = figures(values)
    if found["mean"] is None:
        return "-"
    bounds = f" [{found['low']:.4g}, {found['high']:.4g}]" if len(values) >= LEAST and found["low"] is not None else ""
    return f"{found['mean']:.4g}{bounds}"


def _cell(row: Row) -> dict[str, Any]:
    measured = {name: figures(each) | {"seeds": [_finite(value) for value in each]} for name, each in row.values.items()}
    lives = [str(folder) for folder in row.lives]
    return {"recipe": row.recipe, "world": row.world, **measured, "seconds": round(row.seconds, 1), "lives": lives}


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
