"""Groups of lives side by side: the returns of each at its end."""

from typing import Any

import numpy as np

from umwelt.report.figure import Drawing, PageTable, band, counted, estimate, finish, interval, label_of, lines, number, sheet


def draw_profiles(found: dict[str, Any], name: str = "profiles") -> Drawing | None:
    """Draw the performance profile of each group; None where there is nothing to take shares of."""
    known = {label: each["profile"] for label, each in found["groups"].items() if "profile" in each}
    if not known:
        return None
    with sheet(3.2) as (figure, axes):
        panel = axes[0, 0]
        for (label, each), style in zip(known.items(), lines(list(known)).values(), strict=True):
            panel.fill_between(
                each["levels"], each["low"], each["high"], color=style["color"], alpha=0.18, linewidth=0, step="post"
            )
            panel.step(each["levels"], each["share"], where="post", label=label_of(label, 40), **style)
        panel.set(
            xlabel="share of the best return, counted from before learning",
            ylabel="runs above it",
            xlim=(0, 1),
            ylim=(-0.02, 1.02),
        )
        handles, _ = panel.get_legend_handles_labels()
        handles.append(band("region: 95 % interval over seeds, of each level alone"))
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
        marks = [index for index, level in enumerate(next(iter(known.values()))["levels"]) if round(level * 40) % 4 == 0]
        heads = ("lives", *(f"above {next(iter(known.values()))['levels'][mark]:.1f}" for mark in marks))
        rows = tuple(
            (label, *(interval(each["share"][mark], each["low"][mark], each["high"][mark], ".2f") for mark in marks))
            for label, each in known.items()
        )
        halves = "; ".join(
            f"{label}: {number(float(np.interp(0.5, each['levels'], each['share'])))}" for label, each in known.items()
        )
        title = "Performance profiles"
        alternative = f"For each group, the share of seeds and tasks above a level. Above one half: {halves}."
        return finish(figure, name, title, alternative, PageTable(caption=title, heads=heads, rows=rows))


def worth_table(found: dict[str, Any]) -> PageTable:
    """The interquartile mean of each group: over all tasks as a share, and of each task in its own returns."""
    groups = found["groups"]
    rows = []
    if all("share" in each for each in groups.values()):
        rows.append(("all tasks, as a share of the best", *(estimate(each["share"], ".3f") for each in groups.values())))
    rows += [(f"return on {task}", *(estimate(each["by_task"][task]) for each in groups.values())) for task in found["tasks"]]
    heads = ("interquartile mean [95 %]", *(f"{label} ({counted(each['seeds'], 'seed')})" for label, each in groups.items()))
    return PageTable(caption="Returns of each group at its last probe", heads=heads, rows=tuple(rows))


def improvement_table(found: dict[str, Any]) -> PageTable | None:
    """The chance that a seed of one group beats one of another."""
    if not found["improvement"]:
        return None
    rows = tuple((pair["ours"], pair["theirs"], estimate(pair, ".3f")) for pair in found["improvement"])
    heads = ("this group", "beats that group", "with the chance [95 %]")
    caption = (
        "Probability of improvement: a seed of one group against one of the other, on a task drawn evenly; a tie counts half"
    )
    return PageTable(caption=caption, heads=heads, rows=rows)
