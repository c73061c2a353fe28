"""The agent without a model: what it makes of experience, and what it keeps."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.behaviours import DQN, SAC, ModelFree
from umwelt.behaviours import batch as batches
from umwelt.behaviours.memories import example
from umwelt.check.agent import CHOICES, SPEC
from umwelt.core import FIRST, LIVED, MID, SHOWN, TERMINATED, TRUNCATED, WATCHED, Box, TimeStep, lived
from umwelt.memory import Lifelong
from umwelt.memory.ring import Ring
from umwelt.networks.form import form

KEY = jax.random.key(2)
FORMS = form(Box(shape=(1,))), form(Box(shape=()))


def steps(kinds, values, reward):
    observation = jnp.asarray(values, jnp.float32)[..., None]
    return TimeStep(kind=jnp.asarray(kinds, jnp.int8), observation=observation, reward=jnp.broadcast_to(reward, np.shape(kinds)))


def test_rewards_ahead_are_summed_to_the_end_of_their_row():
    before = steps([[FIRST, MID, MID]] * 3, [[0, 1, 2], [10, 11, 12], [20, 21, 22]], 0.0)
    kinds = [[MID, MID, TERMINATED], [MID, MID, TRUNCATED], [MID, MID, MID]]
    after = steps(kinds, [[1, 2, 3], [11, 12, 13], [21, 22, 23]], jnp.array([1.0, 2.0, 4.0]))
    made = batches.ahead(*FORMS, lived(before, jnp.arange(9.0).reshape(3, 3), after), 0.5)
    # from the first of three: 1 + 2 / 2 + 4 / 4; then 2 + 4 / 2; then 4
    np.testing.assert_allclose(made.reward.reshape(3, 3), [[3.0, 4.0, 4.0]] * 3)
    np.testing.assert_allclose(made.continues.reshape(3, 3), [[0, 0, 0], [0.25, 0.5, 1], [0.25, 0.5, 1]])
    np.testing.assert_array_equal(made.after[:, 0], [3, 3, 3, 13, 13, 13, 23, 23, 23])
    np.testing.assert_array_equal(made.now[:, 0], [0, 1, 2, 10, 11, 12, 20, 21, 22])
    np.testing.assert_array_equal(made.action, np.arange(9))
    assert made.weight.tolist() == [1.0] * 9
    assert made.steps == 3


def test_only_rows_with_a_known_action_weigh():
    """Lived, shown, watched, and a seam."""
    before, after = steps([MID, MID, MID, TERMINATED], range(4), 0.0), steps([MID, TERMINATED, MID, FIRST], range(1, 5), 1.0)
    experience = dataclasses.replace(lived(before, jnp.zeros(4), after), origin=jnp.array([LIVED, SHOWN, WATCHED, LIVED]))
    made = batches.of(*FORMS, experience)
    assert made.weight.tolist() == [1.0, 1.0, 0.0, 0.0]
    assert made.continues.tolist() == [1.0, 0.0, 1.0, 1.0]
    rows = jax.tree.map(lambda leaf: leaf[:3][None], experience)
    assert batches.ahead(*FORMS, rows, 0.5).weight.tolist() == [0.0] * 3


def test_shown_experience_keeps_its_origin_and_its_return_to_come():
    """A memory of lived experience takes what is shown, of which task and surprise are unknown."""
    memory, like = Ring(bytes=10_000), example(SPEC, to_come=True)
    step = dataclasses.replace(like.step, kind=jnp.full(3, MID, jnp.int8))
    shown = dataclasses.replace(lived(step, like.action, step), origin=jnp.full(3, SHOWN, jnp.int8))
    state = memory.add(KEY, memory.init(like), dataclasses.replace(shown, to_come=jnp.array([1.0, 2.0, 3.0])))
    found = memory.sample(KEY, state, (50,))
    assert set(np.asarray(found.origin).tolist()) == {SHOWN}
    assert set(np.asarray(found.to_come).tolist()) == {1.0, 2.0, 3.0}
    assert np.isnan(found.surprise).all()
    assert example(SPEC).to_come is None


def test_a_policy_acts_on_what_was_seen_last():
    agent = ModelFree(learner=DQN(units=8), memory=Ring(bytes=10_000), batch=8)
    state = agent.init(KEY, CHOICES)
    step = TimeStep(kind=jnp.full(3, MID, jnp.int8), observation=jax.random.normal(KEY, (3, 3)), reward=jnp.zeros(3))
    state, info = agent.see(KEY, state, step)
    assert np.isnan(info["surprise"]).all()
    _, action = agent.act(KEY, state, "exploit")
    np.testing.assert_array_equal(action, agent.learner.act(KEY, state.learner, step.observation, "exploit"))


@pytest.mark.parametrize(
    ("agent", "spec"),
    [
        (ModelFree(learner=SAC(units=16), memory=Ring(bytes=100_000), batch=32), SPEC),
        (ModelFree(learner=DQN(units=16), memory=Lifelong(bytes=100_000, length=3), batch=30, steps=3), CHOICES),
    ],
)
def test_the_agents_keep_the_contract(agent, spec):
    umwelt.check.agent(agent, spec).raise_if_broken()
