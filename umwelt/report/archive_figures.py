"""Draw an archive: where its entries lie, and how often each was met. Small pictures, for a phone as well."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.colors import LogNorm

from umwelt.evaluation.quality_diversity import Cells, Elites, coverage, qd_score
from umwelt.life.exams.archives import Archive
from umwelt.report.figure import SEAMLESS, SMALL, Drawing, PageTable, finish, number, sheet
from umwelt.report.positions import few

SIDE = 16
"""Cells along a side of the map."""


def draw_archive(archives: tuple[Archive, ...], name: str = "archive") -> list[Drawing]:
    """Draw each archive of the first seed: a map where entries have two numbers that vary, and visits where they are counted."""
    drawn = []
    for index, archive in enumerate(each for each in archives if each.seed == archives[0].seed):
        mark = name if index == 0 else f"{name}-{index + 1}"
        drawn += [_map(archive, f"{mark}-map"), _visits(archive, f"{mark}-visits")]
    return [drawing for drawing in drawn if drawing is not None]


def archive_table(archives: tuple[Archive, ...]) -> PageTable:
    """A row for each archive of each seed."""
    rows = []
    for archive in archives:
        counted = archive.visits[np.isfinite(archive.visits)]
        worth = archive.worth[np.isfinite(archive.worth)]
        once = number(float(np.mean(counted <= 1)), ".0%") if counted.size else "-"
        rows.append((archive.name, str(archive.seed), f"{len(archive.points):,}", _one(counted, np.median), _one(counted, np.max),
                     once, _one(worth, np.max), *_quality(archive)))  # fmt: skip
    heads = ("what", "seed", "entries", "median visits", "most visits", "met once", "best score", "cells of the map", "QD score")
    return PageTable(caption="What is kept", heads=heads, rows=tuple(rows))


def axes_of(archive: Archive) -> tuple[int, int] | None:
    """The two numbers of an entry that are drawn: its position, else those that vary most over their range."""
    span = np.ptp(archive.points, axis=0) if len(archive.points) else np.zeros(0)
    varying = [axis for axis in range(len(span)) if span[axis] > 0]
    if len(varying) < 2:
        return None
    if archive.axes[:2] == ("x", "y"):
        return (0, 1) if {0, 1} <= set(varying) else (varying[0], varying[1])
    spread = {axis: float(np.std(archive.points[:, axis]) / span[axis]) for axis in varying}
    first, second = sorted(sorted(varying, key=lambda axis: -spread[axis])[:2])
    return first, second


def map_of(archive: Archive, axes: tuple[int, int]) -> tuple[np.ndarray, str, list[np.ndarray]]:
    """(float64 [S, S] with NaN where nothing lies, what it counts, the edges of the cells of both axes).

    A cell shows the visits of its entries; where they are not counted, their highest score, or their number if all score alike.
    """
    first, second = (archive.points[:, axis] for axis in axes)
    edges = [np.linspace(values.min(), values.max(), SIDE + 1) for values in (first, second)]
    if np.isfinite(archive.visits).all():
        shown, what = np.histogram2d(first, second, edges, weights=archive.visits)[0], "visits"
    elif np.ptp(archive.worth) > 0:
        best = np.asarray(_elites(archive, axes).best, np.float64).reshape(SIDE, SIDE)
        return np.where(np.isfinite(best), best, np.nan), "highest score", edges
    else:
        shown, what = np.histogram2d(first, second, edges)[0], "entries"
    return np.where(shown > 0, shown, np.nan), what, edges


def octaves(visits: np.ndarray) -> list[tuple[str, int]]:
    """Count entries by visits: once, 2 to 3, 4 to 7, and so on, each with its label."""
    power = np.floor(np.log2(np.maximum(visits, 1))).astype(int)
    counts = np.bincount(power)
    return [("1" if each == 0 else f"{2**each}\u2013{2 ** (each + 1) - 1}", int(count)) for each, count in enumerate(counts)]


def _map(archive: Archive, name: str) -> Drawing | None:
    axes = axes_of(archive)
    if axes is None:
        return None
    shown, what, edges = map_of(archive, axes)
    title = f"Where they lie: {archive.name}"
    with sheet(2.9, wide=SMALL) as (figure, panels):
        often = LogNorm(1, max(2.0, np.nanmax(shown))) if what == "visits" else None
        image = panels[0, 0].pcolormesh(*edges, shown.T, cmap="cividis", norm=often, **SEAMLESS)
        panels[0, 0].set(xlabel=archive.axes[axes[0]], ylabel=archive.axes[axes[1]])
        bar = figure.colorbar(image, ax=panels[0, 0], label=what, aspect=30)
        if often:
            bar.set_ticks(few(np.nanmax(shown)))
            bar.ax.yaxis.set_major_formatter("{x:g}")
            bar.ax.minorticks_off()
        filled = int(np.isfinite(shown).sum())
        rows = tuple(
            (archive.axes[axis], number(float(archive.points[:, axis].min())), number(float(archive.points[:, axis].max())))
            for axis in axes
        )
        table = PageTable(caption=f"Extent of {len(archive.points):,} entries", heads=("number", "lowest", "highest"), rows=rows)
        text = f"{title}. {len(archive.points):,} entries lie in {filled} of {SIDE * SIDE} cells; colours show {what}."
        return finish(figure, name, title, text, table, small=True)


def _visits(archive: Archive, name: str) -> Drawing | None:
    if not len(archive.visits) or not np.isfinite(archive.visits).all():
        return None
    counted = octaves(archive.visits)
    title = f"How often they were met: {archive.name}"
    with sheet(2.9, wide=SMALL) as (figure, panels):
        panels[0, 0].barh(range(len(counted)), [count for _, count in counted], color="#0072b2")
        panels[0, 0].set_yticks(range(len(counted)), [label for label, _ in counted])
        panels[0, 0].set(xlabel="entries", ylabel="visits")
        table = PageTable(caption="Entries by visits", heads=("visits", "entries"),
                          rows=tuple((label, f"{count:,}") for label, count in counted))  # fmt: skip
        text = f"{title}. {counted[0][1]:,} of {len(archive.visits):,} were met once."
        return finish(figure, name, title, text, table, small=True)


def _quality(archive: Archive) -> tuple[str, str]:
    """The share of the map's cells that hold an entry, and the QD score: the sum of their highest scores above the lowest."""
    axes = axes_of(archive)
    if axes is None:
        return "-", "-"
    elites = _elites(archive, axes)
    scored = np.isfinite(archive.worth).all()
    score = number(float(qd_score(elites, float(archive.worth.min())))) if scored else "-"
    return number(float(coverage(elites)), ".0%"), score


def _elites(archive: Archive, axes: tuple[int, int]) -> Elites:
    """The highest score in each cell of the map; 0 where entries have no score."""
    points = archive.points[:, list(axes)]
    low, high = (tuple(float(edge) for edge in reached) for reached in (points.min(axis=0), points.max(axis=0)))
    cells = Cells(low=low, high=high, number=(SIDE, SIDE))
    worth = np.nan_to_num(archive.worth, nan=0.0)
    return cells.add(cells.init(), jnp.asarray(points, jnp.float32), jnp.asarray(worth, jnp.float32))


def _one(values: np.ndarray, of: Any) -> str:
    return number(float(of(values))) if values.size else "-"
