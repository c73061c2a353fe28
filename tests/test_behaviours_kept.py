"""Answers that are kept on old moments: what is drawn, what is held, and what then moves."""

from dataclasses import replace
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.behaviours import DQN, SAC, Kept, ModelFree
from umwelt.behaviours.batch import Batch
from umwelt.behaviours.memories import example
from umwelt.check.agent import CHOICES
from umwelt.core import MID, Discrete, TimeStep, WorldSpec, lived
from umwelt.core.spaces import Box
from umwelt.memory import Halves, Lifelong, Reservoir

KEY = jax.random.key(3)
SPEC = WorldSpec(name="line", observation=Box(shape=(2,)), action=Discrete(n=3), task=Box(shape=()), batch=2)
MEMORY = Lifelong(bytes=4_000, keep=Halves(recent=0.5))
DRAWN = (4000,)
"""Of the rows that tests draw: one shape, which JAX compiles once."""


DQN_SMALL = DQN(units=8, learning_rate=1e-2)


def agent_with(kept: Any, learner: Any = DQN_SMALL) -> Any:
    return ModelFree(learner=learner, memory=MEMORY, batch=16, kept=kept)


@cache
def ageing(agent):
    """(state, ticks) -> the state, one program for every number of ticks."""

    def seen(tick):
        return TimeStep(
            kind=jnp.full(2, MID, jnp.int8),
            observation=jnp.full((2, 2), tick, jnp.float32),
            reward=jnp.full(2, tick, jnp.float32),
        )

    def tick(now, state):
        experience = lived(seen(now), jnp.array([0, 2]), seen(now + 1), task=jnp.zeros(2), surprise=jnp.zeros(2))
        return agent.remember(jax.random.fold_in(KEY, now), state, experience)[0]

    return jax.jit(lambda state, ticks: jax.lax.fori_loop(0, ticks, tick, state))


def aged(agent, ticks):
    """The state after so many decisions of two rows, without a lesson; the observation is the number of the decision."""
    return ageing(agent)(agent.init(KEY, SPEC), ticks)


def test_it_keeps_the_contract() -> None:
    umwelt.check.agent(agent_with(Kept(every=3)), spec=CHOICES).raise_if_broken()


def test_without_a_share_it_is_the_agent_without() -> None:
    with_none, without = (aged(agent_with(kept), 40) for kept in (Kept(every=4, share=0.0), None))
    with_none, _ = jax.jit(agent_with(Kept(every=4, share=0.0)).learn)(KEY, with_none)
    without, _ = jax.jit(agent_with(None).learn)(KEY, without)
    left, right = jax.tree.leaves(with_none), jax.tree.leaves(without)
    assert len(left) == len(right)
    assert all(np.array_equal(one, other) for one, other in zip(left, right, strict=True))


def test_the_first_rows_are_old_and_say_when_they_were_lived() -> None:
    agent = agent_with(Kept(every=10))
    state = aged(agent, 100)
    slots, newest = state.memory.steps.kind.shape[0], state.memory.keep.recent.shape[0]
    assert newest < slots < 200, "something was forgotten"
    experience, old = agent.kept.sampled(KEY, agent.memory, state.memory, DRAWN)
    born = np.asarray(experience.born)
    np.testing.assert_array_equal(born, experience.step.observation[:, 0], "the clock is that of the decision")
    assert old.tolist() == [True] * 2000 + [False] * 2000
    # two rows are kept at each decision, so the newest reach back half as many decisions
    edge = 100 - newest / 2
    assert born[:2000].max() <= edge
    assert born[2000:].min() >= edge - 1
    assert len(set(born[2000:].tolist())) >= newest // 2, "all of the newest are drawn"
    assert born[:2000].min() < edge / 3, "and an even sample of the rest"


def test_where_nothing_is_old_yet_the_batch_is_recent() -> None:
    agent = agent_with(Kept(every=2))
    experience, old = agent.kept.sampled(KEY, agent.memory, aged(agent, 4).memory, DRAWN)
    assert not bool(old.any())
    assert bool(experience.valid.all())


