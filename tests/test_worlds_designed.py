"""Scores of orders, against enumeration, and the rank correlation against SciPy's."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from umwelt.claims.studies.ordered import spearman
from umwelt.worlds.orders import designed, scored

NAMES = ("a", "b", "x", "y")
APART = np.array([[0.0, 1.0, 8.0, 8.0], [1.0, 0.0, 8.0, 8.0], [8.0, 8.0, 0.0, 1.0], [8.0, 8.0, 1.0, 0.0]])
"""Two clusters, a b and x y."""


def test_a_score_adds_up_distances_from_those_before() -> None:
    order = np.array([[0, 2, 1]])
    assert scored(order, APART).tolist() == [8.0 + (1.0 + 8.0) / 2]
    assert scored(order, APART, recent=True).tolist() == [8.0 + 8.0]
    np.testing.assert_allclose(scored(jnp.asarray(order), jnp.asarray(APART)), scored(order, APART))


def test_the_best_order_of_two_clusters_keeps_them_together_and_the_worst_alternates() -> None:
    together, apart = designed(NAMES, APART, recent=True), designed(NAMES, APART, far=True, recent=True)
    assert {frozenset(together[:2]), frozenset(together[2:])} == {frozenset("ab"), frozenset("xy")}
    assert all({first, second} not in ({"a", "b"}, {"x", "y"}) for first, second in itertools.pairwise(apart))
    assert designed(("a",), np.zeros((1, 1))) == ("a",)
    with pytest.raises(ValueError, match="names: 9 tasks"):
        designed(tuple("abcdefghi"), np.zeros((9, 9)))


def test_rank_correlation_is_that_of_scipy_with_ties_too() -> None:
    random = np.random.default_rng(0)
    first, second = random.integers(0, 6, 20).astype(float), random.normal(size=20)
    expected, _ = stats.spearmanr(first, second)
    assert float(spearman(jnp.asarray(first), jnp.asarray(second))) == pytest.approx(expected, abs=1e-5)
