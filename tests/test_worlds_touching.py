"""What the arm feels, by hand; and an agent that is paid for its own model's doubt."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import DQN, Dyna, Seeking
from umwelt.core import FIRST, MID, TimeStep, lived
from umwelt.memory import Ring
from umwelt.models import Ensemble
from umwelt.worlds import Arm, Cartpole, Pendulum, touching
from umwelt.worlds.arm import BUTTON, DOOR
from umwelt.worlds.touching import FELT, SEEN, felt

KEY = jax.random.key(3)
REST = np.asarray(Arm().init(KEY, jax.tree.map(lambda leaf: leaf[None], Arm().tasks()["button"]))[1].observation)


def after(**changed: float) -> jnp.ndarray:
    """The arm at rest, with some numbers changed: [1, 12]."""
    at = {"x": 4, "y": 5, "button": 6, "door": 7, "puck": 8, "peg": 11}
    seen = REST.copy()
    for name, value in changed.items():
        seen[0, at[name]] += value
    return jnp.asarray(seen)


def test_each_thing_is_felt_by_how_far_it_moves() -> None:
    np.testing.assert_array_equal(felt(jnp.asarray(REST), after()), 0.0)
    np.testing.assert_allclose(felt(jnp.asarray(REST), after(button=0.05))[0], [0.05, 0, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(felt(jnp.asarray(REST), after(door=-0.2))[0], [0, 0.2 * DOOR, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(felt(jnp.asarray(REST), after(puck=0.1, peg=-0.03))[0], [0, 0, 0.1, 0.03, 0], atol=1e-6)
    # a button that is let go comes up, and is not felt
    np.testing.assert_allclose(felt(after(button=0.08), after(button=0.04))[0, 0], 0.0, atol=1e-6)
    far = after(y=-0.85 - float(REST[0, 5]))
    assert float(felt(jnp.asarray(REST), far)[0, 4]) == pytest.approx(0.05, abs=1e-5)


def test_a_tip_that_presses_the_button_feels_it_and_a_new_episode_feels_nothing() -> None:
    world = touching(Arm(time_limit=3))
    task = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], world.tasks()["button"])
    state, step = world.init(KEY, task)
    assert step.observation.shape == (1, len(SEEN) + len(FELT))
    np.testing.assert_array_equal(step.observation[0, 12:], 0.0)
    # put the tip just above the button by inverse kinematics
    goal = np.array([BUTTON[0], BUTTON[1] - 0.02])
    reach = np.linalg.norm(goal)
    elbow = np.arccos((reach**2 - 0.6**2 - 0.5**2) / (2 * 0.6 * 0.5))
    shoulder = np.arctan2(goal[1], goal[0]) - np.arctan2(0.5 * np.sin(elbow), 0.6 + 0.5 * np.cos(elbow))
    body = replace(state.inner.body, joints=jnp.array([[shoulder, elbow]], jnp.float32))
    state = replace(state, inner=replace(state.inner, body=body))
    step_world = jax.jit(world.step)
    state, step = step_world(KEY, state, jnp.zeros((1, 3)), task)
    assert float(step.observation[0, 12]) == pytest.approx(0.02, abs=1e-3)
    for _ in range(3):
        state, step = step_world(KEY, state, jnp.zeros((1, 3)), task)
    assert int(step.kind[0]) == FIRST
    np.testing.assert_array_equal(step.observation[0, 12:], 0.0)


def test_touching_keeps_the_contract_and_refuses_other_worlds() -> None:
    check.world(touching(Arm(time_limit=5)), depth="shapes").raise_if_broken()
    with pytest.raises(TypeError, match="the world arm"):
        _ = touching(Pendulum()).spec  # type: ignore[arg-type]


def seeking(weight: float) -> Seeking:
    dyna = Dyna(
        model=Ensemble(members=2, layers=1, units=8, propagation="one"),
        learner=DQN(units=8),
        memory=Ring(bytes=20_000),
        dreamed=Ring(bytes=20_000),
        starts=4,
        model_batch=8,
        batch=8,
    )
    return Seeking(agent=dyna, weight=weight)


def test_an_agent_that_seeks_keeps_the_contract() -> None:
    check.agent(seeking(1.0), Cartpole().spec, depth="shapes").raise_if_broken()


def test_the_doubt_of_the_last_step_is_paid_and_none_where_an_episode_begins() -> None:
    agent, spec = seeking(2.0), replace(Cartpole().spec, batch=2)
    state, see = jax.jit(lambda key: agent.init(key, spec))(KEY), jax.jit(agent.see)
    ones = np.ones(2, np.float32)

    def step(kind: list[int]) -> TimeStep:
        return TimeStep(kind=np.array(kind, np.int8), observation=np.ones((2, 4), np.float32), reward=ones)

    state, _ = see(KEY, state, step([FIRST, FIRST]))
    np.testing.assert_array_equal(state.doubt, 0.0)
    state, info = see(KEY, state, step([MID, FIRST]))
    assert float(info["doubt"][0]) > 0
    experience = lived(step([MID, 3]), np.zeros(2, np.int32), step([MID, FIRST]), surprise=ones)
    state, info = jax.jit(agent.remember)(KEY, state, experience)
    np.testing.assert_allclose(info["sought"], [2.0 * float(state.doubt[0]), 0.0])
    kept = jax.jit(agent.agent.memory.sample, static_argnums=2)(KEY, state.inner.memory, (4,))  # type: ignore[attr-defined]
    np.testing.assert_allclose(kept.next.reward, 1.0 + float(info["sought"][0]), rtol=1e-5)
