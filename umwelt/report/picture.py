"""life.png: one life in one picture."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.exams.film import called, read_film
from umwelt.life.folder.folder import Folder

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""A palette that colour-blind eyes can separate."""
DIMENSIONS = 4
"""The most observed dimensions in the picture of one imagined trajectory."""


def draw_life(path: Path | str) -> Path:
    """Draw the life in a folder; returns the path of the picture."""
    folder = Folder.read(path)
    with Chronicle.read(folder.chronicle) as chronicle:
        episodes, probes = chronicle.episodes(), chronicle.probes()
        series = {name: chronicle.series(name) for name in ("surprise", "doubt")}
    figure = Figure(figsize=(10, 9), layout="constrained")
    FigureCanvasAgg(figure)
    top, middle, bottom = figure.subplots(3, 1)
    colours = {task: COLOURS[index % len(COLOURS)] for index, task in enumerate(dict.fromkeys(episodes["task"]))}
    _returns(top, episodes, probes, colours)
    _signals(middle, series)
    _foresight(bottom, folder.path / "foresight.npz", folder.description)
    figure.suptitle(f"{folder.name}: one life")
    target = folder.path / "life.png"
    draft = folder.path / ".life.png.tmp"
    figure.savefig(draft, format="png", dpi=110)
    draft.replace(target)
    return target


def _returns(axes: Any, episodes: dict[str, np.ndarray], probes: dict[str, np.ndarray], colours: dict[str, str]) -> None:
    for task, colour in colours.items():
        mine = episodes["task"] == task
        axes.plot(episodes["end"][mine], episodes["return"][mine], ".", color=colour, alpha=0.7, label=f"episode: {task}")
    for task in dict.fromkeys(probes["task"]):
        mine = probes["task"] == task
        clock, mean = probes["clock"][mine], probes["mean"][mine]
        spread = np.abs(np.stack([mean - probes["low"][mine], probes["high"][mine] - mean]))
        axes.errorbar(clock, mean, spread, fmt="o--", color=colours.get(task, "grey"), capsize=3, label=f"probe: {task}")
    axes.set(ylabel="return of an episode", xlabel="decisions")
    if colours or len(probes["clock"]):
        axes.legend(fontsize=7, ncols=2, title="bars of probes: 95 % intervals of the mean", title_fontsize=7)


def _signals(axes: Any, series: dict[str, dict[str, np.ndarray]]) -> None:
    for (name, rows), colour in zip(series.items(), COLOURS, strict=False):
        if len(rows["clock"]):
            axes.plot(rows["clock"], rows["value"], color=colour, label=name, linewidth=1)
    axes.set(ylabel="surprise and doubt", xlabel="decisions")
    axes.set_yscale("symlog", linthresh=0.1)
    if axes.lines:
        axes.legend(fontsize=7)


def _foresight(axes: Any, path: Path, description: dict[str, Any]) -> None:
    film = read_film(path)
    if not film:
        axes.text(0.5, 0.5, "this agent has no model to imagine with", ha="center", va="center")
        axes.set_axis_off()
        return
    real, imagined, task = film["real"][0, 0], film["imagined"][0, 0], film["tasks"][0]
    shown = np.argsort(-np.nanstd(real, axis=0))[:DIMENSIONS]
    for dimension, colour in zip(sorted(shown), COLOURS, strict=False):
        name = called(description, int(film["dimensions"][dimension]))
        axes.plot(real[:, dimension], color=colour, label=f"{name}: real")
        axes.plot(imagined[:, dimension], "--", color=colour, label="imagined before")
    axes.set(xlabel=f"decisions ahead, task {task}", ylabel="observation")
    axes.legend(fontsize=7, ncols=len(shown))
