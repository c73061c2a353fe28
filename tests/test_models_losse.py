"""Losse as a world model: its contract, what it does not forget, and what it says about itself."""

import dataclasses
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from losse_streams import PENDULUM, experience, pendulum, plant, smooth

from umwelt import check
from umwelt.core import FIRST, MID, TERMINATED, TRUNCATED, Box, Discrete, TimeStep, WorldSpec, lived
from umwelt.models.linear import Block, Encoder, Exact
from umwelt.models.losse import Losse

KEY = jax.random.key(0)
SMALL = Encoder(grids=6, bins=3, axes=2)


@functools.cache
def learner(model):
    """The model's `learn`, compiled once for each shape."""
    return jax.jit(model.learn)


@functools.cache
def imaginer(model):
    return jax.jit(model.imagine)


def grow(model, data, spec, **kinds):
    return learner(model)(KEY, model.init(KEY, spec), experience(data, **kinds))[0]


def rows(data, chosen):
    return [array[chosen] for array in data]


def same(one, other):
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        if jnp.issubdtype(a.dtype, jax.dtypes.prng_key):
            a, b = jax.random.key_data(a), jax.random.key_data(b)
        np.testing.assert_array_equal(a, b)


def errors(model, state, data):
    """Normalised mean squared one-step error of each target, [observed + 1]."""
    observation, action, following, reward = data
    _, prediction = imaginer(model)(KEY, state, observation, action)
    found = np.concatenate([np.asarray(prediction.observation) - observation, np.asarray(prediction.reward)[:, None]], 1)
    expected = np.concatenate([following - observation, reward[:, None]], 1)
    return ((found - expected) ** 2).mean(0) / expected.var(0)


def test_pendulum_is_learned_from_two_thousand_random_steps():
    model = Losse(encoder=Encoder(grids=8))
    state = grow(model, pendulum(2000), PENDULUM)
    assert errors(model, state, pendulum(2000, seed=1)).max() < 5e-3


def test_a_ridge_in_proportion_to_the_grids_pays_where_outcomes_are_noisy_and_not_where_they_are_exact():
    """So the default is one number for every width, and advice is in its description."""
    stream, unseen = pendulum(400), pendulum(1000, seed=1)
    change = stream[2] - stream[0]
    noise = 0.3 * change.std(0) * np.random.default_rng(0).standard_normal(change.shape)
    noisy = (stream[0], stream[1], (stream[2] + noise).astype(np.float32), stream[3])
    shares = {}
    for ridge in (1e-2, 16e-2):
        model = Losse(encoder=Encoder(grids=16, axes=2), ridge=ridge)
        shares[ridge] = [errors(model, grow(model, data, PENDULUM), unseen)[:3].mean() for data in (stream, noisy)]
    assert shares[1e-2][0] < shares[16e-2][0]
    assert shares[16e-2][1] < 0.8 * shares[1e-2][1]


def region(data, index, regions=6):
    """The part of a pendulum stream whose angle lies in one of equal sectors."""
    angle = np.arctan2(data[0][:, 1], data[0][:, 0])
    return np.clip(((angle + np.pi) / (2 * np.pi) * regions).astype(int), 0, regions - 1) == index


def perceptron(stream, size):
    """A control that forgets: a two-layer network, one Adam step for each transition. Returns its predictors after each
    chunk of a size."""
    inputs = np.concatenate([stream[0] / np.array([1.0, 1.0, 3.0], np.float32), stream[1]], 1)
    targets = (stream[2] - stream[0]) / (stream[2] - stream[0]).std(0)
    first, second = jax.random.split(KEY)
    weights = [jax.random.normal(first, (4, 64)) / 2, jnp.zeros(64), jax.random.normal(second, (64, 3)) / 8, jnp.zeros(3)]
    optimiser = optax.adam(1e-3)

    def predict(w, x):
        return jnp.tanh(x @ w[0] + w[1]) @ w[2] + w[3]

    def update(carry, row):
        w, moments = carry
        gradient = jax.grad(lambda w: jnp.mean((predict(w, row[0]) - row[1]) ** 2))(w)
        change, moments = optimiser.update(gradient, moments)
        return (optax.apply_updates(w, change), moments), None

    carry, found = (weights, optimiser.init(weights)), []
    learn = jax.jit(lambda carry, rows: jax.lax.scan(update, carry, rows)[0])
    for start in range(0, len(inputs), size):
        carry = learn(carry, (inputs[start : start + size], targets[start : start + size]))
        found.append(lambda chosen, w=carry[0]: np.asarray(predict(w, inputs[chosen])) - targets[chosen])
    return found


