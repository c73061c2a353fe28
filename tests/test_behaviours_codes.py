"""Imitation by nearest moments, codes learned before cloning, and invented corrections."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor

from umwelt import check
from umwelt.behaviours import Cloning, Corrective, Nearest, Pretrained
from umwelt.behaviours.batch import Batch
from umwelt.core import Box
from umwelt.worlds.errand import Errand

KEY = jax.random.key(6)
BOX = Box(shape=(2,), low=-1.0, high=1.0)


def batch(now, action, after=None):
    ones = np.ones(len(now), np.float32)
    return Batch(now=now, action=action, reward=0 * ones, continues=ones, after=now if after is None else after, weight=ones)


@pytest.fixture(scope="module")
def moments():
    random = np.random.default_rng(0)
    return random.normal(size=(60, 3)).astype(np.float32), random.uniform(-1, 1, (60, 2)).astype(np.float32)


def kept(learner, seen, done):
    return jax.jit(lambda rows: learner.learn(KEY, learner.init(KEY, seen.shape[1], BOX), rows)[0])(batch(seen, done))


def test_the_nearest_moments_act_as_those_of_another_library(moments):
    seen, done = moments
    learner = Nearest(k=5, temperature=0.7, rows=64)
    asked = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    peer = KNeighborsRegressor(5, weights=lambda apart: np.exp(-apart / 0.7)).fit(seen, done)
    found = learner.act(KEY, kept(learner, seen, done), asked, "exploit")
    np.testing.assert_allclose(found, peer.predict(asked), atol=1e-5)


def test_one_neighbour_copies_a_shown_moment_and_all_of_them_without_regard_to_distance_are_the_mean(moments):
    seen, done = moments
    one, every = Nearest(k=1, rows=64), Nearest(k=60, rows=60, temperature=1e9)
    np.testing.assert_allclose(one.act(KEY, kept(one, seen, done), seen, "exploit"), done, atol=1e-6)
    mean = np.broadcast_to(done.mean(axis=0), (60, 2))
    np.testing.assert_allclose(every.act(KEY, kept(every, seen, done), seen, "exploit"), mean, atol=1e-5)


def test_a_moment_is_kept_once_and_none_beyond_the_room(moments):
    seen, done = moments
    learner = Nearest(k=1, rows=50)
    state = kept(learner, np.repeat(seen[:20], 2, axis=0), np.repeat(done[:20], 2, axis=0))
    assert int(state.count) == 20
    state, _ = jax.jit(learner.learn)(KEY, state, batch(seen, done))
    assert int(state.count) == 50
    assert float(learner.act(KEY, learner.init(KEY, 3, BOX), seen, "exploit").max()) == 0.0


def cluttered(key, rows=256):
    """Two numbers that actions move, and six that move by themselves, mixed by an orthonormal matrix: [rows, 8] each."""
    placing, acting, drifting = jax.random.split(key, 3)
    mixing = np.linalg.qr(np.random.default_rng(3).normal(size=(8, 8)))[0].astype(np.float32)
    action = jax.random.uniform(acting, (rows, 2), minval=-1.0)
    inside = jax.random.normal(placing, (rows, 8))
    moved = inside + jnp.concatenate([action, 0.3 * jax.random.normal(drifting, (rows, 6))], axis=1)
    return batch(inside @ mixing, action, moved @ mixing), inside


def test_inverse_dynamics_code_what_the_body_can_do_and_no_clutter():
    learner = Pretrained(learner=Cloning(units=8), width=4, lessons=600, units=16, learning_rate=1e-2)

    def update(state, key):
        return learner.learn(key, state, cluttered(key)[0])[0], None

    begun = learner.init(KEY, 8, BOX)
    state = jax.jit(lambda state: jax.lax.scan(update, state, jax.random.split(KEY, 600))[0])(begun)
    rows, inside = jax.tree.map(np.asarray, cluttered(jax.random.key(9), 1000))
    code = np.asarray(learner.coded(state, rows.now))
    own, clutter = (
        LinearRegression().fit(code, inside[:, part]).score(code, inside[:, part]) for part in (slice(2), slice(2, 8))
    )
    assert own > 0.8
    assert clutter < 0.2
    # the lessons of the code are over: it is frozen, and the clone learns
    after, _ = jax.jit(learner.learn)(KEY, state, rows)
    jax.tree.map(np.testing.assert_array_equal, after.code, state.code)
    pairs = zip(jax.tree.leaves(after.inner), jax.tree.leaves(state.inner), strict=True)
    assert any(np.any(np.asarray(one) != np.asarray(other)) for one, other in pairs)
    jax.tree.map(np.testing.assert_array_equal, state.inner, begun.inner)


@pytest.mark.parametrize("aim", ["clone", "forward", "contrast", "rebuild", "none"])
def test_every_aim_learns_a_code_of_the_asked_width_or_none(aim):
    learner = Pretrained(learner=Cloning(units=8), aim=aim, width=3, lessons=1)
    rows, _ = cluttered(KEY, 16)

    @jax.jit
    def used(rows):
        state, info = learner.learn(KEY, learner.init(KEY, 8, BOX), rows)
        return info["code_loss"], learner.coded(state, rows.now), learner.act(KEY, state, rows.now, "exploit")

    loss, code, action = used(rows)
    assert np.isfinite(float(loss))
    assert code.shape == (16, 8 if aim == "none" else 3)
    assert action.shape == (16, 2)


def linear(rows):
    """A system x' = 0.9 x + 0.2 a of two numbers."""
    random = np.random.default_rng(4)
    now, action = random.normal(size=(rows, 2)).astype(np.float32), random.uniform(-1, 1, (rows, 2)).astype(np.float32)
    return batch(now, action, np.float32(0.9) * now + np.float32(0.2) * action)


