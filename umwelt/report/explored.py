"""What was explored: how much of the world over the clock, and which tasks a teacher chose."""

from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from umwelt.report.figure import LINES, SEAMLESS, Drawing, PageTable, finish, label_of, number, sheet
from umwelt.report.picture import COLOURS

SIDE = 16
"""Cells along a side, for coverage; the same for all seeds, so that they can be compared."""
QUARTERS = 4
"""Stretches of a life whose choices are drawn side by side."""
LEAST = 12
"""Tasks without a name that are enough for a map of them."""
CELLS = 12
"""Cells along a side of a map of tasks."""


def covered(x: np.ndarray, y: np.ndarray, edges: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Count the cells that were met up to each position: int64 [T]. edges: of the cells of both axes."""
    place = [
        np.clip(np.searchsorted(edge, values, "right") - 1, 0, len(edge) - 2) for edge, values in zip(edges, (x, y), strict=True)
    ]
    _, first = np.unique(place[0] * len(edges[1]) + place[1], return_index=True)
    new = np.zeros(len(x), np.int64)
    new[first] = 1
    return np.cumsum(new)


def draw_coverage(trail: dict[str, np.ndarray], name: str = "coverage") -> Drawing | None:
    """Draw how many cells of the seen part of the world each seed had met by each clock. None without a trail."""
    x, y = (trail[axis].astype(np.float64) for axis in ("x", "y"))
    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return None
    edges = np.histogram_bin_edges(x[known], SIDE), np.histogram_bin_edges(y[known], SIDE)
    met = covered(x[known], y[known], edges)[-1]  # no seed can meet more than all of them together
    rows, seeds = [], np.unique(trail["seed"][known])
    with sheet(2.4) as (figure, axes):
        for index, seed in enumerate(seeds):
            mine = known & (trail["seed"] == seed)
            count = covered(x[mine], y[mine], edges)
            form = {"color": COLOURS[index % len(COLOURS)], "linestyle": LINES[index % len(LINES)]}
            axes[0, 0].plot(trail["clock"][mine], count, label=f"seed {seed}", **form)
            half = int(trail["clock"][mine][np.argmax(count >= count[-1] / 2)])
            rows.append((f"seed {seed}", f"{count[-1]:,}", f"{half:,}"))
        axes[0, 0].set(xlabel="decisions of each row", ylabel=f"cells met, of {met}", ylim=(0, None))
        axes[0, 0].xaxis.set_major_formatter("{x:,.0f}")
        if len(seeds) > 1:
            figure.legend(loc="outside lower center", ncols=5)
        title = "How much of the world was met"
        table = PageTable(
            caption=f"Cells of {SIDE} by {SIDE} that the first row met", heads=("seed", "cells", "half by"), rows=tuple(rows)
        )
        return finish(figure, name, title, f"{title}: {rows[0][0]} ends at {rows[0][1]} of {met} cells.", table)


def numbers_of(tasks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Read tasks that are written as numbers: (float64 [M, D], the places int64 [M] where they stand among `tasks`).

    Names, and numbers of another count than most have, are left out.
    """
    read: dict[int, list[float]] = {}
    for place, text in enumerate(tasks):
        try:
            read[place] = [float(part) for part in str(text).split(",")]
        except ValueError:
            continue
    widths = [len(each) for each in read.values()]
    width = max(set(widths), key=widths.count) if widths else 0
    places = [place for place, each in read.items() if len(each) == width and np.isfinite(each).all()]
    return np.array([read[place] for place in places], np.float64).reshape(len(places), width), np.array(places, np.int64)


def draw_choices(episodes: dict[str, np.ndarray], name: str = "choices", names: Any = None) -> Drawing | None:
    """Draw where in the space of tasks a teacher chose, in four stretches of the life. None where tasks have names alone.

    Of a task's numbers the two that vary most are drawn, each in units of its own range. names: of all numbers, where known.
    """
    values, places = numbers_of(episodes["task"])
    span = np.ptp(values, axis=0) if len(values) else np.zeros(0)
    if len(values) < LEAST or not (span > 0).any():
        return None
    share = np.where(span > 0, np.std(values, axis=0) / np.maximum(span, 1e-12), -1.0)
    across, *more = (int(axis) for axis in np.argsort(-share, kind="stable") if span[axis] > 0)
    up = more[0] if more else None
    known = isinstance(names, list) and len(names) == len(span)
    titles = [label_of(name) for name in names] if known else [f"number {axis}" for axis in range(len(span))]
    beside = "" if up is None else titles[up]
    ends = episodes["end"][places].astype(np.float64)
    cut = np.minimum((QUARTERS * ends / max(1.0, ends.max())).astype(int), QUARTERS - 1)
    edges = np.linspace(values[:, across].min(), values[:, across].max(), CELLS + 1)
    heights = np.linspace(values[:, up].min(), values[:, up].max(), CELLS + 1) if up is not None else np.array([0.0, 1.0])
    maps = [_counts(values[cut == part], across, up, edges, heights) for part in range(QUARTERS)]
    most = max(1.0, *(float(each.max()) for each in maps))
    rows = []
    with sheet(2.6, 1, QUARTERS, sharey=True) as (figure, axes):
        image: Any = None
        for part, each in enumerate(maps):
            image = axes[0, part].pcolormesh(
                edges, heights, np.where(each > 0, each, np.nan).T, cmap="cividis", vmin=0, vmax=most, **SEAMLESS
            )
            stretch = f"{part * 100 // QUARTERS} to {(part + 1) * 100 // QUARTERS} %"
            axes[0, part].set(title=label_of(stretch), xlabel=titles[across])
            rows.append(_row(stretch, values[cut == part], episodes["return"][places][cut == part], across, up))
        axes[0, 0].set_ylabel(beside)
        if up is None:
            axes[0, 0].set_yticks([])
        figure.colorbar(image, ax=axes[0, :].tolist(), label="episodes", aspect=30, ticks=MaxNLocator(5, integer=True))
        title = "Which tasks the teacher chose"
        heads = ("stretch of the life", "episodes", titles[across], beside, "mean return")
        table = PageTable(caption="Chosen tasks: mean and deviation of their numbers", heads=heads, rows=tuple(rows))
        text = f"{title}, in four stretches of the life: {len(values):,} episodes on tasks without a name."
        return finish(figure, name, title, text, table)


def _counts(values: np.ndarray, across: int, up: int | None, edges: np.ndarray, heights: np.ndarray) -> np.ndarray:
    second = np.full(len(values), 0.5) if up is None else values[:, up]
    return np.histogram2d(values[:, across], second, [edges, heights])[0]


def _row(stretch: str, values: np.ndarray, returns: Any, across: int, up: int | None) -> tuple[str, ...]:
    def spread(axis: int | None) -> str:
        if axis is None or not len(values):
            return "-"
        return f"{number(float(values[:, axis].mean()))} ± {number(float(values[:, axis].std()))}"

    finite = np.asarray(returns, np.float64)
    finite = finite[np.isfinite(finite)]
    return stretch, f"{len(values):,}", spread(across), spread(up), number(float(finite.mean()) if finite.size else None)
