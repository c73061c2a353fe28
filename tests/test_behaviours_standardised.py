"""Learners around a learner, against NumPy and the closed form of an exponential mean."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import Averaged, Cloning, Standard
from umwelt.behaviours.batch import Batch
from umwelt.core import Box, capability, part, struct

KEY = jax.random.key(4)
LINE = Box(shape=(1,), low=-1.0, high=1.0)


def batch(now, action, weight):
    """Decisions that end their episode."""
    return Batch(now=now, action=action, reward=weight, continues=0 * weight, after=now, weight=weight)


@struct
class Shown:
    """policy: float32 [], the number of updates. rows: float32 [N, F], what it learned from last."""

    policy: jax.Array
    rows: jax.Array


@part
class Showing:
    """A learner whose actions show what it is given."""

    metrics = ()
    discount: float = 0.5
    protection: str = "none"

    def init(self, key, width, action):
        return Shown(policy=jnp.zeros(()), rows=jnp.zeros((5, width)))

    def act(self, key, state, features, mode, open=None):
        return features + state.policy

    def learn(self, key, state, batch):
        return Shown(policy=state.policy + jnp.any(batch.weight > 0), rows=batch.now), {}

    def worth(self, state, features, action):
        return jnp.sum(features, axis=-1) + action


def test_features_become_standard_and_their_scale_is_frozen():
    random = np.random.default_rng(0)
    rows = random.normal(size=(4, 5, 3)) * [1.0, 100.0, 0.0] + [3.0, -50.0, 7.0]
    learner = Standard(learner=Showing(), lessons=3, clip=1.5)
    state, learn = learner.init(KEY, 3, LINE), jax.jit(learner.learn)
    weight = jnp.array([1.0, 1.0, 1.0, 1.0, 0.0])
    for lesson in range(4):
        data = batch(jnp.asarray(rows[lesson], jnp.float32), jnp.zeros((5, 1)), weight)
        nothing = dataclasses.replace(data, weight=jnp.zeros(5))
        state, _ = learn(KEY, state, data)
        # rows that weigh nothing are not measured, and the last lesson is after the scale was frozen
        measured = rows[: min(lesson, 2) + 1, :4].reshape(-1, 3)
        mean, deviation = measured.mean(axis=0), np.where(measured.std(axis=0) > 1e-9, measured.std(axis=0), 1.0)
        wanted = np.clip((rows[lesson, :4] - mean) / deviation, -1.5, 1.5)
        np.testing.assert_allclose(state.inner.rows[:4], wanted, atol=2e-3)
        same, _ = learn(KEY, state, nothing)
        jax.tree.map(np.testing.assert_array_equal, (same.seen, same.lessons), (state.seen, state.lessons))
    seen = jnp.asarray(rows[0], jnp.float32)
    wanted = np.clip((rows[0] - mean) / deviation, -1.5, 1.5)
    np.testing.assert_allclose(learner.act(KEY, state, seen, "explore"), wanted + 4.0, atol=2e-3)
    worth = capability(learner, "worth")
    np.testing.assert_allclose(worth(state, seen, jnp.ones(5)), wanted.sum(axis=-1) + 1.0, atol=5e-3)
    assert (learner.discount, learner.protection, learner.metrics) == (0.5, "none", ())


def test_imitation_reaches_a_clone_inside_by_standard_features():
    now = jax.random.uniform(KEY, (16, 2), minval=1.0, maxval=9.0)
    learner, data = Standard(learner=Cloning(units=8)), batch(now, 0.1 * now[:, :1], jnp.ones(16))
    state, _ = learner.learn(KEY, learner.init(KEY, 2, LINE), data)
    imitate = capability(learner, "imitate")
    after, info = imitate(KEY, state, data)
    mean, deviation = np.mean(data.now, axis=0), np.std(data.now, axis=0)
    inner = dataclasses.replace(data, now=(data.now - mean) / deviation)
    wanted = Cloning(units=8).learn(KEY, state.inner, inner)[1]["imitation_loss"]
    assert float(info["imitation_loss"]) == pytest.approx(float(wanted), rel=1e-4)
    jax.tree.map(np.testing.assert_array_equal, after.seen, state.seen)
    assert float(jnp.abs(after.inner.policy.network[0].weight - state.inner.policy.network[0].weight).max()) > 1e-4


def test_a_probe_acts_by_the_exponential_mean_of_the_policy():
    """The policy is the number of updates n; from 0 on its mean with rate r is n - r (1 - r^n) / (1 - r)."""
    learner = Averaged(learner=Showing(), rate=0.9)
    state, zeros = learner.init(KEY, 1, LINE), jnp.zeros((5, 1))
    for number in range(1, 8):
        state, _ = learner.learn(KEY, state, batch(zeros, zeros, jnp.ones(5)))
        wanted = number - 0.9 * (1 - 0.9**number) / 0.1
        assert float(learner.act(KEY, state, zeros, "exploit")[0, 0]) == pytest.approx(wanted, rel=1e-5)
        assert float(learner.act(KEY, state, zeros, "explore")[0, 0]) == number
    same, _ = learner.learn(KEY, state, batch(zeros, zeros, jnp.zeros(5)))
    assert float(same.mean) == float(state.mean)
    assert float(capability(learner, "worth")(state, zeros, jnp.ones(5))[0]) == 1.0
