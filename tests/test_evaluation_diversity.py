"""The entropy of ways, by hand and against another library."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import entropy as peer

from umwelt.evaluation import diversity


def test_entropy_is_that_of_another_library_over_what_succeeded() -> None:
    drawn = np.random.default_rng(0)
    ways, succeeded = drawn.integers(0, 6, 200), drawn.random(200) < 0.6
    counts = np.bincount(ways[succeeded], minlength=6)
    found = diversity.entropy(jnp.asarray(ways), jnp.asarray(succeeded), 6)
    assert float(found) == pytest.approx(peer(counts) / np.log(6), abs=1e-5)


def test_one_way_is_0_all_ways_evenly_are_1_and_no_success_is_0() -> None:
    every, yes = jnp.arange(6), jnp.ones(6, bool)
    assert float(diversity.entropy(every, yes, 6)) == pytest.approx(1.0)
    assert float(diversity.entropy(jnp.full(6, 3), yes, 6)) == 0.0
    assert float(diversity.entropy(every, ~yes, 6)) == 0.0
    # six of 24 routes, and a path without a route, which does not count
    routes = jnp.array([0, 4, 8, 12, 16, 20, -1])
    assert float(diversity.entropy(routes, jnp.ones(7, bool), 6, kinds=24)) == pytest.approx(1.0)


def test_given_the_first_state_a_way_that_it_decides_has_no_entropy() -> None:
    first, yes = jnp.array([0, 0, 0, 1, 1, 1]), jnp.ones(6, bool)
    decided, varied = jnp.array([0, 0, 0, 1, 1, 1]), jnp.array([0, 1, 0, 1, 0, 1])
    assert float(diversity.entropy(decided, yes, 2)) == pytest.approx(1.0)
    assert float(diversity.conditional(decided, yes, first, 2, 2)) == 0.0
    # two of three and one of three, in both
    by_hand = -(2 / 3 * np.log2(2 / 3) + 1 / 3 * np.log2(1 / 3))
    assert float(diversity.conditional(varied, yes, first, 2, 2)) == pytest.approx(by_hand, abs=1e-5)
    # the first state in which nothing succeeded does not count
    assert float(diversity.conditional(varied, first == 0, first, 2, 2)) == pytest.approx(by_hand, abs=1e-5)
