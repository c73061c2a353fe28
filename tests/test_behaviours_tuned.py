"""A clone that goes on by rollouts of its own: what is handed on, and what is held."""

from dataclasses import replace

import jax
import jax.numpy as jnp
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
    now = jax.random.normal(jax.random.key(seed), (4, 1))
    step = TimeStep(kind=jnp.ones(4, jnp.int8), observation=now, reward=now[:, 0])
    made = lived(step, 0.5 * now.clip(-1, 1), replace(step, observation=0.9 * now), task={}, surprise=jnp.zeros(4))
    return replace(made, origin=jnp.full(4, origin, jnp.int8))


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
    seen = jnp.array([[-1.0], [-0.4], [0.4], [1.0]])
    body = AGENT.embody(KEY, state, SPEC)
    body, _ = AGENT.see(KEY, body, TimeStep(kind=jnp.zeros(4, jnp.int8), observation=seen, reward=jnp.zeros(4)))
    _, action = AGENT.act(KEY, body, "exploit")
    np.testing.assert_allclose(action, 0.5 * seen, atol=0.15)
    for seed in range(2):
        state, _ = AGENT.act(KEY, AGENT.see(KEY, state, moment(seed, 0).step)[0])
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
