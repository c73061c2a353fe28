"""Modes and flows of a system with two known laws, Beta policies against SciPy, and rewards in groups."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from umwelt.behaviours import PPO, Automata, OnPolicy
from umwelt.behaviours.on_policy import Rollout
from umwelt.core import Box, TimeStep, WorldSpec, lived
from umwelt.networks import policies
from umwelt.networks.beta import Beta
from umwelt.networks.form import form

KEY = jax.random.key(8)
BOX = Box(shape=(1,), low=-1.0, high=1.0)
SPACE = form({"seen": Box(shape=(2,))})
LAWS = np.array([[[0.5, 0.6], [-0.4, 0.8]], [[-0.3, -0.8], [0.9, 0.1]]])
"""x' = LAWS[m] x + (0, 0.5) u, where m is the side of the line x_0 = x_1."""


def test_modes_of_a_piecewise_linear_system_are_found_and_so_are_their_laws():
    learner = Automata(past=1, modes=2, code=1, units=(32, 32), flow=(), learning_rate=3e-3, beta=1.0)

    def drawn(key):
        placing, acting = jax.random.split(key)
        now = jax.random.normal(placing, (128, 2))
        unit = jax.random.uniform(acting, (128, 1), minval=-1.0)
        side = (now[:, 0] > now[:, 1]).astype(jnp.int32)
        after = jnp.einsum("nij,nj->ni", jnp.asarray(LAWS, jnp.float32)[side], now) + unit * jnp.array([0.0, 0.5])
        return now, unit, after, side

    @jax.jit
    def taught(key):
        state = learner.init_for(key, SPACE, BOX)

        def update(state, key):
            now, unit, after, _ = drawn(key)
            return learner.taught(key, state, now, unit, after, jnp.ones(128))

        state, _ = jax.lax.scan(update, state, jax.random.split(key, 2500))
        now, unit, after, side = drawn(jax.random.key(9))
        logits, _, _ = learner.encoded(state.weights, state.parts, now)
        return jnp.argmax(logits, axis=-1), now, unit, after, side, state.weights.flows[0].weight

    mode, now, unit, after, side, flows = map(np.asarray, taught(KEY))
    clear = np.abs(now[:, 0] - now[:, 1]) > 0.3
    same = np.mean((mode == side)[clear])
    assert max(same, 1 - same) > 0.98
    names = mode if same > 0.5 else 1 - mode
    for law in (0, 1):
        # by what was learned alone: rows of a mode, and the laws that least squares finds in them
        rows = (names == law) & clear
        inputs = np.concatenate([now, unit], axis=1)[rows]
        found = np.linalg.lstsq(inputs, after[rows], rcond=None)[0].T
        np.testing.assert_allclose(found[:, :2], LAWS[law], atol=0.05)
        # the flow itself, which predicts the change
        which = law if same > 0.5 else 1 - law
        np.testing.assert_allclose(flows[which][:2].T + np.eye(2), LAWS[law], atol=0.05)


def test_a_beta_policy_is_that_of_scipy_and_never_leaves_its_box():
    beta = Beta(scaled=policies.over(Box(shape=(2,), low=(-1.0, 0.0), high=(3.0, 1.0))))
    outputs, others = jnp.array([[0.3, -1.0, 2.0, 0.5]]), jnp.array([[1.0, 0.0, 0.5, -2.0]])
    (first, second), (third, fourth) = (map(np.asarray, beta.shape(each)) for each in (outputs, others))
    unit = jnp.array([[0.2, -0.7]])
    law = scipy.stats.beta(first, second, loc=-1, scale=2)
    assert float(beta.log_prob(outputs, unit)[0]) == pytest.approx(law.logpdf(np.asarray(unit)).sum(), rel=1e-5)
    assert float(beta.entropy(KEY, outputs)[0]) == pytest.approx(law.entropy().sum(), rel=1e-4)
    np.testing.assert_allclose(beta.best(outputs), law.mean(), rtol=1e-5)
    apart = 0.0
    for one in range(2):
        mine, theirs = (scipy.stats.beta(each[0, one], other[0, one]) for each, other in ((first, second), (third, fourth)))
        gap = lambda p, mine=mine, theirs=theirs: mine.pdf(p) * (mine.logpdf(p) - theirs.logpdf(p))  # noqa: E731
        apart += scipy.integrate.quad(gap, 1e-9, 1 - 1e-9)[0]
    assert float(beta.divergence(outputs, others)[0]) == pytest.approx(apart, rel=1e-4)
    drawn, likely = beta.draw(KEY, jnp.repeat(outputs, 4000, axis=0))
    np.testing.assert_allclose(drawn.mean(axis=0), law.mean()[0], atol=0.03)
    np.testing.assert_allclose(likely, beta.log_prob(jnp.repeat(outputs, 4000, axis=0), drawn))
    actions = np.asarray(beta.action(drawn))
    assert (actions > (-1.0, 0.0)).all()
    assert (actions < (3.0, 1.0)).all()
    np.testing.assert_allclose(beta.unit(actions), drawn, atol=1e-5)


def test_groups_of_rewards_have_advantages_of_their_own_whatever_their_units():
    learner = PPO(units=4, discount=0.5, groups=(1.0, 0.5), bounded=True)
    state = learner.init(KEY, 2, BOX)
    now = jax.random.normal(KEY, (16, 2))
    _, unit, log_prob = learner.act(KEY, state, now, "explore")
    some = jnp.ones((8, 2))
    reward = jax.random.normal(jax.random.key(1), (8, 2, 2))
    shaped = {"unit": unit.reshape(8, 2, 1), "log_prob": log_prob.reshape(8, 2), "reward": reward}
    placed = now.reshape(8, 2, 2)
    held = Rollout(now=placed, after=placed, **shaped, terminated=some > 0, last=some > 0, weight=some)
    advantage, returns = learner.advantages(state, held)
    np.testing.assert_allclose(returns, reward, atol=1e-6)
    np.testing.assert_allclose(advantage, reward - learner.values(state, placed), atol=1e-6)
    rows = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), held)
    step = jax.jit(lambda advantage: learner.stepped(state, rows, advantage, returns.reshape(-1, 2))[0].policy)
    one, other = step(advantage.reshape(-1, 2)), step(advantage.reshape(-1, 2) * jnp.array([1.0, 100.0]) + 3.0)
    jax.tree.map(lambda left, right: np.testing.assert_allclose(left, right, atol=1e-5), one, other)


def test_rewards_are_grouped_as_they_come():
    def apart(observation, action, after):
        return jnp.stack([after[:, 0] - observation[:, 0], action[:, 0]], axis=-1)

    spec = WorldSpec(name="tiny", observation=Box(shape=(2,), low=-1.0, high=1.0), action=BOX, task={}, batch=2)
    agent = OnPolicy(learner=PPO(units=4, groups=(1.0, 1.0)), horizon=3, rewards=apart)
    state = agent.init(KEY, spec)
    step = TimeStep(kind=jnp.ones(2, jnp.int8), observation=jnp.ones((2, 2)), reward=jnp.ones(2))
    after = TimeStep(kind=jnp.ones(2, jnp.int8), observation=jnp.full((2, 2), 0.25), reward=jnp.ones(2))
    state, action = agent.act(KEY, agent.see(KEY, state, step)[0])
    state, _ = agent.remember(KEY, state, lived(step, action, after))
    np.testing.assert_allclose(state.rollout.reward[0], np.stack([np.full(2, -0.75), np.asarray(action)[:, 0]], axis=-1))
    assert state.rollout.reward.shape == (3, 2, 2)
