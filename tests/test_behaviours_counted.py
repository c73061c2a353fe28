"""Curiosity by counting: pseudo-counts against the probabilities that they come from, and what the bonus does."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import DQN, Counted, ModelFree
from umwelt.behaviours.counted import CountedState, places, times
from umwelt.core import FIRST, MID, TRUNCATED, Box, Discrete, TimeStep, WorldSpec
from umwelt.memory.ring import Ring

KEY = jax.random.key(4)


def spec_of(width, batch):
    return WorldSpec(name="bits", observation=Box(shape=(width,), low=0.0, high=1.0), action=Discrete(n=4), task=(), batch=batch)


def counting(bonus=0.5, scale=1.0):
    return Counted(agent=ModelFree(learner=DQN(units=8), memory=Ring(bytes=100_000)), bonus=bonus, scale=scale)


def step_of(observation, kind=MID):
    observation = jnp.asarray(observation, jnp.float32)
    rows = observation.shape[0]
    return TimeStep(kind=jnp.full(rows, kind, jnp.int8), observation=observation, reward=jnp.ones(rows))


@partial(jax.jit, static_argnums=0)
def turn(agent, state, before, after):
    """What a life does with a world's answer: remember it, and act on it."""
    state, info = agent.remember(KEY, state, before, jnp.zeros(before.kind.shape, jnp.int32), after)
    return agent.act(KEY, state, after)[0], info


def met(agent, state, *observations, kind=MID):
    """Live through observations [B, F] one after the other: the state, and the bonus of each."""
    told = []
    before = step_of(jnp.zeros_like(jnp.asarray(observations[0])))
    for each in observations:
        after = step_of(each, kind)
        state, info = turn(agent, state, before, after)
        told.append(np.asarray(info["bonus"]))
        before = after
    return state, told


def test_pseudo_counts_are_those_of_the_probabilities():
    random = np.random.default_rng(0)
    seen, shown = random.random((40, 12)) < random.random(12), random.random((5, 12)) < 0.5
    state = CountedState(
        agent=None, ones=jnp.asarray(seen.sum(0), jnp.float32), total=jnp.float32(40.0), had=None, before=None, odds=None
    )
    found = np.asarray(times(state, jnp.asarray(shown)))
    for row, count in zip(shown, found, strict=True):
        same = (seen == row).sum(0).astype(np.float64)
        before, after = np.prod((same + 0.5) / 41.0), np.prod((same + 1.5) / 42.0)
        # the count is before (1 - after) / (after - before), of which the parenthesis is left out
        assert count == pytest.approx(before / (after - before), rel=1e-3)


def test_one_entry_that_was_never_met_makes_a_moment_new():
    agent = counting()
    state = agent.init(KEY, spec_of(30, 1))
    usual = [np.eye(30)[[index]] for index in (3, 4)]
    for _ in range(100):
        state, _ = met(agent, state, usual[0], kind=FIRST)
        state, _ = met(agent, state, usual[1])
    other = usual[0] + np.eye(30)[[7]]
    counts = np.asarray(times(state, jnp.asarray(np.concatenate([usual[0], other]) > 0.5)))
    assert counts[0] > 50
    assert counts[1] < 1


def test_a_moment_pays_once_in_an_episode_and_again_in_the_next():
    agent = counting()
    state = agent.init(KEY, spec_of(4, 2))
    one, two = np.eye(4)[[0, 0]], np.eye(4)[[1, 0]]
    state, told = met(agent, state, one, two, one, two)
    assert (told[0] > 0).all()
    assert (told[1] > 0).tolist() == [True, False], "only the first row sees something else"
    assert (told[2] == 0).all()
    assert (told[3] == 0).all()
    state, told = met(agent, state, one, kind=FIRST)
    assert (told[0] == 0).all(), "nobody did anything to see it"
    _, told = met(agent, state, two)
    assert (told[0] > 0).tolist() == [True, False]


def test_the_bonus_falls_with_the_root_of_the_count():
    agent = counting(bonus=0.5)
    state, paid = agent.init(KEY, spec_of(2, 1)), []
    nothing = step_of(np.zeros((1, 2)))
    for _ in range(400):
        # half of all moments that count have the entry
        state, _ = turn(agent, state, nothing, step_of(np.zeros((1, 2)), FIRST))
        state, info = turn(agent, state, nothing, step_of(np.eye(2)[[0]]))
        paid.append(float(info["bonus"][0]))
    assert paid[0] <= 0.5
    assert paid[399] / paid[99] == pytest.approx(0.5, rel=0.02), "four times as often, half as much"


