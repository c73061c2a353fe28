"""The lifelong metrics in a table, each with its interval and a sentence."""

from typing import Any

from umwelt.report.figure import PageTable, estimate, number

METRICS = {
    "retention_mean": (
        "kept, over all tasks",
        "The return on a task now, over its best since the task's first lesson, both counted from before that lesson;"
        " 1 forgets nothing, 0 forgets all.",
    ),
    "retention_worst": ("kept, of the worst task", "The same for the worst task, which a mean hides."),
    "forgetting_mean": (
        "lost since",
        "The return that a task lost between the end of its own last lesson and now; below 0 it gained more.",
    ),
    "backward_transfer_mean": (
        "gained since",
        "The return that a task gained between the end of its own first lesson and now: the effect of later lessons.",
    ),
    "average_mean": (
        "return on average",
        "The mean return on a task over all probes since its first lesson began: how well the life did on the whole.",
    ),
    "regret_mean": (
        "regret",
        "How far that mean lies below the best of the same probes: what late learning and passing losses cost.",
    ),
    "error_growth_mean": (
        "error grown",
        "The model error (unexplained share of the next change) now, over that at the end of the task's first lesson;"
        " 1 or less forgets nothing.",
    ),
}


def metrics_table(scores: dict[str, dict[str, Any]]) -> PageTable:
    """A row for each metric: its mean for each score, and its meaning."""
    rows = []
    for key, (name, sentence) in METRICS.items():
        cells = [_estimate(score.get(key)) for score in scores.values()]
        rows.append((name, *cells, sentence))
    heads = ("metric", *(scores if len(scores) > 1 else ("mean [95 %]",)), "what it means")
    caption = (
        "Lifelong metrics: means over seeds and tasks; in brackets bootstrap intervals of 95 % over seeds and probe episodes"
    )
    return PageTable(caption=caption, heads=heads, rows=tuple(rows))


def tasks_table(scores: dict[str, dict[str, Any]]) -> PageTable:
    """A row for each task of each score."""
    rows = []
    for label, score in scores.items():
        growth = score["error_growth"] or {}
        for task in score["tasks"]:
            values = (score[key][task] for key in ("retention", "forgetting", "backward_transfer"))
            group = (label,) if len(scores) > 1 else ()
            rows.append((*group, task, *(number(value) for value in values), number(growth.get(task))))
    heads = (*(("lives",) if len(scores) > 1 else ()), "task", "kept", "lost since", "gained since", "error grown")
    return PageTable(caption="The same for each task, means over seeds", heads=heads, rows=tuple(rows))


def _estimate(value: dict[str, Any] | None) -> str:
    return "-" if value is None else estimate(value)
