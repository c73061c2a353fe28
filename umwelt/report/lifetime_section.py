"""The lifelong metrics in a table, each with its interval and a sentence."""

from typing import Any

from umwelt.report.figure import Table, estimate, number

METRICS = {
    "retention_mean": (
        "kept, over all tasks",
        "What a task is worth now, over the best it was ever worth since its first lesson, both counted from before it;"
        " 1 forgets nothing, 0 forgets all.",
    ),
    "retention_worst": ("kept, of the worst task", "The same of the task that suffered most, as a mean hides it."),
    "forgetting_mean": (
        "lost since",
        "How much return a task lost between the end of its own last lesson and now; below 0 it went on gaining.",
    ),
    "backward_transfer_mean": (
        "gained since",
        "How much return a task gained between the end of its own first lesson and now: what later lessons did to it.",
    ),
    "error_growth_mean": (
        "error grown",
        "The world model's error now, over that at the end of the task's first lesson; 1 or less forgets nothing.",
    ),
}


def metrics_table(scores: dict[str, dict[str, Any]]) -> Table:
    """A row for each metric: its mean for each score, and what it means."""
    rows = []
    for key, (name, sentence) in METRICS.items():
        cells = [_told(score.get(key)) for score in scores.values()]
        rows.append((name, *cells, sentence))
    heads = ("metric", *(scores if len(scores) > 1 else ("mean [95 %]",)), "what it means")
    caption = (
        "Lifelong metrics: means over seeds and tasks; in brackets bootstrap intervals of 95 % over seeds and probe episodes"
    )
    return Table(caption=caption, heads=heads, rows=tuple(rows))


def tasks_table(scores: dict[str, dict[str, Any]]) -> Table:
    """A row for each task of each score."""
    rows = []
    for label, score in scores.items():
        growth = score["error_growth"] or {}
        for task in score["tasks"]:
            told = (score[key][task] for key in ("retention", "forgetting", "backward_transfer"))
            group = (label,) if len(scores) > 1 else ()
            rows.append((*group, task, *(number(value) for value in told), number(growth.get(task))))
    heads = (*(("lives",) if len(scores) > 1 else ()), "task", "kept", "lost since", "gained since", "error grown")
    return Table(caption="The same for each task, means over seeds", heads=heads, rows=tuple(rows))


def _told(value: dict[str, Any] | None) -> str:
    return "-" if value is None else estimate(value)
