"""Latent goals behind a bottleneck, and a map of places, against what is known of both."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy.sparse.csgraph import shortest_path
from scipy.stats import norm

from umwelt.memory.topology import Topology
from umwelt.models.navigator import Navigator, kept_nats

KEY = jax.random.key(0)
GRAPH = Topology(nodes=8, near=1.0, joined=4.0)
WAYS, NEXT, VISITED = (jax.jit(each) for each in (GRAPH.ways, GRAPH.next_hop, GRAPH.visited))


NAVIGATOR = Navigator(size=2, units=16, learning_rate=3e-3, farthest=1.0)


@jax.jit
def trained(beta: float) -> tuple[Any, dict[str, jax.Array]]:
    """The side of a goal gives the action, and its distance gives the steps. One program for every bottleneck."""

    def update(state, key):
        goal = jax.random.uniform(key, (64, 1), minval=-1.0, maxval=1.0)
        told = jnp.zeros((64, 1)), goal, jnp.sign(goal), jnp.abs(goal)[:, 0], jnp.ones(64)
        return replace(NAVIGATOR, beta=beta).learn(key, state, *told)

    state, info = jax.lax.scan(update, NAVIGATOR.init(KEY, seen=1, wanted=1, actions=1), jax.random.split(KEY, 600))
    return state, jax.tree.map(lambda leaf: jnp.mean(leaf[-50:]), info)


def test_a_tight_bottleneck_leaves_the_marginal_action_and_a_loose_one_all():
    state, info = trained(100.0)
    acts = NAVIGATOR.act(state, NAVIGATOR.sampled(KEY, 200), jnp.zeros((200, 1)))
    assert float(jnp.std(acts)) < 0.1
    assert abs(float(jnp.mean(acts))) < 0.25
    assert float(info["bottleneck"]) < 0.05
    state, info = trained(1e-4)
    # an unrestricted head has no error but at the place where left becomes right
    assert float(info["action_loss"]) < 0.1
    assert float(info["distance_loss"]) < 0.01
    goal = jnp.array([[-0.6], [0.6]])
    latent, _ = NAVIGATOR.encode(state, jnp.zeros((2, 1)), goal)
    np.testing.assert_allclose(NAVIGATOR.act(state, latent, jnp.zeros((2, 1)))[:, 0], [-1.0, 1.0], atol=0.2)
    np.testing.assert_allclose(NAVIGATOR.far(state, latent, jnp.zeros((2, 1))), [0.6, 0.6], atol=0.15)


def test_rows_without_weight_change_nothing():
    navigator = Navigator(size=2, units=8)
    state = navigator.init(KEY, seen=1, wanted=1, actions=1)
    rows = jnp.ones((4, 1))
    after, _ = jax.jit(navigator.learn)(KEY, state, rows, rows, rows, rows[:, 0], jnp.zeros(4))
    jax.tree.map(np.testing.assert_array_equal, after, state)
    with pytest.raises(ValueError, match="size=0"):
        Navigator(size=0).init(KEY, 1, 1, 1)


def test_the_cost_of_the_bottleneck_is_the_divergence_of_normals():
    grid = np.linspace(-12, 12, 20_001)
    density, prior = norm.pdf(grid, 0.7, 0.5), norm.pdf(grid)
    by_sum = np.sum(np.where(density > 0, density * np.log(density / prior + 1e-300), 0.0)) * (grid[1] - grid[0])
    assert float(kept_nats(jnp.array([[0.7]]), jnp.log(jnp.array([[0.5]])))[0]) == pytest.approx(by_sum, rel=1e-3)


@settings(max_examples=30, deadline=None)
@given(some.integers(0, 10_000))
def test_ways_are_those_of_scipy_and_hops_follow_them(seed: int):
    random = np.random.default_rng(seed)
    edges = np.where(random.uniform(size=(8, 8)) < 0.3, random.uniform(0.5, 4.0, (8, 8)), np.inf).astype(np.float32)
    np.fill_diagonal(edges, 0.0)
    state = GRAPH.init(width=1)
    state = type(state)(**{**vars(state), "edges": jnp.asarray(edges), "filled": jnp.int32(8)})
    true = shortest_path(np.where(np.isfinite(edges), edges, 0.0))
    ways = WAYS(state)
    np.testing.assert_allclose(ways, true, rtol=1e-5)
    for target in range(1, 8):
        if np.isfinite(true[0, target]):
            hop = int(NEXT(state, ways, 0, target))
            assert edges[0, hop] + true[hop, target] == pytest.approx(true[0, target], rel=1e-5)


def test_a_place_near_to_a_node_is_that_node_and_others_fill_the_map():
    state, met = GRAPH.init(width=1), []
    for place in (0.0, 0.5, 3.0, 20.0, 3.2):
        apart = jnp.abs(state.places[:, 0] - place)
        state, node = VISITED(state, jnp.array([place]), apart, apart)
        met.append(int(node))
    assert met == [0, 0, 1, 2, 1]
    assert state.visits.tolist()[:4] == [2.0, 2.0, 1.0, 0.0]
    ways = WAYS(state)
    assert float(ways[0, 1]) == 3.0
    assert not np.isfinite(ways[0, 2])
    assert int(GRAPH.rarest(state, ways, jnp.int32(0))) == 0  # node 2 is rarer, and out of reach
    for place in np.arange(40.0, 80.0, 5.0):
        apart = jnp.abs(state.places[:, 0] - place)
        state, _ = VISITED(state, jnp.array([place]), apart, apart)
    assert int(state.filled) == 8
    with pytest.raises(ValueError, match="near=9"):
        Topology(near=9.0, joined=3.0).init(width=1)
