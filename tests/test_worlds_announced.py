"""The wrapper that shows an agent its task, around a pure world and around a hosted one."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.core import FIRST, MID, TRUNCATED, Box, Discrete, TimeStep, WorldSpec, part, spaces
from umwelt.worlds import Announced, Pendulum, PointMaze, stream
from umwelt.worlds.announced import scaled, unscaled


@part
class Clock:
    """A hosted world that counts, and ends every episode after two steps. Its ticket is a list of one number."""

    batch: int = 2

    @property
    def spec(self) -> WorldSpec:
        space = {"level": Discrete(n=3), "size": Box(shape=(2,), low=0.0, high=(10.0, 4.0)), "free": Box()}
        return WorldSpec(
            name="clock", observation=Box(shape=(1,)), action=Discrete(n=2), task=space, batch=self.batch, hosted=True
        )

    def tasks(self) -> dict[str, Any]:
        return {"only": {"level": np.int32(1), "size": np.array([5.0, 4.0], np.float32), "free": np.float32(7.0)}}

    def seen(self, time: int) -> TimeStep:
        kind = (FIRST, MID, TRUNCATED)[time % 3]
        return TimeStep(
            kind=np.full(self.batch, kind, np.int8),
            observation=np.full((self.batch, 1), time, np.float32),
            reward=np.zeros(self.batch, np.float32),
        )

    def init(self, key: Any, task: Any) -> tuple[list[int], TimeStep]:
        return [0], self.seen(0)

    def step(self, key: Any, state: list[int], action: Any, next_task: Any) -> tuple[list[int], TimeStep]:
        return [state[0] + 1], self.seen(state[0] + 1)

    def save(self, ticket: list[int]) -> dict[str, np.ndarray]:
        return {"time": np.array(ticket)}

    def restore(self, saved: dict[str, np.ndarray]) -> tuple[list[int], TimeStep]:
        assert set(saved) == {"time"}
        return saved["time"].tolist(), self.seen(int(saved["time"][0]))

    def drain(self, ticket: list[int]) -> list[str]:
        return [f"drained {ticket}"]

    def close(self, ticket: list[int]) -> None:
        ticket.clear()


def clock_task(level, size, free):
    return {"level": np.array(level, np.int32), "size": np.array(size, np.float32), "free": np.array(free, np.float32)}


FIRST_TASK = clock_task([0, 2], [[5, 4], [10, 0]], [7, -8])
NEXT_TASK = clock_task([1, 1], [[0, 2], [0, 2]], [1, 2])
# Fields in the order of their names: free as it is, level one-hot, size / (10, 4) on [-1, 1].
FIRST_TOLD = [[7, 1, 0, 0, 0, 1], [-8, 0, 0, 1, 1, -1]]
NEXT_TOLD = [[1, 0, 1, 0, -1, 0], [2, 0, 1, 0, -1, 0]]


def test_a_hosted_world_tells_its_task_and_changes_it_only_on_first():
    world = Announced(world=Clock())
    state, step = world.init(None, FIRST_TASK)
    told = [step.observation]
    for _ in range(4):
        state, step = world.step(None, state, np.zeros(2, np.int32), NEXT_TASK)
        told.append(step.observation)
        assert isinstance(step.observation, np.ndarray)
        assert step.observation.dtype == np.float32
    assert [seen[0, 0] for seen in told] == [0, 1, 2, 3, 4]
    for time, wanted in enumerate([FIRST_TOLD, FIRST_TOLD, FIRST_TOLD, NEXT_TOLD, NEXT_TOLD]):
        np.testing.assert_allclose(told[time][:, 1:], wanted)
        assert spaces.contains(world.spec.observation, told[time]) == ""


def test_save_and_restore_keep_the_task_that_is_lived():
    world = Announced(world=Clock())
    state, _ = world.init(None, FIRST_TASK)
    state, step = world.step(None, state, np.zeros(2, np.int32), NEXT_TASK)
    saved = world.save(state)
    assert all(isinstance(value, np.ndarray) for value in saved.values())
    again, found = world.restore(saved)
    jax.tree.map(np.testing.assert_array_equal, step, found)
    for _ in range(3):
        state, step = world.step(None, state, np.zeros(2, np.int32), NEXT_TASK)
        again, found = world.step(None, again, np.zeros(2, np.int32), NEXT_TASK)
        jax.tree.map(np.testing.assert_array_equal, step, found)
    assert world.drain(state) == ["drained [4]"]
    world.close(state)
    assert state.inner == []


def test_a_pure_world_tells_its_task_in_each_row():
    inner = Pendulum(batch=2, time_limit=2)
    world = Announced(world=inner)
    earth, moon = (inner.tasks()[name] for name in ("earth", "moon"))
    task = jax.tree.map(lambda *leaves: jnp.stack(leaves), earth, moon)
    swapped = jax.tree.map(lambda *leaves: jnp.stack(leaves), moon, earth)
    state, first = world.init(jax.random.key(0), task)
    step, move, steps = first, jax.jit(world.step), []
    for _ in range(3):
        state, step = move(jax.random.key(1), state, jnp.zeros((2, 1)), swapped)
        steps.append(step)
    # gravity 1 .. 25, length 0.5 .. 2.5, mass 0.25 .. 2, goal -pi .. pi, friction 0 .. 1, motor -1 .. 1, delay 0 .. 1
    others = [-0.5, -1 / 7, 0, -1, 1, -1]
    told = {"earth": [(10 - 13) / 12, *others], "moon": [(1.62 - 13) / 12, *others]}
    for seen in (first, *steps[:2]):
        np.testing.assert_allclose(seen.observation[:, 3:], [told["earth"], told["moon"]], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(steps[2].observation[:, 3:], [told["moon"], told["earth"]], rtol=1e-5, atol=1e-6)
    assert steps[2].kind.tolist() == [FIRST, FIRST]


def test_the_given_reward_reads_the_task_from_the_observation():
    inner = Pendulum(batch=len(Pendulum().tasks()))
    world = Announced(world=inner)
    task = jax.tree.map(lambda *leaves: jnp.stack(leaves), *inner.tasks().values())
    state, before = world.init(jax.random.key(0), task)
    action = jnp.linspace(-2.0, 2.0, inner.batch)[:, None]
    _, after = world.step(jax.random.key(1), state, action, task)
    claimed = world.reward(before.observation, action, after.observation)
    np.testing.assert_allclose(claimed, after.reward, rtol=1e-4, atol=1e-4)
    assert np.abs(np.asarray(inner.reward(before.observation, action, after.observation)) - after.reward).max() > 1.0


def test_a_world_without_a_given_reward_gives_none():
    assert not hasattr(Announced(world=Clock()), "reward")


def test_what_was_scaled_can_be_read_back():
    space = Clock().spec.task
    task = spaces.sample(jax.random.key(0), space, 50)
    told = scaled(space, task)
    assert told.shape == (50, spaces.width(space))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), task, unscaled(space, told))
    np.testing.assert_allclose(told, scaled(space, jax.device_get(task), np), rtol=1e-6)


def test_the_maze_tells_its_doors_and_goal():
    world = Announced(world=PointMaze())
    _, step = world.init(jax.random.key(0), stream.rows(world.tasks()["far_without_b"], 1))
    np.testing.assert_allclose(step.observation[0, 4:], [1, -1, 1, 1, 3 / 4.5, 3 / 4.5], rtol=1e-5)


def test_an_observation_that_is_no_vector_is_refused_by_name():
    @part
    class Painted(Clock):
        @property
        def spec(self) -> WorldSpec:
            return WorldSpec(name="painted", observation=Box(shape=(8, 8, 3)), action=Discrete(n=2), task=Box())

    with pytest.raises(ValueError, match=r"Announced\(world=\.\.\.\) needs .*painted.*flatten"):
        _ = Announced(world=Painted()).spec
