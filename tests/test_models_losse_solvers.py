"""The encoder, the statistics and the solvers of Losse, against plain NumPy."""

import dataclasses
import functools
import itertools
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from losse_streams import block_update, dense_features, experience, plant, smooth, standard_rows

from umwelt.models.linear import Block, Encoder, Exact
from umwelt.models.losse import Losse

SMALL = Encoder(grids=5, bins=3, axes=2)
KEY = jax.random.key(0)


@functools.cache
def learner(model):
    return jax.jit(model.learn, donate_argnums=1)


def grow(model, data, spec=None, chunk=None):
    """A model that learned from a stream, in chunks of one size (all at once unless given)."""
    learn = learner(model)
    state = model.init(KEY, spec or plant())
    chunk = chunk or len(data[0])
    for start in range(0, len(data[0]), chunk):
        state, info = learn(KEY, state, experience([array[start : start + chunk] for array in data]))
    return state, info


def features_of(model, state, inputs):
    """The note's encoder as in `dense_features`, for all rows at once."""
    encoder, side = model.encoder, model.encoder.bins + 1
    height = encoder.bins / (1 + np.exp(-(np.asarray(inputs, np.float64) @ np.asarray(state.projection, np.float64))))
    features, every = np.zeros((len(inputs), encoder.size)), np.arange(len(inputs))
    for grid in range(encoder.grids):
        place = height[:, grid * encoder.axes : (grid + 1) * encoder.axes]
        cell = np.floor(place).astype(int)
        for corner in itertools.product((0, 1), repeat=encoder.axes):
            index = np.ravel_multi_index(tuple((cell + corner).T), (side,) * encoder.axes)
            features[every, grid * side**encoder.axes + index] += np.abs(np.subtract(1, corner) - (place - cell)).prod(axis=1)
    return features


@pytest.mark.parametrize("encoder", [Encoder(grids=7, bins=4, axes=1), SMALL, Encoder(grids=3, bins=2, axes=3)])
def test_the_encoder_is_the_one_of_the_note(encoder):
    inputs = np.random.default_rng(0).normal(size=(40, 4)) * 3
    projection = encoder.projection(KEY, 4)
    active, value = encoder.encode(projection, jnp.asarray(inputs, "float64"))
    assert active.shape == value.shape == (40, encoder.slots)
    dense = np.zeros((40, encoder.size))
    np.add.at(dense, (np.arange(40)[:, None], np.asarray(active)), np.asarray(value))
    expected = dense_features(projection, encoder.bins, encoder.grids, encoder.axes, inputs)
    np.testing.assert_allclose(dense, expected, atol=1e-12)
    state = SimpleNamespace(projection=projection)
    np.testing.assert_allclose(features_of(Losse(encoder=encoder), state, inputs), expected, atol=1e-12)
    assert np.all(np.diff(np.asarray(active), axis=1) > 0)


def test_without_groups_directions_go_through_all_inputs_as_ever():
    encoder = Encoder(gain=0.7)
    drawn = jax.random.truncated_normal(KEY, -2.0, 2.0, (6, 48), jnp.float32)
    np.testing.assert_array_equal(encoder.projection(KEY, 6), drawn * np.float32(0.7 / np.sqrt(6)))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=3))
def test_features_stay_in_their_grid_wherever_the_input_is(point):
    active, value = SMALL.encode(SMALL.projection(KEY, 3), jnp.asarray([point], "float32"))
    grid = np.asarray(active[0]) // (SMALL.bins + 1) ** SMALL.axes
    np.testing.assert_array_equal(grid, np.repeat(np.arange(SMALL.grids), 2**SMALL.axes))
    np.testing.assert_allclose(np.asarray(value).reshape(SMALL.grids, -1).sum(1), 1, atol=1e-5)
    assert float(value.min()) >= 0


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_the_table_reads_the_same_as_the_features(axes):
    encoder = Encoder(grids=6, bins=3, axes=axes)
    rng = np.random.default_rng(1)
    inputs, columns = rng.normal(size=(50, 4)), rng.normal(size=(encoder.size, 3)).astype(np.float32)
    projection = encoder.projection(KEY, 4)
    linear, mean = encoder.interpolate(projection, encoder.tabulate(jnp.asarray(columns)), jnp.asarray(inputs, "float32"))
    phi = dense_features(projection, encoder.bins, encoder.grids, axes, inputs)
    np.testing.assert_allclose(linear, phi @ columns[:, :2], atol=2e-5)
    np.testing.assert_allclose(mean, phi**2 @ columns[:, 2] / (phi**2).sum(1), atol=2e-5)


