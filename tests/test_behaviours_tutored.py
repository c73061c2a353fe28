"""A student that prefers its adviser's actions: gradients by hand, what each of them sees, and corrections on its own way."""

from dataclasses import replace
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import Tutored
from umwelt.behaviours.batch import Batch
from umwelt.claims.studies.twins import SIDE, VIEW, FromTheTwin, Inside, Twins
from umwelt.core import Discrete
from umwelt.networks import actors
from umwelt.worlds import Grids, stream

KEY = jax.random.key(0)


def right(key: jax.Array, features: jax.Array) -> jax.Array:
    """The adviser reads the last feature, which the student does not see."""
    return (features[:, -1] > 0).astype(jnp.int32)


LEARNER = Tutored(advise=right, seen=2, begins=0, units=16, temperature=0.5)


learn = jax.jit(LEARNER.learn)


@cache
def begun() -> Any:
    return jax.jit(lambda key: LEARNER.init(key, 3, Discrete(n=3)))(KEY)


def batch(number: int = 6) -> Batch:
    random = np.random.default_rng(0)
    features, ones = random.normal(size=(number, 3)).astype(np.float32), np.ones(number, np.float32)
    action = random.integers(0, 3, number, np.int32)
    return Batch(now=features, action=action, reward=ones, continues=ones, after=features, weight=ones)


def moved(data: Batch) -> float:
    """How far one update moves the policy."""
    before, after = (jax.tree.leaves(state.policy) for state in (begun(), learn(KEY, begun(), data)[0]))
    return max(float(np.abs(np.asarray(one) - other).max()) for one, other in zip(before, after, strict=True))


def test_nothing_is_learned_where_both_did_the_same() -> None:
    same = batch()
    assert moved(replace(same, action=np.asarray(right(KEY, same.now)))) == 0.0
    assert moved(same) > 0.0


def test_the_loss_is_that_of_direct_preferences() -> None:
    data = batch()
    state = begun()
    state = replace(state, reference=jax.tree.map(lambda leaf: leaf + np.float32(0.1), state.policy), updates=jnp.int32(1))
    _, info = learn(KEY, state, data)
    chances = [np.asarray(jax.nn.log_softmax(actors.outputs(each, data.now[:, :2]))) for each in (state.policy, state.reference)]
    wanted, own = np.asarray(right(KEY, data.now)), np.asarray(data.action)
    rows = np.arange(len(own))
    gap = [each[rows, wanted] - each[rows, own] for each in chances]
    expected = np.mean(np.log1p(np.exp(-0.5 * (gap[0] - gap[1])))) / 0.5
    np.testing.assert_allclose(info["imitation_loss"], expected, rtol=1e-5)


def test_the_policy_does_not_see_what_the_adviser_reads() -> None:
    state, seen = begun(), batch().now
    turned = seen * np.float32([1, 1, -1])
    act = jax.jit(LEARNER.act, static_argnums=3)
    for mode in ("explore", "exploit"):
        one, other = (act(KEY, state, each, mode) for each in (seen, turned))
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="seen=4"):
        replace(LEARNER, seen=4).init(KEY, 3, Discrete(n=3))


def test_the_reference_is_the_policy_at_the_end_of_cloning() -> None:
    learner, data = replace(LEARNER, begins=2), batch()
    states, update = [begun()], jax.jit(learner.learn)
    for _ in range(4):
        states.append(update(KEY, states[-1], data)[0])
    kept = [np.asarray(each.reference.network[0].weight) for each in states]
    np.testing.assert_array_equal(kept[3], states[1].policy.network[0].weight * 0 + kept[4])
    np.testing.assert_array_equal(kept[4], np.asarray(states[1].policy.network[0].weight))


def test_the_world_from_inside_shows_what_is_around_and_its_twin() -> None:
    check.world(Inside(batch=2)).raise_if_broken()
    world = Inside(batch=1)
    state, step = jax.jit(world.init)(KEY, stream.default(world, None, 1))
    view = np.asarray(step.observation[0, : VIEW - 1]).reshape(4, SIDE, SIDE)
    row, column = np.asarray(state.body.agent[0])
    door, key = np.argwhere(np.asarray(state.body.door[0]))[0], np.asarray(state.body.key[0])
    for plane, place in ((1, door), (2, key), (3, (4, 4))):
        at = np.array(place) - (row, column) + SIDE // 2
        inside = np.all((at >= 0) & (at < SIDE))
        assert view[plane].sum() == inside
        assert not inside or view[plane, at[0], at[1]] == 1
    np.testing.assert_array_equal(step.observation[:, VIEW:], jax.jit(jax.vmap(Grids().observe))(state.body, state.task))
    adviser, expert = jax.jit(FromTheTwin(wrong=0.0)), jax.jit(Grids().expert)
    assert int(adviser(KEY, step.observation)[0]) == int(expert(KEY, step.observation[:, VIEW:])[0])


def test_what_is_kept_follows_the_students_own_visits() -> None:
    study = Twins(rows=16)
    up = study.lived(KEY, lambda key, seen: jnp.zeros(16, jnp.int32), 16)
    # an agent that only goes up ends in the first row, as no line is above where it begins
    cells = np.asarray(up.now[-16:, VIEW : VIEW + 25]).reshape(16, 5, 5)
    assert cells[:, 0].sum() == 16
    assert float(up.weight.min()) == 1.0
