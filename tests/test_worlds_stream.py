"""The stream convention, on a world that counts: its whole life can be written down by hand."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.core import FIRST, MID, TERMINATED, TRUNCATED, Box, Discrete, WorldSpec, host_scan, part, scan, spaces
from umwelt.worlds import BUILT_IN, stream


@part
class Counter:
    """Count up from the task; terminate at 2 more than the task or beyond if the action is 1."""

    batch: int = 1
    time_limit: int = 3

    @property
    def spec(self) -> WorldSpec:
        return WorldSpec(name="counter", observation=Box(), action=Discrete(n=2), task=Box(), batch=self.batch)

    def begin(self, key: jax.Array, task: Any) -> Any:
        return task

    def advance(self, key: jax.Array, body: Any, action: Any, task: Any) -> Any:
        return body + 1.0, 10.0 * task + action, (action == 1) & (body + 1.0 >= task + 2.0)

    def observe(self, body: Any, task: Any) -> Any:
        return body


def steps_of(world, actions, next_tasks, task):
    """kinds, observations, rewards [T + 1, B] of a life."""
    state, step = stream.init(world, jax.random.key(0), jnp.asarray(task, jnp.float32))
    steps = [step]
    for action, next_task in zip(actions, next_tasks, strict=True):
        state, step = stream.step(world, jax.random.key(1), state, jnp.array(action), jnp.asarray(next_task, jnp.float32))
        steps.append(step)
    return (np.stack([getattr(step, name) for step in steps]) for name in ("kind", "observation", "reward"))


def test_a_life_of_two_rows_is_as_written_by_hand():
    kinds, seen, reward = steps_of(
        Counter(batch=2),
        actions=[[0, 1], [0, 1], [0, 1], [1, 0], [0, 1]],
        next_tasks=[[-1, -1], [-1, -1], [-1, 7], [5, -1], [-1, -1]],
        task=[0, 2],
    )
    assert kinds[:, 0].tolist() == [FIRST, MID, MID, TRUNCATED, FIRST, MID]
    assert kinds[:, 1].tolist() == [FIRST, MID, TERMINATED, FIRST, MID, TERMINATED]
    assert seen[:, 0].tolist() == [0, 1, 2, 3, 5, 6]
    assert seen[:, 1].tolist() == [2, 3, 4, 7, 8, 9]
    assert reward[:, 0].tolist() == [0, 0, 0, 0, 0, 50]
    assert reward[:, 1].tolist() == [0, 21, 21, 0, 70, 71]


def test_an_end_at_the_limit_is_terminated():
    kinds, _, _ = steps_of(Counter(time_limit=2), actions=[[1], [1]], next_tasks=[[0], [0]], task=[0])
    assert kinds[:, 0].tolist() == [FIRST, MID, TERMINATED]


def test_rows_begin_in_different_places():
    world = BUILT_IN["pendulum"](batch=64, time_limit=1)
    task = stream.rows(world.tasks()["earth"], 64)
    state, first = world.init(jax.random.key(0), task)
    assert len(np.unique(np.asarray(first.observation)[:, 2])) == 64
    action = jnp.zeros((64, 1))
    state, _ = world.step(jax.random.key(1), state, action, task)
    starts = []
    for seed in (2, 3):
        _, step = world.step(jax.random.key(seed), state, action, task)
        assert np.all(step.kind == FIRST)
        starts.append(np.asarray(step.observation)[:, 2])
    assert len(np.unique(np.concatenate(starts))) == 128
    assert abs(starts[0].mean()) < 0.3, "speeds are drawn evenly from -1 to 1"


@pytest.mark.exact
@pytest.mark.parametrize("name", ["pendulum", "cartpole", "point_maze"])
def test_both_drivers_give_the_same_bits(name):
    """300 steps, with ends in them, of random actions, and another next task for every step."""
    world = BUILT_IN[name](batch=3, time_limit=40)
    keys = jax.random.split(jax.random.key(0), 300)
    actions = spaces.sample(jax.random.key(1), world.spec.action, 300, 3)
    tasks = spaces.sample(jax.random.key(2), world.spec.task, 300, 3)
    state, _ = world.init(jax.random.key(3), stream.rows(next(iter(world.tasks().values())), 3))

    def body(state, x):
        key, action, task = x
        return world.step(key, state, action, task)

    _, compiled = jax.jit(lambda state: scan(body, state, (keys, actions, tasks)))(state)
    _, hosted = host_scan(jax.jit(body), state, (keys, actions, tasks))
    assert (np.asarray(compiled.kind) == FIRST).sum() > 10
    for one, other in zip(jax.tree.leaves(compiled), jax.tree.leaves(hosted), strict=True):
        np.testing.assert_array_equal(one, other)


def test_several_keys_at_once_give_what_each_gives_alone():
    """Under vmap every step draws a fresh body, where one life alone skips it: the result is the same."""
    world = BUILT_IN["mountain_car"](batch=2, time_limit=5)
    task = stream.rows(world.tasks()["right"], 2)

    def life(key):
        state, _ = world.init(key, task)
        keys = jax.random.split(key, 20)
        return scan(lambda state, key: world.step(key, state, jnp.array([0, 2]), task), state, keys)[1].observation

    seeds = jax.random.split(jax.random.key(0), 3)
    together = jax.vmap(life)(seeds)
    for index in range(3):
        np.testing.assert_allclose(together[index], life(seeds[index]), atol=1e-6)
