"""Many actions in a state, against linear-quadratic control, where values, gradient and variance have closed forms."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import PPO, ManyActions
from umwelt.behaviours.many_actions import ManyActionsState
from umwelt.behaviours.on_policy import Rollout
from umwelt.core import Box, Prediction
from umwelt.models import Ensemble

KEY = jax.random.key(8)
A, B, COST, DISCOUNT, GAIN, SPREAD = 0.9, 0.5, 0.1, 0.8, 0.3, 0.4
"""x' = A x + B u costs x^2 + COST u^2; the policy is u = -GAIN x + SPREAD noise."""
CLOSED = A - B * GAIN
CURVE = -(1 + COST * GAIN**2) / (1 - DISCOUNT * CLOSED**2)
LEVEL = (-COST + DISCOUNT * CURVE * B**2) * SPREAD**2 / (1 - DISCOUNT)


@dataclass(frozen=True)
class Linear:
    """The world as a model."""

    def start(self, state, rows):
        return jnp.zeros((rows, 1))

    def observe(self, key, state, belief, action, step):
        return step.observation, {}

    def imagine(self, key, state, belief, action):
        after = A * belief + B * action
        paid = -(belief[:, 0] ** 2) - COST * action[:, 0] ** 2
        return after, Prediction(observation=after, reward=paid, continues=jnp.ones_like(paid), doubt=jnp.zeros_like(paid))


@dataclass(frozen=True)
class Regulator:
    """The policy and its exact value."""

    discount = DISCOUNT

    def act(self, key, state, features, mode, open=None):
        unit = -GAIN * features + SPREAD * jax.random.normal(key, features.shape)
        return unit, unit, -0.5 * ((unit + GAIN * features)[:, 0] / SPREAD) ** 2

    def values(self, state, features):
        return CURVE * features[..., 0] ** 2 + LEVEL


def made(states, number, horizon=1, adds="actions", key=KEY):
    """Dreamed rows behind states [M], and the slope of the log likelihood of each by the gain."""
    learner = ManyActions(model=Linear(), learner=Regulator(), number=number + 1, horizon=horizon, adds=adds)
    some = jnp.zeros(states.shape[0])
    never = some > 0
    real = Rollout(
        now=states[:, None],
        after=states[:, None],
        unit=some[:, None],
        log_prob=some,
        reward=some,
        terminated=never,
        last=never,
        weight=some + 1,
    )
    rows, advantage, returns = learner.dreamed(key, ManyActionsState(inner=(), model=()), real)
    now, unit = rows.now[:, 0], rows.unit[:, 0]
    return now, unit, advantage, returns, -now * (unit + GAIN * now) / SPREAD**2


def worth(now, unit):
    """The exact value of an action."""
    return -(now**2) - COST * unit**2 + DISCOUNT * (CURVE * (A * now + B * unit) ** 2 + LEVEL)


def test_a_dream_of_one_step_tells_the_exact_advantage():
    now, unit, advantage, returns, _ = made(jnp.array([0.5, -1.0, 2.0]), 3)
    np.testing.assert_allclose(now, np.tile([0.5, -1.0, 2.0], 3))
    exact = worth(now, unit) - (CURVE * now**2 + LEVEL)
    np.testing.assert_allclose(advantage, exact, rtol=1e-4, atol=1e-4)
    assert np.isnan(returns).all()


@pytest.mark.parametrize("horizon", [1, 4])
def test_the_gradient_is_the_exact_one_however_long_the_dreams_are(horizon):
    """The slope of the expected value by the gain, at one state: that of Q by the action, times that of the mean."""
    state, mean = 1.5, -GAIN * 1.5
    exact = -state * (-2 * COST * mean + 2 * DISCOUNT * CURVE * B * (A * state + B * mean))
    _, _, advantage, _, slope = made(jnp.full(1, state), 60_000, horizon)
    each = np.asarray(advantage * slope)
    assert each.mean() == pytest.approx(exact, abs=4 * each.std() / np.sqrt(each.size))


def test_imagined_states_stand_behind_the_real_ones_and_weigh_alike():
    now, unit, advantage, _, _ = made(jnp.array([0.5, -1.0]), 2, 1, "states")
    assert now.shape == (4,)
    np.testing.assert_allclose(advantage, worth(now, unit) - (CURVE * now**2 + LEVEL), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(now[2:], A * now[:2] + B * unit[:2], rtol=1e-5)


def test_variance_is_divided_where_actions_scatter_and_never_pays_in_a_bandit():
    """Of 4 states with 4 actions each: exactly a fourth of what actions add is left. Sixteen states with one action, which
    a bandit has at the same price, are never worse."""
    drawing, acting = jax.random.split(KEY)
    states = jax.random.normal(drawing, (20_000,))
    _, _, advantage, _, slope = made(states, 16, key=acting)
    each = np.asarray(advantage * slope).reshape(16, -1)
    of_actions, of_states = each.var(axis=0, ddof=1).mean(), each.mean(axis=0).var() - each.var(axis=0, ddof=1).mean() / 16
    four = each[:4].mean(axis=0).reshape(-1, 4).mean(axis=1)
    assert four.var() == pytest.approx((of_states + of_actions / 4) / 4, rel=0.1)
    many = each[0].reshape(-1, 16).mean(axis=1)
    assert many.var() < four.var() < each[0].reshape(-1, 4).mean(axis=1).var()


def test_what_does_not_count_teaches_neither_model_nor_policy():
    learner = ManyActions(
        model=Ensemble(members=2, layers=1, units=8, propagation="one", share=1.0),
        learner=PPO(units=4, epochs=1, pieces=1),
        number=2,
        horizon=2,
        updates=3,
        batch=16,
    )
    state = learner.init(KEY, 1, Box(shape=(1,), low=-1.0, high=1.0))
    now = np.random.default_rng(0).normal(size=(6, 2, 1)).astype(np.float32)
    _, unit, log_prob = jax.jit(lambda state: learner.act(KEY, state, now.reshape(-1, 1), "explore"))(state)
    some, first, other = np.ones((6, 2), np.float32), np.float32([1.0, 0.0]), np.float32([0.0, 1.0])
    rollout = Rollout(
        now=now,
        after=now + 0.1,
        unit=unit.reshape(6, 2, 1),
        log_prob=log_prob.reshape(6, 2),
        reward=now[..., 0],
        terminated=some < 0,
        last=some > 0,
        weight=some * first,
    )
    learn = jax.jit(lambda rollout: learner.learn(KEY, state, rollout))
    after, info = learn(rollout)
    other, _ = learn(replace(rollout, now=now + other[:, None], reward=rollout.reward * first + 9.0 * other))
    jax.tree.map(np.testing.assert_array_equal, after, other)
    assert set(info) == {metric.name for metric in learner.metrics}
    nothing, _ = learn(replace(rollout, weight=0.0 * some))
    jax.tree.map(np.testing.assert_array_equal, nothing, state)
