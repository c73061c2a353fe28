"""A clone that goes on by rollouts of its own: what is handed on, and what is held."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from umwelt.behaviours import PPO, Averaged, Cloning, Labelled, OnPolicy, Standard, Tuned
from umwelt.core import SHOWN, Box, TimeStep, WorldSpec, lived

KEY = jax.random.key(8)
BOX = Box(shape=(1,), low=-1.0, high=1.0)
SPEC = WorldSpec(name="tiny", observation=Box(shape=(1,), low=-2.0, high=2.0), action=BOX, task={}, batch=4)
CLONE = Cloning(units=4, learning_rate=3e-2)
AGENT = Tuned(
    pupil=Labelled(
        inverse=Standard(learner=CLONE), learner=Standard(learner=Averaged(learner=CLONE, rate=0.5)), mix="none", batch=16
    ),
    online=OnPolicy(learner=PPO(units=4, epochs=1, pieces=1, prior_weight=0.2), horizon=2),
)


def moment(seed, origin):
    now = np.random.default_rng(seed).uniform(-2.0, 2.0, (4, 1)).astype(np.float32)
    step = TimeStep(kind=np.ones(4, np.int8), observation=now, reward=now[:, 0])
    next, zeros = replace(step, observation=np.float32(0.9) * now), np.zeros(4, np.float32)
    return replace(
        lived(step, np.float32(0.5) * now.clip(-1, 1), next, task={}, surprise=zeros), origin=np.full(4, origin, np.int8)
    )


def test_the_average_of_the_clone_acts_and_is_the_prior_of_what_follows():
    state = AGENT.init(KEY, SPEC)
    learn, remember = jax.jit(AGENT.learn), jax.jit(AGENT.remember)
    for seed in range(8):
        state, _ = remember(KEY, state, moment(seed, SHOWN))
    for seed in range(40):
        state, info = learn(jax.random.key(seed), state)
    assert np.isfinite(info["imitation_loss"])
    clone = state.pupil.learner
    jax.tree.map(np.testing.assert_array_equal, state.online.learner.policy, clone.inner.mean)
    # in the body that is examined it does what was shown, half of what it sees
    seen = np.float32([[-1.0], [-0.4], [0.4], [1.0]])
    body = AGENT.embody(KEY, state, SPEC)
    see, act = jax.jit(AGENT.see), jax.jit(AGENT.act, static_argnums=2)
    body, _ = see(KEY, body, TimeStep(kind=np.zeros(4, np.int8), observation=seen, reward=np.zeros(4, np.float32)))
    _, action = act(KEY, body, "exploit")
    np.testing.assert_allclose(action, 0.5 * seen, atol=0.15)
    for seed in range(2):
        state, _ = act(KEY, see(KEY, state, moment(seed, 0).step)[0], "explore")
        state, _ = remember(KEY, state, moment(seed, 0))
    after, info = learn(KEY, state)
    jax.tree.map(np.testing.assert_array_equal, after.pupil, state.pupil)
    jax.tree.map(np.testing.assert_array_equal, after.online.learner.prior, clone.inner.mean)
    assert int(after.online.learner.rounds) == 1
    jax.tree.map(np.testing.assert_array_equal, after.online.seen, state.online.seen)
    assert np.isnan(info["imitation_loss"])


def test_a_clone_that_cannot_be_handed_on_is_refused():
    with pytest.raises(ValueError, match="same units"):
        replace(AGENT, online=OnPolicy(learner=PPO(units=8))).init(KEY, SPEC)
