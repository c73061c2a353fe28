"""Retention as a heat map: every task after every lesson."""

import math
from typing import Any

import numpy as np
from matplotlib.patches import Rectangle

from umwelt.report.figure import SEAMLESS, Drawing, PageTable, finish, label_of, number, sheet

Limits = dict[str, tuple[float, float]]
WRITTEN = 12
"""The most tasks or lessons whose numbers stand in the cells."""
NAMED = 40
"""The most names along a side; of more, every second or third stands there."""
DARK = 0.55
"""The picture writes shares below this in white."""
KINDS = {
    "return_matrix": ("returns", "Return of each task after each lesson"),
    "error_matrix": ("errors", "Model error of each task after each lesson"),
}


def draw_heat(scores: dict[str, dict[str, Any]], kind: str) -> Drawing | None:
    """Draw one map for each score that has such a matrix; None where no score has one.

    Colours go from the lowest to the highest return of each task, and for model errors from 0 to 1.
    """
    known = {label: score for label, score in scores.items() if score and score[kind] is not None}
    if not known:
        return None
    name, title = KINDS[kind]
    columns = min(2, len(known))
    rows = -(-len(known) // columns)
    most = max(max(len(score["tasks"]), len(score["lessons"])) for score in known.values())
    errors = {task: (0.0, 1.0) for score in known.values() for task in score["tasks"]}
    limits = ranges(known) if kind == "return_matrix" else errors
    tall = 1.1 + min(6.2, max(2.2, 0.24 * most * (1 if columns > 1 else 1.1)))
    with sheet(tall * rows, rows, columns) as (figure, axes):
        image: Any = None
        for spare in axes.ravel()[len(known) :]:
            spare.set_axis_off()
        for each, (label, score) in zip(axes.ravel(), known.items(), strict=False):
            image = _map(each, score, kind, limits, title=label_of(label, 40) if len(known) > 1 else "", columns=columns)
        meaning = "share of the task's range" if kind == "return_matrix" else "unexplained share of the next change"
        figure.colorbar(image, ax=axes, label=meaning, shrink=0.7, aspect=30)
        return finish(figure, name, title, _alternative(known, kind, title), _table(known, kind, title))


def ranges(scores: dict[str, dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """task -> its lowest and highest return in all matrices, so that maps side by side share a scale."""
    found: dict[str, tuple[float, float]] = {}
    for score in scores.values():
        for task, column in zip(score["tasks"], np.array(score["return_matrix"], np.float64).T, strict=True):
            known = column[~np.isnan(column)].tolist()
            low, high = found.get(task, (np.inf, -np.inf))
            found[task] = (min([low, *known]), max([high, *known]))
    return found


def shades(matrix: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Scale a matrix [lessons, tasks] to 0 .. 1 from low to high [tasks]; NaN stays NaN.

    A task with one return throughout is neither good nor bad: 0.5.
    """
    apart = high > low
    share = (matrix - np.where(apart, low, 0.0)) / np.where(apart, high - low, 1.0)
    return np.where(np.isnan(matrix), np.nan, np.where(apart, np.clip(share, 0.0, 1.0), 0.5))


def _map(axes: Any, score: dict[str, Any], kind: str, limits: Limits, title: str, columns: int) -> Any:
    matrix = np.array(score[kind], np.float64)
    shaded = shades(matrix, *(np.array([limits[task][side] for task in score["tasks"]]) for side in (0, 1)))
    # errors are bad: the colours are reversed, so that bright is good in both
    image = axes.pcolormesh(shaded, vmin=0, vmax=1, cmap="cividis" if kind == "return_matrix" else "cividis_r", **SEAMLESS)
    axes.invert_yaxis()
    tasks, learned = score["tasks"], [lesson["task"] for lesson in score["lessons"]]
    if max(len(tasks), len(learned)) <= WRITTEN // columns + 2 * (columns > 1):
        for (lesson, task), value in np.ndenumerate(matrix):
            bright = shaded[lesson, task] if kind == "return_matrix" else 1.0 - shaded[lesson, task]
            # not pure black, which would turn white on a dark page
            colour = "#ffffff" if bright < DARK else "#010101"
            text = number(value, ".3g")
            axes.text(task + 0.5, lesson + 0.5, text, ha="center", va="center", color=colour, fontsize=8)
    for lesson, task in enumerate(learned):
        corner = (tasks.index(task) + 0.06, lesson + 0.06)
        axes.add_patch(Rectangle(corner, 0.88, 0.88, fill=False, edgecolor="#D55E00", linewidth=1.5))
    for names, put, form in ((tasks, axes.set_xticks, {"rotation": 60, "ha": "right", "rotation_mode": "anchor"}),
                               (learned, axes.set_yticks, {})):  # fmt: skip
        chosen = np.arange(0, len(names), math.ceil(len(names) / NAMED))
        shown = [label_of(names[index], 14) for index in chosen]
        put(chosen + 0.5, shown, fontsize=9 if len(names) <= 12 else 6, **form)
    axes.set(xlabel="task probed", ylabel="after the lesson on", title=title)
    axes.tick_params(length=0)
    return image


def _alternative(known: dict[str, dict[str, Any]], kind: str, title: str) -> str:
    texts = []
    for label, score in known.items():
        matrix = np.array(score[kind], np.float64)
        own = [matrix[lesson, score["tasks"].index(each["task"])] for lesson, each in enumerate(score["lessons"])]
        texts.append(
            f"{label}: {len(score['lessons'])} lessons on {len(score['tasks'])} tasks, on the mean "
            f"{number(_mean(own))} right after a task's own lesson and {number(_mean(matrix[-1]))} over all tasks at the end"
        )
    return f"Heat map. {title}. {'; '.join(texts)}. All numbers stand in the table below."


def _mean(values: Any) -> float:
    """Average the values that are known; NaN where none is."""
    known = [value for value in values if value == value]
    return float(np.mean(known)) if known else float("nan")


def _table(known: dict[str, dict[str, Any]], kind: str, title: str) -> PageTable:
    tasks = list(dict.fromkeys(task for score in known.values() for task in score["tasks"]))
    rows = []
    for label, score in known.items():
        for number_, (lesson, values) in enumerate(zip(score["lessons"], score[kind], strict=True), 1):
            by_task = dict(zip(score["tasks"], values, strict=True))
            group = (label,) if len(known) > 1 else ()
            rows.append((*group, f"{number_}. {lesson['task']}", *(number(by_task.get(task)) for task in tasks)))
    heads = (*(("lives",) if len(known) > 1 else ()), "after the lesson on", *tasks)
    return PageTable(caption=f"{title}; a row for each lesson, a column for each task", heads=heads, rows=tuple(rows))
