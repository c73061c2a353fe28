"""From a chronicle to the score of a life that met more than one task."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from umwelt.core import part
from umwelt.evaluation.lifetime import Ledger
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.chronicle.named_numbers import names_in

RETURN = "return"
"""The measure of a score where no named number is chosen."""
SCORE_KEY = 30_000
"""The seed of the intervals."""
DRAWS = 500
"""Lives that are drawn for an interval."""

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


def ledgers(diary: Diary, errors: bool = False, values: np.ndarray | None = None) -> dict[int, Ledger]:
    """The ledger of each seed: of mean returns, or of the model's one-step errors, or of `values` [probes, ...]."""
    episodes, probes, made = diary.episodes, diary.probes, {}
    if values is None:
        values = probes["model_error"] if errors else np.array([mean_of(each) for each in probes["returns"]])
    for seed in sorted(set(probes["seed"])):
        mine = probes["seed"] == seed
        known = set(probes["task"][mine])
        ledger = Ledger(errors=errors)
        own = (episodes["seed"] == seed) & (episodes["row"] == 0)
        for task, begin, stop in lessons(episodes["task"][own], episodes["end"][own], diary.end):
            ledger = ledger.learned(task, begin, stop) if task in known else ledger
        for clock in sorted(set(probes["clock"][mine])):
            now = np.flatnonzero(mine & (probes["clock"] == clock) & (probes["label"] == "probe"))
            ledger = ledger.probed(int(clock), {str(probes["task"][row]): values[row] for row in now})
        made[int(seed)] = ledger
    return made


def mean_of(returns: np.ndarray) -> float:
    """The mean return of the episodes that did not break; NaN where all did."""
    whole = returns[~np.isnan(returns)]
    return float(np.mean(whole)) if whole.size else float("nan")


def score(chronicle: Chronicle, measure: str = RETURN, best: float | None = None) -> Score:
    """What a life kept; see `score_of`."""
    return score_of(diary(chronicle), measure, best)


