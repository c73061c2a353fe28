"""Choosing among strategies: option values against equations solved by hand, and what each strategy does."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import DQN, Mixed, Rewarded
from umwelt.behaviours.batch import Batch
from umwelt.behaviours.mixed import CURIOUS, HELD, RANDOM, TASK
from umwelt.check.agent import CHOICES
from umwelt.core import FIRST, MID, TimeStep
from umwelt.curiosity import Counts
from umwelt.memory import Ring

KEY = jax.random.key(8)
VALUES = DQN(units=8, discount=0.9)
SEEKING = Rewarded(learner=VALUES, curiosity=Counts(), instead=True)
AGENT = Mixed(task=VALUES, curious=SEEKING, memory=Ring(bytes=20_000), batch=8, units=16, learning_rate=1e-2)
ROWS = 4
NEXT = np.array([[1, 2], [2, 0], [2, 2]])
PAID = np.array([[0.0, 0.3], [1.0, 0.1], [0.0, 0.0]])
ENDS = np.array([[0, 0], [1, 0], [0, 0]])
"""A chain of three states: what comes after each state under options 0 and 1, what it pays, and whether it ends there."""


def solved(beta: float) -> np.ndarray:
    """The values of two options in the chain, float64 [3, 2], by repeated substitution."""
    values = np.zeros((3, 2))
    for _ in range(500):
        after = values[NEXT]  # [state, option, option of the next state]
        stays = np.stack([after[:, 0, 0], after[:, 1, 1]], 1)
        values = PAID + 0.9 * (1 - ENDS) * ((1 - beta) * stays + beta * after.max(2))
    return values


@partial(jax.jit, static_argnums=1)
def learned(chooser: Any, updates: int, beta: jax.Array) -> Any:
    """The chooser after updates on all six transitions of the chain."""
    state, option = (jnp.repeat(jnp.arange(3), 2), jnp.tile(jnp.arange(2), 3))
    batch = Batch(
        now=jnp.eye(3)[state],
        action=option,
        reward=jnp.asarray(PAID.ravel(), jnp.float32),
        continues=jnp.asarray(1.0 - ENDS.ravel(), jnp.float32),
        after=jnp.eye(3)[NEXT.ravel()],
        weight=jnp.ones(6),
    )
    agent = replace(AGENT, only=(0, 1))
    step = lambda chooser, _: agent.improved(chooser, batch, lambda _, option: jnp.full(option.shape, beta))  # noqa: E731
    return jax.lax.scan(step, chooser, None, updates)[0]


@pytest.mark.parametrize("beta", [0.0, 0.4, 1.0])
def test_values_of_options_solve_the_equations_of_the_chain(beta: float) -> None:
    from umwelt.networks import layers

    chooser = learned(AGENT._chooser(KEY, 3), 3000, jnp.float32(beta))
    found = np.asarray(layers.apply(chooser.values, jnp.eye(3), jax.nn.relu))[:, :2]
    assert np.allclose(found, solved(beta), atol=0.03)


def test_terminating_at_once_is_q_learning_and_never_is_evaluation() -> None:
    values = solved(1.0)
    assert np.allclose(values, PAID + 0.9 * (1 - ENDS) * values.max(1)[NEXT])
    alone = solved(0.0)
    assert alone[0, 0] == pytest.approx(0.9), "two steps along the chain"
    assert alone[0, 1] == pytest.approx(0.3), "and then nothing"
    assert values[0, 0] >= alone[0, 0]
    assert values[1, 1] > alone[1, 1], "an option that may stop can do better after going back"


@partial(jax.jit, static_argnums=0)
def decided(agent: Mixed, state: Any, key: jax.Array, kind: jax.Array) -> Any:
    step = TimeStep(kind=jnp.full(ROWS, kind, jnp.int8), observation=jnp.zeros((ROWS, 3)), reward=jnp.zeros(ROWS))
    state, _ = agent.see(key, state, step)
    explored, action = agent.act(key, state)
    return explored, action, agent.act(key, state, "exploit")[1]


@pytest.mark.parametrize("option", [RANDOM, HELD, CURIOUS, TASK])
def test_each_strategy_does_what_it_says(option: int) -> None:
    agent = replace(AGENT, only=(option,), even=True)
    spec = replace(CHOICES, batch=ROWS)
    state, actions, probes = agent.init(KEY, spec), [], []
    # two layers of zeros but for the bias: the task prefers choice 1, curiosity choice 2
    state = replace(state, task=_prefers(state.task, 1))
    state = replace(state, curious=replace(state.curious, inner=_prefers(state.curious.inner, 2)))
    for number in range(40):
        state, action, probe = decided(agent, state, jax.random.fold_in(KEY, number), FIRST if number == 0 else MID)
        actions.append(np.asarray(action))
        probes.append(np.asarray(probe))
        assert set(np.asarray(state.option).tolist()) == {option}
    rows, changes = np.stack(actions), np.diff(np.stack(actions), axis=0) != 0
    assert np.all(np.stack(probes) == 1), "a probe follows the task alone"
    if option in (CURIOUS, TASK):
        assert np.all(rows == (2 if option == CURIOUS else 1))
    else:
        # an even draw of four changes in three steps of four, a held one only where the option begins again
        assert (changes.mean() > 0.6) == (option == RANDOM)
        assert (0.01 < changes.mean() < 0.2) == (option == HELD)


def _prefers(state: Any, choice: int) -> Any:
    stacks = jax.tree.map(jnp.zeros_like, (state.network, state.target))
    ends = [(*stack[:-1], replace(stack[-1], bias=jax.nn.one_hot(choice, 4))) for stack in stacks]
    return replace(state, network=ends[0], target=ends[1])


def test_odds_are_cut_and_leave_out_strategies_that_are_not_there() -> None:
    chooser = AGENT._chooser(KEY, 3)
    biased = (*chooser.values[:-1], replace(chooser.values[-1], bias=jnp.array([1.0, 0.0, 0.5, 9.0])))
    odds = np.asarray(replace(AGENT, only=(0, 1, 2)).odds(replace(chooser, values=biased), jnp.zeros((1, 3))))[0]
    assert odds[3] == 0.0
    assert np.allclose(odds[:3], np.array([0.95, 0.05, 0.05]) / 1.05, atol=0.05)
    assert np.allclose(replace(AGENT, even=True).odds(chooser, jnp.zeros((1, 3))), 0.25)


def test_it_keeps_the_contract_of_agents() -> None:
    check.agent(AGENT, CHOICES).raise_if_broken()
    with pytest.raises(ValueError, match="Discrete"):
        AGENT.init(KEY, replace(CHOICES, action=replace(CHOICES.observation)))
    with pytest.raises(ValueError, match="only="):
        replace(AGENT, only=(7,)).init(KEY, CHOICES)
