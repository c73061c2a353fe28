"""Rare goals: how solitary a moment is, the paths there, and the law by which goals are drawn."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy.spatial import KDTree

from umwelt.curiosity.rare import Rare, spread, thinned
from umwelt.networks.temporal import neighbours

KEY = jax.random.key(0)
THIN = jax.jit(thinned)
GOALS = Rare(size=4, units=8, pool=40, subgoals=3)


def test_rare_moments_come_in_the_order_of_scipys_nearest_neighbours():
    random = np.random.default_rng(0)
    points = np.concatenate([random.normal(0, 0.1, (60, 2)), random.normal(3, 1.0, (20, 2))]).astype(np.float32)
    by_scipy = KDTree(points).query(points, k=4)[0][:, 1:].mean(axis=1)
    found = np.asarray(neighbours(jnp.asarray(points), jnp.asarray(points), 3))
    np.testing.assert_allclose(found, by_scipy, rtol=1e-3)
    # of the ten rarest, more come from the thin cloud
    assert np.sum(np.argsort(-found)[:10] >= 60) >= 8


@settings(max_examples=40, deadline=None)
@given(some.integers(0, 10_000), some.integers(1, 11), some.floats(0.1, 3.0))
def test_thinning_keeps_first_and_last_and_changes_nothing_the_second_time(seed: int, end: int, threshold: float):
    path = np.cumsum(np.random.default_rng(seed).normal(0, 1, (12, 2)), axis=0).astype(np.float32)
    marks = np.asarray(THIN(jnp.asarray(path), end, threshold))
    assert marks[0]
    assert marks[end]
    assert not marks[end + 1 :].any()
    kept = path[marks]
    gaps = np.linalg.norm(np.diff(kept, axis=0), axis=1)
    assert np.all(gaps[:-1] >= threshold - 1e-5)
    padded = np.concatenate([kept, np.zeros((12 - len(kept), 2), np.float32)])
    assert np.asarray(THIN(jnp.asarray(padded), len(kept) - 1, threshold)).sum() == len(kept)


def test_subgoals_are_spread_over_the_marks_and_the_last_is_the_goal():
    marks = jnp.array([True, False, True, True, False, True, False])
    assert spread(marks, 2).tolist() == [2, 5]
    assert spread(marks, 4).tolist() == [0, 2, 3, 5]
    assert spread(jnp.array([True, False, True]), 4).tolist() == [0, 0, 2, 2]


def stretches() -> tuple[jax.Array, jax.Array, jax.Array]:
    """Forty stretches of four steps: all end near 0 but the last two, of which one is not valid."""
    ends = jnp.concatenate([0.01 * jnp.arange(38), jnp.array([5.0, 9.0])])
    seen = jnp.linspace(0.0, 1.0, 5)[None, :, None] * ends[:, None, None]
    valid = jnp.ones((40, 4), bool).at[39].set(False)
    return seen, jnp.diff(seen, axis=1), valid


def test_the_most_solitary_end_comes_first_with_its_path_and_moments_without_weight_last():
    seen, done, valid = stretches()
    state, info = jax.jit(GOALS.learn)(KEY, GOALS.init(KEY, 1, 1), seen, done, valid)
    assert float(state.routes[0, -1, 0]) == pytest.approx(5.0)
    assert np.all(np.diff(state.routes[0, :, 0]) >= 0)
    assert float(state.routes[-1, -1, 0]) == pytest.approx(0.0)  # nothing is alive there but its first moment
    assert np.isfinite(info["inverse_loss"])


def test_the_inverse_model_learns_and_rows_without_weight_change_nothing():
    seen, done, valid = stretches()
    learn = jax.jit(GOALS.learn)
    state = fresh = GOALS.init(KEY, 1, 1)
    losses = []
    for _ in range(150):
        state, info = learn(KEY, state, seen, done, valid)
        losses.append(float(info["inverse_loss"]))
    assert losses[-1] < 0.5 * losses[0]
    unmoved, _ = learn(KEY, fresh, seen, done, jnp.zeros_like(valid))
    jax.tree.map(np.testing.assert_array_equal, unmoved, fresh)


def test_goals_are_drawn_by_a_geometric_law_or_evenly():
    routes = jnp.arange(3.0)[:, None, None] * jnp.ones((3, 3, 1))
    for share, wanted in ((0.5, [4 / 7, 2 / 7, 1 / 7]), (0.0, [1 / 3] * 3)):
        goals = Rare(size=4, units=8, pool=3, subgoals=3, share=share)
        state = goals.init(KEY, 1, 1)
        drawn = goals.choose(KEY, type(state)(**{**vars(state), "routes": routes}), jnp.zeros((4000, 1)))[:, -1, 0]
        np.testing.assert_allclose(np.bincount(np.asarray(drawn, int), minlength=3) / 4000, wanted, atol=0.03)
    with pytest.raises(ValueError, match="share=1"):
        Rare(share=1.0).init(KEY, 1, 1)


def test_reaching_costs_nothing_and_the_way_there_one_a_step():
    state = GOALS.init(KEY, 1, 1)
    paid, hit = GOALS.near(state, jnp.zeros((2, 1)), jnp.array([[1.0], [1.0]]), jnp.array([[1.0], [1000.0]]))
    assert paid.tolist() == [0.0, -1.0]
    assert hit.tolist() == [True, False]
