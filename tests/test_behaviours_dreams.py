"""Returns by hand, an actor and a critic in dreams of known worth, and the agent that dreams."""

import dataclasses
from functools import lru_cache

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
    reward, discount, value = (np.float32(each) for each in ([1, 2, 4], [0.5, 0.5, 0], [9, 10, 20, 40]))
    np.testing.assert_allclose(lambda_returns(reward, discount, value, 1.0), [1 + 0.5 * 4, 2 + 0.5 * 4, 4])
    np.testing.assert_allclose(lambda_returns(reward, discount, value, 0.0), [1 + 0.5 * 10, 2 + 0.5 * 20, 4])
    half = [4.0, 2 + 0.5 * (0.5 * 20 + 0.5 * 4), 0.0]
    np.testing.assert_allclose(lambda_returns(reward, discount, value, 0.5)[1:], [half[1], half[0]])
    np.testing.assert_allclose(n_step_returns(reward, discount, value, 1), [1 + 0.5 * 10, 2 + 0.5 * 20, 4])
    np.testing.assert_allclose(n_step_returns(reward, discount, value, 2), [1 + 0.5 * (2 + 0.5 * 20), 2 + 0.5 * 4, 4])
    np.testing.assert_allclose(n_step_returns(reward, np.ones(3, np.float32), value, 9), [7 + 40, 6 + 40, 4 + 40])


def test_all_n_step_returns_are_a_lambda_return_of_one_where_n_is_long():
    random = np.random.default_rng(0)
    reward, value = (random.normal(size=(length, 2)).astype(np.float32) for length in (6, 7))
    discount = random.uniform(size=(6, 2)).astype(np.float32)
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

    state, _ = jax.jit(lambda state: jax.lax.scan(update, state, jax.random.split(KEY, 400)))(state)
    best = learner.draw(KEY, state, HERE, "exploit")
    assert int(best[0]) == 2 if isinstance(space, Discrete) else float(best[0, 0]) > 0.5
    # ten now, half of ten next, and so on: twenty, but for the share of random actions
    assert 14.0 < float(learner.value(state, HERE)[0]) < 21.0


CHOOSER = ActorCritic(units=16, layers=1, discount=0.5, lambda_=0.5)
weigh = jax.jit(CHOOSER.learn)


def dreamed(weight):
    """Two dreams of three steps, each of which pays 8, and one of which ends after its first step."""
    reward, continues = np.full((3, 2), 8.0, np.float32), np.float32([[1, 0], [1, 1], [1, 1]])
    features, action = np.random.default_rng(0).normal(size=(4, 2, 2)).astype(np.float32), np.zeros((3, 2), np.int32)
    return Dream(features=features, action=action, reward=reward, continues=continues, weight=np.float32(weight))


def test_how_a_dream_is_weighed_by_hand():
    state = CHOOSER.init(KEY, 2, Discrete(n=3))
    after, info = weigh(KEY, state, dreamed([1.0, 3.0]))
    # an untrained critic predicts 0, so a return is 8 now and a quarter of the next one: 10.5, 10, 8, and 8 where nothing follows
    returns = np.array([[10.5, 8.0], [10.0, 10.0], [8.0, 8.0]])
    width = np.percentile(returns, 95) - np.percentile(returns, 5)
    assert float(after.range) == pytest.approx(1 + 0.01 * (width - 1), rel=1e-5)
    # all its bins are as likely; a step counts by the probability that the dream reaches it: 1, 1/2, 1/4, and 3 of the other
    assert float(info["value_loss"]) == pytest.approx(np.log(61) * (1.75 + 3.0) / (4 * 3), rel=1e-5)
    # the target network moves a fiftieth of the way
    for target, critic, born in zip(*(jax.tree.leaves(each) for each in (after.target, after.critic, state.target)), strict=True):
        np.testing.assert_allclose(target, 0.98 * np.asarray(born) + 0.02 * np.asarray(critic), atol=1e-7)


def test_dreams_without_weight_teach_nothing():
    state = CHOOSER.init(KEY, 2, Discrete(n=3))
    jax.tree.map(np.testing.assert_array_equal, state, weigh(KEY, state, dreamed([0.0, 0.0]))[0])


