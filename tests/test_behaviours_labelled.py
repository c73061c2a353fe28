"""Imitation of what was watched: labels against the true preimage, the rule of balance, and windows inside episodes."""

import functools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import Cloning, Labelled, reels
from umwelt.core import FIRST, LIVED, MID, SHOWN, TERMINATED, TRUNCATED, WATCHED, Box, Discrete, Experience, TimeStep, WorldSpec

KEY = jax.random.key(2)
STATES, MOVES = 5, (-1, 0, 1)
RING = WorldSpec(name="ring", observation=Box(shape=(STATES,), low=0.0, high=1.0), action=Discrete(n=3), task=Box(), batch=1)


def moment(now, action, after, origin=LIVED, before=MID, kind=MID):
    """One transition of a ring of five places, which an action moves back, leaves or moves on."""
    eye = np.eye(STATES, dtype=np.float32)
    step, next = (
        TimeStep(kind=np.array([what], np.int8), observation=eye[[place]], reward=np.zeros(1, np.float32))
        for place, what in ((now, before), (after, kind))
    )
    return Experience(step=step, action=np.array([action], np.int32), next=next, origin=np.array([origin], np.int8))


@functools.cache
def programs(agent, updates):
    """`remember`, and so many updates in a row; compiled once for all tests of an agent."""

    def update(state, key):
        return agent.learn(key, state)[0], None

    learn = jax.jit(lambda state: jax.lax.scan(update, state, jax.random.split(KEY, updates))[0])
    return jax.jit(agent.remember), learn


def taught(agent, moments, spec=RING, updates=200):
    state, (remember, learn) = agent.init(KEY, spec), programs(agent, updates)
    for one in moments:
        state, _ = remember(KEY, state, one)
    return learn(state)


def lesson(watched_actions):
    """Every move from every place is done once; one way around the ring is watched, with a wrong action in its place."""
    lived = [moment(place, action, (place + MOVES[action]) % STATES) for place in range(STATES) for action in range(3)]
    way = [moment(place, wrong, (place + 1) % STATES, WATCHED) for place, wrong in enumerate(watched_actions)]
    return lived + way


@pytest.fixture(scope="module")
def small():
    agent = Labelled(inverse=Cloning(units=16, learning_rate=1e-2), learner=Cloning(units=16, learning_rate=1e-2), rows=64)
    return replace(agent, mix="all", batch=32)


def test_labels_are_the_true_preimage_and_watched_actions_are_never_read(small):
    one, other = (taught(small, lesson(wrong)) for wrong in ([0, 1, 0, 1, 0], [2, 0, 1, 0, 2]))
    jax.tree.map(np.testing.assert_array_equal, one, other)
    rows = jnp.flatnonzero(one.known.valid.reshape(-1), size=15)
    guessed = small.inverse.act(KEY, one.inverse, small.features(one.known, rows), "exploit")
    np.testing.assert_array_equal(guessed, reels.taken(one.known, rows).action)
    # the watched way moves on everywhere, and so does the policy
    np.testing.assert_array_equal(small.learner.act(KEY, one.learner, jnp.eye(STATES), "exploit"), np.full(STATES, 2))


def test_shown_actions_that_are_known_are_imitated_as_they_are(small):
    shown = [moment(place, 0, (place + 1) % STATES, SHOWN) for place in range(STATES)]
    state = taught(small, shown)
    np.testing.assert_array_equal(small.learner.act(KEY, state.learner, jnp.eye(STATES), "exploit"), np.zeros(STATES))


def episodes(*kinds):
    """Three moments of an episode for each kind of its end; each episode has a place of its own."""
    found = []
    for number, kind in enumerate(kinds):
        for at, (before, after) in enumerate(((FIRST, MID), (MID, MID), (MID, kind))):
            found.append(moment(number, at, number, before=before, kind=after))
        found.append(moment(number, 0, number, before=kind, kind=FIRST))
    return found