def test_memory_holds_the_bonus_and_the_world_does_not_hear_of_it():
    agent = counting(scale=3.0)
    state, told = met(agent, agent.init(KEY, spec_of(4, 1)), np.eye(4)[[2]])
    kept = state.agent.memory.rows.next.reward[0]
    assert float(kept) == pytest.approx(3.0 * 1.0 + told[0][0])
    seam = step_of(np.eye(4)[[1]], TRUNCATED)
    state, _ = turn(agent, state, seam, step_of(np.eye(4)[[3]], FIRST))
    assert int(state.agent.memory.filled) == 1, "nothing is learned across a seam"


def test_the_agent_inside_is_told_how_often_it_had_a_moment_and_a_probe_begins_anew():
    agent = counting()
    state = agent.init(KEY, spec_of(4, 1))
    one, two = np.eye(4)[[1]], np.eye(4)[[2]]
    state, _ = met(agent, state, one, kind=FIRST)
    state, _ = met(agent, state, two, one, one, one, two)
    rows = state.agent.memory.rows
    # one first, then two, one, one, one, two: never had, never, once, twice, thrice, once
    after = np.argmax(rows.next.observation[1:6, 4:], axis=-1)
    assert after.tolist() == [0, 1, 2, 3, 1]
    np.testing.assert_array_equal(rows.step.observation[2:6], rows.next.observation[1:5])
    body = agent.embody(KEY, state, spec_of(4, 3))
    seen = dataclasses.replace(step_of(np.repeat(one, 3, axis=0)), kind=jnp.full(3, MID, jnp.int8))
    assert agent.act(KEY, body, seen)[0].before.tolist() == [0, 0, 0]
    assert agent.act(KEY, state, step_of(one))[0].before.tolist() == [3]


def test_a_picture_is_refused_with_a_sentence():
    spec = dataclasses.replace(spec_of(4, 1), observation=Box(shape=(2, 2, 1)))
    with pytest.raises(ValueError, match="counts the entries of one vector"):
        counting().init(KEY, spec)


def test_moments_share_a_place_about_as_often_as_chance_has_it():
    odds = jax.random.bits(KEY, (60,), jnp.uint32) | 1
    shown = np.unique(np.random.default_rng(1).random((1000, 60)) < 0.2, axis=0)
    found = np.asarray(places(odds, jnp.asarray(shown)))
    assert found.min() >= 0
    assert found.max() < 4096
    assert len(np.unique(found)) == pytest.approx(4096 * (1 - (1 - 1 / 4096) ** len(shown)), rel=0.05)


def test_it_finds_the_end_of_a_corridor_that_chance_does_not():
    """Twelve rooms in a row; one choice leads on, the others back to the first. Nothing is ever rewarded."""
    rooms, rows = 12, 16
    learner = DQN(units=32, random_updates=1, least=0.1, discount=0.95)
    agent = Counted(agent=ModelFree(learner=learner, memory=Ring(bytes=1_000_000), batch=64), bonus=1.0)

    def lived(carry, item):
        state, step, far = carry
        key, clock = item
        state, action = agent.act(key, state, step)
        at = jnp.argmax(step.observation, -1)
        then = jnp.where(step.last, 0, jnp.where(action == 2, jnp.minimum(at + 1, rooms - 1), 0))
        kind = jnp.where(step.last, FIRST, jnp.where(clock % 20 == 19, TRUNCATED, MID)).astype(jnp.int8)
        after = TimeStep(kind=kind, observation=jax.nn.one_hot(then, rooms), reward=jnp.zeros(rows))
        state, _ = agent.remember(key, state, step, action, after)
        return (agent.learn(key, state)[0], after, jnp.maximum(far, then.max())), None

    first = dataclasses.replace(step_of(np.eye(rooms)[np.zeros(rows, int)], FIRST), reward=jnp.zeros(rows))
    begin = (agent.init(KEY, spec_of(rooms, rows)), first, jnp.int32(0))
    steps = 3000
    items = (jax.random.split(KEY, steps), jnp.arange(steps))
    (_, _, far), _ = jax.jit(lambda carry: jax.lax.scan(lived, carry, items))(begin)
    # by chance, 16 rows would take 4^11 / 16 decisions each, a quarter of a million
    assert int(far) == rooms - 1
