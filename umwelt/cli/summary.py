"""Sum up a life: return and model error of each task before, right after learning it, and at the end."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from umwelt.cli.probe_lifelong import lifelong_tables
from umwelt.evaluation.exam import MODEL_ERROR
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.chronicle.named_numbers import names_in
from umwelt.life.exams.scores import Diary, diary, lessons, mean_of, score_of
from umwelt.life.folder.folder import Folder

MOMENTS = ("before", "after", "end")
ABSENT = "umwelt.worlds:Absent"
"""The world of a life that only studies a record."""


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
        "studied": studied,
        "acts": world_of(folder.description) != ABSENT,
        "tasks": _tasks(read),
        "broken": _broken(read),
        "lifelong": score_of(read),
        "seconds": _seconds(timing),
        "events": [{"clock": int(c), "name": str(n), "message": str(m)} for c, n, m in _events(events)],
    }


def world_of(description: dict[str, Any]) -> str:
    """The name of the world's part in the description of a life."""
    return str(description["life"]["fields"]["world"].get("part", ""))


def summary_tables(summary: dict[str, Any]) -> list[Any]:
    """The summary as rich tables and sentences."""
    returns = _table("return", summary["tasks"], _with_interval)
    known = any(task[moment]["model_error"] is not None for task in summary["tasks"] for moment in MOMENTS)
    errors = [_table("model error (unexplained share)", summary["tasks"], _error)] if known else []
    frames = f" ({summary['frames']:,} frames)" if summary["frames"] != summary["decisions"] else ""
    spent = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in summary["seconds"].items())
    events = [f"{event['name']} at {event['clock']:,}: {event['message']}" for event in summary["events"][-5:]]
    studied = f"{summary['studied']:,} lesson{'s' * (summary['studied'] != 1)} of study, " if summary["studied"] else ""
    made = f"{studied}{summary['decisions']:,} decisions{frames}; {spent}"
    if not summary["tasks"]:
        why = "its probes have no episodes" if summary["acts"] else "there is no world to examine it in, only a record"
        return [f"nothing was probed: {why}", made, *events]
    notes = [
        "return: mean over probe episodes [95 % bootstrap interval]",
        *([f"model error: {MODEL_ERROR.meaning}, which are the same in every probe"] if known else []),
        made,
    ]
    if summary["broken"]["episodes"] or summary["broken"]["probes"]:
        broken = summary["broken"]
        notes.append(
            f"broken: {broken['episodes']} of {broken['of_episodes']} episodes of the life and {broken['probes']} of"
            f" {broken['of_probes']} in probes ended because the world failed; they count in no return"
        )
    kept = lifelong_tables(summary["lifelong"], matrices=False) if summary["lifelong"] else []
    named = [_table(name, summary["tasks"], partial(_named, name)) for name in summary["tasks"][0]["end"]["named"]]
    return [returns, *named, *errors, *kept, *notes, *events]


def _broken(read: Diary) -> dict[str, int]:
    """How many episodes of the life, and of its probes, ended because the world failed."""
    probed = [value for returns in read.probes["returns"] for value in np.isnan(returns)]
    lived = np.isnan(np.asarray(read.episodes["return"], np.float64))
    return {"episodes": int(lived.sum()), "of_episodes": len(lived), "probes": sum(map(int, probed)), "of_probes": len(probed)}


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
    return {
        "clock": int(nearest),
        **{name: _known(probes[name][rows]) for name in ("mean", "low", "high")},
        "model_error": _known(probes["model_error"][rows]),
        "named": {name: _known([mean_of(each) for each in probes[name][rows]]) for name in names_in(probes)},
    }


def _known(values: Any) -> float | None:
    """The mean over the seeds whose number is known; None where none is."""
    known = np.asarray(values, np.float64)
    return None if np.isnan(known).all() else float(np.nanmean(known))


def _error(probe: dict[str, Any]) -> str:
    return "-" if probe["model_error"] is None else f"{probe['model_error']:.4f}"


def _named(name: str, probe: dict[str, Any]) -> str:
    return "-" if probe["named"][name] is None else f"{probe['named'][name]:.3g}"


def _with_interval(probe: dict[str, Any]) -> str:
    if probe["mean"] is None:
        return "- (all broken)"
    return f"{probe['mean']:.1f} [{probe['low']:.1f}, {probe['high']:.1f}]"


def _seconds(timing: dict[str, np.ndarray]) -> dict[str, float]:
    """Seconds spent by part, the newest sum of each."""
    return {str(name): float(timing["seconds"][timing["part"] == name][-1]) for name in dict.fromkeys(timing["part"])}


def _events(events: dict[str, np.ndarray]) -> Any:
    return zip(events["clock"], events["name"], events["message"], strict=True)
