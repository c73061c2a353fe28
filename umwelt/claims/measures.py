"""What can be read from the folder of a finished life: one number of one seed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from umwelt.claims.arms import Measure
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.exams.scores import diary, error_growth, ledgers


def final_return(folder: Path, seed: int) -> float:
    """Return the mean return of the last probe, over all tasks."""
    clock, mean = curve(folder, seed)
    return float(mean[clock == clock.max()].mean())


def mean_return(folder: Path, seed: int) -> float:
    """Return the mean over all probes but the first: the area under the curve."""
    clock, mean = curve(folder, seed)
    return float(mean[clock > clock.min()].mean())


def retention(folder: Path, seed: int) -> float:
    """Return the share of its best return that each task keeps at the end, averaged over tasks."""
    return _mean(_ledger(folder, seed).retention())


def worst_retention(folder: Path, seed: int) -> float:
    """Return the share of its best return that the task keeps which lost most."""
    return float(np.nanmin(list(_ledger(folder, seed).retention().values())))


def retention_of_reward(folder: Path, seed: int) -> float:
    """Return the share of its best return that each task keeps, counted from 0; for worlds that pay only for success."""
    ledger = _ledger(folder, seed)
    return _mean(replace(ledger, floor=dict.fromkeys(ledger.tasks, 0.0)).retention())


def forgetting(folder: Path, seed: int) -> float:
    """Return what each task lost since the end of its own last lesson, averaged over tasks, in units of return."""
    return _mean(_ledger(folder, seed).forgetting())


def growth(folder: Path, seed: int) -> float:
    """Return how many times larger the model's error on a task is now than after its lesson; geometric mean of tasks."""
    found = np.array(list(error_growth(_ledger(folder, seed, errors=True)).values()), np.float64)
    return float(np.exp(np.nanmean(np.log(found))))


def model_error(folder: Path, seed: int) -> float:
    """Return the model's one-step error in the last probe, averaged over tasks."""
    with Chronicle.read(folder / "chronicle.db") as chronicle:
        probes = chronicle.probes()
    last = (probes["seed"] == seed) & (probes["clock"] == probes["clock"].max())
    return float(np.mean(probes["model_error"][last]))


def places_met(folder: Path, seed: int) -> float:
    """Return how many unit squares of the world the first row was in, in a world of positions."""
    with Chronicle.read(folder / "chronicle.db") as chronicle:
        trail = chronicle.trail(seed)
    place = np.floor(np.stack([trail["x"], trail["y"]], axis=1).astype(np.float64))
    return float(len(np.unique(place[np.isfinite(place).all(axis=1)], axis=0)))


def seconds(folder: Path, seed: int) -> float:
    """Return the seconds that a life took, all its seeds together, without its probes."""
    with Chronicle.read(folder / "chronicle.db") as chronicle:
        spent = chronicle.timing()
    parts = set(map(str, spent["part"])) - {"probe"}
    return sum(summed(spent["seconds"][spent["part"] == part]) for part in sorted(parts))


def summed(seconds: np.ndarray) -> float:
    """Return the total of running sums [T] that start again at 0 whenever the life was resumed."""
    steps = np.diff(np.asarray(seconds, np.float64), prepend=0.0)
    return float(np.where(steps < 0, seconds, steps).sum())


FINAL_RETURN = Measure(name="final_return", unit="return", better="up", read=final_return)
MEAN_RETURN = Measure(name="mean_return", unit="return", better="up", read=mean_return)
RETENTION = Measure(name="retention", unit="share", better="up", read=retention)
WORST_RETENTION = Measure(name="worst_retention", unit="share", better="up", read=worst_retention)
RETENTION_OF_REWARD = Measure(name="retention_of_reward", unit="share", better="up", read=retention_of_reward)
PLACES_MET = Measure(name="places_met", unit="squares", better="up", read=places_met)
FORGETTING = Measure(name="forgetting", unit="return", better="down", read=forgetting)
ERROR_GROWTH = Measure(name="error_growth", unit="times", better="down", read=growth)
MODEL_ERROR = Measure(name="model_error", unit="unexplained share", better="down", read=model_error)
SECONDS = Measure(name="seconds", unit="s", better="down", read=seconds)


def curve(folder: Path, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The clock and the mean return of each probe of a seed."""
    with Chronicle.read(folder / "chronicle.db") as chronicle:
        probes = chronicle.probes()
    mine = (probes["seed"] == seed) & (probes["label"] == "probe")
    return np.asarray(probes["clock"][mine]), np.asarray(probes["mean"][mine], np.float64)


def _ledger(folder: Path, seed: int, errors: bool = False) -> Any:
    with Chronicle.read(folder / "chronicle.db") as chronicle:
        return ledgers(diary(chronicle), errors=errors)[seed]


def _mean(by_task: dict[str, float]) -> float:
    found = np.array(list(by_task.values()), np.float64)
    return float(found[np.isfinite(found)].mean()) if np.isfinite(found).any() else float("nan")
