"""Finite worlds against Gymnasium's frozen lake and known values."""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.worlds import stream
from umwelt.worlds.table import Table

DARK = Table(layout=("....", "....", "...."), slips=0.0, stays=True, time_limit=8)


def test_the_lake_has_the_chances_of_gymnasium():
    peer = getattr(gymnasium.make("FrozenLake-v1").unwrapped, "P")  # noqa: B009 - no field of every world
    task = Table().tasks()["goal"]
    for cell in range(16):
        if task.ends[cell]:
            continue
        for action in range(4):
            expected, paid = np.zeros(16), 0.0
            for chance, after, reward, _ in peer[cell][action]:
                expected[after] += chance
                paid += chance * reward
            np.testing.assert_allclose(task.moves[cell, action], expected, atol=1e-6)
            assert task.moves[cell, action] @ task.pays == pytest.approx(paid, abs=1e-6)


def test_the_best_returns_are_those_of_a_loop_and_of_distances():
    lake = Table(time_limit=30)
    task = lake.tasks()["goal"]
    each = np.zeros((16, 4))
    for _ in range(30):
        each = task.moves @ (task.pays + (1 - task.ends) * each.max(axis=1))
    np.testing.assert_allclose(lake.values(stream.default(lake, None, 1))[0], each, atol=1e-5)
    # where nothing slips and the goal pays at every step, the return is the time that is left after the walk
    goal = jax.tree.map(lambda leaf: leaf[None], DARK.tasks()["goal 1 2"])
    far = np.abs(np.arange(12) // 4 - 1) + np.abs(np.arange(12) % 4 - 2)
    np.testing.assert_allclose(DARK.values(goal)[0].max(axis=1), 8 - np.maximum(far - 1, 0), atol=1e-5)


def test_the_expert_walks_a_shortest_way():
    world, number = Table(layout=DARK.layout, slips=0.0, stays=True, time_limit=8, batch=12), 12
    task = jax.tree.map(lambda leaf: jnp.stack([leaf] * number), DARK.tasks()["goal 0 3"])
    state, step = world.init(jax.random.key(0), task)
    begun = np.argmax(step.observation, axis=1)
    total = np.zeros(number)
    for _ in range(8):
        state, step = world.step(jax.random.key(1), state, world.expert(jax.random.key(2), step.observation, task), task)
        total += np.asarray(step.reward)
    far = begun // 4 + (3 - begun % 4)
    np.testing.assert_array_equal(total, 8 - np.maximum(far - 1, 0))


def test_an_expert_with_time_to_spare_does_not_spend_it():
    """On a map that is safe and reached surely, every detour returns the same."""
    world = Table(layout=("S....", ".....", "....G"), slips=0.0, time_limit=100)
    cells = jnp.eye(15)
    done = world.expert(jax.random.key(2), cells)
    moves = jnp.asarray(world.tasks()["goal"].moves)
    cell, steps = 0, 0
    while cell != 14 and steps < 100:
        cell, steps = int(jnp.argmax(moves[cell, done[cell]])), steps + 1
    assert steps == 6


def test_tables_keep_the_contract_of_worlds():
    check.world(Table(batch=3, time_limit=6), steps=20).raise_if_broken()