def test_six_regions_visited_once_each_are_all_remembered_where_a_network_forgets():
    data = pendulum(6000)
    places = [np.flatnonzero(region(data, index)) for index in range(6)]
    # all visits are equally long, so that one program learns from each
    visited = min(map(len, places))
    stream = rows(data, np.concatenate([place[:visited] for place in places]))
    examined = np.arange(visited)
    model = Losse(encoder=Encoder(grids=12, bins=3, axes=2))
    states = [model.init(KEY, PENDULUM)]
    for start in range(0, 6 * visited, visited):
        states.append(learner(model)(KEY, states[-1], experience(rows(stream, slice(start, start + visited))))[0])
    right_after, at_the_end = (errors(model, states[at], rows(stream, examined))[:3].mean() for at in (1, 6))
    assert at_the_end < max(3 * right_after, 0.01)
    spread = (stream[2] - stream[0])[examined].var(0) / (stream[2] - stream[0]).var(0)
    control = [(predict(examined) ** 2).mean(0) / spread for predict in perceptron(stream, visited)]
    assert control[-1].mean() > 10 * at_the_end
    assert control[-1].mean() > 2 * control[0].mean()


@functools.cache
def long_stream():
    return pendulum(30_000, episode=100)


@pytest.mark.parametrize("solver", [Exact(), Block()])
def test_a_region_left_for_twenty_thousand_steps_is_still_predicted(solver):
    data = long_stream()
    home = region(data, 0)
    stay, away = np.flatnonzero(home)[:800], np.flatnonzero(~home)[:20_000]
    model = Losse(encoder=Encoder(grids=8, bins=3, axes=2), solver=solver)
    learn = jax.jit(model.learn, donate_argnums=1)
    state, _ = learn(KEY, model.init(KEY, PENDULUM), experience(rows(data, stay)))
    before = errors(model, state, rows(data, stay))[:3].mean()
    for chunk in away.reshape(-1, 800):
        state, _ = learn(KEY, state, experience(rows(data, chunk)))
    after = errors(model, state, rows(data, stay))[:3].mean()
    assert before < 0.02
    assert after < max(3 * before, 0.02)


@pytest.mark.parametrize("solver", [Exact(deferred=5), Block(), Block(remembered=1)])
def test_a_batch_is_its_rows_in_order_and_seams_change_nothing(solver):
    data = smooth(90)
    model = Losse(encoder=SMALL, solver=solver, warm_up=20, polish_every=30, polish_iterations=3)
    seam = np.zeros(90, bool)
    seam[[3, 25, 26, 60, 89]] = True
    before = np.where(seam, TRUNCATED, MID).astype(np.int8)
    after = np.where(seam, FIRST, MID).astype(np.int8)
    learn = learner(model)
    whole, _ = learn(KEY, model.init(KEY, plant()), experience(data, after, before))
    state = model.init(KEY, plant())
    for index in np.flatnonzero(~seam):
        state, _ = learn(KEY, state, experience(rows(data, slice(index, index + 1))))
    for one, other in zip(jax.tree.leaves(whole.statistics), jax.tree.leaves(state.statistics), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)
    untouched, _ = learn(KEY, whole, experience(data, after * 0, after * 0 + TERMINATED))
    same(untouched, whole)


def test_standard_units_are_of_the_warm_up_and_then_frozen():
    data = smooth(60)
    model = Losse(encoder=SMALL, warm_up=40, known_bounds=False)
    learn = learner(model)
    state = model.init(KEY, plant())
    for index in range(39):
        state, info = learn(KEY, state, experience(rows(data, slice(index, index + 1))))
    assert float(info["transitions"]) == 0
    state, info = learn(KEY, state, experience(rows(data, slice(39, 40))))
    assert float(info["transitions"]) == 40
    inputs = np.concatenate([data[0], data[1]], 1)[:40].astype(np.float64)
    change = (data[2] - data[0])[:40].astype(np.float64)
    np.testing.assert_allclose(state.standard.input_centre, inputs.mean(0), atol=1e-6)
    np.testing.assert_allclose(state.standard.input_scale, inputs.std(0), atol=1e-6)
    np.testing.assert_allclose(state.standard.target_scale[:3], np.sqrt((change**2).mean(0)), atol=1e-6)
    np.testing.assert_allclose(state.standard.target_centre, [0, 0, 0, data[3][:40].mean(), 0], atol=1e-6)
    later = state
    for index in range(40, 60):
        later, _ = learn(KEY, later, experience([100 * array for array in rows(data, slice(index, index + 1))]))
    same(later.standard, state.standard)
    assert int(later.statistics.count) == 60


