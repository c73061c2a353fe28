"""The wrapper that shows an agent its task, around a pure world and around a hosted one."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import umwelt.check
from umwelt.core import FIRST, MID, TRUNCATED, Box, Discrete, TimeStep, WorldSpec, capability, part, spaces
from umwelt.worlds import Announced, Pendulum, PointMaze, Varied, pictured, sticky, stream
from umwelt.worlds.announced import scaled, unscaled


@part
class Clock:
    """A hosted world that counts, and ends every episode after two steps. Its ticket is a list of one number."""

    batch: int = 2

    @property
    def spec(self) -> WorldSpec:
        space = {"level": Discrete(n=3), "size": Box(shape=(2,), low=0.0, high=(10.0, 4.0)), "free": Box()}
        seen = {"time": Box(shape=(1,)), "even": Discrete(n=2)}
        return WorldSpec(name="clock", observation=seen, action=Discrete(n=2), task=space, batch=self.batch, hosted=True)

    def tasks(self) -> dict[str, Any]:
        return {"only": {"level": np.int32(1), "size": np.array([5.0, 4.0], np.float32), "free": np.float32(7.0)}}

    def seen(self, time: int) -> TimeStep:
        kind = (FIRST, MID, TRUNCATED)[time % 3]
        return TimeStep(
            kind=np.full(self.batch, kind, np.int8),
            observation={
                "time": np.full((self.batch, 1), time, np.float32),
                "even": np.full(self.batch, time % 2 == 0, np.int32),
            },
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


def clock_task(level: Any, size: Any, free: Any) -> dict[str, np.ndarray]:
    return {"level": np.array(level, np.int32), "size": np.array(size, np.float32), "free": np.array(free, np.float32)}


FIRST_TASK = clock_task([0, 2], [[5, 4], [10, 0]], [7, -8])
NEXT_TASK = clock_task([1, 1], [[0, 2], [0, 2]], [1, 2])
# size / (10, 4) on [-1, 1]; a number without bounds and a choice stay as they are
FIRST_SHOWN = clock_task([0, 2], [[0, 1], [1, -1]], [7, -8])
NEXT_SHOWN = clock_task([1, 1], [[-1, 0], [-1, 0]], [1, 2])


def test_a_hosted_world_shows_its_task_and_changes_it_only_on_first() -> None:
    world = Announced(world=Clock())
    state, step = world.init(None, FIRST_TASK)
    seen = [step.observation]
    for _ in range(4):
        state, step = world.step(None, state, np.zeros(2, np.int32), NEXT_TASK)
        seen.append(step.observation)
    assert [observation["seen"]["time"][0, 0] for observation in seen] == [0, 1, 2, 3, 4]
    for observation, shown in zip(seen, [FIRST_SHOWN] * 3 + [NEXT_SHOWN] * 2, strict=True):
        jax.tree.map(np.testing.assert_allclose, observation["task"], shown)
        assert all(isinstance(leaf, np.ndarray) for leaf in jax.tree.leaves(observation))
        assert spaces.contains(world.spec.observation, observation) == ""


def test_save_and_restore_keep_the_task_of_the_present_episode() -> None:
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


def test_a_pure_world_shows_its_task_in_each_row() -> None:
    inner = Pendulum(batch=2, time_limit=2)
    world = Announced(world=inner)
    earth, moon = (inner.tasks()[name] for name in ("earth", "moon"))
    task = jax.tree.map(lambda *leaves: jnp.stack(leaves), earth, moon)
    swapped = jax.tree.map(lambda *leaves: jnp.stack(leaves), moon, earth)
    state, first = world.init(jax.random.key(0), task)
    move, steps = jax.jit(world.step), [first]
    for _ in range(3):
        state, step = move(jax.random.key(1), state, jnp.zeros((2, 1)), swapped)
        steps.append(step)
    # gravity 1 .. 25, length 0.5 .. 2.5, mass 0.25 .. 2, goal -pi .. pi, friction 0 .. 1, motor -1 .. 1, delay 0 .. 1
    gravity = np.array([(10 - 13) / 12, (1.62 - 13) / 12])
    for step, expected in zip(steps, [gravity] * 3 + [gravity[::-1]], strict=True):
        shown = step.observation["task"]
        np.testing.assert_allclose(shown.gravity, expected, rtol=1e-5)
        others = [shown.length, shown.mass, shown.goal, shown.friction, shown.motor, shown.delay]
        np.testing.assert_allclose(np.array(others)[:, 0], [-0.5, -1 / 7, 0, -1, 1, -1], atol=1e-6)
        assert spaces.contains(world.spec.observation, step.observation) == ""
    assert steps[3].kind.tolist() == [FIRST, FIRST]


def test_a_picture_and_a_wrapped_world_show_their_task_too() -> None:
    world = Announced(world=pictured(sticky(PointMaze(batch=2, time_limit=20))))
    umwelt.check.world(world, depth="shapes").raise_if_broken()
    _, step = world.init(jax.random.key(0), stream.rows(world.tasks()["far_without_b"], 2))
    assert step.observation["seen"].shape == (2, 64, 64, 1)
    np.testing.assert_allclose(step.observation["task"].doors[0], [1, -1, 1, 1], rtol=1e-5)
    np.testing.assert_allclose(step.observation["task"].goal[0], [3 / 4.5, 3 / 4.5], rtol=1e-5)


def test_a_capability_reads_the_task_from_the_observation() -> None:
    inner = Pendulum(batch=len(Pendulum().tasks()))
    world = Announced(world=inner)
    task = jax.tree.map(lambda *leaves: jnp.stack(leaves), *inner.tasks().values())
    state, before = world.init(jax.random.key(0), task)
    action = jnp.linspace(-2.0, 2.0, inner.batch)[:, None]
    _, after = world.step(jax.random.key(1), state, action, task)
    reward, expert, body = (capability(world, name, required="here") for name in ("reward", "expert", "body"))
    for given in ((), (None,), (stream.rows(inner.tasks()["moon"], inner.batch),)):
        claimed = reward(before.observation, action, after.observation, *given)
        np.testing.assert_allclose(claimed, after.reward, rtol=1e-4, atol=1e-4)
    plain = inner.reward(before.observation["seen"], action, after.observation["seen"])
    assert np.abs(np.asarray(plain) - after.reward).max() > 1.0, "of another goal it is another reward"
    chosen = expert(jax.random.key(0), before.observation, None)
    np.testing.assert_allclose(chosen, inner.expert(None, before.observation["seen"], task), rtol=1e-3, atol=1e-3)
    found = jax.vmap(body, (0, None))(before.observation, None)
    np.testing.assert_array_equal(np.isnan(found.torque), np.asarray(task.delay) > 0)


def test_a_world_without_a_capability_gives_none() -> None:
    world = Announced(world=Clock())
    assert all(capability(world, name) is None for name in ("reward", "position", "observe", "expert"))


def test_equal_worlds_have_equal_specs() -> None:
    def made() -> Announced:
        return Announced(world=Varied(world=Pendulum(), within=(("gravity", 2.0, 4.0),)))

    assert made().spec == made().spec


def test_what_was_scaled_can_be_read_back() -> None:
    space = Clock().spec.task | {"whole": Box(shape=(2,), low=-3, high=9, dtype="int32")}
    task = spaces.sample(jax.random.key(0), space, 50)
    shown = scaled(space, task)
    assert max(float(jnp.abs(shown[name]).max()) for name in ("size", "whole")) <= 1.0
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), task, unscaled(space, shown))
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a, b), task["whole"], unscaled(space, shown)["whole"])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), shown, scaled(space, jax.device_get(task), np))
