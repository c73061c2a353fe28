"""Retention matrices side by side: the return of each task after each lesson."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DARK = 0.6
"""The picture writes shares below this in white."""


def draw_matrices(matrices: Mapping[str, Mapping[str, Any]], target: Path, title: str = "") -> Path:
    """Draw one heat map for each name, from `tasks`, `lessons` and `returns` [lessons, tasks].

    Cells are shares of the best return that any of them reached on the task, which must lie above zero.
    """
    drawn = shares(matrices)
    figure = Figure(figsize=(1.2 + 4.2 * len(matrices), 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    row = np.atleast_1d(figure.subplots(1, len(matrices)))
    image: Any = None
    for axes, (name, each) in zip(row, matrices.items(), strict=True):
        image = axes.imshow(drawn[name], vmin=0.0, vmax=1.0, cmap="cividis")
        axes.set_xticks(range(len(each["tasks"])), each["tasks"], rotation=30)
        axes.set_yticks(range(len(each["lessons"])), each["lessons"])
        axes.set(title=name, xlabel="task probed", ylabel="after the lesson on")
        for lesson, line in enumerate(drawn[name]):
            for task, share in enumerate(line):
                axes.text(task, lesson, f"{share:.2f}", ha="center", va="center", color="white" if share < DARK else "black")
    figure.colorbar(image, ax=list(row), label="share of the best return on the task", shrink=0.8)
    if title:
        figure.suptitle(title)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.tmp")
    figure.savefig(draft, format=target.suffix[1:], dpi=90)
    draft.replace(target)
    return target


def shares(matrices: Mapping[str, Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Divide returns by the best that any name reached on the task: [lessons, tasks] for each name."""
    best: dict[str, float] = {}
    for each in matrices.values():
        for task, highest in zip(each["tasks"], np.max(each["returns"], axis=0), strict=True):
            best[task] = max(best.get(task, -np.inf), float(highest))
    low = [task for task, value in best.items() if value <= 0]
    if low:
        raise ValueError(f"matrices: no return on {', '.join(low)} is above zero, so there is nothing to take shares of")
    return {name: np.asarray(each["returns"]) / [best[task] for task in each["tasks"]] for name, each in matrices.items()}