def test_bounded_inputs_are_standardised_by_their_bounds():
    state = Losse().init(KEY, PENDULUM)
    np.testing.assert_allclose(state.standard.input_centre, 0)
    np.testing.assert_allclose(state.standard.input_scale, np.array([2, 2, 16, 4]) / np.sqrt(12), rtol=1e-6)


@pytest.mark.parametrize("kind", ["exact", "diagonal"])
def test_doubt_is_one_before_life_and_falls_with_visits(kind):
    data = smooth(400)
    model = Losse(encoder=SMALL, warm_up=10, doubt_in_imagination=kind)
    learn, imagine = learner(model), imaginer(model)
    state = model.init(KEY, plant())
    doubts = [np.asarray(imagine(KEY, state, data[0][:10], data[1][:10])[1].doubt)]
    for start in range(0, 400, 20):
        state, _ = learn(KEY, state, experience(rows(data, slice(start, start + 20))))
        doubts.append(np.asarray(imagine(KEY, state, data[0][:10], data[1][:10])[1].doubt))
    np.testing.assert_allclose(doubts[0], 1, atol=1e-6)
    for earlier, later in itertools.pairwise(doubts):
        assert np.all(later <= earlier + 1e-6)
    assert doubts[-1].max() < min(0.1, doubts[1].min())


def test_doubt_can_be_left_out_of_imagination():
    model = Losse(encoder=SMALL, doubt_in_imagination="none")
    data = smooth(10)
    _, prediction = imaginer(model)(KEY, model.init(KEY, plant()), data[0], data[1])
    np.testing.assert_array_equal(prediction.doubt, 0)


def test_doubt_is_high_where_it_never_was():
    data = smooth(1000)
    home = data[0][:, 0] < 0
    model = Losse(encoder=Encoder(grids=12, bins=5, axes=2), doubt_in_imagination="exact")
    spec = dataclasses.replace(plant(), observation=Box(shape=(3,), low=-1.0, high=1.0))
    state = grow(model, rows(data, home), spec)
    for kind in ("exact", "diagonal"):
        doubt = jax.jit(dataclasses.replace(model, doubt_in_imagination=kind).imagine)(KEY, state, data[0], data[1])[1].doubt
        assert doubt[data[0][:, 0] > 0.5].mean() > 2 * doubt[home].mean(), kind


def test_surprise_is_the_error_in_standard_units_and_first_steps_have_none():
    data = smooth(300)
    model = Losse(encoder=SMALL, warm_up=50)
    state = grow(model, data, plant())
    kinds = np.array([FIRST, MID, MID], np.int8)
    fresh = smooth(3, seed=4)
    step = TimeStep(kind=kinds, observation=fresh[2], reward=fresh[3])
    belief, info = jax.jit(model.observe)(KEY, state, jnp.asarray(fresh[0]), fresh[1], step)
    np.testing.assert_array_equal(belief, fresh[2])
    _, prediction = imaginer(model)(KEY, state, fresh[0], fresh[1])
    gap = np.concatenate(
        [np.asarray(prediction.observation) - fresh[2], np.asarray(prediction.reward - fresh[3])[:, None], np.zeros((3, 1))], 1
    )
    expected = np.sqrt(((gap / np.asarray(state.standard.target_scale)) ** 2).mean(1))
    assert np.isnan(info["surprise"][0])
    assert np.isnan(info["doubt"][0])
    np.testing.assert_allclose(info["surprise"][1:], expected[1:], rtol=1e-3)
    assert np.all((info["doubt"][1:] > 0) & (info["doubt"][1:] < 1))
    assert info["surprise"].dtype == info["doubt"].dtype == jnp.float32


def test_ends_are_learned_and_never_expected_before_one_was_seen():
    data = smooth(1500)
    fall = data[2][:, 0] > 0.5
    kinds = np.where(fall, TERMINATED, MID).astype(np.int8)
    model = Losse(encoder=Encoder(grids=12, bins=5, axes=2))
    imagine = imaginer(model)
    immortal = imagine(KEY, grow(model, data, plant()), data[0], data[1])[1].continues
    np.testing.assert_array_equal(immortal, 1)
    mortal = np.asarray(imagine(KEY, grow(model, data, plant(), kinds=kinds), data[0], data[1])[1].continues)
    assert mortal[fall & (data[0][:, 0] > 0.6)].mean() < 0.2
    assert mortal[data[0][:, 0] < 0.3].mean() > 0.95
    assert mortal.min() >= 0
    assert mortal.max() <= 1


