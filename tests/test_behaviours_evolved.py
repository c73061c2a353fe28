"""Populations that live: one individual to a row, one episode each."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import Answers, Evolved, Looks, Outright, Reacting
from umwelt.core import FIRST, MID, TERMINATED, Box, TimeStep, WorldSpec, lived
from umwelt.curiosity import Novelty
from umwelt.networks import layers, policies
from umwelt.networks.layers import Layer
from umwelt.worlds.reach import DISCS, Reach

KEY = jax.random.key(2)
SPEC = WorldSpec(
    name="made", observation=Box(shape=(2,), low=-9.0, high=9.0), action=Box(shape=(1,), low=-2.0, high=2.0), task={}, batch=2
)
SEARCH = Novelty(population=2, neighbours=1, archived=1, slots=4)


def test_a_population_keeps_the_contract_of_agents() -> None:
    check.agent(Evolved(search=SEARCH, policy=Reacting(units=2))).raise_if_broken()


def fed(agent: Evolved, kinds: list[list[int]], rewards: list[list[float]], seen: list[list[list[float]]]) -> list[Any]:
    """Live on steps that are written down: the state after each."""
    first = step(kinds[0], rewards[0], seen[0])
    state, _ = jax.jit(agent.see)(KEY, jax.jit(lambda: agent.init(KEY, SPEC))(), first)
    onward = jax.jit(partial(turn, agent))
    states = [state]
    for each in zip(kinds[1:], rewards[1:], seen[1:], strict=True):
        after = step(*each)
        state = onward(state, first, after)
        states.append(state)
        first = after
    return states


def turn(agent: Evolved, state: Any, before: TimeStep, after: TimeStep) -> Any:
    state, action = agent.act(KEY, state)
    state, _ = agent.see(KEY, state, after)
    return agent.remember(KEY, state, lived(before, action, after))[0]


def step(kind: Any, reward: Any, seen: Any) -> TimeStep:
    return TimeStep(
        kind=jnp.array(kind, jnp.int8), observation=jnp.array(seen, jnp.float32), reward=jnp.array(reward, jnp.float32)
    )


def test_a_row_counts_its_first_episode_alone_and_looks_where_it_should() -> None:
    agent = Evolved(search=SEARCH, traits=Looks(number=2, every=1, entries=(1,)))
    kinds = [[FIRST, FIRST], [MID, TERMINATED], [MID, FIRST], [TERMINATED, MID], [FIRST, MID]]
    rewards = [[0, 0], [1, 5], [1, 0], [1, 7], [0, 7]]
    seen = [[[0, time + 10 * row] for row in range(2)] for time in range(5)]
    states = fed(agent, kinds, rewards, seen)
    assert states[-1].returns.tolist() == [3.0, 5.0]
    # the first look is after one decision, the last one at the end
    assert states[-1].looks[..., 0].tolist() == [[1.0, 3.0], [11.0, 11.0]]
    assert [state.phase.tolist() for state in states] == [[1, 1], [1, 2], [1, 2], [2, 2], [2, 2]]
    learn = jax.jit(agent.learn)
    waits, _ = learn(KEY, states[1])
    assert int(waits.generations) == 0
    np.testing.assert_array_equal(waits.genomes, states[1].genomes)
    bred, info = learn(KEY, states[-1])
    assert int(bred.generations) == 1
    assert float(info["best_return"]) == 5.0
    assert bred.phase.tolist() == [0, 0]
    np.testing.assert_array_equal(agent.search.best(bred.learner), states[0].genomes[1])
    # a probe acts by the best one
    body, _ = agent.see(KEY, agent.embody(KEY, bred, replace(SPEC, batch=2)), step(kinds[0], rewards[0], seen[0]))
    told = jnp.stack([states[0].genomes[1]] * 2)
    _, action = agent.act(KEY, body, "exploit")
    np.testing.assert_allclose(action, agent.act(KEY, replace(body, genomes=told))[1], rtol=1e-6)


def test_a_genome_is_a_network() -> None:
    policy = policies.over(SPEC.action)
    reacting = Reacting(units=3)
    assert reacting.size(2, policy) == 3 * 3 + 4
    genome = jax.random.normal(KEY, (1, 13))
    first, second = genome[0, :9].reshape(3, 3), genome[0, 9:].reshape(4, 1)
    stack = (Layer(weight=first[:2], bias=first[2]), Layer(weight=second[:3], bias=second[3]))
    features = jnp.array([[0.3, -0.7]])
    np.testing.assert_allclose(reacting.outputs(genome, features, policy), layers.apply(stack, features, jnp.tanh), rtol=1e-5)


def test_answers_are_the_actions_at_remembered_observations() -> None:
    agent = Evolved(search=SEARCH, policy=Reacting(units=2), traits=Answers(number=3))
    state = replace(agent.init(KEY, SPEC), remembered=jnp.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    told = agent._told(state)
    assert told.shape == (2, 3)
    shown = replace(state, observation=jnp.stack([state.remembered[1]] * 2))
    _, action = agent.act(KEY, shown)
    # the bounds of an action are -2 and 2
    np.testing.assert_allclose(told[:, 1], action[:, 0] / 2.0, rtol=1e-5)


@partial(jax.jit, static_argnums=(0, 1))
def reaching(agent: Evolved, ticks: int) -> Any:
    """Live in the world of one decision: the agent."""
    world = Reach(batch=16, joints=3, radius=1.0)
    task = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (16, *leaf.shape)), world.tasks()["first"])
    state, first = world.init(KEY, task)
    mind, _ = agent.see(KEY, agent.init(KEY, world.spec), first)

    def tick(life: Any, key: jax.Array) -> tuple[Any, None]:
        mind, state, first = life
        mind, action = agent.act(key, mind)
        state, after = world.step(key, state, action, task)
        mind, _ = agent.see(key, mind, after)
        mind, _ = agent.remember(key, mind, lived(first, action, after, task=task))
        mind, _ = agent.learn(key, mind)
        return (mind, state, after), None

    return jax.lax.scan(tick, (mind, state, first), jax.random.split(KEY, ticks))[0][0]


def test_a_life_breeds_a_generation_every_two_ticks_and_finds_the_disc() -> None:
    agent = Evolved(search=Novelty(population=8, neighbours=3, slots=32), policy=Outright(), traits=Looks(entries=(-2, -1)))
    mind = reaching(agent, 60)
    assert int(mind.generations) == 30
    best = agent.search.best(mind.learner) / 5.0 * np.pi
    links = np.cumsum(np.asarray(best))
    end = np.array([np.cos(links).sum(), np.sin(links).sum()]) / 3
    assert float(mind.learner.champion_return) == pytest.approx(1.0 - np.linalg.norm(end - DISCS[0]), abs=1e-5)
    assert float(mind.learner.champion_return) > 0.8


def test_entries_that_do_not_exist_are_named() -> None:
    with pytest.raises(ValueError, match="entries"):
        Evolved(search=SEARCH, traits=Looks(entries=(2,))).init(KEY, SPEC)