def test_balance_takes_as_many_rows_of_reached_episodes_as_are_reached(small):
    agent = replace(small, mix="balanced", batch=200)
    state, remember = agent.init(KEY, RING), jax.jit(agent.remember)
    for chance, parts in ((True, episodes(TRUNCATED)), (False, episodes(TERMINATED, TRUNCATED))):
        state = replace(state, by_chance=jnp.array([chance]))
        for one in parts:
            state, _ = remember(KEY, state, one)
    assert float(state.reached) == pytest.approx(0.1 * 0.9)
    good = np.asarray(state.known.good & state.known.own & state.known.valid)
    assert good.sum() == 3
    for share, taken in ((0.0, 0), (0.25, 50), (1.0, 200)):
        rows, some = agent._known(KEY, replace(state, reached=jnp.float32(share)))
        assert bool(some.all())
        assert good.reshape(-1)[np.asarray(rows)].sum() == taken
        # the others were done at random; an own episode that was cut off teaches nothing
        assert not np.asarray(state.known.own).reshape(-1)[np.asarray(rows)][taken:].any()
    only = {mix: replace(agent, mix=mix)._known(KEY, state)[0] for mix in ("all", "none")}
    assert len(set(np.asarray(only["all"]).tolist())) == 9
    assert len(set(np.asarray(only["none"]).tolist())) == 3


def test_a_window_stops_at_the_ends_of_its_episode(small):
    agent = replace(small, window=1)
    state = agent.init(KEY, RING)
    way = [moment(0, 0, 1, before=FIRST), moment(1, 0, 2, kind=TRUNCATED), moment(2, 0, 3, before=TRUNCATED, kind=FIRST)]
    for one in (*way, moment(3, 0, 4, before=FIRST)):
        state, _ = agent.remember(KEY, state, one)
    eye = np.eye(STATES)
    read = np.asarray(agent.features(state.known, jnp.array([0, 1, 2]))).reshape(3, 4, STATES)
    for found, (now, before, after, later) in zip(read, ((0, 0, 1, 2), (1, 0, 2, 2), (3, 3, 4, 4)), strict=True):
        np.testing.assert_array_equal(found, np.stack([eye[now], *(eye[each] - eye[now] for each in (before, after, later))]))


def test_the_agent_keeps_the_contract():
    agent = Labelled(inverse=Cloning(units=8), learner=Cloning(units=8), rows=96, batch=8, window=1)
    check.agent(agent).raise_if_broken()


def test_an_unknown_rule_is_refused(small):
    with pytest.raises(ValueError, match="balanced"):
        replace(small, mix="even").init(KEY, RING)


def test_guesses_in_a_linear_world_are_the_solution_of_its_equation():
    """x' = A x + B a has the one action pinv(B) (x' - A x)."""
    own, push = np.array([[0.9, 0.2], [-0.1, 0.8]]), np.array([[0.5], [0.3]])
    spec = WorldSpec(name="line", observation=Box(shape=(2,)), action=Box(shape=(1,), low=-1.0, high=1.0), task=Box(), batch=64)
    agent = Labelled(inverse=Cloning(units=32, head="plain", learning_rate=3e-3), learner=Cloning(units=4), rows=2560, batch=128)
    agent, random = replace(agent, window=1), np.random.default_rng(0)
    place, moments = random.normal(size=(64, 2)), []
    for tick in range(40):
        done = random.uniform(-0.9, 0.9, (64, 1))
        after = place @ own.T + done @ push.T
        step, next = (
            TimeStep(kind=np.full(64, what, np.int8), observation=seen.astype(np.float32), reward=np.zeros(64, np.float32))
            for seen, what in ((place, MID if tick else FIRST), (after, MID))
        )
        moments.append(Experience(step=step, action=done.astype(np.float32), next=next, origin=np.full(64, SHOWN, np.int8)))
        place = after
    state = taught(agent, moments, spec, 600)
    rows = jnp.arange(64 * 40)
    found = agent.inverse.act(KEY, state.inverse, agent.features(state.known, rows), "exploit")
    held = reels.taken(state.known, rows)
    exact = (np.asarray(held.after) - np.asarray(held.now) @ own.T) @ np.linalg.pinv(push).T
    np.testing.assert_allclose(exact, held.action, atol=1e-4)
    assert np.sqrt(np.mean((np.asarray(found) - exact) ** 2)) < 0.05