def known_reward(observation, action, following):
    return following[:, 0] - 0.1 * action[:, 0] ** 2 + 0 * observation[:, 0]


def known_continues(observation, action, following):
    return (following[:, 1] < 0.5).astype(jnp.float32)


def test_given_reward_and_ends_are_used_as_they_are():
    data = smooth(200)
    model = Losse(encoder=SMALL, reward=known_reward, continues=known_continues, warm_up=20)
    state = grow(model, data, plant())
    assert state.statistics.weights.shape[1] == 3
    _, prediction = imaginer(model)(KEY, state, data[0], data[1])
    np.testing.assert_allclose(prediction.reward, known_reward(data[0], data[1], prediction.observation), rtol=1e-5)
    np.testing.assert_array_equal(prediction.continues, np.asarray(prediction.observation)[:, 1] < 0.5)


def test_choices_and_containers_are_imagined_as_they_are_seen():
    spec = WorldSpec(
        name="switch",
        observation={"lamp": Discrete(n=3), "place": Box(shape=(2, 1), low=0.0, high=1.0)},
        action=Discrete(n=3),
        task=Box(),
    )
    rng = np.random.default_rng(0)
    lamp, action = rng.integers(0, 3, (2, 601)).astype(np.int32)
    place = rng.uniform(0, 1, (601, 2, 1)).astype(np.float32)
    kind = np.full(600, MID, np.int8)
    following = (lamp + action) % 3
    step = TimeStep(kind=kind, observation={"lamp": lamp[:600], "place": place[:600]}, reward=np.zeros(600, np.float32))
    after = TimeStep(kind=kind, observation={"lamp": following[:600], "place": place[:600]}, reward=np.zeros(600, np.float32))
    model = Losse(encoder=Encoder(grids=40, bins=2, axes=2), warm_up=50)
    state, _ = jax.jit(model.learn)(KEY, model.init(KEY, spec), lived(step, action[:600], after))
    belief, _ = jax.jit(model.observe)(KEY, state, model.start(state, 600), action[:600], step)
    belief, prediction = imaginer(model)(KEY, state, belief, action[:600])
    assert prediction.observation["lamp"].dtype == jnp.int32
    assert prediction.observation["place"].shape == (600, 2, 1)
    assert np.mean(np.asarray(prediction.observation["lamp"]) == following[:600]) > 0.97
    np.testing.assert_array_equal(np.asarray(belief)[:, :3], np.eye(3)[np.asarray(prediction.observation["lamp"])])


@pytest.mark.parametrize("solver", [Exact(), Block(remembered=1)])
def test_compiled_once_in_place_and_alike_under_vmap(solver):
    model = Losse(encoder=SMALL, solver=solver, warm_up=20)
    learn = jax.jit(model.learn, donate_argnums=1)
    state = model.init(KEY, plant())
    where = state.statistics.gram.unsafe_buffer_pointer()
    data = smooth(60)
    for start in range(0, 60, 20):
        state, _ = learn(KEY, state, experience(rows(data, slice(start, start + 20))))
    assert learn._cache_size() == 1
    assert state.statistics.gram.unsafe_buffer_pointer() == where
    keys = jax.random.split(KEY, 2)
    many = jax.vmap(lambda key: model.init(key, plant()))(keys)
    many, _ = jax.jit(jax.vmap(model.learn, (0, 0, None)))(keys, many, experience(data))
    alone = model.init(keys[1], plant())
    for start in range(0, 60, 20):
        alone, _ = learn(keys[1], alone, experience(rows(data, slice(start, start + 20))))
    np.testing.assert_allclose(many.statistics.weights[1], alone.statistics.weights, atol=1e-8)


def test_arguments_that_cannot_work_are_refused():
    with pytest.raises(ValueError, match="warm_up"):
        Losse(warm_up=0).init(KEY, plant())
    with pytest.raises(ValueError, match="ridge"):
        Losse(ridge=0.0).init(KEY, plant())


def test_losse_with_blocks_keeps_the_contract():
    model = Losse(encoder=SMALL, solver=Block(remembered=1), warm_up=20, polish_every=50)
    check.model(model, steps=120).raise_if_broken()