def merged(diaries: Sequence[Diary]) -> Diary:
    """Several lives as one of more seeds, which get new numbers."""
    offset, episodes, probes = 0, [], []
    for each in diaries:
        seeds = sorted({*each.episodes["seed"], *each.probes["seed"]})
        for table, found in ((each.episodes, episodes), (each.probes, probes)):
            found.append({**table, "seed": offset + np.searchsorted(seeds, table["seed"])})
        offset += len(seeds)

    def joined(tables: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
        shared = [name for name in tables[0] if all(name in table for table in tables)]
        return {name: np.concatenate([table[name] for table in tables]) for name in shared}

    return Diary(episodes=joined(episodes), probes=joined(probes), end=max(each.end for each in diaries))


def score_of(read: Diary, measure: str = RETURN, best: float | None = None) -> Score:
    """What lives kept, in numbers ready for JSON; empty for lives of one task. Means over seeds; intervals of 95 %
    over seeds and the episodes of their probes. Of a task that was never learned nothing can be kept: its retention is None.

    measure: the return, or a number that the world named of its episodes. best: what regret counts from, in its unit; None
    for the best probe of each task.
    """
    episodes = measured(read, measure)
    lives = ledgers(read, values=np.array([mean_of(each) for each in episodes], np.float64))
    if not lives or any(len(ledger.tasks) < 2 for ledger in lives.values()):
        return {}
    first = next(iter(lives.values()))
    errors = ledgers(read, errors=True)
    known = all(not np.isnan(ledger.matrix()).any() for ledger in errors.values())
    random = np.random.default_rng(np.asarray(jax.random.key_data(jax.random.key(SCORE_KEY))))
    drawn = ledgers(read, values=_redrawn(episodes, random))
    seeds = random.integers(0, len(lives), (DRAWS, len(lives)))

    unlearned = _unlearned(drawn)

    def retention(ledger: Ledger) -> dict[str, Any]:
        return {task: value * np.nan if task in unlearned else value for task, value in ledger.retention().items()}

    def regret(ledger: Ledger) -> dict[str, Any]:
        return ledger.regret(best)

    def interval_of(of: Callable[[Ledger], dict[str, Any]], over: Callable[[np.ndarray], np.ndarray] = _mean) -> dict[str, Any]:
        return _interval(of, over, lives, drawn, seeds)

    return {
        "measure": measure,
        "tasks": list(first.tasks),
        "lessons": [vars(lesson) for lesson in first.lessons],
        "return_matrix": _mean_matrix(lives),
        "error_matrix": _mean_matrix(errors) if known else None,
        "retention": _by_task(lives, retention),
        "forgetting": _by_task(lives, Ledger.forgetting),
        "backward_transfer": _by_task(lives, Ledger.backward_transfer),
        "average": _by_task(lives, Ledger.average),
        "regret": _by_task(lives, regret),
        "error_growth": _by_task(errors, error_growth) if known else None,
        "retention_mean": interval_of(retention),
        "retention_worst": interval_of(retention, _lowest),
        "forgetting_mean": interval_of(Ledger.forgetting),
        "backward_transfer_mean": interval_of(Ledger.backward_transfer),
        "average_mean": interval_of(Ledger.average),
        "regret_mean": interval_of(regret),
        "error_growth_mean": _interval(error_growth, _mean, errors, errors, seeds) if known else None,
    }


def measured(read: Diary, measure: str) -> np.ndarray:
    """The values of each probe's episodes by a measure, [probes] of arrays. A ValueError names those that there are."""
    known = (RETURN, *names_in(read.probes))
    if measure not in known:
        raise ValueError(f"measure {measure!r} was not recorded; this life has {', '.join(known)} (--world.record adds others)")
    return read.probes["returns" if measure == RETURN else measure]


def _unlearned(drawn: dict[int, Ledger]) -> set[str]:
    """The tasks whose gain, as the mean of all seeds, may be nothing but the noise of their probes' episodes."""
    gains = [ledger.gains() for ledger in drawn.values()]
    means = {task: _mean(np.array([each[task] for each in gains], np.float64)) for task in gains[0]}
    return {task for task, mean in means.items() if not np.quantile(mean, 0.025) > 0}


def error_growth(ledger: Ledger) -> dict[str, Any]:
    """The model's error on each task now, over its error at the end of the first lesson on it; 1 forgets nothing."""
    firsts = {task: next(lesson for lesson in ledger.lessons if lesson.task == task) for task in ledger.tasks}
    return {task: ledger.now()[task] / ledger.at(task, firsts[task].end) for task in ledger.tasks}


def lessons(tasks: np.ndarray, ends: np.ndarray, last: int) -> list[tuple[str, int, int]]:
    """(task, begin, end) of the stretches of episodes on one task; the last one lasts until the end of the life.

    The tick after an episode only shows the first step of the next one, so nothing is learned from it. It still counts for
    the task that ended, and so does a probe at that clock.
    """
    found: list[tuple[str, int, int]] = []
    for task, end in zip(tasks, ends, strict=True):
        begin = found[-1][2] if found else 0
        if found and found[-1][0] == task:
            begin = found.pop()[1]
        elif found:
            before, started, ended = found.pop()
            begin = ended + 1
            found.append((before, started, begin))
        found.append((str(task), begin, int(end)))
    if found:
        task, begin, end = found.pop()
        found.append((task, begin, max(last, end)))
    return found


def _mean_matrix(lives: dict[int, Ledger]) -> Any:
    """[lessons, tasks], or None where seeds had different lessons."""
    found = [ledger.matrix() for ledger in lives.values()]
    alike = len({tuple(lesson.task for lesson in ledger.lessons) for ledger in lives.values()}) == 1
    return np.mean(found, axis=0).tolist() if alike else None


def _by_task(lives: dict[int, Ledger], of: Callable[[Ledger], dict[str, float]]) -> dict[str, float | None]:
    found = [of(ledger) for ledger in lives.values()]
    return {task: _plain(_mean(np.array([each[task] for each in found]))) for task in found[0]}


def _redrawn(returns: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The mean return of each probe, [probes, DRAWS], of whole episodes that are drawn from its own with replacement."""
    means = np.full((len(returns), DRAWS), np.nan)
    counts = np.array([np.sum(~np.isnan(each)) for each in returns])
    for count in np.unique(counts[counts > 0]):
        rows = np.flatnonzero(counts == count)
        episodes = np.stack([returns[row][~np.isnan(returns[row])] for row in rows])
        drawn = random.integers(0, count, (len(rows), DRAWS * count))
        means[rows] = np.take_along_axis(episodes, drawn, axis=1).reshape(len(rows), DRAWS, count).mean(axis=2)
    return means


def _interval(
    of: Callable[[Ledger], dict[str, Any]],
    over: Callable[[np.ndarray], np.ndarray],
    lives: dict[int, Ledger],
    drawn: dict[int, Ledger],
    seeds: np.ndarray,
) -> dict[str, Any]:
    """A figure `of` each task, taken `over` all tasks, as the mean of all seeds; its interval is that of the ledgers that
    are `drawn`, of `seeds` [DRAWS, S] that are drawn as well."""
    mean = _mean(np.array([over(_stack(of(ledger))) for ledger in lives.values()]))
    found = np.stack([np.broadcast_to(over(_stack(of(ledger))), DRAWS) for ledger in drawn.values()])
    again = _mean(found[seeds.T, np.arange(DRAWS)])
    low, high = np.nanquantile(again, [0.025, 0.975]) if not np.isnan(again).all() else (np.nan, np.nan)
    return {"mean": _plain(mean), "low": _plain(low), "high": _plain(high)}


def _stack(by_task: dict[str, Any]) -> np.ndarray:
    """[tasks, ...]."""
    return np.array(list(by_task.values()), np.float64)


def _mean(values: np.ndarray) -> np.ndarray:
    """Over the first axis, of what is a number; NaN where nothing is."""
    known = ~np.isnan(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    return total / np.where(known.any(axis=0), known.sum(axis=0), np.nan)


def _lowest(values: np.ndarray) -> np.ndarray:
    """Over the first axis, of what is a number; NaN where nothing is."""
    lowest = np.where(np.isnan(values), np.inf, values).min(axis=0)
    return np.where(np.isinf(lowest), np.nan, lowest)


def _plain(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
