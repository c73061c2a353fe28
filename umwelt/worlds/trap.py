"""Simulate a point before a U-shaped wall: the straight way to the goal ends in the wall."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream

EDGE = 4.0
"""The room reaches from -EDGE to EDGE along both axes."""
WALL = 1.5
"""x of the wall that stands across the way."""
SKIN = 1e-3
"""How far from a wall the point stops, so that rounding never puts it inside."""


@struct
class TrapTask:
    """goal: float32 [2]."""

    goal: Any


@struct
class TrapBody:
    """place: float32 [2]."""

    place: jax.Array


@part
class Trap:
    """Walk to a goal behind a wall whose two arms reach towards the start; every step pays minus the distance.

    >>> trap = Trap()
    >>> float(trap.reward(jnp.zeros((1, 2)), jnp.zeros((1, 2)), jnp.zeros((1, 2)))[0])
    -3.0
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 50
    """Decisions after which an episode is truncated."""
    stride: float = 0.2
    """How far a decision leads along an axis at action 1."""
    half: float = 1.5
    """Half the width of the wall; its arms stand at its ends."""
    arms: float = 1.0
    """How far the arms reach towards the start; 0 leaves a straight wall."""
    noise: float = 0.05
    """The deviation of what is added to each step."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        room = Box(shape=(2,), low=-EDGE, high=EDGE)
        action = Box(shape=(2,), low=-1.0, high=1.0)
        return WorldSpec(name="trap", observation=room, action=action, task=TrapTask(goal=room), batch=self.batch)

    def tasks(self) -> dict[str, TrapTask]:
        """Named tasks: a goal behind the wall, and one that no wall hides."""
        goals = {"behind": [3.0, 0.0], "open": [-3.0, 0.0]}
        return {name: stream.numbers(TrapTask(goal=np.array(goal))) for name, goal in goals.items()}

    def begin(self, key: jax.Array, task: TrapTask) -> TrapBody:
        """At the middle of the room."""
        return TrapBody(place=jnp.zeros(2, jnp.float32))

    def advance(self, key: jax.Array, body: TrapBody, action: jax.Array, task: TrapTask) -> tuple[TrapBody, jax.Array, jax.Array]:
        """Step along x, then along y, each as far as the walls let it."""
        push = self.stride * jnp.clip(action, -1.0, 1.0) + self.noise * jax.random.normal(key, (2,))
        aim = jnp.clip(body.place + push, -EDGE, EDGE)
        x, y = body.place
        x = _stopped(x, aim[0], WALL, jnp.abs(y) <= self.half)
        beside = (x >= WALL - self.arms) & (x <= WALL)
        # a step is shorter than the wall is wide, so it meets one arm at most
        aimed = _stopped(y, aim[1], self.half, beside)
        y = _stopped(y, aimed, -self.half, beside)
        place = jnp.stack([x, y])
        return TrapBody(place=place), -_distance(place, jnp.asarray(task.goal)), jnp.bool_(False)

    def observe(self, body: TrapBody, task: TrapTask) -> jax.Array:
        """float32 [2]: the place."""
        return body.place

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called."""
        return ("x", "y")

    def body(self, observation: jax.Array, task: Any = None) -> TrapBody:
        """The body that one observation shows, whatever the task."""
        return TrapBody(place=observation)

    def position(self, observation: jax.Array) -> jax.Array:
        """Where the point is, float32 [N, 2]."""
        return observation

    def achieved(self, observation: jax.Array) -> TrapTask:
        """The place of each row as a task [N], whose goal it is."""
        return TrapTask(goal=observation)

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]; `task` is the default where it is None."""
        return -_distance(next_observation, stream.default(self, task, observation.shape[0]).goal)

    def continues(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 1."""
        return jnp.ones(observation.shape[0], jnp.float32)

    def init(self, key: jax.Array, task: TrapTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: TrapTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


def _stopped(now: jax.Array, aim: jax.Array, wall: float, there: jax.Array) -> jax.Array:
    """Where a step from `now` to `aim` ends, if a wall stands across at `wall` wherever `there` is true."""
    under = jnp.where(there & (now < wall), jnp.minimum(aim, wall - SKIN), aim)
    return jnp.where(there & (now >= wall), jnp.maximum(under, wall + SKIN), under)


def _distance(one: jax.Array, other: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.sum((one - other) ** 2, axis=-1))
