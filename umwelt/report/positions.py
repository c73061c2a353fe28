"""Maps of where the agent went, and where it doubted."""

from typing import Any

import numpy as np
from matplotlib.colors import LogNorm

from umwelt.report.figure import SEAMLESS, Drawing, PageTable, finish, number, sheet

CELLS = (8, 32)
"""Cells along a side of the map, with few positions and with many."""


def draw_positions(trail: dict[str, np.ndarray], name: str = "positions") -> Drawing | None:
    """Draw visits and mean doubt in cells of the world: one row of maps in two dimensions, two projections in three."""
    known = np.isfinite(trail["x"].astype(np.float64)) & np.isfinite(trail["y"].astype(np.float64))
    if not known.any():
        return None
    x, y, z, doubt = (trail[axis][known].astype(np.float64) for axis in ("x", "y", "z", "doubt"))
    planes = [("x", "y", x, y)] + ([("x", "z", x, z)] if np.isfinite(z).all() else [])
    with sheet(3.1 * len(planes), len(planes), 2) as (figure, axes):
        for row, (across, up, first, second) in enumerate(planes):
            visits, doubted, edges = cells(first, second, doubt)
            shown = np.where(visits > 0, visits, np.nan)
            often = LogNorm(1, max(2.0, visits.max()))
            maps = [(axes[row, 0], shown, "visits", often), (axes[row, 1], doubted, "mean doubt", None)]
            if not np.isfinite(doubted).any():
                maps.pop()
                axes[row, 1].set_axis_off()
            for each, values, title, scale in maps:
                image = each.pcolormesh(*edges, values.T, cmap="cividis", norm=scale, **SEAMLESS)
                each.set(xlabel=across, ylabel=up, title=title)
                bar = figure.colorbar(image, ax=each, label=title, aspect=30)
                if scale:
                    bar.set_ticks(few(visits.max()))
                    bar.ax.yaxis.set_major_formatter("{x:g}")
                    bar.ax.minorticks_off()
        visits, doubted, _ = cells(x, y, doubt)
        title = "Where the agent went, and where it doubted"
        return finish(figure, name, title, _alternative(visits, doubted), _table(trail, known))


def few(most: float) -> list[int]:
    """Choose round counts from 1 to `most`: 1, 2, 5, 10 ..., or only powers of ten where those are enough."""
    powers = [10**power for power in range(len(str(int(most))))]
    found = powers if len(powers) > 3 else [times * power for power in powers for times in (1, 2, 5)]
    return [count for count in found if count <= max(2, most)]


def cells(x: np.ndarray, y: np.ndarray, doubt: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Count (visits [S, S], mean doubt with NaN where none is known, edges of the cells of each axis).

    S, within CELLS: a cell would hold one position if they lay evenly.
    """
    visits, across, up = np.histogram2d(x, y, int(np.clip(np.sqrt(len(x)), *CELLS)))
    known = np.isfinite(doubt)
    edges = [across, up]
    count = np.histogram2d(x[known], y[known], edges)[0]
    total = np.histogram2d(x[known], y[known], edges, weights=doubt[known])[0]
    return visits, np.where(count > 0, total / np.maximum(count, 1), np.nan), (across, up)


def _alternative(visits: np.ndarray, doubted: np.ndarray) -> str:
    share = float(np.mean(visits > 0))
    known = doubted[np.isfinite(doubted)]
    doubt = (
        f" Mean doubt in a cell is between {number(float(known.min()))} and {number(float(known.max()))}." if known.size else ""
    )
    side = len(visits)
    cells = f"{side} by {side} cells of the part of the world that was seen"
    return f"Two maps of {cells}. The agent went into {share:.1%} of them.{doubt}"


def _table(trail: dict[str, np.ndarray], known: np.ndarray) -> PageTable:
    """A row for each task: the number of positions, their extent, and the mean doubt."""
    rows = []
    tasks = trail["task"][known]
    for task in dict.fromkeys(tasks):
        mine = np.flatnonzero(known)[tasks == task]
        doubt = trail["doubt"][mine].astype(np.float64)
        finite = doubt[np.isfinite(doubt)]
        rows.append((str(task), f"{len(mine):,}", *(_extent(trail[axis][mine]) for axis in ("x", "y", "z")),
                     number(float(finite.mean()) if finite.size else None)))  # fmt: skip
    heads = ("task", "positions", "x", "y", "z", "mean doubt")
    return PageTable(caption="Where the agent was on each task", heads=heads, rows=tuple(rows))


def _extent(values: Any) -> str:
    values = values.astype(np.float64)
    known = values[np.isfinite(values)]
    return f"{number(float(known.min()))} to {number(float(known.max()))}" if known.size else "-"
