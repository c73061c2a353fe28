"""Choices that are closed: no agent takes one, and no target counts one."""

import dataclasses
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from masked_worlds import Locks

from umwelt.behaviours import DQN, SAC, ActorCritic, Dreamer, ModelFree, ModelPredictive, RandomAgent
from umwelt.behaviours import batch as batches
from umwelt.behaviours.batch import Batch
from umwelt.check.agent import CHOICES
from umwelt.core import MID, Box, Discrete, Objective, Prediction, TimeStep, WorldSpec, keys, lived, part
from umwelt.memory.ring import Ring
from umwelt.memory.trajectories import Trajectories
from umwelt.networks.form import form

KEY = jax.random.key(5)
BOARD = {"cells": Box(shape=(2,), low=0.0, high=1.0), "open": Box(shape=(4,), low=0, high=1, dtype="uint8")}
SPEC = WorldSpec(name="board", observation={"seen": BOARD, "task": Discrete(n=2)}, action=Discrete(n=4), task=None, batch=300)
OPEN = np.array([[1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], np.uint8)
"""Rows of three kinds; where nothing is open, as at an end, anything may be drawn."""


@part
class Still:
    """A model whose belief is the cells."""

    diet = "stream"
    metrics = ()

    def init(self, key, spec):
        return jnp.zeros(())

    def start(self, state, batch):
        return jnp.zeros((batch, 2))

    def observe(self, key, state, belief, action, step):
        nothing = jnp.zeros(len(belief))
        return step.observation["seen"]["cells"], {"surprise": nothing, "doubt": nothing}

    def imagine(self, key, state, belief, action):
        nothing = jnp.zeros(len(belief))
        return belief, Prediction(observation=None, reward=nothing, continues=nothing, doubt=nothing)


@part
class Drawing:
    """A planner that draws an open choice of the prospect."""

    def init(self, key, spec):
        return jnp.zeros(())

    def plan(self, key, state, belief, prospect):
        return state, jax.random.categorical(key, jnp.where(prospect.open, 0.0, -1e9)).astype(jnp.int32)

    def forget(self, state, rows):
        return state


AGENTS: dict[str, Any] = {
    "random": RandomAgent(),
    "dqn": ModelFree(learner=DQN(units=4, epsilon_updates=1, final_epsilon=0.5), memory=Ring(bytes=100_000)),
    "warm dqn": ModelFree(learner=DQN(units=4, temperature=1.0), memory=Ring(bytes=100_000)),
    "sac": ModelFree(learner=SAC(units=4), memory=Ring(bytes=100_000)),
    "dreamer": Dreamer(
        model=Still(), policy=ActorCritic(units=4, layers=1), memory=Trajectories(bytes=100_000, length=1), length=1
    ),
    "planner": ModelPredictive(model=Still(), planner=Drawing()),
}


@pytest.mark.parametrize("name", AGENTS)
def test_no_agent_takes_a_closed_choice(name):
    agent = AGENTS[name]
    cells = np.random.default_rng(0).uniform(size=(300, 2)).astype(np.float32)
    observation = {"seen": {"cells": cells, "open": np.tile(OPEN, (100, 1))}, "task": np.zeros(300, np.int32)}
    step = TimeStep(kind=np.full(300, MID, np.int8), observation=observation, reward=np.zeros(300, np.float32))

    @jax.jit
    def turns(key):
        state, _ = agent.see(key, agent.init(key, SPEC), step)
        return [agent.act(key, state, mode)[1] for mode in ("random", "explore", "exploit")]

    random, explore, exploit = turns(KEY)
    for action in (random, explore, exploit):
        rows = np.asarray(action).reshape(100, 3)
        assert set(rows[:, 0]) <= {0, 2}
        assert set(rows[:, 1]) == {3}
    assert set(np.asarray(random).reshape(100, 3)[:, 0]) == {0, 2}
    assert set(np.asarray(random).reshape(100, 3)[:, 2]) == {0, 1, 2, 3}


@pytest.mark.parametrize("learner", [DQN(units=32, learning_rate=3e-3, epsilon_updates=200), SAC(units=32, learning_rate=3e-3)])
def test_the_best_open_door_is_learned_and_no_shut_one_tried(learner):
    world, agent = Locks(batch=8), ModelFree(learner=learner, memory=Ring(bytes=200_000), batch=64)
    begin, run = keys.split(KEY, "begin", "run")
    task = np.zeros(8, np.float32)

    def tick(life, told):
        (state, step), before = life
        key, examined = told
        agent_state, info = agent.see(key, before, step)
        agent_state, action = jax.lax.cond(
            examined, *(lambda mode=mode: agent.act(key, agent_state, mode) for mode in ("exploit", "explore"))
        )
        state, next = world.step(key, state, action, task)
        experience = lived(step, action, next, task=task, surprise=info["surprise"])
        agent_state, _ = agent.remember(key, agent_state, experience)
        agent_state, _ = agent.learn(key, agent_state)
        return ((state, next), agent_state), jnp.where(next.first, 1.0, next.reward)

    # one program for both modes
    lives = jax.jit(lambda life: jax.lax.scan(tick, life, (jax.random.split(run, 450), np.arange(450) >= 400))[1])
    paid = np.asarray(lives((world.init(begin, task), agent.init(begin, world.spec))))
    assert paid.min() >= 0.0
    assert paid[400:].mean() > 0.9


def test_masks_of_a_batch_are_those_of_its_steps():
    def step(open):
        seen = {"cells": np.zeros((3, 2), np.float32), "open": open}
        observation = {"seen": seen, "task": np.zeros(3, np.int32)}
        return TimeStep(kind=np.full(3, MID, np.int8), observation=observation, reward=np.zeros(3, np.float32))

    made = batches.of(form(SPEC.observation), form(SPEC.action), lived(step(OPEN), np.zeros(3, np.int32), step(OPEN[::-1])))
    np.testing.assert_array_equal(made.open, [[1, 0, 1, 0], [0, 0, 0, 1], [1, 1, 1, 1]])
    np.testing.assert_array_equal(made.open_after, np.asarray(made.open)[::-1])
    plain = batches.of(form(CHOICES.observation), form(CHOICES.action), lived(*plain_rows()))
    assert plain.open is plain.open_after is None


def plain_rows():
    zeros = np.zeros((3, 3), np.float32)
    step = TimeStep(kind=np.full(3, MID, np.int8), observation=zeros, reward=zeros[0])
    return step, np.zeros(3, np.int32), step


def biased(stack, *bias):
    last = dataclasses.replace(stack[-1], weight=np.zeros(stack[-1].weight.shape, np.float32), bias=np.float32(bias))
    return (*stack[:-1], last)


def batch_of_one(open_after):
    zeros, one = np.zeros((1, 2), np.float32), np.ones(1, np.float32)
    masks = {"open": np.array([[True, True, False]]), "open_after": np.array([open_after])}
    return Batch(
        now=zeros, action=np.zeros(1, np.int32), reward=np.float32(0.25) * one, continues=one, after=zeros, weight=one, **masks
    )


DOUBLE = DQN(units=4, discount=0.5, learning_rate=0.0)
begun = lru_cache(lambda learner: learner.init(KEY, 2, Discrete(n=3)))
lesson = jax.jit(lambda learner, state, batch: learner.learn(KEY, state, batch), static_argnums=0)


@pytest.mark.parametrize(
    ("open_after", "value"), [([True, True, True], 4.0), ([True, True, False], 7.0), ([True, False, False], 6.0)]
)
def test_the_double_target_counts_open_choices_by_hand(open_after, value):
    state = begun(DOUBLE)
    state = dataclasses.replace(state, network=biased(state.network, 1.0, 2.0, 3.0), target=biased(state.target, 6.0, 7.0, 4.0))
    _, info = lesson(DOUBLE, state, batch_of_one(open_after))
    # the best open choice of the network, by the value of the target network
    assert float(info["value_loss"]) == pytest.approx((0.25 + 0.5 * value - 1.0) ** 2, rel=1e-5)


def test_the_conservative_term_counts_open_choices_by_hand():
    learner = DQN(units=4, discount=0.5, conservative=1.0, learning_rate=1.0)
    state = begun(learner)
    state = dataclasses.replace(state, network=biased(state.network, 1.0, 2.0, 3.0))
    after, _ = lesson(learner, state, batch_of_one([True, False, False]))
    # the closed choice has no slope, so Adam leaves it where it is, and lowers the other one by a whole step
    np.testing.assert_allclose(after.network[-1].bias[1:], [1.0, 3.0], atol=1e-3)


def test_the_soft_target_counts_open_choices_by_hand():
    learner = SAC(units=4, discount=0.5)
    state = begun(learner)
    rest = tuple(biased(each, 2.0, 4.0, 9.0) for each in state.target.rest)
    critics = tuple(biased(each, 1.0, 0.0, 0.0) for each in state.critics.rest)
    state = dataclasses.replace(
        state,
        policy=biased(state.policy, 0.0, 0.0, 0.0),
        target=dataclasses.replace(state.target, rest=rest),
        critics=dataclasses.replace(state.critics, rest=critics),
    )
    after, info = lesson(learner, state, batch_of_one([True, True, False]))
    # an even policy over two choices has the value 3 and the entropy log 2; each of two critics counts a half of its error
    wanted = 0.25 + 0.5 * (3.0 + np.log(2))
    assert float(info["value_loss"]) == pytest.approx((wanted - 1.0) ** 2, rel=1e-5)
    assert float(info["policy_entropy"]) == pytest.approx(np.log(2), rel=1e-5)
    # the target entropy is 0.98 of the greatest there is here, log 2, so the temperature falls
    assert float(after.temperature) == pytest.approx(-learner.learning_rate, rel=1e-3)


@part
class Turning:
    """A model that foresees the open choices of the next step: those of the present one, moved on by one."""

    diet = "replay"
    metrics = ()

    def init(self, key, spec):
        return jnp.zeros(())

    def start(self, state, batch):
        return jnp.zeros((batch, 4))

    def imagine(self, key, state, belief, action):
        after, nothing = jnp.roll(belief, 1, axis=1), jnp.zeros(len(belief))
        seen = {"cells": jnp.zeros((len(belief), 2)), "open": after.astype(jnp.uint8)}
        observation = {"seen": seen, "task": nothing.astype(jnp.int32)}
        return after, Prediction(observation=observation, reward=nothing + 1.0, continues=nothing + 1.0, doubt=nothing)


def dreamer(model):
    policy = ActorCritic(units=4, layers=1)
    return Dreamer(model=model, policy=policy, memory=Trajectories(bytes=100_000, length=1), length=1, horizon=3)


def test_a_dream_takes_open_choices_alone_as_the_model_foresees_them():
    agent = dreamer(Turning())
    state, open = agent.init(KEY, SPEC), np.tile([[True, False, True, False], [False, False, False, True]], (50, 1))
    begun = (open.astype(np.float32), np.ones(100, np.float32), open)
    dream = jax.jit(lambda begun: agent.dream(KEY, state, (agent.policy, state.policy), begun, Objective()))(begun)
    dream = jax.tree.map(np.asarray, dream)
    foreseen = np.stack([np.roll(open, tick, axis=1) for tick in range(3)])
    np.testing.assert_array_equal(dream.open, foreseen)
    taken = np.take_along_axis(foreseen, np.asarray(dream.action)[..., None], axis=2)
    assert taken.all()
    # a choice that is closed throughout has no slope, and Adam leaves it where it is
    closed = dataclasses.replace(dream, action=dream.action % 2, open=np.broadcast_to(np.arange(4) < 2, dream.open.shape))
    after, _ = jax.jit(agent.policy.learn)(KEY, state.policy, closed)
    np.testing.assert_array_equal(np.asarray(after.actor[-1].bias)[2:], np.asarray(state.policy.actor[-1].bias)[2:])
    assert np.all(np.asarray(after.actor[-1].bias)[:2] != np.asarray(state.policy.actor[-1].bias)[:2])


def test_a_dream_begins_with_the_choices_of_its_own_step():
    open = np.random.default_rng(0).integers(0, 2, (2, 4, 4)).astype(np.uint8)
    open[..., 0] = 1
    seen = {"cells": np.zeros((2, 4, 2), np.float32), "open": open}
    observation = {"seen": seen, "task": np.zeros((2, 4), np.int32)}
    steps = TimeStep(kind=np.full((2, 4), MID, np.int8), observation=observation, reward=np.zeros((2, 4), np.float32))
    before, after = (jax.tree.map(lambda leaf, cut=cut: leaf[:, cut], steps) for cut in (slice(-1), slice(1, None)))
    agent, experience = dreamer(Turning()), lived(before, np.zeros((2, 3), np.int32), after)
    state = agent.init(KEY, SPEC)
    for starts in (0, 2):
        agent = dataclasses.replace(agent, starts=starts)
        belief, _ = agent.starting(np.swapaxes(open, 0, 1), experience)
        np.testing.assert_array_equal(agent.opening(state, experience), np.asarray(belief).astype(bool))


def test_dreams_of_a_model_that_predicts_no_observation_are_refused_where_choices_are_closed():
    agent = dreamer(Still())
    state, begun = agent.init(KEY, SPEC), (jnp.zeros((3, 2)), jnp.ones(3), jnp.ones((3, 4), bool))
    with pytest.raises(ValueError, match="Still predicts no observation"):
        agent.dream(KEY, state, (agent.policy, state.policy), begun, Objective())


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(ValueError, match="4 entries, and the action has 3 choices"):
        RandomAgent().init(KEY, dataclasses.replace(SPEC, action=Discrete(n=3)))
