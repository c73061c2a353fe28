"""Simulate the car in a valley that must swing to climb, with three actions or a continuous one."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream

VALLEY = -np.pi / 6.0
"""The bottom of the valley."""


@struct
class MountainCarTask:
    """gravity: the pull of the slope. force: the push of the motor, negative where it is reversed.
    goal: the position to reach; left of the valley's bottom it is reached from the right. All float32 []."""

    gravity: Any
    force: Any
    goal: Any


@struct
class MountainCarBody:
    """position and speed: float32 []."""

    position: jax.Array
    speed: jax.Array


def _tasks(force: float, goal: float) -> dict[str, MountainCarTask]:
    made = {
        "right": (0.0025, force, goal),
        "left": (0.0025, force, -1.1),
        "reversed": (0.0025, -force, goal),
        "steep": (0.0035, force, goal),
        "weak": (0.0025, 0.7 * force, goal),
    }
    return {name: stream.numbers(MountainCarTask(gravity=g, force=f, goal=position)) for name, (g, f, position) in made.items()}


def _begin(key: jax.Array) -> MountainCarBody:
    position = jax.random.uniform(key, minval=-0.6, maxval=-0.4)
    return MountainCarBody(position=position, speed=jnp.zeros_like(position))


def _roll(world: Any, body: MountainCarBody, push: jax.Array, task: MountainCarTask) -> tuple[MountainCarBody, jax.Array]:
    """The car after one decision, and whether it is at its goal and not rolling back."""
    speed = body.speed + push * task.force - task.gravity * jnp.cos(3.0 * body.position)
    speed = jnp.clip(speed, -world.max_speed, world.max_speed)
    position = jnp.clip(body.position + speed, world.low, world.high)
    speed = jnp.where((position == world.low) & (speed < 0.0), 0.0, speed)
    return MountainCarBody(position=position, speed=speed), _reached(position, speed, task.goal)


def _reached(position: jax.Array, speed: jax.Array, goal: jax.Array) -> jax.Array:
    return jnp.where(goal > VALLEY, (position >= goal) & (speed >= 0.0), (position <= goal) & (speed <= 0.0))


def _ends(world: Any, seen: jax.Array, task: Any) -> jax.Array:
    """bool [N]: whether observations [N] are at the goal of their tasks."""
    return _reached(seen[:, 0], seen[:, 1], stream.default(world, task, seen.shape[0]).goal)


def _onward(world: Any, seen: jax.Array, task: Any) -> jax.Array:
    """float32 [N]: -1 or 1, the push that lets the car roll faster the way that it rolls."""
    force = stream.default(world, task, seen.shape[0]).force
    return jnp.where((seen[:, 1] < 0.0) ^ (force < 0.0), -1.0, 1.0)


def _spec(world: Any, name: str, action: Box | Discrete, force: float) -> WorldSpec:
    space = MountainCarTask(
        gravity=Box(low=0.001, high=0.004), force=Box(low=-force, high=force), goal=Box(low=world.low, high=0.55)
    )
    seen = Box(shape=(2,), low=(world.low, -world.max_speed), high=(world.high, world.max_speed))
    return WorldSpec(name=name, observation=seen, action=action, task=space, batch=world.batch)


