"""The time that a life took, by part."""

import numpy as np

from umwelt.report.figure import Drawing, PageTable, finish, label_of, number, sheet
from umwelt.report.picture import COLOURS

PARTS = {
    "living": "acting and learning",
    "probe": "probes",
    "saving": "saving",
    "chronicle": "writing down",
    "memory": "memory on disk",
    "glimpses": "previews",
}
"""Names of the parts for people; others keep their own."""
DECISION = {"acting": "acting", "planning": "planning", "learning": "learning", "world": "the world"}


def seconds(timing: dict[str, np.ndarray]) -> dict[str, float]:
    """Seconds of each part over the whole life.

    Each row holds the sum since its process began. Where a sum falls, another process has resumed the life.
    """
    total: dict[str, float] = {}
    for name in dict.fromkeys(timing["part"]):
        sums = np.asarray(timing["seconds"][timing["part"] == name], np.float64)
        ends = np.append(sums[1:] < sums[:-1], True)
        total[str(name)] = float(sums[ends].sum())
    return total


def draw_spent(spent: dict[str, dict[str, float]], name: str = "time") -> Drawing | None:
    """Draw a bar for each life: label -> part -> seconds. None where there are no seconds."""
    return _bars(spent, PARTS, name, "Where the time went", "seconds")


def draw_decision(spent: dict[str, dict[str, float]], name: str = "decision") -> Drawing | None:
    """Draw a bar for each life: label -> part -> seconds of one decision (`umwelt.life.exams.cost`)."""
    known = {label: {part: 1e3 * value for part, value in each.items()} for label, each in spent.items()}
    return _bars(known, DECISION, name, "What one decision costs", "milliseconds")


def _bars(spent: dict[str, dict[str, float]], words: dict[str, str], name: str, title: str, unit: str) -> Drawing | None:
    known = {label: parts for label, parts in spent.items() if sum(parts.values()) > 0}
    if not known:
        return None
    written = dict.fromkeys(part for each in known.values() for part in each)
    parts = [*(part for part in words if part in written), *(part for part in written if part not in words)]
    with sheet(1.1 + 0.4 * len(known)) as (figure, axes):
        panel = axes[0, 0]
        left = np.zeros(len(known))
        for index, part in enumerate(parts):
            width = np.array([each.get(part, 0.0) for each in known.values()])
            hatch = ("", "//", "..", "xx", "\\\\", "++")[index % 6]
            style = {"color": COLOURS[index % 6], "hatch": hatch, "edgecolor": "#ffffff", "linewidth": 0.5}
            panel.barh(range(len(known)), width, left=left, label=label_of(words.get(part, part)), **style)
            left += width
        panel.set_yticks(range(len(known)), [label_of(label) for label in known])
        panel.invert_yaxis()
        panel.set_xlabel(unit)
        figure.legend(loc="outside lower center", ncols=4)
        rows = tuple(
            (label, words.get(part, part), number(each.get(part, 0.0), ".3g"), f"{each.get(part, 0.0) / sum(each.values()):.1%}")
            for label, each in known.items()
            for part in parts
        )
        text = "; ".join(
            f"{label}: " + ", ".join(f"{words.get(part, part)} {value:.3g} {unit}" for part, value in each.items())
            for label, each in known.items()
        )
        table = PageTable(caption=f"{title}, in {unit}", heads=("life", "part", unit, "share"), rows=rows)
        return finish(figure, name, title, f"Bars of {unit} by part. {text}.", table)
