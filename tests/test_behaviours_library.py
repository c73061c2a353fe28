"""Snapshots of a policy: what is stored stays as it was, what leaves a full library, and which policy acts."""

import itertools
import pickle
from dataclasses import replace
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.behaviours import SAC, ModelFree
from umwelt.behaviours.library import Library
from umwelt.behaviours.snapshots import Snapshots
from umwelt.core import FIRST, MID, TimeStep, lived
from umwelt.memory import Ring
from umwelt.worlds import Pendulum

KEY = jax.random.key(0)
SPEC = Pendulum().spec
AGENT = Snapshots(
    agent=ModelFree(learner=SAC(units=4), memory=Ring(bytes=4000), batch=4), library=Library(slots=3), every=0, length=2
)


def step(kind: int) -> TimeStep:
    seen = np.array([[1.0, 0.0, 0.5]], np.float32)
    return TimeStep(kind=np.full(1, kind, np.int8), observation=seen, reward=np.ones(1, np.float32))


@cache
def stored() -> Any:
    """The agent's state with one snapshot."""
    return jax.jit(lambda key: AGENT.snapshot(AGENT.init(key, SPEC)))(KEY)


def test_a_stored_skill_acts_bit_for_bit_the_same_after_a_later_life_and_after_a_save():
    state = stored()
    seen, skill = np.array([[1.0, 0.0, 0.5]] * 4, np.float32), np.zeros(4, np.int32)
    act = jax.jit(lambda library: AGENT.library.act(AGENT.agent.learner, KEY, library, skill, seen, "explore"))
    before = np.asarray(act(state.library))
    state, _ = jax.jit(AGENT.remember)(KEY, state, lived(step(FIRST), np.ones((1, 1), np.float32), step(MID)))
    later = jax.jit(
        lambda state: jax.lax.fori_loop(0, 1000, lambda at, held: AGENT.learn(jax.random.fold_in(KEY, at), held)[0], state)
    )(state)
    assert not np.array_equal(later.inner.learner.policy[0].weight, state.inner.learner.policy[0].weight)
    np.testing.assert_array_equal(act(later.library), before)
    leaves, tree = jax.tree.flatten(later.library)
    resumed = jax.tree.unflatten(tree, pickle.loads(pickle.dumps([np.asarray(leaf) for leaf in leaves])))
    np.testing.assert_array_equal(act(resumed), before)


@pytest.mark.parametrize("seed", range(12))
def test_a_full_library_keeps_the_three_of_four_that_cover_most(seed: int):
    library = Library(slots=3, cells=6)
    every = np.random.default_rng(seed).uniform(size=(4, 6)) < 0.35
    state = library.init(jnp.float32(0.0))
    for at in range(3):
        state = library.stored(state, jnp.float32(at), jnp.int32(at), jnp.asarray(every[at], jnp.float32))
    assert int(state.filled) == 3
    state = library.stored(state, jnp.float32(3.0), jnp.int32(3), jnp.asarray(every[3], jnp.float32))
    best = max(every[list(kept)].any(axis=0).sum() for kept in itertools.combinations(range(4), 3))
    kept = np.asarray(state.weights, int)
    assert len(set(kept)) == 3
    assert every[kept].any(axis=0).sum() == best
    np.testing.assert_array_equal(state.visits, every[kept])
    np.testing.assert_array_equal(state.made, kept)


def test_among_equals_the_oldest_leaves():
    library, state = Library(slots=2, cells=1), Library(slots=2, cells=1).init(jnp.float32(0.0))
    for at in range(4):
        state = library.stored(state, jnp.float32(at), jnp.int32(at), jnp.ones(1))
    assert sorted(np.asarray(state.weights).tolist()) == [2.0, 3.0]
    with pytest.raises(ValueError, match="slots=0"):
        Library(slots=0).init(jnp.float32(0.0))


def test_it_is_drawn_anew_who_acts_and_snapshots_share_what_the_present_policy_leaves():
    agent = replace(AGENT, own=0.25)
    state, see = jax.jit(agent.snapshot)(stored()), jax.jit(agent.see)
    drawn = jax.jit(jax.vmap(lambda key: agent.see(key, state, step(FIRST))[0].skill[0]))(jax.random.split(KEY, 400))
    shares = np.bincount(drawn, minlength=4) / 400
    np.testing.assert_allclose(shares, [0.375, 0.375, 0.0, 0.25], atol=0.08)
    chosen, _ = see(KEY, state, step(FIRST))
    for at, again in ((1, False), (2, True)):
        assert bool(chosen.age[0] + 1 >= agent.length) == again, at
        chosen, _ = see(KEY, chosen, step(MID))
    assert int(chosen.age[0]) == 0


def test_a_snapshot_acts_when_it_was_drawn_and_the_present_policy_in_a_probe():
    state = stored()
    weaker = jax.tree.map(lambda leaf: leaf * 0 if leaf.dtype == jnp.float32 else leaf, state.library.weights)
    state = replace(state, library=replace(state.library, weights=weaker))
    act = jax.jit(AGENT.act, static_argnums=2)
    (_, past), (_, own) = (act(KEY, replace(state, skill=jnp.array([skill])), "explore") for skill in (0, 3))
    assert not np.array_equal(past, own)
    (_, past), (_, own) = (act(KEY, replace(state, skill=jnp.array([skill])), "exploit") for skill in (0, 3))
    np.testing.assert_array_equal(past, own)


def test_snapshots_are_made_in_time_and_the_agent_keeps_its_contract():
    agent = replace(AGENT, every=2)
    state, remember = agent.init(KEY, SPEC), jax.jit(agent.remember)
    held = []
    for _ in range(5):
        state, info = remember(KEY, state, lived(step(MID), jnp.ones((1, 1)), step(MID)))
        held.append(float(info["skills"]))
    assert held == [0, 1, 1, 2, 2]
    umwelt.check.agent(AGENT, SPEC, depth="shapes").raise_if_broken()
    with pytest.raises(ValueError, match="own=2"):
        replace(AGENT, own=2.0).init(KEY, SPEC)
