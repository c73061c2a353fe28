"""The score of a life that met more than one task, as tables and sentences."""

from typing import Any

from rich.table import Table

from umwelt.life.exams.scores import RETURN

MOST_LESSONS = 12
"""Rows of a matrix that are shown: the last lessons."""
NOTES = (
    "kept: now over the best since its first lesson, both counted from before it; 1 forgets nothing, and - is a task whose"
    " gain is no more than the noise of its probes",
    "lost since: what the {measure} lost since the end of the last lesson on the task; a negative number is a gain",
    "on average: the mean {measure} over all probes since the first lesson on the task began",
    "regret: how far that lies below {best}",
    "error grown: the model error now, over that after the first lesson on the task; 1 or less forgets nothing",
)


def lifelong_tables(score: dict[str, Any], matrices: bool = True, best: float | None = None) -> list[Any]:
    """Tables of what is kept, and with `matrices` of every task after every lesson. best: what regret counts from."""
    shown: list[Any] = []
    measure = score["measure"]
    form = ".1f" if measure == RETURN else ".3g"
    if matrices:
        for name, title in (
            ("return_matrix", f"{measure} of each task after each lesson"),
            ("error_matrix", "model error (unexplained share of the next change), likewise"),
        ):
            if score[name] is not None:
                shown.append(_matrix(title, score, score[name]))
    table = Table(title="retention", title_justify="left")
    for head in ("task", "kept", "lost since", "on average", "regret", "error grown"):
        table.add_column(head, justify="left" if head == "task" else "right")
    growth = score["error_growth"] or {}
    for task in score["tasks"]:
        values = (_number(score[name][task], form) for name in ("forgetting", "average", "regret"))
        table.add_row(task, _number(score["retention"][task], ".3f"), *values, _number(growth.get(task), ".2f"))
    means = (
        f"kept on the mean {_interval(score['retention_mean'], '.3f')}, "
        f"of the worst task {_interval(score['retention_worst'], '.3f')}; "
        f"lost since, on the mean {_interval(score['forgetting_mean'], form)}; "
        f"on average {_interval(score['average_mean'], form)}, with a regret of {_interval(score['regret_mean'], form)}"
    )
    words = {"measure": measure, "best": "the best of these probes" if best is None else f"{best:g}"}
    return [*shown, table, means, *(note.format(**words) for note in NOTES)]


def _matrix(title: str, score: dict[str, Any], matrix: list[list[float]]) -> Table:
    left_out = max(0, len(matrix) - MOST_LESSONS)
    table = Table(title=title + (f" (the last {MOST_LESSONS} lessons)" if left_out else ""), title_justify="left")
    table.add_column("lesson")
    for task in score["tasks"]:
        table.add_column(task, justify="right")
    for lesson, row in list(zip(score["lessons"], matrix, strict=True))[left_out:]:
        cells = [_number(value, ".4g") for value in row]
        own = score["tasks"].index(lesson["task"])
        cells[own] = f"[bold]{cells[own]}[/bold]"
        table.add_row(f"{lesson['task']}, to {lesson['end']:,}", *cells)
    return table


def _interval(value: dict[str, Any], form: str = ".1f") -> str:
    return f"{_number(value['mean'], form)} [{_number(value['low'], form)}, {_number(value['high'], form)}]"


def _number(value: float | None, form: str = ".1f") -> str:
    return "-" if value is None or value != value else f"{value:{form}}"
