"""What a life came to: return and model error of each task before, right after learning it, and at the end."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from umwelt.cli.probe_lifelong import lifelong_tables
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.exams.scores import score
from umwelt.life.folder.folder import Folder

MOMENTS = ("before", "after", "end")


def summary_of(path: Path) -> dict[str, Any]:
    """The life's folder in numbers, ready for JSON."""
    folder = Folder.read(path)
    with Chronicle.read(folder.chronicle) as chronicle:
        probes, timing, events = chronicle.probes(), chronicle.timing(), chronicle.events()
        clock, kept = chronicle.last_clock(), score(chronicle)
    fields = folder.description["life"]["fields"]
    rows = folder.description.get("rows", 1)
    tasks = _tasks(probes, fields)
    return {
        "folder": str(folder.path),
        "command": folder.description["command"],
        "clock": clock,
        "decisions": clock * rows,
        "frames": clock * rows * folder.description.get("repeat", 1),
        "seeds": sorted({int(seed) for seed in probes["seed"]}),
        "tasks": tasks,
        "lifelong": kept,
        "seconds": _seconds(timing),
        "events": [{"clock": int(c), "name": str(n), "message": str(m)} for c, n, m in _events(events)],
    }


def summary_tables(summary: dict[str, Any]) -> list[Any]:
    """The summary as rich tables and sentences."""
    returns = _table("return", summary["tasks"], _with_interval)
    errors = _table("model error", summary["tasks"], _error)
    frames = f" ({summary['frames']:,} frames)" if summary["frames"] != summary["decisions"] else ""
    spent = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in summary["seconds"].items())
    told = [f"{event['name']} at {event['clock']:,}: {event['message']}" for event in summary["events"][-5:]]
    notes = [
        "return: mean over probe episodes [95 % bootstrap interval]",
        "model error: share of the one-step change that stays unexplained, on the same random actions in every probe",
        f"{summary['decisions']:,} decisions{frames}; {spent}",
    ]
    kept = lifelong_tables(summary["lifelong"], matrices=False) if summary["lifelong"] else []
    return [returns, errors, *kept, *notes, *told]


def _table(title: str, tasks: list[dict[str, Any]], form: Any) -> Table:
    """One row a task; the middle column only where a life went on to something else."""
    returned = any(task["after"]["clock"] != task["end"]["clock"] for task in tasks)
    moments = MOMENTS if returned else ("before", "end")
    heads = {"before": "before", "after": "right after learning it", "end": "at the end"}
    table = Table(title=title, title_justify="left")
    table.add_column("task")
    for moment in moments:
        table.add_column(heads[moment], justify="right")
    for task in tasks:
        table.add_row(task["task"], *(form(task[moment]) for moment in moments))
    return table


def _tasks(probes: dict[str, np.ndarray], fields: dict[str, Any]) -> list[dict[str, Any]]:
    """One entry for each task: its probes before, at the end of its first block, and at the end."""
    if not len(probes["clock"]):
        return []
    order = list(dict.fromkeys(probes["task"]))
    names, steps = _blocks(fields)
    last = int(probes["clock"].max())
    entries = []
    for task in order:
        learned = (names.index(task) + 1) * steps if task in names else last
        moments = {"before": 0, "after": min(learned, last), "end": last}
        entries.append({"task": str(task), **{moment: _at(probes, task, clock) for moment, clock in moments.items()}})
    return entries


def _blocks(fields: dict[str, Any]) -> tuple[list[str], int]:
    teacher = fields["teacher"]["fields"]
    names = teacher.get("names", {"tuple": []})
    return list(names["tuple"]), int(teacher.get("steps", 0))


def _at(probes: dict[str, np.ndarray], task: str, clock: int) -> dict[str, Any]:
    """The probe of a task nearest to a clock: over all seeds, the mean and the widest interval that is honest."""
    mine = probes["task"] == task
    nearest = probes["clock"][mine][np.argmin(np.abs(probes["clock"][mine] - clock))]
    rows = np.flatnonzero(mine & (probes["clock"] == nearest))
    errors = np.asarray(probes["model_error"][rows], np.float64)
    return {
        "clock": int(nearest),
        "mean": float(np.mean(probes["mean"][rows])),
        "low": float(np.mean(probes["low"][rows])),
        "high": float(np.mean(probes["high"][rows])),
        "model_error": None if np.isnan(errors).all() else float(np.nanmean(errors)),
    }


def _error(probe: dict[str, Any]) -> str:
    return "-" if probe["model_error"] is None else f"{probe['model_error']:.4f}"


def _with_interval(probe: dict[str, Any]) -> str:
    return f"{probe['mean']:.1f} [{probe['low']:.1f}, {probe['high']:.1f}]"


def _seconds(timing: dict[str, np.ndarray]) -> dict[str, float]:
    """Seconds spent by part, the newest sum of each."""
    return {str(name): float(timing["seconds"][timing["part"] == name][-1]) for name in dict.fromkeys(timing["part"])}


def _events(events: dict[str, np.ndarray]) -> Any:
    return zip(events["clock"], events["name"], events["message"], strict=True)
