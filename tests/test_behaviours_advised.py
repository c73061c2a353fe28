"""Advice: none of it is the agent bit for bit, a share of it is a share, and a probe asks for none."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import DQN, Advised, ModelFree
from umwelt.check.agent import CHOICES
from umwelt.core import MID, TimeStep, lived
from umwelt.memory import Ring
from umwelt.worlds import KeyRooms, stream
from umwelt.worlds.advice import Advice

KEY, ROWS = jax.random.key(10), 200
INNER = ModelFree(learner=DQN(units=8), memory=Ring(bytes=40_000), batch=8)
SPEC = replace(CHOICES, batch=ROWS)


def last(key: jax.Array, observation: Any) -> jax.Array:
    """Suggest the last choice, always."""
    return jnp.full(observation.shape[0], 3, jnp.int32)


@partial(jax.jit, static_argnums=(0, 1))
def acted(agent: Any, ticks: int, key: jax.Array) -> Any:
    """Actions [ticks, ROWS] of a life in which curiosity is worth nothing, those of probes, and the learner at the end."""

    def tick(state: Any, key: jax.Array) -> Any:
        step = TimeStep(kind=jnp.full(ROWS, MID, jnp.int8), observation=jax.random.normal(key, (ROWS, 3)), reward=jnp.ones(ROWS))
        state, _ = agent.see(key, state, step)
        state, action = agent.act(key, state)
        probe = agent.act(key, state, "exploit")[1]
        state, info = agent.remember(key, state, lived(step, action, step, task=_task(), surprise=jnp.ones(ROWS)))
        return agent.learn(key, state)[0], (action, probe, info.get("advised", jnp.zeros(ROWS)))

    state, found = jax.lax.scan(tick, agent.init(key, SPEC), jax.random.split(key, ticks))
    return *found, state


def _task() -> Any:
    return {"size": jnp.zeros(ROWS)}


def test_it_keeps_the_contract_of_agents() -> None:
    check.agent(Advised(agent=INNER, suggest=last), CHOICES).raise_if_broken()


def test_without_advice_it_is_the_agent_inside_bit_for_bit() -> None:
    plain = acted(INNER, 10, KEY)
    wrapped = acted(Advised(agent=INNER, suggest=last, share=0.0), 10, KEY)
    assert np.array_equal(plain[0], wrapped[0])
    learners = (plain[3].learner, wrapped[3].inner.learner)
    assert all(np.array_equal(a, b) for a, b in zip(*map(jax.tree.leaves, learners), strict=True))


def test_the_share_of_advice_is_within_its_binomial_error_and_falls() -> None:
    advised = np.asarray(acted(Advised(agent=INNER, suggest=last, share=0.3, until=10), 10, KEY)[2])
    wanted = 0.3 * (1.0 - np.arange(10) / 10)
    assert np.all(np.abs(advised.mean(1) - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / ROWS) + 1e-6)
    action, _, follows = map(np.asarray, acted(Advised(agent=INNER, suggest=last, share=0.3), 10, KEY)[:3])
    assert abs(follows.mean() - 0.3) < 4 * (0.21 / follows.size) ** 0.5
    assert np.all(action[follows > 0] == 3)


def refuses(key: jax.Array, observation: Any) -> jax.Array:
    """Suggest nothing."""
    raise AssertionError("the adviser was asked")


def test_a_probe_never_asks_the_adviser() -> None:
    agent = Advised(agent=INNER, suggest=refuses)
    state = agent.init(KEY, SPEC)
    _, action = agent.act(KEY, state, "exploit")
    assert np.array_equal(action, INNER.act(KEY, state.inner, "exploit")[1])
    with pytest.raises(AssertionError, match="was asked"):
        agent.act(KEY, state, "explore")


def test_an_adviser_that_is_examined_alone_is_all_that_a_probe_does() -> None:
    alone = Advised(agent=INNER, suggest=last, share=0.0, examined=1.0)
    assert np.all(np.asarray(acted(alone, 2, KEY)[1]) == 3)


def test_advice_is_the_experts_but_for_a_share() -> None:
    world = KeyRooms(rooms=2, batch=3000)
    _, step = world.init(KEY, stream.rows(world.tasks()["whole"], 3000))
    task = stream.rows(world.tasks()["whole"], 3000)
    best = np.asarray(world.expert(KEY, step.observation, task))
    sure = np.asarray(step.observation[:, 4:14]).reshape(-1, 2, 5)[:, :, 2].sum(1) < 2
    given = np.asarray(Advice(world=world, wrong=0.4)(KEY, step.observation))
    # of the random ones a quarter is right by chance
    assert np.mean((given == best)[sure]) == pytest.approx(0.7, abs=0.04)
    assert np.all((np.asarray(Advice(world=world)(KEY, step.observation)) == best)[sure])


def test_an_agent_with_a_model_is_refused() -> None:
    from umwelt.recipes.losse_mpc import losse_mpc
    from umwelt.worlds import Pendulum

    with pytest.raises(ValueError, match="model"):
        Advised(agent=losse_mpc(Pendulum()).agent, suggest=last).init(KEY, SPEC)
    with pytest.raises(ValueError, match="share=2"):
        Advised(agent=INNER, suggest=last, share=2.0).init(KEY, SPEC)
