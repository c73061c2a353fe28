"""Returns, the numbers that the world named, surprise and doubt over the clock, with the lessons as bands."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from umwelt.core import part
from umwelt.life.chronicle.named_numbers import names_in
from umwelt.report.figure import Drawing, PageTable, band, finish, interval, label_of, lines, number, sheet
from umwelt.report.picture import COLOURS
from umwelt.report.reading import CURVES, POINTS, LifeData

NAMED, TIGHT = 8, 110
"""The most lessons, or else letters, whose names stand over the picture; more lessons have numbers."""
APART = 3
"""The most seeds of one life that have lines of their own."""
WORDS = {"return": "return of an episode", "surprise": "surprise", "doubt": "doubt"}


@part
class Line:
    """One line of a picture, and the region around it. clock, low, mean, high: [N]."""

    clock: np.ndarray
    low: np.ndarray
    mean: np.ndarray
    high: np.ndarray


def draw_curves(groups: dict[str, list[LifeData]], name: str = "curves") -> Drawing | None:
    """Draw a line for each group of lives, or for each seed of one life. None where nothing was written down."""
    shown = ("return", *names_of(groups), *CURVES)
    drawn = {what: each for what in shown if (each := _lines(groups, what))}
    if not drawn:
        return None
    bands = _shared_lessons(groups)
    end = max([1, *(life.clock for lives in groups.values() for life in lives), *(end for _, _, end in bands)])
    with sheet(0.8 + 1.75 * len(drawn), rows=len(drawn), sharex=True) as (figure, axes):
        for row, (what, each) in enumerate(drawn.items()):
            _panel(axes[row, 0], what, each, bands)
        axes[0, 0].set_xlim(0, end)
        axes[-1, 0].set_xlabel("decisions of each row")
        axes[-1, 0].xaxis.set_major_formatter("{x:,.0f}")
        _name_bands(axes[0, 0], bands)
        handles, _ = axes[0, 0].get_legend_handles_labels()
        regions = any(np.any(line.high > line.low) for each in drawn.values() for line in each.values())
        handles += [band(f"region: {region_of(groups)}", 0.4)] if regions else []
        handles += [band("stripe: lesson on the task above it", 0.2)] if bands else []
        if len(handles) > 1:
            figure.legend(handles=handles, loc="outside lower center", ncols=min(3, len(handles)))
        table = _table(groups, bands)
        title = f"Returns, {''.join(f'{name}, ' for name in names_of(groups))}surprise and doubt over the clock"
        return finish(figure, name, title, _alternative(drawn, bands), table)


def names_of(groups: dict[str, list[LifeData]]) -> tuple[str, ...]:
    """The numbers that the worlds of these lives named of their episodes."""
    return tuple(dict.fromkeys(name for lives in groups.values() for life in lives for name in names_in(life.episodes)))


def region_of(groups: dict[str, list[LifeData]]) -> str:
    """Say what the region around a line reaches from and to."""
    return "lowest to highest in a stretch of the clock" if _apart(groups) else "lowest to highest seed"


def _apart(groups: dict[str, list[LifeData]]) -> bool:
    """Whether each seed has a line of its own."""
    lives = next(iter(groups.values()))
    return len(groups) == 1 and len(lives) == 1 and len(lives[0].seeds) <= APART


def episode_curve(life: LifeData, seed: int, what: str = "return") -> Line | None:
    """Summarise the returns of a seed in stretches of the clock, or a named number: lowest, mean and highest of each."""
    values = life.episodes.get(what, np.full(len(life.episodes["seed"]), np.nan))
    mine = (life.episodes["seed"] == seed) & np.isfinite(values)
    if not mine.any():
        return None
    return stretches(life.episodes["end"][mine], values[mine])


def stretches(clock: np.ndarray, value: np.ndarray) -> Line:
    """Summarise values in at most POINTS stretches of equal length."""
    order = np.argsort(clock, kind="stable")
    clock, value = clock[order], value[order]
    width = max(1, -(-int(clock[-1] + 1) // (POINTS - 1)))
    starts = np.flatnonzero(np.diff(clock // width, prepend=-1))
    count = np.diff(np.append(starts, len(clock)))
    return Line(
        clock=clock[np.append(starts[1:], len(clock)) - 1],
        low=np.minimum.reduceat(value, starts),
        mean=np.add.reduceat(value, starts) / count,
        high=np.maximum.reduceat(value, starts),
    )


def together(each: Sequence[Line]) -> Line:
    """Join lines to their mean, with the lowest and highest of their means around it, as far as all of them go."""
    end = min(line.clock[-1] for line in each)
    clock = each[0].clock[each[0].clock <= end]
    means = np.stack([np.interp(clock, line.clock, line.mean) for line in each])
    return Line(clock=clock, low=means.min(axis=0), mean=means.mean(axis=0), high=means.max(axis=0))


def _lines(groups: dict[str, list[LifeData]], what: str) -> dict[str, Line]:
    """The lines to draw: label -> line."""
    if _apart(groups):
        life = next(iter(groups.values()))[0]
        return {f"seed {seed}": line for seed in life.seeds if (line := _line(life, what, seed))}
    found = {}
    for label, lives in groups.items():
        each = [line for life in lives for seed in life.seeds if (line := _line(life, what, seed))]
        if each:
            found[label if len(groups) > 1 else f"mean of {len(each)} seeds"] = together(each)
    return found


def _line(life: LifeData, what: str, seed: int) -> Line | None:
    if what not in CURVES:
        return episode_curve(life, seed, what)
    columns = life.curves.get(what, {}).get(seed)
    return Line(**columns) if columns else None


def _panel(axes: Any, what: str, drawn: dict[str, Line], bands: tuple[tuple[str, int, int], ...]) -> None:
    for (label, line), style in zip(drawn.items(), lines(list(drawn)).values(), strict=True):
        if np.any(line.high > line.low):
            axes.fill_between(line.clock, line.low, line.high, color=style["color"], alpha=0.18, linewidth=0)
        alone = {"marker": "o", "markersize": 4} if len(line.clock) == 1 else {}
        axes.plot(line.clock, line.mean, label=label_of(label, 34), linewidth=1.2, **alone, **style)
    if what in CURVES:
        _symmetric_log(axes, list(drawn.values()))
    axes.set_ylabel(WORDS.get(what, label_of(what, 26)))
    tasks = list(dict.fromkeys(task for task, _, _ in bands))
    for index, (task, begin, end) in enumerate(bands):
        few = len(tasks) < len(COLOURS)
        colour = COLOURS[tasks.index(task)] if few else "#808080"
        axes.axvspan(begin, end, color=colour, alpha=0.10 if few else 0.16 * (index % 2), linewidth=0)


def _symmetric_log(axes: Any, drawn: list[Line]) -> None:
    """Make the axis linear up to the lower quarter of the values, then logarithmic.

    Most of a curve lies near zero, and its peaks matter too.
    """
    means = np.concatenate([line.mean for line in drawn])
    sizes = np.abs(means[np.isfinite(means) & (means != 0)])
    if not sizes.size or sizes.max() < 20 * (near := float(np.quantile(sizes, 0.25))):
        return
    axes.set_yscale("symlog", linthresh=near)
    low, high = axes.get_ylim()
    powers = 10.0 ** np.arange(np.ceil(np.log10(near)), np.floor(np.log10(max(abs(low), abs(high)))) + 1)
    powers = powers[:: -max(1, -(-len(powers) // 4))]
    ticks = [tick for tick in (*-powers, 0.0, *powers) if low <= tick <= high]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def _name_bands(axes: Any, bands: tuple[tuple[str, int, int], ...]) -> None:
    """Write the tasks over the picture, or the numbers of the lessons where names would overlap."""
    every = max(1, len(bands) // 15)
    letters = len(bands) * max((len(label_of(task)) + 1 for task, _, _ in bands), default=0)
    named = len(bands) <= NAMED or letters <= TIGHT
    for index, (task, begin, end) in enumerate(bands):
        if named or index % every == 0:
            longest = 60 // len(bands) if letters > TIGHT else TIGHT
            text = label_of(task, longest) if named else str(index + 1)
            transform, size = axes.get_xaxis_transform(), 7 if named and letters > TIGHT * 3 // 4 else 8
            axes.text((begin + end) / 2, 1.02, text, transform=transform, ha="center", va="bottom", fontsize=size)


def _shared_lessons(groups: dict[str, list[LifeData]]) -> tuple[tuple[str, int, int], ...]:
    """The lessons of all lives, where they agree on their tasks so far; else none."""
    found = [life.lessons for lives in groups.values() for life in lives if life.lessons]
    longest = max(found, key=len, default=())
    names = [task for task, _, _ in longest]
    alike = all([task for task, _, _ in each] == names[: len(each)] for each in found)
    return longest if alike else ()


def _table(groups: dict[str, list[LifeData]], bands: tuple[tuple[str, int, int], ...]) -> PageTable:
    """A row for each lesson of each group: means over its episodes and its decisions."""
    rows = []
    for label, lives in groups.items():
        lessons = bands or (("all", -1, max(life.clock for life in lives)),)
        for index, (task, begin, end) in enumerate(lessons):
            figures = [_mean_of(lives, index, begin, end, name) for name in names_of(groups)]
            for what in CURVES:
                values = [mean for life in lives for (_, i), mean in life.means.get(what, {}).items() if i == index]
                known = [value for value in values if value == value]
                figures.append(number(float(np.mean(known)) if known else None))
            group = (label,) if len(groups) > 1 else ()
            clocks = f"{begin + 1:,} to {end:,}"
            mean = _mean_of(lives, index, begin, end)
            rows.append((*group, str(index + 1), task, clocks, mean, *figures))
    named = (f"mean {name}" for name in names_of(groups))
    heads = (*(("lives",) if len(groups) > 1 else ()), "lesson", "task", "decisions", "mean return", *named, "surprise", "doubt")
    return PageTable(caption="Means over each lesson; in brackets the lowest and the highest seed", heads=heads, rows=tuple(rows))


def _mean_of(lives: list[LifeData], index: int, begin: int, end: int, what: str = "return") -> str:
    returns = lesson_returns(lives, index, begin, end, what)
    return interval(*returns) if len(lives) > 1 or len(lives[0].seeds) > 1 else number(returns[0])


def lesson_returns(lives: list[LifeData], index: int, begin: int, end: int, what: str = "return") -> tuple[float, float, float]:
    """Mean return of the episodes that ended in a lesson, or of a named number: over seeds, and of the lowest and the highest
    seed."""
    means = []
    for life in lives:
        stop = end if index >= len(life.lessons) else life.lessons[index][2]
        start = begin if index >= len(life.lessons) else life.lessons[index][1]
        for seed in life.seeds:
            mine = (life.episodes["seed"] == seed) & (life.episodes["end"] > start) & (life.episodes["end"] <= stop)
            values = life.episodes.get(what, np.full(len(mine), np.nan))
            whole = values[mine & np.isfinite(values)]
            if whole.size:
                means.append(float(np.mean(whole)))
    unknown = float("nan")
    return (float(np.mean(means)), min(means), max(means)) if means else (unknown, unknown, unknown)


def _alternative(drawn: dict[str, dict[str, Line]], bands: tuple[tuple[str, int, int], ...]) -> str:
    """The first and the last of every line, in words."""
    ends = [
        f"{what}, {label}: from {number(float(line.mean[0]))} to {number(float(line.mean[-1]))}"
        for what, each in drawn.items()
        for label, line in each.items()
    ]
    lessons = f" {len(bands)} lessons are shown as bands." if bands else ""
    return f"Curves over the clock of {'; '.join(ends)}.{lessons} The numbers of every lesson stand in the table below."
