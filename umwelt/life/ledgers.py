"""From a chronicle to the score of a life that met more than one task."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from umwelt.core import part
from umwelt.evaluation.lifelong import Ledger
from umwelt.evaluation.statistics import RESAMPLES
from umwelt.life.chronicle import Chronicle

SCORE_KEY = 30_000
"""The seed of the intervals."""
DRAWS = RESAMPLES // 10
"""Ledgers that are drawn for an interval: each is a whole life read anew."""

Score = dict[str, Any]


@part
class Diary:
    """What a chronicle knows of tasks: its episodes, its probes, and the clock of its end."""

    episodes: dict[str, np.ndarray]
    probes: dict[str, np.ndarray]
    end: int


def diary(chronicle: Chronicle) -> Diary:
    """Read once what every ledger is made of."""
    return Diary(episodes=chronicle.episodes(), probes=chronicle.probes(), end=chronicle.last_clock())


def ledgers(diary: Diary, errors: bool = False, random: np.random.Generator | None = None) -> dict[int, Ledger]:
    """The ledger of each seed: of mean returns, or of the model's one-step errors. With `random`, the episodes of
    each probe are drawn anew."""
    episodes, probes, made = diary.episodes, diary.probes, {}
    for seed in sorted(set(probes["seed"])):
        mine = probes["seed"] == seed
        known = set(probes["task"][mine])
        ledger = Ledger(errors=errors)
        lived = (episodes["seed"] == seed) & (episodes["row"] == 0)
        for task, begin, stop in _lessons(episodes["task"][lived], episodes["end"][lived], diary.end):
            ledger = ledger.lived(task, begin, stop) if task in known else ledger
        values = probes["model_error"] if errors else np.array([_mean_return(each, random) for each in probes["returns"]])
        for clock in sorted(set(probes["clock"][mine])):
            now = np.flatnonzero(mine & (probes["clock"] == clock) & (probes["label"] == "probe"))
            ledger = ledger.probed(int(clock), {str(probes["task"][row]): float(values[row]) for row in now})
        made[int(seed)] = ledger
    return made


def score(chronicle: Chronicle) -> Score:
    """What a life kept, in numbers ready for JSON; empty for a life of one task. Means over seeds; intervals of 95 %
    over seeds and the episodes of their probes."""
    read = diary(chronicle)
    lives = ledgers(read)
    if not lives or any(len(ledger.tasks) < 2 for ledger in lives.values()):
        return {}
    first = next(iter(lives.values()))
    errors, drawn = ledgers(read, errors=True), _redrawn(read)
    known = all(not np.isnan(ledger.matrix()).any() for ledger in errors.values())
    return {
        "tasks": list(first.tasks),
        "lessons": [vars(lesson) for lesson in first.lessons],
        "return_matrix": _mean_matrix(lives),
        "error_matrix": _mean_matrix(errors) if known else None,
        "retention": _by_task(lives, Ledger.retention),
        "forgetting": _by_task(lives, Ledger.forgetting),
        "backward_transfer": _by_task(lives, Ledger.backward_transfer),
        "error_growth": _by_task(errors, error_growth) if known else None,
        "retention_mean": _interval(drawn, lives, lambda ledger: _mean_of(ledger.retention())),
        "retention_worst": _interval(drawn, lives, lambda ledger: min(_numbers(ledger.retention()), default=float("nan"))),
        "forgetting_mean": _interval(drawn, lives, lambda ledger: _mean_of(ledger.forgetting())),
    }


def error_growth(ledger: Ledger) -> dict[str, float]:
    """The model's error on each task now, over its error at the end of the first lesson on it; 1 forgets nothing."""
    firsts = {task: next(lesson for lesson in ledger.lessons if lesson.task == task) for task in ledger.tasks}
    return {task: ledger.now()[task] / ledger.at(task, firsts[task].end) for task in ledger.tasks}


def _lessons(tasks: np.ndarray, ends: np.ndarray, last: int) -> list[tuple[str, int, int]]:
    """(task, begin, end) of the stretches of episodes on one task; the last one lasts until the end of the life."""
    found: list[tuple[str, int, int]] = []
    for task, end in zip(tasks, ends, strict=True):
        if found and found[-1][0] == task:
            found[-1] = (task, found[-1][1], int(end))
        else:
            found.append((str(task), found[-1][2] if found else 0, int(end)))
    if found:
        task, begin, end = found[-1]
        found[-1] = (task, begin, max(last, end))
    return found


def _mean_return(returns: np.ndarray, random: np.random.Generator | None) -> float:
    return float(np.mean(returns if random is None else random.choice(returns, len(returns))))


def _mean_matrix(lives: dict[int, Ledger]) -> Any:
    """[lessons, tasks], or None where seeds lived through different lessons."""
    found = [ledger.matrix() for ledger in lives.values()]
    alike = len({tuple(lesson.task for lesson in ledger.lessons) for ledger in lives.values()}) == 1
    return np.mean(found, axis=0).tolist() if alike else None


def _by_task(lives: dict[int, Ledger], of: Callable[[Ledger], dict[str, float]]) -> dict[str, float | None]:
    found = [of(ledger) for ledger in lives.values()]
    return {task: _plain(_mean_of({str(i): each[task] for i, each in enumerate(found)})) for task in found[0]}


def _redrawn(read: Diary) -> list[list[Ledger]]:
    """Ledgers of seeds that are drawn anew, each of episodes that are drawn anew."""
    random = np.random.default_rng(np.asarray(jax.random.key_data(jax.random.key(SCORE_KEY))))
    drawn = []
    for _ in range(DRAWS):
        again = list(ledgers(read, random=random).values())
        drawn.append([again[index] for index in random.integers(0, len(again), len(again))])
    return drawn


def _interval(drawn: list[list[Ledger]], lives: dict[int, Ledger], of: Callable[[Ledger], float]) -> dict[str, Any]:
    found = [_mean(each, of) for each in drawn]
    low, high = np.nanquantile(found, [0.025, 0.975]) if not np.isnan(found).all() else (np.nan, np.nan)
    return {"mean": _plain(_mean(list(lives.values()), of)), "low": _plain(float(low)), "high": _plain(float(high))}


def _mean(lives: list[Ledger], of: Callable[[Ledger], float]) -> float:
    return _mean_of({str(index): of(ledger) for index, ledger in enumerate(lives)})


def _mean_of(values: dict[str, float]) -> float:
    """The mean of what is a number, NaN where nothing is."""
    found = _numbers(values)
    return float(np.mean(found)) if found else float("nan")


def _numbers(values: dict[str, float]) -> list[float]:
    return [value for value in values.values() if not np.isnan(value)]


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else value