@part
class MountainCar:
    """Rock a weak car out of a valley with three actions (Gymnasium's MountainCar-v0).

    >>> arrived = jnp.array([[0.55, 0.01]])
    >>> float(MountainCar().continues(arrived, jnp.zeros(1, int), arrived)[0])
    0.0
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 200
    """Decisions after which an episode is truncated."""
    max_speed: float = 0.07
    """The speed at which the car is clipped."""
    low: float = -1.2
    """The position of the wall on the left."""
    high: float = 0.6
    """The right end of the track."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        return _spec(self, "mountain_car", Discrete(n=3), force=0.002)

    def tasks(self) -> dict[str, MountainCarTask]:
        """Named tasks."""
        return _tasks(force=0.001, goal=0.5)

    def begin(self, key: jax.Array, task: MountainCarTask) -> MountainCarBody:
        """At rest near the bottom."""
        return _begin(key)

    def advance(
        self, key: jax.Array, body: MountainCarBody, action: jax.Array, task: MountainCarTask
    ) -> tuple[MountainCarBody, jax.Array, jax.Array]:
        """Push left (0), not at all (1) or right (2); the reward is always -1."""
        body, reached = _roll(self, body, (action - 1).astype(body.speed.dtype), task)
        return body, -jnp.ones_like(body.position), reached

    def observe(self, body: MountainCarBody, task: MountainCarTask) -> jax.Array:
        """float32 [2]: position and speed."""
        return jnp.stack([body.position, body.speed])

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called."""
        return ("position", "speed")

    def body(self, observation: jax.Array, task: Any = None) -> MountainCarBody:
        """The body that one observation shows, whatever the task."""
        return MountainCarBody(position=observation[0], speed=observation[1])

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]: -1, whatever the task."""
        return jnp.full(observation.shape[0], -1.0, jnp.float32)

    def continues(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 0 at the goal."""
        return 1.0 - _ends(self, next_observation, task).astype(jnp.float32)

    def achieved(self, observation: jax.Array) -> jax.Array:
        """The position of each row, float32 [N], as a task's `goal` is."""
        return observation[:, 0]

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """Actions [N]: push the way that the car rolls, which pumps energy until it is over the hill."""
        return (_onward(self, observation, task) + 1.0).astype(jnp.int32)

    def init(self, key: jax.Array, task: MountainCarTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: MountainCarTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


@part
class MountainCarContinuous:
    """Rock a weak car out of a valley with a continuous force (Gymnasium's MountainCarContinuous-v0).

    >>> arrived = jnp.array([[0.55, 0.01]])
    >>> round(float(MountainCarContinuous().reward(arrived, jnp.ones((1, 1)), arrived)[0]), 1)  # 100, less the effort
    99.9
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 999
    """Decisions after which an episode is truncated."""
    max_speed: float = 0.07
    """The speed at which the car is clipped."""
    low: float = -1.2
    """The position of the wall on the left."""
    high: float = 0.6
    """The right end of the track."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        return _spec(self, "mountain_car_continuous", Box(shape=(1,), low=-1.0, high=1.0), force=0.003)

    def tasks(self) -> dict[str, MountainCarTask]:
        """Named tasks."""
        return _tasks(force=0.0015, goal=0.45)

    def begin(self, key: jax.Array, task: MountainCarTask) -> MountainCarBody:
        """At rest near the bottom."""
        return _begin(key)

    def advance(
        self, key: jax.Array, body: MountainCarBody, action: jax.Array, task: MountainCarTask
    ) -> tuple[MountainCarBody, jax.Array, jax.Array]:
        """Push; the reward is 100 at the goal, less the cost of the push."""
        body, reached = _roll(self, body, jnp.clip(action[0], -1.0, 1.0), task)
        return body, jnp.where(reached, 100.0, 0.0) - 0.1 * action[0] ** 2, reached

    def observe(self, body: MountainCarBody, task: MountainCarTask) -> jax.Array:
        """float32 [2]: position and speed."""
        return jnp.stack([body.position, body.speed])

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called."""
        return ("position", "speed")

    def body(self, observation: jax.Array, task: Any = None) -> MountainCarBody:
        """The body that one observation shows, whatever the task."""
        return MountainCarBody(position=observation[0], speed=observation[1])

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]; `task` is the default where it is None."""
        return jnp.where(_ends(self, next_observation, task), 100.0, 0.0) - 0.1 * action[:, 0] ** 2

    def continues(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 0 at the goal."""
        return 1.0 - _ends(self, next_observation, task).astype(jnp.float32)

    def achieved(self, observation: jax.Array) -> jax.Array:
        """The position of each row, float32 [N], as a task's `goal` is."""
        return observation[:, 0]

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """Actions [N]: push the way that the car rolls, which pumps energy until it is over the hill."""
        return _onward(self, observation, task)[:, None]

    def init(self, key: jax.Array, task: MountainCarTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: MountainCarTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)
