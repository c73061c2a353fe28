"""Sum up a life: return and model error of each task before, right after learning it, and at the end."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from umwelt.cli.probe_lifelong import lifelong_tables
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.exams.scores import Diary, diary, lessons, score_of
from umwelt.life.folder.folder import Folder

MOMENTS = ("before", "after", "end")


def summary_of(path: Path) -> dict[str, Any]:
    """Read the life's folder into numbers, ready for JSON."""
    folder = Folder.read(path)
    with Chronicle.read(folder.chronicle) as chronicle:
        read, timing, events = diary(chronicle), chronicle.timing(), chronicle.events()
    rows = folder.description.get("rows", 1)
    studied = min(read.end, folder.description["life"]["fields"]["rhythm"]["fields"].get("study", 0))
    decisions = (read.end - studied) * rows
    return {
        "folder": str(folder.path),
        "command": folder.description["command"],
        "clock": read.end,
        "decisions": decisions,
        "frames": decisions * folder.description.get("repeat", 1),
        "seeds": sorted({int(seed) for seed in read.probes["seed"]}),
        "tasks": _tasks(read),
        "lifelong": score_of(read),
        "seconds": _seconds(timing),
        "events": [{"clock": int(c), "name": str(n), "message": str(m)} for c, n, m in _events(events)],
    }


def summary_tables(summary: dict[str, Any]) -> list[Any]:
    """The summary as rich tables and sentences."""
    returns = _table("return", summary["tasks"], _with_interval)
    errors = _table("model error", summary["tasks"], _error)
    frames = f" ({summary['frames']:,} frames)" if summary["frames"] != summary["decisions"] else ""
    spent = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in summary["seconds"].items())
    events = [f"{event['name']} at {event['clock']:,}: {event['message']}" for event in summary["events"][-5:]]
    notes = [
        "return: mean over probe episodes [95 % bootstrap interval]",
        "model error: share of the one-step change that stays unexplained, on the same random actions in every probe",
        f"{summary['decisions']:,} decisions{frames}; {spent}",
    ]
    kept = lifelong_tables(summary["lifelong"], matrices=False) if summary["lifelong"] else []
    return [returns, errors, *kept, *notes, *events]


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


def _tasks(read: Diary) -> list[dict[str, Any]]:
    """One entry for each task: its probes before, at the end of its first lesson, and at the end. A task without a lesson
    of its own has learned what it has at the end."""
    probes, episodes = read.probes, read.episodes
    if not len(probes["clock"]):
        return []
    last = int(probes["clock"].max())
    lived = (episodes["seed"] == probes["seed"].min()) & (episodes["row"] == 0)
    learned: dict[str, int] = {}
    for task, _, end in lessons(episodes["task"][lived], episodes["end"][lived], read.end):
        learned.setdefault(str(task), min(end, last))
    entries = []
    for task in dict.fromkeys(str(name) for name in probes["task"]):
        moments = {"before": 0, "after": learned.get(task, last), "end": last}
        entries.append({"task": task, **{moment: _at(probes, task, clock) for moment, clock in moments.items()}})
    return entries


def _at(probes: dict[str, np.ndarray], task: str, clock: int) -> dict[str, Any]:
    """The probe of a task nearest to a clock: means over all seeds of the returns and of their intervals."""
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