def test_invented_states_lead_back_to_what_was_shown():
    learner = Corrective(learner=Cloning(units=8), labels=4, lessons=0, units=32, learning_rate=1e-2)
    rows = linear(256)

    def update(state, key):
        return learner.learn(key, state, rows)[0], None

    state = jax.jit(lambda state: jax.lax.scan(update, state, jax.random.split(KEY, 300))[0])(learner.init(KEY, 2, BOX))
    invented = jax.jit(lambda slope: dataclasses.replace(learner, slope=slope).invented(KEY, state, rows))
    found = jax.tree.map(np.asarray, invented(learner.slope))
    weighs = found.weight > 0
    assert weighs.mean() > 0.9
    near = np.linalg.norm(found.now - np.tile(rows.now, (4, 1)), axis=1)
    assert near[weighs].max() <= learner.near
    # the change of this system is -0.1 x + 0.2 a, and the backward Euler rule asks for it at s' with the invented action
    wanted = found.after - (-0.1 * found.after + 0.2 * found.action)
    away = np.linalg.norm(found.now - wanted, axis=1)
    assert np.quantile(away[weighs], 0.9) < 0.05
    assert np.linalg.norm(found.action - np.tile(rows.action, (4, 1)), axis=1).mean() > 0.05
    assert np.asarray(invented(1e-6).weight).sum() == 0.0


def test_the_errand_keeps_the_contract_of_worlds_and_its_expert_arrives():
    world = Errand(batch=3)
    check.world(Errand(batch=3, time_limit=5), steps=14).raise_if_broken()
    task = jax.tree.map(lambda leaf: np.broadcast_to(np.asarray(leaf), (3, 2)), world.tasks()["place 7"])
    state, step = world.init(KEY, task)
    follow = jax.jit(lambda state, step: world.step(KEY, state, world.expert(KEY, step.observation, task), task))
    for _ in range(12):
        state, step = follow(state, step)
    np.testing.assert_allclose(step.observation, task.goal, atol=1e-6)
