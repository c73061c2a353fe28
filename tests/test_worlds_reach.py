"""The redundant arm, and the point before the wall."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from umwelt import check
from umwelt.worlds.reach import DISCS, Reach, ReachBody, places
from umwelt.worlds.trap import EDGE, WALL, Trap, TrapBody

KEY = jax.random.key(0)


@pytest.mark.parametrize("world", [Reach(batch=2, joints=4), Trap(batch=2, time_limit=8)], ids=["reach", "trap"])
def test_the_worlds_keep_the_contract(world: object) -> None:
    check.world(world, steps=40).raise_if_broken()


def test_an_arm_ends_where_its_links_lead() -> None:
    angles = np.random.default_rng(0).uniform(-3, 3, 20).astype(np.float32)
    at, turned = np.zeros(2), 0.0
    for angle in angles:
        turned += angle
        at = at + np.array([np.cos(turned), np.sin(turned)]) / 20
    np.testing.assert_allclose(places(jnp.asarray(angles))[-1], at, atol=1e-6)


def test_an_observation_shows_the_whole_arm() -> None:
    world = Reach(joints=7)
    angles = jax.random.uniform(KEY, (7,), minval=-3.0, maxval=3.0)
    shown = world.observe(ReachBody(angles=angles), world.tasks()["both"])
    np.testing.assert_allclose(world.body(shown).angles, angles, atol=1e-4)


def test_a_disc_pays_in_its_middle_and_not_outside() -> None:
    world = Reach()
    assert world.depths(jnp.asarray(DISCS[1])).tolist() == [0.0, 1.0]
    half = world.depths(jnp.asarray(DISCS[0]) + jnp.array([0.05, 0.0]))
    np.testing.assert_allclose(half, [0.5, 0.0], atol=1e-5)
    assert float(world.depths(jnp.zeros(2)).sum()) == 0.0


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_no_walk_leads_through_the_wall(seed: int) -> None:
    world = Trap(noise=0.1)
    start, end = walked(jax.random.key(seed))
    ahead = (start[:, 0] < WALL) != (end[:, 0] < WALL)
    assert not np.any(ahead & (np.abs(start[:, 1]) <= world.half)), "it went through the wall"
    inside = (end[:, 0] >= WALL - world.arms) & (end[:, 0] <= WALL)
    beside = (np.abs(start[:, 1]) < world.half) != (np.abs(end[:, 1]) < world.half)
    assert not np.any(inside & beside), "it went through an arm"
    assert np.all(np.abs(end) <= EDGE)


@jax.jit
def walked(key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Steps of 40 points in all directions, many of which begin near the wall: places [1200, 2] before and after."""
    world = Trap(noise=0.1)
    begin, moves, noises = jax.random.split(key, 3)
    first = jax.random.uniform(begin, (40, 2), minval=jnp.array([0.0, -2.0]), maxval=jnp.array([2.0, 2.0]))
    actions = jax.random.uniform(moves, (30, 40, 2), minval=-1.0, maxval=1.0)
    task = world.tasks()["behind"]

    def step(place: jax.Array, given: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        key, action = given
        body, _, _ = jax.vmap(world.advance, (0, TrapBody(place=0), 0, None))(  # type: ignore[arg-type]
            jax.random.split(key, 40), TrapBody(place=place), action, task
        )
        return body.place, body.place

    _, after = jax.lax.scan(step, first, (jax.random.split(noises, 30), actions))
    before = jnp.concatenate([first[None], after[:-1]])
    return before.reshape(-1, 2), after.reshape(-1, 2)


def test_straight_ahead_ends_at_the_wall_and_around_it_at_the_goal() -> None:
    world = Trap(noise=0.0)
    task, advance = world.tasks()["behind"], jax.jit(world.advance)
    body = TrapBody(place=jnp.zeros(2))
    for _ in range(20):
        body, _, _ = advance(KEY, body, jnp.array([1.0, 0.0]), task)
    assert float(body.place[0]) == pytest.approx(WALL, abs=0.01)
    body = TrapBody(place=jnp.zeros(2))
    for action in [[0, 1]] * 9 + [[1, 0]] * 15 + [[0, -1]] * 9:
        body, reward, _ = advance(KEY, body, jnp.array(action, jnp.float32), task)
    assert float(reward) == pytest.approx(0.0, abs=0.01)
