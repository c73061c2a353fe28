"""Ways of doing things: without pay and with one way it is the learner inside, and ways that differ are recognised."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import SAC, Cloning, ModelFree, Reparameterised, Ways
from umwelt.behaviours.batch import Batch
from umwelt.core import FIRST, MID, Box, TimeStep, WorldSpec, lived
from umwelt.memory import Ring

KEY = jax.random.key(6)
BOX = Box(shape=(1,), low=-1.0, high=1.0)
PART = Reparameterised(learner=SAC(units=8, learning_rate=1e-2), ways=3, units=16, learning_rate=1e-2)


def moments(key: jax.Array, ways: int, rows: int = 64) -> Batch:
    """Each way has its action, of three in a row; only the last one is paid."""
    way = jax.random.randint(key, (rows,), 0, ways)
    now = jnp.concatenate([jnp.zeros((rows, 1)), jax.nn.one_hot(way, ways)], axis=1)
    action = (way[:, None] - 1) * 0.8 + 0.05 * jax.random.normal(key, (rows, 1))
    ones = jnp.ones(rows)
    return Batch(now=now, action=action, reward=(way == ways - 1) * 1.0, continues=0.0 * ones, after=now, weight=ones)


@partial(jax.jit, static_argnums=0)
def taught(part: Reparameterised, state: Any, keys: jax.Array) -> tuple[Any, dict[str, jax.Array]]:
    """A lesson about three ways for each key, and what the last one says."""
    lesson = lambda state, key: part.learn(key, state, moments(key, 3))  # noqa: E731
    state, info = jax.lax.scan(lesson, state, keys)
    return state, jax.tree.map(lambda leaf: leaf[-1], info)


def test_one_way_without_pay_is_the_learner_inside() -> None:
    alone = replace(PART, ways=1, distinct=0.0, entropy=0.0)
    batch = moments(KEY, 1)
    state = alone.init(KEY, 2, BOX)
    found = jax.jit(alone.learn)(KEY, state, batch)[0]
    wanted = jax.jit(PART.learner.learn)(KEY, PART.learner.init(KEY, 2, BOX), batch)[0]
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6), found.inner, wanted)


def test_ways_are_paid_the_nats_by_which_they_are_recognised() -> None:
    state, info = taught(PART, PART.init(KEY, 4, BOX), jax.random.split(KEY, 150))
    # the actions of the ways lie far apart, so the network is nearly sure
    assert float(info["way_recognised"]) > -0.1
    # what the critics learn is the reward and log 3, the most that three ways can be paid for
    batch, weights = moments(KEY, 3, 300), PART.decay**150
    learner: Any = PART.learner
    worth = np.asarray(jax.jit(learner.worth)(state.inner, batch.now, batch.action))
    paid = np.asarray(batch.reward) + weights * np.log(3)
    assert np.abs(worth.mean() - paid.mean()) < 0.6
    assert set(info) >= {"way_recognised", "way_entropy", "value"}


def test_the_choice_is_soft_over_the_values_of_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    part, values = replace(PART, decay=1.0, distinct=0.0, entropy=0.5), jnp.array([0.0, 0.3, 1.0])
    monkeypatch.setattr(Reparameterised, "_values", lambda self, key, inner, seen: jnp.broadcast_to(values, (seen.shape[0], 3)))
    state, _ = taught(part, part.init(KEY, 4, BOX), jax.random.split(KEY, 250))
    # of all choices, the most that values and half a nat of entropy together can be has this one
    np.testing.assert_allclose(part.chances(state, jnp.zeros((1, 1)))[0], jax.nn.log_softmax(values / 0.5), atol=0.1)


def test_an_agent_keeps_its_way_through_an_episode_and_in_memory() -> None:
    spec = WorldSpec(name="line", observation=Box(shape=(1,), low=-1.0, high=1.0), action=BOX, task=Box(shape=(1,)), batch=4)
    agent = Ways(inner=ModelFree(learner=PART, memory=Ring(bytes=4000), batch=4))
    state = agent.init(KEY, spec)
    see, seen = jax.jit(agent.see), []

    def step(kind: int) -> TimeStep:
        return TimeStep(kind=jnp.full(4, kind, jnp.int8), observation=jnp.zeros((4, 1)), reward=jnp.zeros(4))

    for number, kind in enumerate((FIRST, MID, MID, FIRST, FIRST, FIRST)):
        state = see(jax.random.fold_in(KEY, number), state, step(kind))[0]
        seen.append(np.argmax(state.way, axis=1).tolist())
    assert seen[0] == seen[1] == seen[2]
    assert len({tuple(each) for each in seen[2:]}) > 1
    moment = lived(step(MID), jnp.zeros((4, 1)), step(MID), task=jnp.zeros((4, 1)), surprise=jnp.zeros(4))
    state = agent.remember(KEY, state, moment)[0]
    np.testing.assert_array_equal(state.inner.memory.rows.step.observation["way"][:4], state.way)
    assert agent.act(KEY, state)[1].shape == (4, 1)
    with pytest.raises(ValueError, match="Ways needs"):
        replace(agent, inner=replace(agent.inner, learner=SAC(units=8))).init(KEY, spec)
    with pytest.raises(ValueError, match="worth"):
        replace(PART, learner=Cloning()).init(KEY, 4, BOX)