def test_a_dream_follows_the_model():
    model = Rssm(deterministic=8, groups=2, classes=4, units=8)
    agent = Dreamer(
        model=model, policy=ActorCritic(units=8, layers=1), memory=Trajectories(bytes=100_000, length=3), length=3, horizon=4
    )

    @jax.jit
    def dreamt():
        state = agent.init(KEY, SPEC)
        belief = model.start(state.model, 5)
        return agent.dream(KEY, state, (agent.policy, state.policy), (belief, jnp.ones(5), None), Objective())

    dream = jax.tree.map(np.asarray, dreamt())
    assert dream.features.shape == (5, 5, 8 + 2 * 4)
    assert dream.reward.shape == dream.continues.shape == (4, 5)
    np.testing.assert_array_equal(dream.features[0], 0.0)
    np.testing.assert_allclose(dream.features[1, :, 8:].reshape(5, 2, 4).sum(-1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(dream.continues, 1 / (1 + np.exp(-6.0)), rtol=1e-5)


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
    kinds = np.array([[MID, MID, TERMINATED, FIRST, MID, MID], [MID, MID, MID, TRUNCATED, FIRST, MID]], np.int8)
    seen = np.arange(12, dtype=np.float32).reshape(2, 6)[..., None]
    steps = TimeStep(kind=kinds, observation=seen, reward=np.zeros((2, 6), np.float32))
    before, after = (jax.tree.map(lambda leaf, cut=cut: leaf[:, cut], steps) for cut in (slice(None, -1), slice(1, None)))
    action = np.float32([[1, 2, 4, 8, 16]] * 2)[..., None]
    return Experience(step=before, action=action, next=after, origin=np.zeros((2, 5), np.int8))


@lru_cache
def believed():
    return np.asarray(recalled(KEY, Summing(), jnp.zeros(()), sequences()))


@pytest.mark.parametrize(("starts", "last"), [(0, 5), (2, 1), (4, 2), (100, 5)])
def test_dreams_begin_at_the_last_steps_that_were_lived_and_at_no_end(starts, last):
    experience = sequences()
    agent = Dreamer(model=Summing(), policy=ActorCritic(), memory=Trajectories(), length=5, starts=starts)
    belief, weight = jax.tree.map(np.asarray, agent.starting(believed(), experience))
    # what was done before the first step is unknown, and what was done at an end led nowhere
    summed = np.array([[1, 3, 0, 8, 24], [1, 3, 7, 0, 16]])
    begun = np.array([[1, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    np.testing.assert_array_equal(belief[:, 0].reshape(last, 2), summed.T[-last:])
    np.testing.assert_array_equal(belief[:, 1].reshape(last, 2), experience.next.observation[..., 0].T[-last:])
    np.testing.assert_array_equal(weight.reshape(last, 2), begun.T[-last:])


def test_no_dream_begins_where_the_actions_are_unknown():
    experience = sequences()
    origin = np.array([[WATCHED] * 5, [SHOWN] * 5], np.int8)
    agent = Dreamer(model=Summing(), policy=ActorCritic(), memory=Trajectories(), length=5)
    _, weight = agent.starting(np.zeros((6, 2, 2), np.float32), Experience(**{**vars(experience), "origin": origin}))
    np.testing.assert_array_equal(np.asarray(weight).reshape(5, 2).T, [[0, 0, 0, 0, 0], [1, 1, 1, 1, 1]])


def test_no_dream_begins_in_an_empty_memory():
    memory = Trajectories(bytes=100_000, length=3, across=True)
    agent = Dreamer(model=Summing(), policy=ActorCritic(units=8, layers=1), memory=memory, length=3)

    @jax.jit
    def weights():
        empty = memory.sample(KEY, agent.init(KEY, SPEC).memory, (2, 3))
        return agent.starting(jnp.zeros((4, 2, 1)), empty)[1]

    assert not np.asarray(weights()).any()


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


POLICY = ActorCritic(units=16, layers=1, learning_rate=3e-3, discount=0.5)


@lru_cache
def dreaming(explorer):
    """The start of a dreamer, and (state, pays for reward, pays for doubt) -> the state after 200 rounds, metrics, acts."""
    memory = Trajectories(bytes=10_000, length=1)
    plain = Dreamer(model=Choosing(), policy=POLICY, memory=memory, batch=16, length=1, horizon=3, explorer=explorer)
    step = zeros_step(CHOICES)
    inside = dataclasses.replace(step, kind=step.kind + MID)

    def life(state, reward, doubt):
        # an `Objective` tests its weights for zero, which a program cannot do with its arguments
        agent = dataclasses.replace(plain, objective=lambda seen: reward * seen.reward + doubt * seen.doubt)
        for _ in range(2):
            state, _ = agent.remember(KEY, state, lived(inside, jnp.zeros(3, jnp.int32), inside))
        state, info = jax.lax.scan(lambda state, key: agent.learn(key, state), state, jax.random.split(KEY, 200))
        many = dataclasses.replace(state, belief=jnp.ones((99, 2)))
        return state, info, [agent.act(KEY, many, mode)[1] for mode in ("explore", "exploit")]

    return jax.jit(lambda key: plain.init(key, CHOICES))(KEY), jax.jit(life)


def after_dreams(explorer, reward, doubt):
    """The state of a dreamer that learned, its last metrics, and what it does most in life and in a probe."""
    begun, life = dreaming(explorer)
    state, info, acts = life(begun, reward, doubt)
    return state, info, [int(np.argmax(np.bincount(each, minlength=4))) for each in acts]


def test_an_explorer_seeks_what_the_objective_pays_and_leaves_the_policy_alone():
    alone, _, acts = after_dreams(None, 1.0, 0.0)
    assert acts == [0, 0]
    both, info, acts = after_dreams(POLICY, 0.0, 1.0)
    assert acts == [1, 0]
    # the policy learns from dreams of its own, as it does without an explorer; programs differ in their rounding
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-3), alone.policy, both.policy)
    assert {"value", "explorer_value", "explorer_return_range"} <= set(info)


def test_without_an_explorer_the_policy_seeks_what_the_objective_pays():
    assert after_dreams(None, 0.0, 1.0)[2] == [1, 1]


def test_the_dreamer_keeps_the_contract():
    model = Rssm(deterministic=16, groups=4, classes=4, units=16)
    policy = ActorCritic(units=16, layers=1)
    memory = Trajectories(bytes=200_000, length=4, across=True)
    agent = Dreamer(model=model, policy=policy, memory=memory, batch=4, length=4, horizon=2)
    umwelt.check.agent(agent, CHOICES).raise_if_broken()
    explorer = dataclasses.replace(agent, explorer=policy)
    umwelt.check.agent(explorer, SPEC, depth="shapes").raise_if_broken()
