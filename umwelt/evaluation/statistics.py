"""Error bars. They take a key, like everything else that is random."""

from collections.abc import Callable, Iterator

import jax
import numpy as np

RESAMPLES = 2_000


def interval(key: jax.Array, values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of `values` [N]; (mean, mean) where N is 1."""
    values = np.asarray(values, np.float64)
    if values.size == 0:
        raise ValueError("values: an interval needs at least one value")
    drawn = _generator(key).integers(0, values.size, (RESAMPLES, values.size))
    low, high = np.quantile(values[drawn].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def interquartile_mean(values: np.ndarray) -> float:
    """The mean of all `values` without their lowest and highest quarter: robust as a median, and less wasteful."""
    ordered = np.sort(np.asarray(values, np.float64).ravel())
    cut = ordered.size // 4
    return float(ordered[cut : ordered.size - cut].mean())


def stratified_interval(
    key: jax.Array, values: np.ndarray, statistic: Callable[[np.ndarray], float] = interquartile_mean, level: float = 0.95
) -> tuple[float, float]:
    """Percentile bootstrap interval of a statistic of `values` [seeds, tasks]: seeds are drawn for each task by itself, so
    that every task keeps its weight."""
    values = _table(values, "values")
    found = [statistic(each) for each in _redrawn(_generator(key), values)]
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def improvement(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The chance that a run of ours [seeds, tasks] beats one of theirs [seeds, tasks] on a task drawn evenly; a tie
    counts half."""
    ours, theirs = _table(ours, "ours"), _table(theirs, "theirs")
    if ours.shape[1] != theirs.shape[1]:
        raise ValueError(f"theirs has {theirs.shape[1]} tasks, where ours has {ours.shape[1]}")
    apart = ours[:, None] - theirs[None]
    return float(np.mean((apart > 0) + 0.5 * (apart == 0)))


def improvement_interval(key: jax.Array, ours: np.ndarray, theirs: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Stratified bootstrap interval of `improvement`."""
    generator = _generator(key)
    both = zip(_redrawn(generator, _table(ours, "ours")), _redrawn(generator, _table(theirs, "theirs")), strict=True)
    low, high = np.quantile([improvement(mine, other) for mine, other in both], [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def profile(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The performance profile [L]: the share of all runs and tasks of `values` [seeds, tasks] that lies above each level."""
    table = _table(values, "values")
    return np.mean(table[..., None] > np.asarray(levels, np.float64), axis=(0, 1))


def profile_interval(
    key: jax.Array, values: np.ndarray, levels: np.ndarray, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Stratified bootstrap intervals of `profile`, low [L] and high [L], each for its level alone."""
    found = [profile(each, levels) for each in _redrawn(_generator(key), _table(values, "values"))]
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def _table(values: np.ndarray, name: str) -> np.ndarray:
    table = np.asarray(values, np.float64)
    if table.ndim != 2 or not table.size:
        raise ValueError(f"{name}: wanted is a table [seeds, tasks] that is not empty; its shape is {table.shape}")
    return table


def _redrawn(generator: np.random.Generator, table: np.ndarray) -> Iterator[np.ndarray]:
    """RESAMPLES tables like `table` [seeds, tasks], each column drawn from its own with replacement."""
    for _ in range(RESAMPLES):
        yield np.take_along_axis(table, generator.integers(0, table.shape[0], table.shape), axis=0)


def _generator(key: jax.Array) -> np.random.Generator:
    return np.random.default_rng(np.asarray(jax.random.key_data(key)))
