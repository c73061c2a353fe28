"""Error bars. They take a key, like everything else that is random."""

import jax
import numpy as np

RESAMPLES = 2_000


def interval(key: jax.Array, values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of `values` [N]; (mean, mean) where N is 1."""
    values = np.asarray(values, np.float64)
    if values.size == 0:
        raise ValueError("values: an interval needs at least one value")
    drawn = np.random.default_rng(np.asarray(jax.random.key_data(key))).integers(0, values.size, (RESAMPLES, values.size))
    low, high = np.quantile(values[drawn].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
