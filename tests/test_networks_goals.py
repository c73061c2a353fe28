"""Contrast, distances in decisions and later moments, against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.stats import spearmanr

from umwelt.claims.studies.ways import spearman
from umwelt.networks.contrast import contrast, similarities, told_apart
from umwelt.networks.later import later_moment
from umwelt.networks.temporal import Temporal, neighbours


def test_later_moments_are_geometric_inside_their_episode():
    valid = jnp.array([[True, True, True, False, True]] * 6000)
    drawn = np.asarray(later_moment(jax.random.key(0), valid, jnp.ones(6000, jnp.int32), discount=0.5))
    assert set(drawn) == {1, 2}
    assert np.mean(drawn == 1) == pytest.approx(2 / 3, abs=0.03)
    assert int(later_moment(jax.random.key(0), ~valid, jnp.ones(6000, jnp.int32))[0]) == 0


def test_contrast_is_the_cross_entropy_and_rows_without_weight_are_no_rows_and_no_columns():
    logits = jnp.array([[2.0, 0.0, 99.0], [1.0, 3.0, 99.0], [5.0, 5.0, 5.0]])
    weight = jnp.array([1.0, 1.0, 0.0])
    by_hand = [np.log(np.exp(2) + 1), np.log(np.exp(1) + np.exp(3))]
    wanted = np.mean([by_hand[0] - 2 + 0.01 * by_hand[0] ** 2, by_hand[1] - 3 + 0.01 * by_hand[1] ** 2])
    assert float(contrast(logits, weight)) == pytest.approx(wanted, rel=1e-5)
    assert float(told_apart(logits, weight)) == 1.0
    assert float(contrast(logits, jnp.zeros(3))) == 0.0


def test_the_critic_of_a_chain_learns_the_log_ratio_of_discounted_occupancy():
    """A walk of five states to the right or left, seven times in ten to the right: (1 - g) P (I - g P)^-1 in closed form."""
    size, discount = 5, 0.8
    step = np.zeros((size, size))
    for state in range(size):
        step[state, min(state + 1, size - 1)] += 0.7
        step[state, max(state - 1, 0)] += 0.3
    occupancy = (1 - discount) * step @ np.linalg.inv(np.eye(size) - discount * step)
    first = np.full(size, 0.2)
    ratio = np.log(occupancy / (first @ occupancy))

    def loss(table, key):
        now, then = jax.random.split(key)
        states = jax.random.randint(now, (256,), 0, size)
        goals = jax.random.categorical(then, jnp.log(jnp.asarray(occupancy))[states], axis=1)
        return contrast(similarities(jnp.eye(size)[states], table.T[goals]), jnp.ones(256), penalty=0.0)

    adam = optax.adam(0.02)

    def update(held, key):
        table, state = held
        step, state = adam.update(jax.grad(loss)(table, key), state)
        return (table + step, state), None

    table = jnp.zeros((size, size))
    (table, _), _ = jax.lax.scan(update, (table, adam.init(table)), jax.random.split(jax.random.key(0), 700))
    found = np.asarray(table) - np.mean(table, axis=1, keepdims=True)
    np.testing.assert_allclose(found, ratio - ratio.mean(axis=1, keepdims=True), atol=0.15)


@pytest.mark.parametrize("shape", ["line", "tree"])
def test_distances_in_decisions_are_those_of_the_graph_and_never_above(shape):
    edges = [(0, 1), (1, 2), (2, 3), (3, 4)] if shape == "line" else [(0, 1), (1, 2), (0, 3), (3, 4)]
    true = np.full((5, 5), np.inf)
    np.fill_diagonal(true, 0.0)
    for one, other in edges:
        true[one, other] = true[other, one] = 1.0
    for middle in range(5):
        true = np.minimum(true, true[:, [middle]] + true[[middle]])
    temporal = Temporal(size=4, units=32, learning_rate=3e-3, start=30.0)
    ways = [*edges, *((other, one) for one, other in edges)]
    now, after = (jnp.eye(5)[jnp.array([way[side] for way in ways] * 4)] for side in (0, 1))

    def update(state, key):
        return temporal.learn(state, now, after, now[jax.random.permutation(key, 32)], jnp.ones(32))[0], None

    state = temporal.init(jax.random.key(0), 5)
    state, _ = jax.jit(lambda state: jax.lax.scan(update, state, jax.random.split(jax.random.key(1), 1000)))(state)
    places = jnp.eye(5)
    found = np.stack([temporal.distance(state, places, jnp.broadcast_to(places[at], (5, 5))) for at in range(5)])
    assert np.all(found <= true + 0.1 + 0.05 * true)
    assert np.all(found[true == 1] > 0.85)
    assert found[0, 4] == pytest.approx(true[0, 4], rel=0.15)


def test_nothing_is_learned_from_rows_without_weight():
    temporal = Temporal(size=2, units=8)
    state, rows = temporal.init(jax.random.key(0), 3), jnp.ones((4, 3))
    after, _ = jax.jit(temporal.learn)(state, rows, rows + 1, rows - 1, jnp.zeros(4))
    jax.tree.map(np.testing.assert_array_equal, after, state)
    with pytest.raises(ValueError, match="size=0"):
        Temporal(size=0).init(jax.random.key(0), 3)


def test_neighbours_are_the_nearest_others_and_itself_is_none():
    points = jnp.array([[0.0], [1.0], [3.0], [3.0]])
    assert neighbours(points, points, 2).tolist() == [2.0, 1.5, 2.5, 2.5]
    assert neighbours(points[:1], points[:1], 2).tolist() == [0.0]


def test_rank_correlation_is_that_of_scipy():
    one, other = np.array([3.0, 1.0, 2.0, 2.0, 9.0]), np.array([1.0, 1.0, 5.0, 2.0, 7.0])
    assert float(spearman(jnp.asarray(one), jnp.asarray(other))) == pytest.approx(spearmanr(one, other)[0], abs=1e-5)
