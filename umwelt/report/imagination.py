"""Imagination beside reality: trajectories and frames, the error by horizon, and the calibration of doubt."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, NullLocator

from umwelt.report.figure import Drawing, PageTable, band, finish, label_of, lines, number, sheet
from umwelt.report.picture import COLOURS

DIMENSIONS = 3
"""The most observed dimensions that are drawn: those that vary most."""
POINTS = 8
"""The most frames of a strip."""
TRAJECTORIES = 3
MOST = 24
"""The most numbers of an observation whose errors stand in a table."""


def draw_film(
    film: dict[str, np.ndarray], name: str = "imagination", called: Callable[[int], str] = "observation {}".format
) -> Drawing | None:
    """Draw a row of panels for each task, a panel for each trajectory. film: see `umwelt.life.exams.film`. called: the
    name of each number of an observation."""
    if not film:
        return None
    tasks, real, imagined = film["tasks"], film["real"][:, :TRAJECTORIES], film["imagined"][:, :TRAJECTORIES]
    dimensions, clock = moving(real), 1 + np.arange(real.shape[2])
    names = {dimension: label_of(called(int(film["dimensions"][dimension]))) for dimension in dimensions}
    with sheet(0.7 + 1.7 * len(tasks), len(tasks), real.shape[1], sharex=True) as (figure, axes):
        handles: dict[str, Any] = {}
        for (task, trajectory), each in np.ndenumerate(axes):
            for dimension, colour in zip(dimensions, COLOURS, strict=False):
                came = each.plot(clock, real[task, trajectory, :, dimension], color=colour, linewidth=1.6)[0]
                seen = each.plot(clock, imagined[task, trajectory, :, dimension], "--", color=colour, linewidth=1.2)[0]
                handles |= {f"{names[dimension]}: observed": came, f"{names[dimension]}: imagined": seen}
            if trajectory == 0:
                each.set_ylabel(label_of(tasks[task], 16))
        for each in axes[-1]:
            each.set_xlabel("decisions ahead")
        figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=len(dimensions))
        table = _film_table(film, dimensions, ", ".join(names.values()))
        return finish(figure, name, "Imagination against reality", _film_text(film, dimensions), table)


def moving(real: np.ndarray) -> list[int]:
    """Find the DIMENSIONS of [tasks, trajectories, ahead, width] that vary most, in order."""
    spread = np.nanstd(real.reshape(-1, real.shape[-1]), axis=0)
    return sorted(int(index) for index in np.argsort(-spread, kind="stable")[:DIMENSIONS])


def draw_frames(film: dict[str, np.ndarray], name: str = "frames") -> Drawing | None:
    """Draw strips of frames of each task's first trajectory, as observed and as imagined.

    None where the world cannot be drawn.
    """
    if "frames" not in film:
        return None
    strips = {"observed": film["frames"], **({"imagined": film["imagined_frames"]} if "imagined_frames" in film else {})}
    tasks, known = film["tasks"], np.isfinite(film["real"][:, 0, :, 0])
    last = int(np.flatnonzero(known.any(axis=0)).max(initial=0))
    ahead = np.unique(np.linspace(0, last, POINTS).round().astype(int))
    with sheet(0.3 + 1.0 * len(tasks) * len(strips), len(tasks) * len(strips), len(ahead)) as (figure, axes):
        for (row, column), each in np.ndenumerate(axes):
            task, (kind, frames) = row // len(strips), list(strips.items())[row % len(strips)]
            each.set_xticks([])
            each.set_yticks([])
            if row == 0:
                each.set_title(f"{ahead[column] + 1} ahead")
            if column == 0:
                each.set_ylabel(f"{label_of(tasks[task], 14)}\n{kind}" if len(strips) > 1 else label_of(tasks[task], 14))
            if known[task, ahead[column]]:
                each.imshow(frames[task, ahead[column]].squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            else:
                each.spines[:].set_visible(False)  # its episode had ended
        stretch = f"from {ahead[0] + 1} to {ahead[-1] + 1} decisions ahead"
        kinds = "as observed and as imagined" if len(strips) > 1 else "as observed"
        text = f"The world {kinds}, {stretch}, for each of {len(tasks)} tasks. The table above shows how far apart they are."
        shown = [", ".join(str(when + 1) for when in ahead if known[task, when]) for task in range(len(tasks))]
        rows = tuple((label_of(task, 60), when) for task, when in zip(tasks, shown, strict=True))
        table = PageTable(caption="Which frames are shown", heads=("task", "decisions ahead"), rows=rows)
        return finish(figure, name, "The first stretch of each task in pictures", text, table)


def draw_horizons(examined: dict[str, dict[str, Any]], name: str = "horizons") -> Drawing | None:
    """Draw the unexplained share of the change over imagined steps. examined: label -> what `examine` found."""
    known = {label: found for label, found in examined.items() if found["tasks"]}
    if not known:
        return None
    with sheet(3.0) as (figure, axes):
        panel = axes[0, 0]
        for (label, found), style in zip(known.items(), lines(list(known)).values(), strict=True):
            errors = np.array([_array(task["error"]) for task in found["tasks"].values()])
            words = label_of(label, 40) if len(known) > 1 else "mean over tasks"
            panel.plot(found["horizons"], _mean(errors), marker="o", label=words, **style)
            if len(errors) > 1:
                low, high = np.nanmin(errors, axis=0, initial=np.inf), np.nanmax(errors, axis=0, initial=-np.inf)
                panel.fill_between(found["horizons"], low, high, color=style["color"], alpha=0.15, linewidth=0)
        panel.axhline(1.0, color="#000000", linewidth=0.8, linestyle=":")
        panel.set_xscale("log")
        horizons = next(iter(known.values()))["horizons"]
        panel.set_xticks(horizons, [str(ahead) for ahead in horizons])
        panel.minorticks_off()
        panel.set_ylim(bottom=0)
        panel.set(xlabel="imagined decisions", ylabel="unexplained share of the change")
        panel.text(horizons[0], 1.02, "as good as guessing", fontsize=8, va="bottom")
        handles, _ = panel.get_legend_handles_labels()
        handles += [band("region: lowest to highest task")] if any(len(each["tasks"]) > 1 for each in known.values()) else []
        if len(handles) > 1:
            figure.legend(handles=handles, loc="outside lower center", ncols=3)
        heads = (*(("lives",) if len(known) > 1 else ()), "task", "compared", *(f"after {ahead}" for ahead in horizons))
        rows = tuple(
            (*((label,) if len(known) > 1 else ()), task, each["compared"], *(number(error) for error in each["error"]))
            for label, found in known.items()
            for task, each in found["tasks"].items()
        )
        texts = "; ".join(
            f"{label}: " + ", ".join(
                f"{number(float(error))} after {ahead}"
                for ahead, error in zip(
                    horizons, _mean(np.array([_array(task["error"]) for task in found["tasks"].values()])), strict=True
                )
            )
            for label, found in known.items()
        )  # fmt: skip
        title = "Model error by horizon"
        alternative = f"The share of the change that imagination leaves unexplained, mean over tasks. {texts}."
        return finish(figure, name, title, alternative, PageTable(caption=title, heads=heads, rows=rows))


def draw_calibration(examined: dict[str, dict[str, Any]], name: str = "calibration") -> Drawing | None:
    """Draw groups of equal doubt: their doubt, and their error. A calibrated doubt lies on the diagonal."""
    known = {
        f"{label}, {task}" if len(examined) > 1 else task: each
        for label, found in examined.items()
        for task, each in found["tasks"].items()
        if each["doubt_groups"]
    }
    if not known:
        return None
    with sheet(3.4) as (figure, axes):
        panel = axes[0, 0]
        edges = [edge for each in known.values() for pair in each["doubt_groups"] for edge in pair if edge > 0]
        panel.plot([min(edges), max(edges)], [min(edges), max(edges)], color="#000000", linewidth=0.8, linestyle=":")
        # one task is often known a hundred times better than another
        panel.set(xscale="log", yscale="log")
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if max(edges) < 100 * min(edges) else (1,)))
            axis.set_major_formatter("{x:g}")
            axis.set_minor_locator(NullLocator())
        for (label, each), style in zip(known.items(), lines(list(known)).values(), strict=True):
            doubt, error = np.array(each["doubt_groups"]).T
            panel.plot(doubt, error, marker="o", markersize=4, linewidth=1, label=label_of(label, 40), **style)
        panel.set(xlabel="doubt, scaled to the error as a whole", ylabel="error, in deviations of the change")
        figure.legend(loc="outside right upper") if len(known) <= 12 else None
        rows = tuple(
            (label, str(group), number(doubt), number(error))
            for label, each in known.items()
            for group, (doubt, error) in enumerate(each["doubt_groups"], 1)
        )
        ranks = "; ".join(
            f"{label}: rank correlation {number(each['doubt_rank'])}, gap {number(each['doubt_error'])}"
            for label, each in known.items()
        )
        title = "Calibration of doubt"
        alternative = f"In groups of equal doubt, the doubt against the real error; on the diagonal doubt is calibrated. {ranks}."
        table = PageTable(caption=title, heads=("task", "group, surest first", "doubt", "error"), rows=rows)
        return finish(figure, name, title, alternative, table)


def numbers_table(name: str, examined: dict[str, Any], called: Callable[[int], str]) -> PageTable | None:
    """The model error of each number of the observation after one decision: the worst MOST of those that change.

    None where the model predicts no observations, or the examination is older.
    """
    tasks = examined["tasks"]
    columns = np.array([_array(each.get("by_number", [])) for each in tasks.values()])
    if not columns.size:
        return None
    means = _mean(columns)
    worst = sorted(np.argsort(-np.nan_to_num(means, nan=-1.0), kind="stable")[:MOST])
    rows = tuple((called(int(at)), *(number(value) for value in columns[:, at])) for at in worst if means[at] == means[at])
    left = f", the {len(rows)} worst" if len(rows) < np.isfinite(means).sum() else ""
    caption = f"{name}: model error of each number of the observation after one decision{left}"
    return PageTable(caption=caption, heads=("number", *tasks), rows=rows)


def _array(values: Any) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _mean(errors: np.ndarray) -> np.ndarray:
    """Average over tasks the values that are known."""
    known = ~np.isnan(errors)
    return np.where(known, errors, 0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)


def _film_text(film: dict[str, np.ndarray], dimensions: list[int]) -> str:
    gaps = film_gaps(film, dimensions)
    texts = "; ".join(f"{task}: {number(float(_mean(gap)))}" for task, gap in zip(film["tasks"], gaps, strict=True))
    return (
        f"{film['real'].shape[1]} trajectories of each of {len(film['tasks'])} tasks, {film['real'].shape[2]} decisions long,"
        f" solid as observed and dashed as imagined before. Mean distance between the two: {texts}."
    )


def film_gaps(film: dict[str, np.ndarray], dimensions: list[int]) -> np.ndarray:
    """Mean distance [tasks, ahead] of imagination from reality in the drawn dimensions.

    NaN where every episode had ended.
    """
    apart = np.abs(film["real"] - film["imagined"])[..., dimensions].mean(axis=3)
    return _mean(apart.swapaxes(0, 1))


def _film_table(film: dict[str, np.ndarray], dimensions: list[int], names: str) -> PageTable:
    gaps = film_gaps(film, dimensions)
    ahead = [when for when in (1, 5, 10, 15, 20, 30) if when <= gaps.shape[1]]
    rows = tuple(
        (str(task), *(number(float(gap[when - 1])) for when in ahead)) for task, gap in zip(film["tasks"], gaps, strict=True)
    )
    caption = f"Mean distance of imagination from observation, in its own units, over what is drawn: {names}"
    return PageTable(caption=caption, heads=("task", *(f"{when} ahead" for when in ahead)), rows=rows)
