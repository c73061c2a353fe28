"""Statistics over seeds and tasks, against SciPy and against what is known of normals."""

import jax
import numpy as np
import pytest
from scipy import stats

from umwelt.evaluation.statistics import (
    improvement,
    improvement_interval,
    interquartile_mean,
    profile,
    profile_interval,
    stratified_interval,
)

KEY = jax.random.key(0)
TABLE = np.random.default_rng(0).normal([0.0, 3.0, 10.0], 1.0, (8, 3))


def test_the_interquartile_mean_is_scipys_trimmed_mean() -> None:
    for size in (1, 2, 3, 4, 7, 24, 101):
        values = np.random.default_rng(size).normal(size=size)
        assert interquartile_mean(values) == pytest.approx(stats.trim_mean(values, 0.25))


def test_improvement_is_mann_whitneys_share_of_pairs() -> None:
    ours, theirs = TABLE.round(), TABLE[:5].round() + 0.5
    each = [stats.mannwhitneyu(ours[:, task], theirs[:, task]).statistic / (8 * 5) for task in range(3)]
    assert improvement(ours, theirs) == pytest.approx(np.mean(each))
    assert improvement(ours, ours) == 0.5
    assert improvement(ours + 100, theirs) == 1.0


def test_a_stratified_interval_covers_the_truth_and_keeps_tasks_apart() -> None:
    covered = 0
    for trial in range(60):
        values = np.random.default_rng(trial).normal([0.0, 3.0], 1.0, (20, 2))
        low, high = stratified_interval(jax.random.key(trial), values, np.mean)
        covered += low <= 1.5 <= high
        # drawn over tasks too, the interval would be as wide as the tasks are apart
        assert high - low == pytest.approx(2 * 1.96 / np.sqrt(40), rel=0.35)
    assert covered >= 50


def test_intervals_repeat_by_their_key() -> None:
    assert stratified_interval(KEY, TABLE) == stratified_interval(KEY, TABLE)
    assert stratified_interval(KEY, TABLE) != stratified_interval(jax.random.key(1), TABLE)
    low, high = improvement_interval(KEY, TABLE + 0.5, TABLE)
    assert low < improvement(TABLE + 0.5, TABLE) < high


def test_bad_tables_name_the_argument() -> None:
    with pytest.raises(ValueError, match="values: wanted is a table"):
        stratified_interval(KEY, np.zeros(3))
    with pytest.raises(ValueError, match="theirs has 2 tasks"):
        improvement(TABLE, TABLE[:, :2])


def test_a_performance_profile_counts_what_lies_above() -> None:
    values = np.array([[0.1, 0.5], [0.3, 0.9]])
    assert profile(values, np.array([0.0, 0.1, 0.4, 0.9])).tolist() == [1.0, 0.75, 0.5, 0.0]
    levels = np.linspace(-3, 13, 9)
    low, high = profile_interval(KEY, TABLE, levels)
    shares = profile(TABLE, levels)
    assert (low <= shares).all()
    assert (shares <= high).all()
    # one task has all its runs above 5, two have none: drawing seeds within tasks cannot change that
    middle = levels.tolist().index(5.0)
    assert low[middle] == high[middle] == shares[middle] == pytest.approx(1 / 3)