def test_a_copy_is_made_by_the_clock_and_moments_before_it_keep_its_answers() -> None:
    agent = agent_with(Kept(every=30))
    state = aged(agent, 100)
    assert (int(state.copies.lived), int(state.copies.made)) == (100, 90)
    early = aged(agent, 29)
    assert int(early.copies.made) == 0
    features = jnp.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    batch = Batch(
        now=features, action=jnp.zeros(3), reward=jnp.zeros(3), continues=jnp.ones(3), after=features, weight=jnp.ones(3)
    )
    rows = jax.tree.map(lambda leaf: jnp.zeros((3, *leaf.shape[1:]), leaf.dtype), example(SPEC))
    rows = replace(rows, born=jnp.array([89, 90, 10]))
    marked, found = agent.kept.marked(state.copies, agent.learner, batch, rows, jnp.array([True, True, False]))
    assert marked.kept.tolist() == [True, False, False], "the second is younger than the copy, the third is recent"
    np.testing.assert_array_equal(marked.said, agent.learner.outputs(state.copies.copy, features))
    assert float(found["kept_share"]) == pytest.approx(1 / 3)
    control, _ = Kept(every=0).marked(state.copies, agent.learner, batch, rows, jnp.ones(3, bool))
    assert control.kept is None, "without copies every row learns from its reward"


def test_kept_rows_pull_towards_the_copy_and_nothing_else() -> None:
    """The gradient is that of the mean squared distance over all choices; rewards of kept rows do not count."""
    learner = DQN(units=8, learning_rate=1e-2)
    state, other = learner.init(KEY, 2, Discrete(n=3)), learner.init(jax.random.key(9), 2, Discrete(n=3))
    now = jax.random.normal(KEY, (6, 2))
    batch = Batch(
        now=now, action=jnp.zeros(6, jnp.int32), reward=jnp.full(6, 50.0), continues=jnp.ones(6), after=now, weight=jnp.ones(6)
    )
    same = replace(batch, said=learner.outputs(state, now), kept=jnp.ones(6, bool))
    after, info = jax.jit(learner.learn)(KEY, state, same)
    assert float(info["value_loss"]) == 0.0
    for before, then in zip(jax.tree.leaves(state.network), jax.tree.leaves(after.network), strict=True):
        np.testing.assert_array_equal(before, then, "a copy equal to the network moves no weight")
    held = replace(batch, said=learner.outputs(other, now), kept=jnp.ones(6, bool))
    expected = np.mean((np.asarray(learner.outputs(other, now)) - np.asarray(learner.outputs(state, now))) ** 2)
    lessons = jax.jit(lambda state: jax.lax.scan(lambda held_state, _: learner.learn(KEY, held_state, held), state, None, 200))
    gaps = np.asarray(lessons(state)[1]["value_loss"])
    assert gaps[0] == pytest.approx(expected, rel=1e-5), "target and network begin alike"
    assert gaps[-1] < 0.02 * gaps[0]


def test_several_steps_at_once_are_kept_row_by_row() -> None:
    agent = replace(agent_with(Kept(every=10, share=0.25)), steps=2, memory=replace(MEMORY, length=2))
    _, info = jax.jit(agent.learn)(KEY, aged(agent, 100))
    assert float(info["kept_share"]) == 0.25, "two of eight chunks, each lived before the copy at 100"


def test_parts_that_lack_something_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="keep: Reservoir has no `part`"):
        ModelFree(learner=DQN(), memory=Lifelong(keep=Reservoir()), kept=Kept()).init(KEY, SPEC)
    with pytest.raises(ValueError, match="learner: SAC has no `outputs`"):
        agent_with(Kept(), learner=SAC(units=8)).init(KEY, replace(SPEC, action=Box(shape=(1,), low=-1.0, high=1.0)))
    with pytest.raises(ValueError, match="share=2"):
        agent_with(Kept(share=2.0)).init(KEY, SPEC)
