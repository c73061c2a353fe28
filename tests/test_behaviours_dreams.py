"""Returns by hand, an actor and a critic in dreams of known worth, and the agent that dreams."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.behaviours import ActorCritic, Dreamer
from umwelt.behaviours.actor_critic import Dream
from umwelt.check.agent import SPEC
from umwelt.core import Box, Discrete
from umwelt.memory.trajectories import Trajectories
from umwelt.models import Rssm
from umwelt.networks.returns import lambda_returns, n_step_returns

KEY = jax.random.key(4)
HERE = jnp.array([[1.0, -0.5]])


def test_returns_by_hand():
    reward, discount, value = jnp.array([1.0, 2.0, 4.0]), jnp.array([0.5, 0.5, 0.0]), jnp.array([9.0, 10.0, 20.0, 40.0])
    np.testing.assert_allclose(lambda_returns(reward, discount, value, 1.0), [1 + 0.5 * 4, 2 + 0.5 * 4, 4])
    np.testing.assert_allclose(lambda_returns(reward, discount, value, 0.0), [1 + 0.5 * 10, 2 + 0.5 * 20, 4])
    half = [4.0, 2 + 0.5 * (0.5 * 20 + 0.5 * 4), 0.0]
    np.testing.assert_allclose(lambda_returns(reward, discount, value, 0.5)[1:], [half[1], half[0]])
    np.testing.assert_allclose(n_step_returns(reward, discount, value, 1), [1 + 0.5 * 10, 2 + 0.5 * 20, 4])
    np.testing.assert_allclose(n_step_returns(reward, discount, value, 2), [1 + 0.5 * (2 + 0.5 * 20), 2 + 0.5 * 4, 4])
    np.testing.assert_allclose(n_step_returns(reward, jnp.ones(3), value, 9), [7 + 40, 6 + 40, 4 + 40])


def test_all_n_step_returns_are_a_lambda_return_of_one_where_n_is_long():
    draws = jax.random.normal(KEY, (3, 6, 2))
    reward, discount, value = draws[0], jax.nn.sigmoid(draws[1]), jnp.concatenate([draws[2], draws[0][:1]])
    np.testing.assert_allclose(
        n_step_returns(reward, discount, value, 6), lambda_returns(reward, discount, value, 1.0), rtol=1e-5
    )


@pytest.mark.parametrize("space", [Box(shape=(1,), low=-2.0, high=2.0), Discrete(n=3)])
def test_what_pays_in_dreams_is_done_and_valued(space):
    learner = ActorCritic(units=32, layers=1, learning_rate=3e-3, discount=0.5)
    state = learner.init(KEY, 2, space)

    def lesson(state, key):
        features = jnp.broadcast_to(HERE, (2, 64, 2))
        unit = learner.draw(key, state, features[0])
        # paid for choice 2, or for the upper half of the box
        reward = (unit == 2).astype(jnp.float32) if isinstance(space, Discrete) else (unit[:, 0] > 0.5).astype(jnp.float32)
        ones = jnp.ones((1, 64))
        dream = Dream(features=features, action=unit[None], reward=10 * reward[None], goes_on=ones, weight=ones[0])
        return learner.learn(key, state, dream)

    state, _ = jax.jit(lambda state: jax.lax.scan(lesson, state, jax.random.split(KEY, 600)))(state)
    best = learner.draw(KEY, state, HERE, "exploit")
    assert int(best[0]) == 2 if isinstance(space, Discrete) else float(best[0, 0]) > 0.5
    # ten now, half of ten next, and so on: twenty, but for the share of random actions
    assert 14.0 < float(learner.value(state, HERE)[0]) < 21.0


def test_dreams_without_weight_teach_nothing():
    learner = ActorCritic(units=16, layers=1)
    state = learner.init(KEY, 2, Discrete(n=3))
    action = jnp.zeros((2, 4), jnp.int32)
    ones = jnp.ones((2, 4))
    dream = Dream(features=jax.random.normal(KEY, (3, 4, 2)), action=action, reward=ones, goes_on=ones, weight=jnp.zeros(4))
    jax.tree.map(np.testing.assert_array_equal, state, learner.learn(KEY, state, dream)[0])


def test_a_dream_follows_the_model_and_begins_nowhere_after_an_end():
    model = Rssm(certain=8, groups=2, choices=4, units=8)
    agent = Dreamer(model=model, policy=ActorCritic(units=8, layers=1), memory=Trajectories(bytes=100_000, length=3), horizon=4)
    state = agent.init(KEY, SPEC)
    belief = model.start(state.model, 5)
    dream = agent.dream(KEY, state.model, state.policy, belief, jnp.ones(5))
    assert dream.features.shape == (5, 5, 8 + 2 * 4)
    assert dream.reward.shape == dream.goes_on.shape == (4, 5)
    np.testing.assert_array_equal(dream.features[0], 0.0)
    np.testing.assert_allclose(dream.features[1, :, 8:].reshape(5, 2, 4).sum(-1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(dream.goes_on, jax.nn.sigmoid(6.0), rtol=1e-5)


@pytest.mark.parametrize(("dreams", "moments"), [(0, 3), (2, 1), (4, 2), (100, 3)])
def test_dreams_begin_at_the_last_moments_and_at_no_more_than_there_are(dreams, moments):
    model, length = Rssm(certain=8, groups=2, choices=4, units=8), 3
    memory = Trajectories(bytes=100_000, length=length)
    agent = Dreamer(model=model, policy=ActorCritic(units=8, layers=1), memory=memory, length=length, dreams=dreams)
    state = agent.init(KEY, SPEC)
    belief, weight = agent.recall(KEY, state.model, memory.sample(KEY, state.memory, (2, length)))
    assert belief.certain.shape == (2 * moments, 8)
    assert weight.shape == (2 * moments,)


def test_the_dreamer_keeps_the_contract():
    model = Rssm(certain=16, groups=4, choices=4, units=16)
    policy = ActorCritic(units=16, layers=1)
    memory = Trajectories(bytes=200_000, length=4)
    agent = Dreamer(model=model, policy=policy, memory=memory, batch=4, length=4, horizon=3)
    umwelt.check.agent(agent, dataclasses.replace(SPEC)).raise_if_broken()
