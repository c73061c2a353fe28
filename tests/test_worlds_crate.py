"""A point pushes a puck, and a force that no robot has pushes it as far as the aid goes."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.worlds.aided import Aided
from umwelt.worlds.cartpole import Cartpole
from umwelt.worlds.crate import Crate, CrateBody
from umwelt.worlds.stream import rows

KEY = jax.random.key(1)
CRATE = Crate(batch=3)
WORLD = Aided(world=CRATE, strength=2.0, cost=0.1)
STEP = jax.jit(WORLD.step)


def test_a_puck_is_pushed_straight_away_from_the_point_and_no_further_than_it_touches() -> None:
    task: Any = CRATE.tasks()["right"]
    body = CrateBody(point=jnp.array([0.0, -0.2]), puck=jnp.array([0.0, 0.0]))
    after, _, _ = CRATE.advance(KEY, body, jnp.array([0.0, 1.0]), task)
    np.testing.assert_allclose(after.puck, [0.0, 0.05], atol=1e-4)
    still, _, _ = CRATE.advance(KEY, body, jnp.array([1.0, -1.0]), task)
    np.testing.assert_array_equal(still.puck, body.puck)
    beside = replace(body, puck=jnp.array([0.7, 0.0]))
    assert tuple(map(float, CRATE.advance(KEY, beside, jnp.zeros(2), task)[1:])) == (1.0, 1.0)
    assert not bool(replace(CRATE, ends=False).advance(KEY, beside, jnp.zeros(2), task)[2])


def test_without_aid_the_world_is_the_plain_one_bit_for_bit() -> None:
    task = rows(WORLD.tasks()["right"], 3)
    state, step = WORLD.init(KEY, task)
    plain, seen = CRATE.init(KEY, task.inner)
    taken = jax.jit(CRATE.step)
    for index in range(6):
        key = jax.random.fold_in(KEY, index)
        action = jax.random.uniform(key, (3, 4), minval=-1.0, maxval=1.0)
        state, step = STEP(key, state, action, task)
        plain, seen = taken(key, plain, action[:, :2], task.inner)
        for one, other in zip(jax.tree.leaves(step), jax.tree.leaves(seen), strict=True):
            np.testing.assert_array_equal(one, other)


def test_aid_moves_the_puck_by_the_closed_form_and_has_its_cost() -> None:
    aid = jnp.array([1.0, 0.5, 0.0])
    task = replace(rows(WORLD.tasks()["right"], 3), aid=aid)
    state, _ = WORLD.init(KEY, task)
    force = jnp.array([1.0, -0.5])
    action = jnp.concatenate([jnp.zeros((3, 2)), jnp.broadcast_to(force, (3, 2))], axis=1)
    after, step = STEP(KEY, state, action, task)
    np.testing.assert_allclose(after.inner.body.puck - state.inner.body.puck, 0.1 * 2.0 * aid[:, None] * force, atol=1e-6)
    np.testing.assert_allclose(step.reward, -0.1 * 0.625 * np.array([1, 1, 0]), atol=1e-6)


def test_the_worlds_keep_the_contract_and_one_without_things_is_refused() -> None:
    for world in (CRATE, WORLD):
        check.world(world, depth="shapes").raise_if_broken()
    with pytest.raises(TypeError, match="shoved"):
        _ = Aided(world=Cartpole()).spec
