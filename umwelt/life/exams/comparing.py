"""Compare several lives at their ends, over seeds and tasks, in numbers ready for JSON."""

import itertools
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from umwelt.evaluation.statistics import (
    improvement,
    improvement_interval,
    interquartile_mean,
    profile,
    profile_interval,
    stratified_interval,
)
from umwelt.life.exams.scores import Diary, mean_of

COMPARE_KEY = 40_000
"""The seed of the intervals."""
LEVELS = np.linspace(0.0, 1.0, 41)
"""Shares at which performance profiles are read."""


def compare(groups: Mapping[str, Diary]) -> dict[str, Any]:
    """Groups of lives, label -> diary; see `merged`. Their tasks are those that all seeds of all groups were probed on.

    Tasks pay differently, so a return counts as a share: 0 is the mean of all first probes on the task, 1 the best last
    probe of any seed. A task on which no seed became better than the first probes is left out.
    """
    ends = {label: _probed(diary, -1) for label, diary in groups.items()}
    begins = {label: _probed(diary, 0) for label, diary in groups.items()}
    seeds = [probed for each in ends.values() for probed in each.values()]
    tasks = [task for task in (seeds[0] if seeds else {}) if all(task in probed for probed in seeds)]
    tables = {label: _table(each, tasks) for label, each in ends.items()}
    if not tasks or any(not table.size for table in tables.values()):
        return {}
    best = np.max(np.concatenate(list(tables.values())), axis=0)
    floor = np.mean(np.concatenate([_table(each, tasks) for each in begins.values()]), axis=0)
    improved = best > floor
    shares = {label: (table[:, improved] - floor[improved]) / (best - floor)[improved] for label, table in tables.items()}
    found: dict[str, Any] = {
        "tasks": tasks,
        "floor": dict(zip(tasks, floor.tolist(), strict=True)),
        "best": dict(zip(tasks, best.tolist(), strict=True)),
        "left_out": [task for task, fine in zip(tasks, improved, strict=True) if not fine],
        "groups": {},
        "improvement": [],
    }
    for index, (label, table) in enumerate(tables.items()):
        key = jax.random.fold_in(jax.random.key(COMPARE_KEY), index)
        by_task = {task: _summary(key, table[:, column : column + 1]) for column, task in enumerate(tasks)}
        found["groups"][label] = {"seeds": len(table), "by_task": by_task}
        if improved.any():
            found["groups"][label] |= {"share": _summary(key, shares[label]), "profile": _profile(key, shares[label])}
    if improved.any():
        found["improvement"] = [_improvement(shares, ours, theirs) for ours, theirs in itertools.permutations(shares, 2)]
    return found


def _probed(diary: Diary, which: int) -> dict[int, dict[str, float]]:
    """seed -> task -> mean return of its first (0) or last (-1) probe."""
    probes, found = diary.probes, {}
    for row in np.argsort(probes["clock"], kind="stable")[:: 1 if which else -1]:
        if probes["label"][row] == "probe":
            found.setdefault(int(probes["seed"][row]), {})[str(probes["task"][row])] = mean_of(probes["returns"][row])
    return found


def _table(each: Mapping[int, Mapping[str, float]], tasks: list[str]) -> np.ndarray:
    """[seeds, tasks]."""
    return np.array([[probed[task] for task in tasks] for probed in each.values()], np.float64)


def _summary(key: jax.Array, table: np.ndarray) -> dict[str, float]:
    low, high = stratified_interval(key, table)
    return {"mean": interquartile_mean(table), "low": low, "high": high}


def _profile(key: jax.Array, table: np.ndarray) -> dict[str, list[float]]:
    low, high = profile_interval(key, table, LEVELS)
    found = {"levels": LEVELS, "share": profile(table, LEVELS), "low": low, "high": high}
    return {name: values.tolist() for name, values in found.items()}


def _improvement(shares: Mapping[str, np.ndarray], ours: str, theirs: str) -> dict[str, Any]:
    key = jax.random.key(COMPARE_KEY)
    low, high = improvement_interval(key, shares[ours], shares[theirs])
    return {"ours": ours, "theirs": theirs, "mean": improvement(shares[ours], shares[theirs]), "low": low, "high": high}
