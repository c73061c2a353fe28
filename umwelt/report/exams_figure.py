"""Draw the exams of a life over its clock: what each task was worth, and how well the model knew it."""

import numpy as np

from umwelt.report.figure import Drawing, PageTable, band, finish, label_of, lines, number, sheet

MOST = 12
"""Tasks that are drawn: the first ones, since more lines cannot be distinguished."""
PANELS = {"mean": "return in exams", "model_error": "model error"}


def draw_exams(probes: dict[str, np.ndarray], name: str = "exams") -> Drawing | None:
    """Draw a line for each task, the mean over seeds. None where no task was examined twice.

    It is for lives without lessons, such as those whose teacher draws its own tasks: those have no map of what was kept.
    """
    tasks = list(dict.fromkeys(str(task) for task in probes["task"]))[:MOST]
    if len(set(probes["clock"].tolist())) < 2:
        return None
    panels = {key: {task: _over_clock(probes, task, key) for task in tasks} for key in PANELS}
    shown = {key: found for key, found in panels.items() if any(np.isfinite(mean).any() for _, mean, _, _ in found.values())}
    if not shown:
        return None
    several = len(set(probes["seed"].tolist())) > 1
    with sheet(2.9, 1, len(shown)) as (figure, axes):
        for panel, (key, found) in zip(axes[0], shown.items(), strict=True):
            for (task, (clock, mean, low, high)), style in zip(found.items(), lines(tasks).values(), strict=True):
                panel.plot(clock, mean, marker="o", markersize=2.5, linewidth=1.2, label=label_of(task), **style)
                if several:
                    panel.fill_between(clock, low, high, color=style["color"], alpha=0.12, linewidth=0)
            panel.set(xlabel="decisions of each row", ylabel=PANELS[key])
            panel.xaxis.set_major_formatter("{x:,.0f}")
            if key == "model_error":
                panel.set_ylim(bottom=0)
        handles, _ = axes[0, 0].get_legend_handles_labels()
        handles += [band("region: lowest to highest seed", 0.12)] if several else []
        figure.legend(handles=handles, loc="outside lower center", ncols=4)
        heads = ("task", *(f"{PANELS[key]}, {when}" for key in shown for when in ("first", "last")))
        rows = tuple(
            (task, *(number(float(shown[key][task][1][at])) for key in shown for at in (0, -1))) for task in tasks
        )  # fmt: skip
        title = "What each task was worth in exams"
        first = probes["clock"].min()
        text = f"{title}, from decision {first:,} to {probes['clock'].max():,}, on {len(tasks)} tasks."
        table = PageTable(caption="The first and the last exam on each task", heads=heads, rows=rows)
        return finish(figure, name, title, text, table)


def _over_clock(probes: dict[str, np.ndarray], task: str, key: str) -> tuple[np.ndarray, ...]:
    """(clocks [T], mean, lowest and highest of the seeds at each) of one task."""
    mine = probes["task"].astype(str) == task
    clock, value = probes["clock"][mine].astype(np.int64), probes[key][mine].astype(np.float64)
    clocks = np.unique(clock)
    groups = [value[clock == each] for each in clocks]
    return clocks, *(np.array([of(group) for group in groups]) for of in (np.mean, np.min, np.max))
