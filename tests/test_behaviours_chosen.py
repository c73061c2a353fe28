"""Several agents in one body: the rule says which one acts, all of them remember, and filters learn what was done."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import SAC, Advised, Chosen, ModelFree, ModelPredictive, RandomAgent
from umwelt.check.agent import SPEC
from umwelt.core import MID, TimeStep, lived
from umwelt.memory import Ring
from umwelt.models import Truth
from umwelt.planners import ICEM
from umwelt.worlds import Pendulum
from umwelt.worlds.chores import LEAD, LEARN, NEAR, PLAN, PRESSED, PUCK, SEEN, ByContact, Chores, Led, towards, worth

KEY = jax.random.key(0)
LEARNS = ModelFree(learner=SAC(units=8), memory=Ring(bytes=40_000), batch=8)


def by_sign(observation: Any) -> jax.Array:
    return (observation[:, 0] > 0).astype(jnp.int32)


def half(key: jax.Array, observation: Any) -> jax.Array:
    return jnp.full((observation.shape[0], 1), 0.5)


LEADS = Advised(agent=RandomAgent(), suggest=half, share=1.0, examined=1.0)
PLANS = ModelPredictive(model=Truth(world=Pendulum(batch=4)), planner=ICEM(samples=4, horizon=2, iterations=1, elites=2))


def test_it_keeps_the_contract_of_agents() -> None:
    check.agent(Chosen(agents=(RandomAgent(), LEARNS), by=by_sign), SPEC, depth="shapes").raise_if_broken()
    with pytest.raises(ValueError, match="agents"):
        Chosen(agents=(), by=by_sign).init(KEY, SPEC)


def test_each_row_is_acted_by_the_agent_of_the_rule_and_the_others_receive_what_was_done() -> None:
    agent, spec = Chosen(agents=(PLANS, LEADS, LEARNS), by=by_sign), Pendulum(batch=4).spec
    seen = jnp.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [-0.5, 0.5, 0.0]])
    step = TimeStep(kind=jnp.full(4, MID, jnp.int8), observation=seen, reward=jnp.zeros(4))

    @jax.jit
    def decided(key: jax.Array) -> Any:
        state = agent.init(key, spec)
        state, info = agent.see(key, state, step)
        state, action = agent.act(key, state)
        made = lived(step, action, step, task=jax.tree.map(lambda leaf: jnp.full(4, leaf), Pendulum().tasks()["earth"]))
        state, _ = agent.remember(key, state, replace(made, surprise=jnp.zeros(4)))
        return action, state.inner[0].action, LEARNS.memory.count(state.inner[2].memory), info["doubt"]

    action, heard, count, doubt = decided(KEY)
    np.testing.assert_array_equal(np.asarray(action[:, 0]) == 0.5, [True, False, True, False])
    np.testing.assert_array_equal(heard, action)
    assert int(count) == 4, "the learner remembers what the others did"
    np.testing.assert_array_equal(np.isnan(doubt), [True, False, True, False])


def test_a_method_is_chosen_by_the_kind_of_contact() -> None:
    seen = jnp.zeros((5, SEEN + 8)).at[jnp.arange(5), SEEN + 2 + jnp.arange(5)].set(1.0)
    assert ByContact()(seen).tolist() == [LEAD, PLAN, PLAN, PLAN, LEARN]


@pytest.mark.parametrize("kind", [NEAR, PRESSED, PUCK])
def test_motion_without_contact_comes_to_a_place_and_leaves_a_puck_where_it_is(kind: int) -> None:
    world = Chores(time_limit=30)
    place = jnp.array([0.6, 0.5])
    task = jax.tree.map(
        lambda leaf: leaf[None], replace(world.tasks()["near_then_peg"], kind=np.full(2, kind), place=np.tile(place, (2, 1)))
    )

    @jax.jit
    def led(key: jax.Array) -> Any:
        def tick(held: Any, key: jax.Array) -> Any:
            state, step = held
            return world.step(key, state, Led()(key, step.observation), task), None

        (state, _), _ = jax.lax.scan(tick, world.init(key, task), jax.random.split(key, 29))
        return state.body.done[0]

    assert int(led(KEY)) == (0 if kind == PUCK else 2)


def test_a_way_is_as_fast_as_the_joints_allow() -> None:
    world = Chores()
    seen = world.observe(
        world.begin(KEY, jax.tree.map(jnp.asarray, world.tasks()["near_then_peg"])), world.tasks()["near_then_peg"]
    )
    action = np.asarray(towards(seen, jnp.array([-0.5, -0.5])))
    assert np.abs(action[:2]).max() == pytest.approx(1.0, abs=1e-5)
    assert action[2] < 0, "the grip is open"
    assert float(worth(seen, jnp.int32(NEAR), seen[4:6])) == 1.0
