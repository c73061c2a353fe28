"""Optimal designs against the theorem of Kiefer and Wolfowitz, and best arms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from umwelt.evaluation import designs


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 6))
def test_the_largest_leverage_of_an_optimal_design_is_the_dimension(seed: int, width: int) -> None:
    arms = np.random.default_rng(seed).normal(size=(25, width))
    shares = designs.optimal(arms, accuracy=0.01)
    assert shares.sum() == pytest.approx(1.0)
    assert shares.min() >= 0
    leverage = designs.leverages(arms, shares)
    assert width * (1 - 1e-9) <= leverage.max() <= 1.0101 * width
    # the mean over the design is the dimension, whatever the design
    assert shares @ leverage == pytest.approx(width)


def test_a_square_is_measured_at_its_corners_alike() -> None:
    arms = np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1], [0.2, 0.1]])
    shares = designs.optimal(arms, accuracy=1e-4)
    np.testing.assert_allclose(shares[:2] + shares[[3, 2]], 0.5, atol=0.01)
    assert shares[4] < 0.01


def test_along_a_line_the_longest_arm_is_tried_alone() -> None:
    arms = np.outer([1.0, 2.0, -3.0], [1.0, 1.0])
    shares = designs.optimal(arms)
    assert shares.tolist() == [0.0, 0.0, 1.0]
    np.testing.assert_allclose(designs.leverages(arms, shares), [1 / 9, 4 / 9, 1.0])


def test_the_best_arm_is_named_and_near_ones_cost_more() -> None:
    random = np.random.default_rng(0)
    spent = []
    for gap in (1.0, 0.2):
        means = np.array([1.0, 1.0 - gap, -1.0])

        def pull(counts: np.ndarray, means: np.ndarray = means) -> np.ndarray:
            return counts * means + np.sqrt(counts) * random.normal(size=3)

        best, tries = designs.eliminated(np.eye(3), pull, sureness=0.05)
        assert best == 0
        spent.append(tries)
    assert spent[1] > 4 * spent[0]


def test_without_noise_least_squares_finds_the_slope() -> None:
    random = np.random.default_rng(1)
    arms, slope = random.normal(size=(12, 4)), np.array([1.0, -2.0, 0.5, 3.0])
    found, tries = designs.measured(arms, 100, lambda counts: counts * (arms @ slope))
    np.testing.assert_allclose(found, slope, atol=1e-9)
    assert 100 <= tries <= 112
