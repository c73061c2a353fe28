"""Imitation that looks ahead as far as it has followed: transport, rises, and what one episode changes."""

from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from umwelt.behaviours import DQN, Following, ModelFree, Shortened
from umwelt.core import FIRST, LIVED, MID, TRUNCATED, WATCHED, Box, Discrete, Experience, TimeStep, WorldSpec
from umwelt.memory import Ring
from umwelt.networks import transport

KEY = jax.random.key(5)
STEPS = 10
SPEC = WorldSpec(
    name="line", observation=Box(shape=(1,), low=-1.0, high=1.0), action=Discrete(n=2), task=Box(shape=(1,)), batch=2
)
AGENT = Following(
    inner=ModelFree(learner=Shortened(learner=DQN(units=8)), memory=Ring(bytes=4000), batch=8), steps=STEPS, demonstrations=3
)
PATH = jnp.linspace(-0.9, 0.9, STEPS)[:, None]


def test_transport_is_an_assignment_where_its_entropy_is_small() -> None:
    one, other = np.random.default_rng(0).normal(size=(2, 8, 3)).astype(np.float32)
    costs = transport.euclidean(jnp.asarray(one), jnp.asarray(other))
    found = jax.jit(lambda costs: transport.plan(costs, strength=0.005, rounds=500))(costs)
    rows, columns = linear_sum_assignment(np.asarray(costs))
    assert float(jnp.sum(found * costs)) == pytest.approx(float(np.asarray(costs)[rows, columns].mean()), abs=0.01)
    np.testing.assert_allclose(found.sum(1), 1 / 8, atol=1e-5)
    np.testing.assert_allclose(found.sum(0), 1 / 8, atol=0.01)
    same = transport.euclidean(jnp.asarray(one), jnp.asarray(one))
    assert float(jnp.sum(transport.plan(same, 0.01) * same)) < 1e-4


def test_the_longest_rise_is_what_trying_all_finds() -> None:
    drawn = np.random.default_rng(1)
    find = jax.jit(transport.longest_rise)
    for _ in range(20):
        numbers, counts = drawn.integers(0, 6, 7), drawn.random(7) < 0.8
        kept = numbers[counts]
        rises = [
            size
            for size in range(len(kept) + 1)
            for chosen in combinations(kept, size)
            if all(a < b for a, b in pairwise(chosen))
        ]
        assert int(find(jnp.asarray(numbers), jnp.asarray(counts))) == max(rises)


def test_a_replayed_demonstration_leads_to_the_end_and_chance_stays() -> None:
    shown = PATH + 0.01 * jax.random.normal(KEY, (3, STEPS, 1))
    kept = jnp.ones(3, bool)
    further = jax.jit(lambda seen, followed: AGENT.further(shown, kept, seen, followed))
    followed = jnp.int32(2)
    for _ in range(3):
        followed = further(PATH, followed)
    assert int(followed) == STEPS
    for number in range(5):
        noise = jax.random.uniform(jax.random.key(number), (STEPS, 1), minval=-1.0, maxval=1.0)
        assert int(further(noise, jnp.int32(4))) <= 6
    assert int(further(jnp.zeros((STEPS, 1)), jnp.int32(4))) == 4
    assert float(AGENT.discount(jnp.int32(10))) == pytest.approx(0.2**0.1)
    assert float(replace(AGENT, fixed=0.97).discount(jnp.int32(10))) == pytest.approx(0.97)
    paid = AGENT.rewards(shown, kept, PATH)
    assert float(paid.sum()) > float(AGENT.rewards(shown, kept, 0.0 * PATH).sum())


def moments(path: jax.Array, origin: int) -> list[Experience]:
    """An episode along a path, in two rows."""
    before = jnp.concatenate([jnp.full((1, 1), -1.0), path])
    made = []
    for index in range(STEPS):
        kinds = (FIRST if index == 0 else MID, TRUNCATED if index == STEPS - 1 else MID)
        steps = [
            TimeStep(kind=jnp.full(2, kind, jnp.int8), observation=jnp.tile(before[at], (2, 1)), reward=jnp.full(2, 9.0))
            for kind, at in zip(kinds, (index, index + 1), strict=True)
        ]
        made.append(
            Experience(
                step=steps[0],
                action=jnp.zeros(2, jnp.int32),
                next=steps[1],
                origin=jnp.full(2, origin, jnp.int8),
                task=jnp.zeros((2, 1)),
                surprise=jnp.zeros(2),
            )
        )
    return made


@pytest.fixture(scope="module")
def watching() -> Any:
    """An agent that was shown two episodes, and how it remembers."""
    remember = jax.jit(lambda state, one: AGENT.remember(KEY, state, one)[0])
    state = AGENT.init(KEY, SPEC)
    for one in moments(PATH, WATCHED):
        state = remember(state, one)
    return state, remember


def test_an_episode_reaches_memory_when_it_ends_with_rewards_of_its_own(watching: Any) -> None:
    state, remember = watching
    assert int(state.count) == 2
    np.testing.assert_allclose(state.shown[0], state.inner.observation_form.units(PATH), atol=1e-6)
    assert int(state.inner.memory.filled) == 0
    for one in moments(PATH + 0.05, LIVED):
        assert int(state.inner.memory.filled) == 0
        state = remember(state, one)
    assert int(state.inner.memory.filled) == 2 * STEPS
    reward = np.asarray(state.inner.memory.rows.next.reward)[: 2 * STEPS]
    # the first episodes are worth 10 in size, and the world's own rewards are nowhere
    assert reward.sum() / 2 == pytest.approx(-10.0, rel=1e-4)
    assert not np.any(reward == 9.0)
    assert int(state.followed) > 2


def test_the_discount_in_force_reaches_the_learner_and_actions_of_others_do_not(watching: Any) -> None:
    state, remember = watching
    for one in moments(PATH + 0.05, LIVED):
        state = remember(state, one)
    learn = jax.jit(lambda state: AGENT.learn(KEY, state))
    (near, short), (far, long) = (learn(replace(state, followed=jnp.int32(number))) for number in (1, 10))
    assert float(near.inner.learner.share) == pytest.approx(0.2 / 0.99)
    assert float(far.inner.learner.share) == pytest.approx(0.2**0.1 / 0.99)
    # the targets differ by what the next step is worth
    assert abs(float(short["value_loss"]) - float(long["value_loss"])) > 1e-6
    other = AGENT.init(KEY, SPEC)
    for one in moments(PATH, WATCHED):
        other = remember(other, replace(one, action=1 - one.action))
    np.testing.assert_array_equal(other.shown, watching[0].shown)


def test_it_refuses_a_learner_whose_discount_is_fixed() -> None:
    with pytest.raises(ValueError, match="Shortened"):
        replace(AGENT, inner=replace(AGENT.inner, learner=DQN(units=8))).init(KEY, SPEC)
