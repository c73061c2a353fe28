"""Draw where each skill leads, from one start. A small picture, for a phone as well."""

from colorsys import hsv_to_rgb

import numpy as np

from umwelt.life.exams.skills import Traces
from umwelt.report.figure import INK, SMALL, Drawing, PageTable, finish, number, sheet

NEAR = 0.06
"""Share of the picture within which two ends have one label."""


def draw_traces(traces: Traces, name: str = "skills") -> Drawing:
    """Draw the trace of each skill in a colour of its own, with its number at the end; the start is a dot."""
    ends = ends_of(traces)
    count = len(traces.names)
    with sheet(3.3, wide=SMALL) as (figure, axes):
        panel = axes[0, 0]
        for index, (path, end) in enumerate(zip(traces.places, ends, strict=True)):
            # hues in a ring: neighbours look alike where skills are directions, and no two are the same
            colour = hsv_to_rgb(index / count, 0.85, 0.8)
            panel.plot(path[:, 0], path[:, 1], color=colour, linewidth=1.3)
            panel.plot(*end[:2], "o", color=colour, markersize=3)
        for place, text in labels(ends).items():
            panel.annotate(text, place, xytext=(3, 3), textcoords="offset points", fontsize=8)
        panel.plot(*traces.places[0, 0, :2], "o", color=INK, markersize=5)
        panel.set(xlabel="x", ylabel="y")
        panel.set_aspect("equal", adjustable="datalim")
        axis = ("x", "y", "z")[: ends.shape[1]]
        away = np.linalg.norm(ends - traces.places[:, 0], axis=1)
        rows = tuple(
            (str(index + 1), skill, *(number(float(value)) for value in end), number(float(far)), str(_length(path)))
            for index, (skill, end, far, path) in enumerate(zip(traces.names, ends, away, traces.places, strict=True))
        )
        title = "Where each skill leads"
        heads = ("number", "skill", *(f"end {each}" for each in axis), "from the start", "decisions")
        table = PageTable(caption=f"Ends of {count} skills on the task {traces.task}", heads=heads, rows=rows)
        text = (
            f"{title}: {count} traces from one start, which end {number(float(away.min()))} to {number(float(away.max()))} away."
        )
        return finish(figure, name, title, text, table, small=True)


def labels(ends: np.ndarray) -> dict[tuple[float, float], str]:
    """Number the ends [K, D] from 1; ends that lie too near for two labels share one: place -> text."""
    near = NEAR * max(1e-9, float(np.ptp(ends[:, :2], axis=0).max()))
    shared: dict[tuple[float, float], list[str]] = {}
    for index, (x, y) in enumerate(ends[:, :2].tolist()):
        place = next((each for each in shared if max(abs(each[0] - x), abs(each[1] - y)) < near), (x, y))
        shared.setdefault(place, []).append(str(index + 1))
    return {place: ", ".join(numbers) for place, numbers in shared.items()}


def ends_of(traces: Traces) -> np.ndarray:
    """The last known place of each skill: float64 [K, D]."""
    return np.stack([path[_length(path)] for path in traces.places])


def _length(path: np.ndarray) -> int:
    """Decisions of a trace before its episode ended."""
    return int(np.isfinite(path).all(axis=1).sum()) - 1
