"""Draw how an agent stands to the data that it was shown. Small pictures, for a phone as well."""

import numpy as np

from umwelt.life.exams.offline import Offline
from umwelt.report.figure import BLUE, INK, SMALL, Drawing, PageTable, finish, number, sheet

DATA = (
    "This is the save of decision {clock:,}, beside moments that the agent was shown, spread evenly over the data. The policy is"
    " followed through exams. A value is of the action that was done; a return that was cut off counts only what was recorded."
)
BEST = 0.1
"""The share of the shown moments, by what they gained, that counts as the best."""
NEAR = 0.1
"""Half-ranges of a Box within which two actions agree."""


def draw_offline(found: Offline, name: str = "offline") -> list[Drawing]:
    """Draw where the data are and where the policy goes, and values against what was gained."""
    return [_map(found, f"{name}-map"), *([] if found.worth is None else [_values(found, found.worth, f"{name}-values")])]


def agreement_table(found: Offline) -> PageTable:
    """Say how often the agent would do what was done, of all moments and of the best."""
    best = found.gained >= np.quantile(found.gained, 1.0 - BEST)
    rows = []
    for title, chosen in (("all", np.ones(len(best), bool)), (f"the best {BEST:.0%}", best)):
        done, would = found.done[chosen], found.would[chosen]
        apart = np.abs(done - would)
        agree = np.mean((apart < 0.5) if found.choices else (apart <= NEAR), axis=0)
        for index in range(done.shape[1]):
            which = title if done.shape[1] == 1 else f"{title}, action {index}"
            cells = (number(float(agree[index]), ".0%"), "-" if found.choices else number(float(np.mean(apart[:, index]))))
            rows.append((which, f"{len(done):,}", *cells))
    caption = "Moments at which the agent would do what was done" + (
        "" if found.choices else f", within {NEAR} of half the range; the distance is in the same units"
    )
    return PageTable(caption=caption, heads=("moments", "how many", "agree", "mean distance"), rows=tuple(rows))


def plane(found: Offline) -> tuple[np.ndarray, np.ndarray, tuple[str, str]]:
    """Data [N, 2] and what the policy meets [M, 2] on two axes, with their names.

    Of more than two numbers that vary, the axes are the first two principal components of the standardised data.
    """
    deviation = found.seen.std(axis=0)
    varying = np.flatnonzero(deviation > 1e-9 * np.maximum(1.0, np.abs(found.seen).max(axis=0)))
    if len(varying) == 0:
        varying = np.arange(1)
    if len(varying) <= 2:
        first, second = int(varying[0]), int(varying[-1])
        chosen = [first, second]
        return found.seen[:, chosen], found.went[:, chosen], (found.names[first], found.names[second])
    middle, scale = found.seen[:, varying].mean(axis=0), deviation[varying]
    standard = (found.seen[:, varying] - middle) / scale
    _, strength, axes = np.linalg.svd(standard, full_matrices=False)
    # the sign of a component is arbitrary; its largest entry counts up
    axes = axes[:2] * np.sign(axes[[0, 1], np.abs(axes[:2]).argmax(axis=1)])[:, None]
    share = strength**2 / np.sum(strength**2)
    names = f"component 1 ({share[0]:.0%} of the spread)", f"component 2 ({share[1]:.0%})"
    return standard @ axes.T, ((found.went[:, varying] - middle) / scale) @ axes.T, names


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's, without correction for ties; NaN where one of them is constant."""
    ranks = [np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(float) for values in (first, second)]
    constant = min(np.ptp(first), np.ptp(second)) == 0
    return float("nan") if constant else float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _map(found: Offline, name: str) -> Drawing:
    data, went, axes = plane(found)
    with sheet(3.2, wide=SMALL) as (figure, panels):
        panel = panels[0, 0]
        panel.plot(data[:, 0], data[:, 1], "o", color=INK, alpha=0.25, markersize=2, markeredgewidth=0, label="the data")
        if len(went):
            panel.plot(went[:, 0], went[:, 1], "x", color=BLUE, markersize=3, label="the policy")
            figure.legend(loc="outside lower center", ncols=2, markerscale=2)
        panel.set(xlabel=axes[0], ylabel=axes[1])
        rows = tuple(
            (what, f"{len(points):,}", *(number(float(value)) for value in (*points.min(axis=0), *points.max(axis=0))))
            for what, points in (("the data", data), ("the policy", went))
            if len(points)
        )
        title = "Where the data are, and where the policy goes" if len(went) else "Where the data are"
        heads = ("what", "moments", "lowest across", "lowest up", "highest across", "highest up")
        table = PageTable(caption="Extent of what is drawn", heads=heads, rows=rows)
        if len(went):
            low, high = data.min(axis=0), data.max(axis=0)
            beyond = float(np.mean(np.any((went < low) | (went > high), axis=1)))
            text = f"{title}: {beyond:.0%} of what the policy meets lies outside the range of the data on these axes."
        else:
            text = f"{title}: {len(data):,} moments."
        return finish(figure, name, title, text, table, small=True)


def _values(found: Offline, worth: np.ndarray, name: str) -> Drawing:
    with sheet(3.2, wide=SMALL) as (figure, panels):
        panel = panels[0, 0]
        panel.plot(found.gained, worth, "o", color=BLUE, alpha=0.35, markersize=2, markeredgewidth=0)
        ends = [min(found.gained.min(), worth.min()), max(found.gained.max(), worth.max())]
        panel.plot(ends, ends, ":", color=INK, linewidth=1)
        panel.set(xlabel=f"gained to the end, discount {found.discount:g}", ylabel="value of what was done")
        alike, over = rank_correlation(found.gained, worth), float(np.mean(worth - found.gained))
        rows = (("rank correlation", number(alike)), ("mean of value minus what was gained", number(over)))
        title = "Values against what was gained"
        table = PageTable(caption=f"{len(worth):,} shown moments", heads=("what", "number"), rows=rows)
        text = f"{title}: rank correlation {number(alike)}; the values lie {number(over)} above on average."
        return finish(figure, name, title, text, table, small=True)