@pytest.mark.parametrize("solver", [Exact(), Block(), Block(remembered=2)])
def test_statistics_are_those_of_the_whole_batch(solver):
    data = smooth(400)
    model = Losse(encoder=SMALL, solver=solver, warm_up=50)
    state, info = grow(model, data, chunk=100)
    inputs, targets = standard_rows(state, data)
    phi = features_of(model, state, inputs)
    np.testing.assert_allclose(state.statistics.gram, phi.T @ phi, atol=1e-9)
    np.testing.assert_allclose(state.statistics.cross, phi.T @ targets, atol=1e-9)
    assert int(state.statistics.count) == int(info["transitions"]) == 400
    assert float(info["statistics_bytes"]) == SMALL.size**2 * 8


def test_exact_is_ridge_regression_after_ten_thousand_steps():
    data, unseen = smooth(10_000), smooth(500, seed=1)
    model = Losse(encoder=Encoder(grids=3, bins=3, axes=3), warm_up=100)
    state, info = grow(model, data)
    inputs, targets = standard_rows(state, data)
    phi = features_of(model, state, inputs)
    leader = np.linalg.solve(phi.T @ phi + model.ridge * np.eye(model.encoder.size), phi.T @ targets)
    held_out, _ = standard_rows(state, unseen)
    expected = features_of(model, state, held_out) @ leader
    found = features_of(model, state, held_out) @ np.asarray(state.statistics.weights)
    assert np.abs(found - expected).max() < 1e-9
    assert float(info["leader_distance"]) < 1e-8
    _, prediction = jax.jit(model.imagine)(KEY, state, unseen[0], unseen[1])
    change = np.concatenate([np.asarray(prediction.observation) - unseen[0], np.asarray(prediction.reward)[:, None]], 1)
    units = state.standard
    standard = (change - np.asarray(units.target_centre)[:-1]) / np.asarray(units.target_scale)[:-1]
    assert np.abs(standard - expected[:, :-1]).max() < 1e-4


@pytest.mark.parametrize("solver", [Exact(), Block(remembered=2)])
def test_plain_inputs_beside_sparse_ones_learn_a_linear_world_soon(solver):
    turn = np.random.default_rng(5).normal(size=(13, 12)) / 4

    def linear(steps, seed):
        rng = np.random.default_rng(seed)
        now, action = (rng.uniform(-1, 1, (steps, width)).astype(np.float32) for width in (12, 1))
        after = now + (np.concatenate([now, action], 1) @ turn).astype(np.float32)
        return now, action, after, np.zeros(steps, np.float32)

    def unexplained(model):
        state, _ = grow(model, linear(300, 0), plant(12))
        now, action, after, _ = linear(400, 1)
        _, expected = jax.jit(model.imagine)(KEY, state, now, action)
        return float(np.mean((np.asarray(expected.observation) - after) ** 2) / np.mean((after - now) ** 2))

    plain, sparse = (unexplained(Losse(encoder=SMALL, solver=solver, warm_up=50, linear=given)) for given in (True, False))
    assert plain < 1e-3
    assert sparse > 0.05


def test_plain_inputs_are_part_of_the_same_regression():
    data = smooth(400)
    model = Losse(encoder=SMALL, warm_up=30, linear=True)
    state, info = grow(model, data)
    inputs, targets = standard_rows(state, data)
    phi = np.concatenate([features_of(model, state, inputs), np.asarray(inputs)], 1)
    leader = np.linalg.solve(phi.T @ phi + model.ridge * np.eye(phi.shape[1]), phi.T @ targets)
    np.testing.assert_allclose(state.statistics.weights, leader, atol=1e-7)
    assert float(info["leader_distance"]) < 1e-8


def test_fifty_thousand_steps_stay_exact():
    data = smooth(50_000)
    model = Losse(encoder=SMALL, warm_up=50)
    state, _ = grow(model, data, chunk=100)
    inputs, targets = standard_rows(state, data)
    active, value = SMALL.encode(state.projection, jnp.asarray(inputs, "float64"))
    phi = np.zeros((len(inputs), SMALL.size))
    np.put_along_axis(phi, np.asarray(active), np.asarray(value), 1)
    leader = np.linalg.solve(phi.T @ phi + model.ridge * np.eye(SMALL.size), phi.T @ targets)
    assert np.abs(phi[:500] @ (leader - np.asarray(state.statistics.weights))).max() < 5e-9


def test_sums_are_float64_and_imagination_float32():
    state, _ = grow(Losse(encoder=SMALL, warm_up=50), smooth(100))
    sums = state.statistics
    assert {leaf.dtype for leaf in (sums.gram, sums.cross, sums.weights, sums.gradient, state.memo.base)} == {
        jnp.dtype("float64")
    }
    assert state.table.dtype == state.projection.dtype == jnp.float32


