"""Skills are directions: their pay telescopes, their bound is a distance, and the map learns to follow them."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import SAC
from umwelt.behaviours.skilful import SKILL, Skilful
from umwelt.core import FIRST, MID, Box, TimeStep, WorldSpec, lived
from umwelt.curiosity.directions import Directions
from umwelt.memory import Ring
from umwelt.networks.layers import Layer

KEY = jax.random.key(0)


def test_the_pay_of_a_skill_telescopes() -> None:
    by = Directions(units=8)
    state = by.init(KEY, 3)
    path = jax.random.normal(KEY, (6, 3))
    skill = jnp.array([[0.6, -0.8]])
    steps = by.reward(state, path[:-1], path[1:], jnp.repeat(skill, 5, axis=0))
    whole = by.reward(state, path[:1], path[-1:], skill)
    assert float(steps.sum()) == pytest.approx(float(whole[0]), abs=1e-5)


def test_a_controllable_distance_with_even_deviations_is_the_straight_one() -> None:
    even, straight, temporal = (Directions(units=8, distance=name) for name in ("controllable", "straight", "temporal"))
    state = even.init(KEY, 3)
    # a density that expects no change, with the same deviation of each entry
    flat = Layer(weight=jnp.zeros((8, 6)), bias=jnp.array([0.0, 0.0, 0.0, -1.0, -1.0, -1.0]))
    state = replace(state, density=(*state.density[:-1], flat))
    now, after = jax.random.normal(KEY, (2, 5, 3))
    np.testing.assert_allclose(even.squared(state, now, after), straight.squared(state, now, after), rtol=1e-5)
    assert temporal.squared(state, now, after).tolist() == [1.0] * 5
    # what changes seldom is far
    seldom = replace(flat, bias=jnp.array([0.0, 0.0, 0.0, 1.0, 1.0, -2.0]))
    state = replace(state, density=(*state.density[:-1], seldom))
    first, last = (even.squared(state, jnp.zeros((1, 3)), unit[None]) for unit in (jnp.eye(3)[0], jnp.eye(3)[2]))
    assert float(last[0]) > 100 * float(first[0])


def test_the_map_turns_towards_the_skills_that_go_with_changes() -> None:
    by = Directions(distance="straight", units=16, multiplier=30.0, learning_rate=3e-3)
    random = np.random.default_rng(0)
    skill = random.normal(size=(256, 2)).astype(np.float32)
    skill /= np.linalg.norm(skill, axis=1, keepdims=True)
    now = random.uniform(-0.5, 0.5, (256, 2)).astype(np.float32)
    after, weight = now + np.float32(0.3) * skill, np.ones(256, np.float32)

    @jax.jit
    def taught(state: Any, weight: jax.Array) -> Any:
        def lesson(state: Any, _: Any) -> Any:
            state, info = by.learn(KEY, state, now, after, skill, weight)
            return state, info["excess"]

        return jax.lax.scan(lesson, state, None, length=400)

    begun = by.init(KEY, 2)
    state, excess = taught(begun, weight)
    # mean distances count entries, so a map that is aligned and touches its bound pays the deviation of one entry
    assert np.asarray(by.reward(state, now, after, skill)).mean() == pytest.approx(0.3 / 2**0.5, abs=0.04)
    assert float(excess[-1]) < 0.01
    idle, _ = taught(begun, 0 * weight)
    for one, other in zip(jax.tree.leaves(idle), jax.tree.leaves(begun), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="distance"):
        Directions(distance="far").init(KEY, 2)  # type: ignore[arg-type]


AGENT = Skilful(learner=SAC(units=8), by=Directions(units=8), memory=Ring(bytes=20_000), batch=8, length=3)
SPEC = WorldSpec(name="plain", observation=Box(shape=(2,)), action=Box(shape=(1,), low=-1.0, high=1.0), task=Box(), batch=2)


def test_a_skill_lasts_an_episode_and_no_longer_than_its_time() -> None:
    state: Any = AGENT.init(KEY, SPEC)
    skills = []
    for index, kind in enumerate([FIRST, MID, MID, MID, MID]):
        step = TimeStep(kind=jnp.full(2, kind, jnp.int8), observation=jnp.ones((2, 2)), reward=jnp.zeros(2))
        state, _ = AGENT.see(jax.random.fold_in(KEY, index), state, step)
        skills.append(np.asarray(state.skill))
        moment = lived(step, jnp.zeros((2, 1)), step, task=jnp.zeros(2), surprise=jnp.zeros(2))
        before = int(AGENT.memory.count(state.memory))
        state, _ = AGENT.remember(KEY, state, moment)
        # the transition in which the skill changes belongs to neither
        assert int(AGENT.memory.count(state.memory)) - before == (0 if index in (0, 3) else 2)
    np.testing.assert_array_equal(skills[0], skills[2])
    np.testing.assert_array_equal(skills[3], skills[4])
    assert np.all(np.abs(skills[2] - skills[3]).sum(1) > 1e-3)
    np.testing.assert_allclose(np.linalg.norm(skills[0], axis=1), 1.0, rtol=1e-5)
    held = AGENT.memory.sample(KEY, state.memory, (4,))
    np.testing.assert_array_equal(held.step.observation[SKILL], held.next.observation[SKILL])


def test_the_agent_keeps_the_contract() -> None:
    check.agent(AGENT, depth="shapes").raise_if_broken()
