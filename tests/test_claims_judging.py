"""Verdicts against SciPy's tests, and against cases that are worked by hand."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tiny_claims import COST, SCORE, compared

from umwelt.claims import Expect, Measure, judge
from umwelt.claims.judging import spread, together

DRAWS = np.random.default_rng(0)


def expect(**more: Any) -> Expect:
    return Expect(**{"measure": "score", "arm": "idea", "over": "control", **more})


def bounds(found: Any) -> tuple[float, float]:
    interval = found.confidence_interval(0.95)
    return interval.low, interval.high


@pytest.mark.parametrize("seeds", [3, 5, 20])
@pytest.mark.parametrize("measure", [SCORE, COST], ids=lambda each: each.better)
def test_intervals_are_those_of_scipy(seeds: int, measure: Measure) -> None:
    arm, over = DRAWS.normal(1, 1, seeds), DRAWS.normal(0, 3, seeds + 2)
    first, second = (arm, over) if measure.better == "up" else (-arm, -over)
    paired = judge(expect(), measure, arm, over[:seeds])
    np.testing.assert_allclose((paired.low, paired.high), bounds(stats.ttest_rel(first, second[:seeds])))
    apart = judge(expect(paired=False), measure, arm, over)
    np.testing.assert_allclose((apart.low, apart.high), bounds(stats.ttest_ind(first, second, equal_var=False)))
    assert apart.mean == pytest.approx(first.mean() - second.mean())
    number = judge(expect(over=0.5), measure, arm, 0.5)
    target = 0.5 if measure.better == "up" else -0.5
    low, high = bounds(stats.ttest_1samp(first, target))
    np.testing.assert_allclose((number.low, number.high), (low - target, high - target))
    np.testing.assert_allclose(spread(arm)[1:], bounds(stats.ttest_1samp(arm, 0.0)))


@pytest.mark.parametrize("better", ["up", "down"])
def test_a_ratio_is_arm_over_control_and_its_interval_that_of_the_logarithms(better: Any) -> None:
    measure, arm, over = Measure(name="score", better=better), DRAWS.uniform(2, 4, 6), DRAWS.uniform(1, 2, 6)
    found = judge(expect(ratio=True, by=1.0), measure, arm, over)
    low, high = bounds(stats.ttest_rel(np.log(arm), np.log(over)))
    np.testing.assert_allclose((found.low, found.high), (math.exp(low), math.exp(high)))
    assert found.mean == pytest.approx(stats.gmean(arm / over))


NOISE = np.array([-1.0, 0.0, 1.0]) / 100


@pytest.mark.parametrize(
    ("more", "better", "arm", "over", "verdict"),
    [
        ({"by": 1.0}, "up", 1.5, 0.0, "shown"),
        ({"by": 2.0}, "up", 1.5, 0.0, "refuted"),
        ({"by": 1.0}, "down", 0.0, 1.5, "shown"),
        ({"by": 0.0}, "down", 1.5, 0.0, "refuted"),
        ({"by": -1.0}, "up", -0.5, 0.0, "shown"),
        ({"by": -1.0}, "up", -1.5, 0.0, "refuted"),
        ({"by": 1.3, "ratio": True}, "up", 1.4, 1.0, "shown"),
        ({"by": 1.3, "ratio": True}, "up", 1.2, 1.0, "refuted"),
        ({"by": 0.7, "ratio": True}, "down", 0.6, 1.0, "shown"),
        ({"by": 0.7, "ratio": True}, "down", 0.8, 1.0, "refuted"),
        ({"by": 1.2, "ratio": True}, "down", 1.1, 1.0, "shown"),
        ({"by": 0.9, "ratio": True}, "up", 0.95, 1.0, "shown"),
    ],
)
def test_verdicts_worked_by_hand(more: dict, better: Any, arm: float, over: float, verdict: str) -> None:
    # unlike the control's, the arm's values spread by a hundredth: an interval of 0.025 around its mean
    found = judge(expect(**more), Measure(name="score", better=better), arm + NOISE, np.full(3, over))
    assert found.verdict == verdict
    assert 0 < found.high - found.low < 0.06


def test_what_is_wide_small_or_not_finite_is_open() -> None:
    wide = np.array([-10.0, 1.0, 12.0])
    assert judge(expect(), SCORE, wide, np.zeros(3)).verdict == "open"
    assert judge(expect(by=-5.0), SCORE, wide, np.zeros(3)).verdict == "open"
    assert judge(expect(), SCORE, np.array([1.0, np.nan, 1.0]), np.zeros(3)).verdict == "open"
    assert judge(expect(ratio=True, by=1.0), SCORE, np.array([1.0, 0.0, 1.0]), np.ones(3)).verdict == "open"
    two = judge(expect(), SCORE, np.array([5.0, 5.1]), np.zeros(2))
    assert two.verdict == "open"
    assert two.mean == 5.05
    assert np.isnan([two.low, two.high, *spread(np.ones(2))[1:]]).all()
    one = judge(expect(paired=False), SCORE, np.array([5.0]), np.array([1.0]))
    assert (one.mean, one.verdict) == (4.0, "open")


def test_an_arm_against_itself_is_open_and_refuted_where_it_should_win() -> None:
    same = DRAWS.normal(size=5)
    assert judge(expect(), SCORE, same, same).verdict == "open"
    assert judge(expect(by=0.1), SCORE, same, same).verdict == "refuted"
    assert judge(expect(), SCORE, same - 1.0, same).verdict == "refuted"


def test_seeds_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="5 seeds cannot be compared one by one with 4"):
        judge(expect(), SCORE, np.arange(5.0), np.arange(4.0))


def test_a_claim_is_shown_where_all_are_and_refuted_where_one_is() -> None:
    assert together(["shown", "shown"]) == "shown"
    assert together(["shown", "open"]) == "open"
    assert together(["open", "refuted", "shown"]) == "refuted"
    assert together([]) == "open"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"tuned": (4, 9)}, r"share \[4\]"),
        ({"expects": ()}, "expects is empty"),
        ({"seeds": (1, 1, 2)}, "there twice"),
        ({"says": "{gain_2}"}, "gain_2"),
        ({"over": "nothing"}, "no arm called 'nothing'"),
        ({"measure": "speed"}, "no measure called 'speed'; it has score, cost"),
    ],
)
def test_a_claim_that_cannot_be_judged_says_why(more: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compared(**more).check()
