"""What a world model knows, against closed forms and another library's statistics."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import spearmanr

from umwelt.core import Box, Prediction, part
from umwelt.evaluation.knowledge import (
    HORIZONS,
    calibration_error,
    doubt_groups,
    foresee,
    knowledge,
    rank_correlation,
    shares,
    unexplained,
)
from umwelt.evaluation.proctor import Journey

KEY = jax.random.key(0)


@part
class Walker:
    """A model of a walk that moves by its action: it sees the share `known` of every action. Doubt is the
    size of what it misses. The reward is the action."""

    known: float
    decodes: bool = True

    def imagine(self, key: Any, state: Any, belief: Any, action: Any) -> Any:
        del key, state
        after = belief + self.known * action
        rows = jnp.ones(belief.shape[0])
        doubt = jnp.abs((1.0 - self.known) * action[:, 0])
        return after, Prediction(
            observation=after if self.decodes else None, reward=self.known * action[:, 0], continues=rows, doubt=doubt
        )


def walk(ticks: int = 200, rows: int = 10, end: int = 200) -> Journey:
    """A walk of uniform actions; every episode has `end` decisions."""
    action = jax.random.uniform(KEY, (ticks, rows, 1), minval=-1.0, maxval=1.0)
    path = jnp.concatenate([jnp.zeros((1, rows, 1)), jnp.cumsum(action, axis=0)])
    inside = jnp.broadcast_to((jnp.arange(ticks) < end)[:, None], (ticks, rows))
    return Journey(belief=path, observation=path, action=action, reward=action[..., 0], inside=inside)


def known(model: Walker, journey: Journey) -> Any:
    told = model.decodes
    return knowledge(
        foresee(KEY, model, None, journey, Box(shape=(1,)), told),  # type: ignore[arg-type]
        "observation" if told else "belief",
    )


@pytest.mark.parametrize(("share", "decodes"), [(1.0, True), (0.5, False), (0.0, True)])
def test_what_is_unexplained_is_the_square_of_what_is_unknown(share: float, decodes: bool) -> None:
    row = known(Walker(known=share, decodes=decodes), walk())
    # the change over h steps is the sum of h actions, of which the share (1 - known) is missed
    assert np.allclose(row.error, (1 - share) ** 2, atol=0.03)
    assert row.reward_error == pytest.approx((1 - share) ** 2, abs=0.03)
    assert row.return_steps == HORIZONS[-1]
    # imagined returns are the known share of the real ones, and both have the mean of the whole windows
    assert row.imagined_return == pytest.approx(share * row.real_return, abs=1e-4)


def test_doubt_that_is_the_error_itself_ranks_and_measures_it() -> None:
    row = known(Walker(known=0.5), walk())
    assert row.doubt_rank == pytest.approx(1.0)
    assert row.doubt_error == pytest.approx(0.0, abs=1e-4)


def test_no_window_reaches_beyond_an_end() -> None:
    row = known(Walker(known=0.5), walk(end=12))
    assert np.isfinite(row.error[:2]).all()
    assert np.isnan(row.error[2:]).all()
    assert row.return_steps == 5


def test_a_prediction_after_the_end_of_the_journey_is_not_compared() -> None:
    journey = walk(ticks=20, end=20)
    assert np.isnan(known(Walker(known=0.5), journey).error[-1])


def test_unexplained_counts_only_what_moves() -> None:
    rng = np.random.default_rng(0)
    found = np.stack([rng.normal(size=500), np.full(500, 3.0)], axis=1)
    guess, before = np.stack([np.full(500, found[:, 0].mean()), np.full(500, 9.0)], axis=1), np.zeros((500, 2))
    assert unexplained(guess, found, before) == pytest.approx(1.0)
    assert np.isnan(unexplained(guess[:, 1:], found[:, 1:], before[:, 1:]))


def test_the_error_of_each_number_is_its_own_share_and_their_mean_is_the_error() -> None:
    """Two numbers of scales a thousand apart; of one the change is known by half, of the other not at all. One stands still."""
    rng = np.random.default_rng(2)
    change = rng.normal(size=(4000, 3)) * np.array([1.0, 1000.0, 0.0])
    before = rng.normal(size=(4000, 3))
    guess = before + change * np.array([0.5, 0.0, 1.0])
    each = shares(guess, before + change, before)
    assert each[:2] == pytest.approx([0.25, 1.0], abs=0.01)
    assert np.isnan(each[2])
    assert unexplained(guess, before + change, before) == pytest.approx(each[:2].mean())
    assert known(Walker(known=0.5), walk()).by_number == pytest.approx((0.25,), abs=0.03)
    assert known(Walker(known=0.5, decodes=False), walk()).by_number == (), "beliefs have no names"


def test_rank_correlation_is_the_one_of_scipy() -> None:
    rng = np.random.default_rng(1)
    first = rng.integers(0, 9, 200).astype(float)  # with ties
    second = first + rng.normal(size=200) * 5
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert np.isnan(rank_correlation(np.ones(5), np.arange(5.0)))


def test_doubt_that_says_nothing_is_off_by_the_spread_of_the_errors() -> None:
    error = np.repeat([1.0, 3.0], 500)
    constant = np.ones(1000)
    # ten groups: five have the error 1, five 3, and the doubt says sqrt(5), the root mean square, of all
    expected = (abs(np.sqrt(5) - 1) + abs(np.sqrt(5) - 3)) / 2 / np.sqrt(5)
    assert calibration_error(constant, error) == pytest.approx(expected)
    assert calibration_error(error * 7, error) == pytest.approx(0.0)
    # the stable order keeps the rows: five groups of 1, then five of 3
    np.testing.assert_allclose(doubt_groups(constant, error), [[np.sqrt(5), 1.0]] * 5 + [[np.sqrt(5), 3.0]] * 5)
    assert doubt_groups(constant * 0, error) == ()
    assert np.isnan(calibration_error(constant * 0, error))


def test_a_model_that_has_no_journey_long_enough_tells_nothing() -> None:
    row = known(Walker(known=0.5), walk(end=0))
    assert np.isnan(row.error).all()
    assert np.isnan(row.real_return)