def test_the_order_of_the_data_does_not_matter_to_the_exact_solver():
    data = smooth(600)
    order = np.concatenate([np.arange(50), 50 + np.random.default_rng(3).permutation(550)])
    model = Losse(encoder=SMALL, warm_up=50)
    one, _ = grow(model, data, chunk=100)
    other, _ = grow(model, [array[order] for array in data], chunk=100)
    phi = features_of(model, one, standard_rows(one, data)[0])
    gap = np.asarray(one.statistics.weights) - np.asarray(other.statistics.weights)
    assert np.abs(phi @ gap).max() < 1e-9
    # Combinations of weights that no input separates are held by the ridge alone, so less firmly.
    assert np.abs(gap).max() < 1e-6


def test_the_block_step_is_the_note_s_over_three_hundred_steps():
    data = smooth(300)
    model = Losse(encoder=SMALL, solver=Block(), warm_up=50)
    state, _ = grow(model, data, chunk=100)
    inputs, targets = standard_rows(state, data)
    gram, cross, weights = block_update(features_of(model, state, inputs), targets, model.ridge)
    np.testing.assert_allclose(state.statistics.gram, gram, atol=1e-10)
    np.testing.assert_allclose(state.statistics.cross, cross, atol=1e-10)
    np.testing.assert_allclose(state.statistics.weights, weights, atol=1e-10)
    np.testing.assert_allclose(state.statistics.gradient, cross - gram @ weights, atol=1e-10)


def test_remembered_sets_come_nearer_to_the_leader_and_polishing_arrives():
    data = smooth(1000)
    solvers = {
        "block": (Block(), {}),
        "remembered": (Block(remembered=4), {}),
        "polished": (Block(), {"polish_every": 500, "polish_iterations": 200}),
        "exact": (Exact(), {}),
    }
    distance, gap = {}, {}
    for name, (solver, polish) in solvers.items():
        model = Losse(encoder=SMALL, solver=solver, warm_up=50, **polish)
        state, info = grow(model, data, chunk=100)
        statistics = state.statistics
        gram, cross = np.asarray(statistics.gram), np.asarray(statistics.cross)
        weights = np.asarray(statistics.weights)
        slope = np.abs(cross - gram @ weights - model.ridge * weights).max()
        distance[name] = float(info["leader_distance"])
        assert distance[name] == pytest.approx(slope, rel=1e-4, abs=1e-8), name
        gap[name] = np.abs(np.linalg.solve(gram + model.ridge * np.eye(SMALL.size), cross) - weights).max()
    assert distance["remembered"] < distance["block"] / 2
    assert gap["remembered"] < gap["block"]
    assert gap["polished"] < 1e-6
    assert gap["exact"] < 1e-7
    assert distance["polished"] < 1e-6 * distance["block"]


def test_the_distance_notices_weights_that_are_not_the_leader():
    data = smooth(300)
    model = Losse(encoder=SMALL, solver=Exact(checked=SMALL.size), warm_up=50)
    state, _ = grow(model, data, chunk=1)
    often = int(np.argmax(np.diagonal(state.statistics.gram)))
    weights = state.statistics.weights.at[often].add(0.5)
    spoilt = dataclasses.replace(state, statistics=dataclasses.replace(state.statistics, weights=weights))
    _, info = learner(model)(KEY, spoilt, experience([array[:1] for array in smooth(1, seed=5)]))
    assert float(info["leader_distance"]) > 1


@pytest.mark.parametrize("solver", [Exact(deferred=7), Block()])
def test_doubt_is_the_dense_solve(solver):
    data, probes = smooth(205), smooth(70, seed=2)
    model = Losse(encoder=SMALL, solver=solver, warm_up=40, doubt_in_imagination="exact")
    state, _ = grow(model, data)
    _, prediction = jax.jit(model.imagine)(KEY, state, probes[0], probes[1])
    phi = features_of(model, state, standard_rows(state, probes)[0])
    matrix = np.asarray(state.statistics.gram) + model.ridge * np.eye(SMALL.size)
    expected = []
    for row in phi:
        touched = np.flatnonzero(row) if isinstance(solver, Block) else np.arange(SMALL.size)
        spread = row[touched] @ np.linalg.solve(matrix[np.ix_(touched, touched)], row[touched])
        expected.append(np.sqrt(model.ridge * spread / (row @ row)))
    np.testing.assert_allclose(prediction.doubt, expected, rtol=1e-4)
    assert prediction.doubt.dtype == jnp.float32
