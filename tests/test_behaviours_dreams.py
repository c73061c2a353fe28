"""Returns by hand, an actor and a critic in dreams of known worth, and the agent that dreams."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.behaviours import ActorCritic, Dreamer
from umwelt.behaviours.actor_critic import Dream
from umwelt.check.agent import CHOICES, SPEC
from umwelt.core import (
    FIRST,
    MID,
    SHOWN,
    TERMINATED,
    TRUNCATED,
    WATCHED,
    Box,
    Discrete,
    Experience,
    Objective,
    Prediction,
    TimeStep,
    lived,
    part,
    zeros_step,
)
from umwelt.memory.trajectories import Trajectories
from umwelt.models import Rssm
from umwelt.networks.beliefs import recalled
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

    def update(state, key):
        features = jnp.broadcast_to(HERE, (2, 64, 2))
        unit = learner.draw(key, state, features[0])
        # paid for choice 2, or for the upper half of the box
        reward = (unit == 2).astype(jnp.float32) if isinstance(space, Discrete) else (unit[:, 0] > 0.5).astype(jnp.float32)
        ones = jnp.ones((1, 64))
        dream = Dream(features=features, action=unit[None], reward=10 * reward[None], continues=ones, weight=ones[0])
        return learner.learn(key, state, dream)

    state, _ = jax.jit(lambda state: jax.lax.scan(update, state, jax.random.split(KEY, 600)))(state)
    best = learner.draw(KEY, state, HERE, "exploit")
    assert int(best[0]) == 2 if isinstance(space, Discrete) else float(best[0, 0]) > 0.5
    # ten now, half of ten next, and so on: twenty, but for the share of random actions
    assert 14.0 < float(learner.value(state, HERE)[0]) < 21.0


def test_how_a_dream_is_weighed_by_hand():
    learner = ActorCritic(units=16, layers=1, discount=0.5, lambda_=0.5)
    state = learner.init(KEY, 2, Discrete(n=3))
    reward, continues = jnp.full((3, 2), 8.0), jnp.array([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    features, action = jax.random.normal(KEY, (4, 2, 2)), jnp.zeros((3, 2), jnp.int32)
    dream = Dream(features=features, action=action, reward=reward, continues=continues, weight=jnp.array([1.0, 3.0]))
    after, info = jax.jit(learner.learn)(KEY, state, dream)
    # an untrained critic predicts 0, so a return is 8 now and a quarter of the next one: 10.5, 10, 8, and 8 where nothing follows
    returns = np.array([[10.5, 8.0], [10.0, 10.0], [8.0, 8.0]])
    width = np.percentile(returns, 95) - np.percentile(returns, 5)
    assert float(after.range) == pytest.approx(1 + 0.01 * (width - 1), rel=1e-5)
    # all its bins are as likely; a step counts by the probability that the dream reaches it: 1, 1/2, 1/4, and 3 of the other
    assert float(info["value_loss"]) == pytest.approx(np.log(61) * (1.75 + 3.0) / (4 * 3), rel=1e-5)
    # the target network moves a fiftieth of the way
    for target, critic, born in zip(*(jax.tree.leaves(each) for each in (after.target, after.critic, state.target)), strict=True):
        np.testing.assert_allclose(target, 0.98 * born + 0.02 * critic, atol=1e-7)


def test_dreams_without_weight_teach_nothing():
    learner = ActorCritic(units=16, layers=1)
    state = learner.init(KEY, 2, Discrete(n=3))
    action = jnp.zeros((2, 4), jnp.int32)
    ones = jnp.ones((2, 4))
    dream = Dream(features=jax.random.normal(KEY, (3, 4, 2)), action=action, reward=ones, continues=ones, weight=jnp.zeros(4))
    jax.tree.map(np.testing.assert_array_equal, state, jax.jit(learner.learn)(KEY, state, dream)[0])


def test_a_dream_follows_the_model():
    model = Rssm(deterministic=8, groups=2, classes=4, units=8)
    agent = Dreamer(
        model=model, policy=ActorCritic(units=8, layers=1), memory=Trajectories(bytes=100_000, length=3), length=3, horizon=4
    )
    state = agent.init(KEY, SPEC)
    belief = model.start(state.model, 5)
    dream = agent.dream(KEY, state, (agent.policy, state.policy), (belief, jnp.ones(5), None), Objective())
    assert dream.features.shape == (5, 5, 8 + 2 * 4)
    assert dream.reward.shape == dream.continues.shape == (4, 5)
    np.testing.assert_array_equal(dream.features[0], 0.0)
    np.testing.assert_allclose(dream.features[1, :, 8:].reshape(5, 2, 4).sum(-1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(dream.continues, jax.nn.sigmoid(6.0), rtol=1e-5)


@part
class Summing:
    """Believes the sum of all actions since a FIRST step, beside what is seen."""

    diet = "replay"
    metrics = ()

    def init(self, key, spec):
        return jnp.zeros(())

    def start(self, state, batch):
        return jnp.full((batch, 2), 99.0)

    def observe(self, key, state, belief, action, step):
        summed = jnp.where(step.first, 0.0, belief[:, 0] + action[:, 0])
        return jnp.stack([summed, step.observation[:, 0]], axis=-1), {}


def sequences():
    """Two sequences: one terminates and another episode begins in it; in the other nothing but the limit happens."""
    kinds = jnp.array([[MID, MID, TERMINATED, FIRST, MID, MID], [MID, MID, MID, TRUNCATED, FIRST, MID]], jnp.int8)
    seen = jnp.arange(12.0).reshape(2, 6)[..., None]
    steps = TimeStep(kind=kinds, observation=seen, reward=jnp.zeros((2, 6)))
    before, after = (jax.tree.map(lambda leaf, cut=cut: leaf[:, cut], steps) for cut in (slice(None, -1), slice(1, None)))
    action = jnp.array([[1.0, 2.0, 4.0, 8.0, 16.0]] * 2)[..., None]
    return Experience(step=before, action=action, next=after, origin=jnp.zeros((2, 5), jnp.int8))


@pytest.mark.parametrize(("starts", "last"), [(0, 5), (2, 1), (4, 2), (100, 5)])
def test_dreams_begin_at_the_last_steps_that_were_lived_and_at_no_end(starts, last):
    experience = sequences()
    agent = Dreamer(model=Summing(), policy=ActorCritic(), memory=Trajectories(), length=5, starts=starts)
    beliefs = recalled(KEY, agent.model, jnp.zeros(()), experience)
    belief, weight = agent.starting(beliefs, experience)
    # what was done before the first step is unknown, and what was done at an end led nowhere
    summed = np.array([[1, 3, 0, 8, 24], [1, 3, 7, 0, 16]])
    begun = np.array([[1, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    np.testing.assert_array_equal(belief[:, 0].reshape(last, 2), summed.T[-last:])
    np.testing.assert_array_equal(belief[:, 1].reshape(last, 2), experience.next.observation[..., 0].T[-last:])
    np.testing.assert_array_equal(weight.reshape(last, 2), begun.T[-last:])


def test_no_dream_begins_where_the_actions_are_unknown():
    experience = sequences()
    origin = jnp.array([[WATCHED] * 5, [SHOWN] * 5], jnp.int8)
    agent = Dreamer(model=Summing(), policy=ActorCritic(), memory=Trajectories(), length=5)
    _, weight = agent.starting(jnp.zeros((6, 2, 1)), Experience(**{**vars(experience), "origin": origin}))
    np.testing.assert_array_equal(weight.reshape(5, 2).T, [[0, 0, 0, 0, 0], [1, 1, 1, 1, 1]])


def test_no_dream_begins_in_an_empty_memory():
    memory = Trajectories(bytes=100_000, length=3, across=True)
    agent = Dreamer(model=Summing(), policy=ActorCritic(units=8, layers=1), memory=memory, length=3)
    empty = memory.sample(KEY, agent.init(KEY, SPEC).memory, (2, 3))
    assert not agent.starting(jnp.zeros((4, 2, 1)), empty)[1].any()


@part
class Choosing:
    """Choice 0 pays, choice 1 is doubtful, choices 2 and 3 are neither. It must not observe a sequence again."""

    diet = "replay"
    metrics = ()

    def init(self, key, spec):
        return jnp.zeros(())

    def start(self, state, batch):
        return jnp.ones((batch, 2))

    def observe(self, key, state, belief, action, step):
        raise AssertionError("the sequences are encoded a second time")

    def imagine(self, key, state, belief, action):
        ones = jnp.ones(len(belief))
        reward, doubt = (action == 0).astype(jnp.float32), (action == 1).astype(jnp.float32)
        return belief, Prediction(observation=None, reward=reward, continues=ones, doubt=doubt)

    def learn_and_recall(self, key, state, experience):
        number, length = experience.origin.shape
        return state, {}, jnp.ones((length + 1, number, 2))


def after_dreams(rounds, **fields):
    """The state of a dreamer after so many rounds, its last metrics, and what it does most in life and in a probe."""
    policy = ActorCritic(units=16, layers=1, learning_rate=3e-3, discount=0.5)
    memory = Trajectories(bytes=10_000, length=1)
    agent = Dreamer(model=Choosing(), policy=policy, memory=memory, batch=16, length=1, horizon=3, **fields)
    state, step = agent.init(KEY, CHOICES), zeros_step(CHOICES)
    inside = dataclasses.replace(step, kind=step.kind + MID)
    for _ in range(2):
        state, _ = agent.remember(KEY, state, lived(inside, jnp.zeros(3, jnp.int32), inside))

    def update(state, key):
        return agent.learn(key, state)

    state, info = jax.jit(lambda state: jax.lax.scan(update, state, jax.random.split(KEY, rounds)))(state)
    many = dataclasses.replace(state, belief=jnp.ones((99, 2)))
    acts = [agent.act(KEY, many, mode)[1] for mode in ("explore", "exploit")]
    return state, info, [int(jnp.argmax(jnp.bincount(each, length=4))) for each in acts]


EXPLORER = ActorCritic(units=16, layers=1, learning_rate=3e-3, discount=0.5)
DOUBTFUL = Objective(reward=0.0, doubt=1.0)


def test_an_explorer_seeks_what_the_objective_pays_and_leaves_the_policy_alone():
    alone, _, acts = after_dreams(200)
    assert acts == [0, 0]
    both, info, acts = after_dreams(200, explorer=EXPLORER, objective=DOUBTFUL)
    assert acts == [1, 0]
    # the policy learns from dreams of its own, as it does without an explorer; programs differ in their rounding
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-3), alone.policy, both.policy)
    assert {"value", "explorer_value", "explorer_return_range"} <= set(info)


def test_without_an_explorer_the_policy_seeks_what_the_objective_pays():
    assert after_dreams(200, objective=DOUBTFUL)[2] == [1, 1]


def test_the_dreamer_keeps_the_contract():
    model = Rssm(deterministic=16, groups=4, classes=4, units=16)
    policy = ActorCritic(units=16, layers=1)
    memory = Trajectories(bytes=200_000, length=4, across=True)
    agent = Dreamer(model=model, policy=policy, memory=memory, batch=4, length=4, horizon=3)
    umwelt.check.agent(agent, CHOICES).raise_if_broken()
    explorer = dataclasses.replace(agent, explorer=policy)
    umwelt.check.agent(explorer, SPEC, depth="shapes").raise_if_broken()
