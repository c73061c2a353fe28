"""Calls of skills as transitions of their own, and skills from logs."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

import umwelt.check
from umwelt.behaviours import SAC, ModelFree
from umwelt.behaviours.calling import Calling
from umwelt.behaviours.latent_skills import LatentSkills, divergence
from umwelt.core import FIRST, MID, TERMINATED, TRUNCATED, Box, TimeStep, lived, part, spaces
from umwelt.memory import Ring
from umwelt.worlds import Pendulum

KEY = jax.random.key(0)
SPEC = Pendulum().spec


@part
class Notes:
    """An agent that calls the number of the call, and keeps the last experience that it remembers."""

    metrics = ()

    def init(self, key: Any, spec: Any) -> Any:
        step = TimeStep(kind=jnp.zeros(1, jnp.int8), observation=spaces.zeros(spec.observation, 1), reward=jnp.zeros(1))
        return jnp.float32(0.0), lived(step, spaces.zeros(spec.action, 1), step)

    def see(self, key: Any, state: Any, step: TimeStep) -> Any:
        return state, {}

    def act(self, key: Any, state: Any, mode: Any = "explore") -> Any:
        return (state[0] + 0.1, state[1]), jnp.full((1, 1), state[0] + 0.1)

    def remember(self, key: Any, state: Any, experience: Any) -> Any:
        return (state[0], experience), {}

    def learn(self, key: Any, state: Any) -> Any:
        return state, {}

    def embody(self, key: Any, state: Any, spec: Any) -> Any:
        return state

    def imagine(self, key: Any, state: Any, actions: Any) -> Any:
        return None


@part
class Doubled:
    """A skill is a number, and acts by its double."""

    space = Box(shape=(1,), low=-1.0, high=1.0)

    def init(self, key: Any, width: int, action: Any) -> Any:
        return ()

    def act(self, key: Any, state: Any, skill: Any, features: Any, mode: Any) -> Any:
        return 2.0 * skill


AGENT = Calling(agent=Notes(), skills=Doubled(), length=3, discount=0.5)


def step(kind: int, place: float, reward: float = 0.0) -> TimeStep:
    return TimeStep(
        kind=jnp.full(1, kind, jnp.int8), observation=jnp.full((1, 3), place), reward=jnp.full(1, reward, jnp.float32)
    )


def told(steps: list[TimeStep]) -> list[tuple[float, float, float, float, int]]:
    """Every call that was remembered: where it began, its skill, its reward, where it ended, and how."""
    see, act, remember = (jax.jit(each) for each in (AGENT.see, AGENT.act, AGENT.remember))
    state, _ = see(KEY, AGENT.init(KEY, SPEC), steps[0])
    found, now = [], steps[0]
    for next in steps[1:]:
        state, action = act(KEY, state)
        state, _ = see(KEY, state, next)
        state, _ = remember(KEY, state, lived(now, action, next, surprise=jnp.zeros(1)))
        kept = state.inner[1]
        if bool(kept.valid[0]):
            found.append((float(kept.step.observation[0, 0]), float(kept.action[0, 0]), float(kept.next.reward[0]),
                          float(kept.next.observation[0, 0]), int(kept.next.kind[0])))  # fmt: skip
        now = next
    return found


def test_a_call_is_one_transition_with_the_discounted_sum_of_its_rewards():
    steps = [step(FIRST, 0), step(MID, 1, 1.0), step(MID, 2, 2.0), step(MID, 3, 4.0), step(MID, 4, 8.0),
             step(TERMINATED, 5, 16.0), step(FIRST, 6), step(MID, 7, 1.0), step(TRUNCATED, 8, 0.0), step(FIRST, 9)]  # fmt: skip
    found = told(steps)
    begins, skills, rewards, ends, kinds = zip(*found, strict=True)
    assert begins == (0, 3, 6)
    assert ends == (3, 5, 8)
    assert rewards == (1 + 0.5 * 2 + 0.25 * 4, 8 + 0.5 * 16, 1.0)
    assert kinds == (MID, TERMINATED, TRUNCATED)
    # a skill is held for the whole call
    assert skills[0] == pytest.approx(0.1)
    assert skills[1] == pytest.approx(0.4)


def test_a_skill_acts_until_its_call_is_over():
    see, act = jax.jit(AGENT.see), jax.jit(AGENT.act)
    state, _ = see(KEY, AGENT.init(KEY, SPEC), step(FIRST, 0))
    acts = []
    for place in range(1, 6):
        state, action = act(KEY, state)
        acts.append(round(float(action[0, 0]), 1))
        state, _ = see(KEY, state, step(MID, place))
    assert acts[0] == acts[1] == acts[2] != acts[3] == acts[4]


def test_calling_keeps_the_contract_of_agents_and_refuses_no_decisions():
    inside = ModelFree(learner=SAC(units=4), memory=Ring(bytes=4000), batch=4)
    agent = Calling(agent=inside, skills=LatentSkills(horizon=2, size=1, units=4), length=2)
    umwelt.check.agent(agent, SPEC, depth="shapes").raise_if_broken()
    with pytest.raises(ValueError, match="length=0"):
        replace(AGENT, length=0).init(KEY, SPEC)


def test_the_divergence_is_that_of_normals():
    grid = np.linspace(-15, 15, 30_001)
    one, other = norm.pdf(grid, 0.5, 0.7), norm.pdf(grid, -0.3, 1.4)
    by_sum = np.sum(np.where(one > 0, one * np.log((one + 1e-300) / (other + 1e-300)), 0.0)) * (grid[1] - grid[0])
    found = divergence(*(jnp.full((1, 1), value) for value in (0.5, np.log(0.7), -0.3, np.log(1.4))))
    assert float(found[0]) == pytest.approx(by_sum, rel=1e-3)


def test_skills_of_a_log_are_told_apart_and_repeat_its_actions():
    """Stretches push left or right throughout: the decoder learns both, and a stretch's own skill repeats it."""
    skills = LatentSkills(horizon=2, size=2, units=16, learning_rate=3e-3, divergence=0.01)
    state = skills.init(KEY, 1, Box(shape=(1,), low=-4.0, high=4.0))

    def update(state: Any, key: Any) -> Any:
        push = jnp.where(jax.random.bernoulli(key, shape=(64, 1, 1)), 0.8, -0.8)
        return skills.learn(key, state, jnp.zeros((64, 2, 1)), jnp.broadcast_to(push, (64, 2, 1)), jnp.ones(64))

    state, info = jax.jit(lambda state: jax.lax.scan(update, state, jax.random.split(KEY, 300)))(state)
    assert float(jnp.mean(info["skill_error"][-20:])) < 0.1 * float(info["skill_error"][0])
    done = jnp.array([[[0.8], [0.8]], [[-0.8], [-0.8]]])
    repeated = jax.jit(lambda state: skills.act(KEY, state, skills.named(state, 0 * done, done), 0 * done[:, 0], "exploit"))
    acts = np.asarray(repeated(state))
    np.testing.assert_allclose(acts[:, 0], [3.2, -3.2], atol=0.8)
    after, _ = jax.jit(skills.learn)(KEY, state, jnp.zeros((2, 2, 1)), done, jnp.zeros(2))
    jax.tree.map(np.testing.assert_array_equal, after, state)
    with pytest.raises(ValueError, match="one bounded Box"):
        skills.init(KEY, 1, Box(shape=(1,)))
