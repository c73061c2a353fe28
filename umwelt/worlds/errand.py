"""Simulate a point that is sent somewhere, and does not see where."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream

PLACES = 50
"""Named tasks."""
GOLDEN = (0.7548776662466927, 0.5698402909980532)
"""Multiples of these two numbers fill a square evenly (an additive recurrence of the plastic number)."""


@struct
class ErrandTask:
    """goal: float32 [2]."""

    goal: Any


@struct
class ErrandBody:
    """place: float32 [2]."""

    place: jax.Array


@part
class Errand:
    """Walk to a place in a square that the observation does not show; every step pays minus the distance.

    >>> errand = Errand()
    >>> away = jnp.array([[0.3, 0.4]])
    >>> round(float(errand.reward(away, away, away, errand.tasks()["place 0"])[0]), 3)
    -0.5
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 20
    """Decisions after which an episode is truncated."""
    stride: float = 0.2
    """How far a decision leads along an axis at action 1."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        room = Box(shape=(2,), low=-1.0, high=1.0)
        return WorldSpec(name="errand", observation=room, action=room, task=ErrandTask(goal=room), batch=self.batch)

    def tasks(self) -> dict[str, ErrandTask]:
        """Named tasks: fifty places, of which any first ones are spread evenly; the first is the middle."""
        places = (2.0 * (np.arange(PLACES)[:, None] * np.array(GOLDEN) + 0.5) % 2.0) - 1.0
        return {f"place {number}": stream.numbers(ErrandTask(goal=place)) for number, place in enumerate(places)}

    def begin(self, key: jax.Array, task: ErrandTask) -> ErrandBody:
        """Anywhere in the square."""
        return ErrandBody(place=jax.random.uniform(key, (2,), minval=-1.0))

    def advance(
        self, key: jax.Array, body: ErrandBody, action: jax.Array, task: ErrandTask
    ) -> tuple[ErrandBody, jax.Array, jax.Array]:
        """Step, and stop at the edge."""
        place = jnp.clip(body.place + self.stride * jnp.clip(action, -1.0, 1.0), -1.0, 1.0)
        return ErrandBody(place=place), -_distance(place, jnp.asarray(task.goal)), jnp.bool_(False)

    def observe(self, body: ErrandBody, task: ErrandTask) -> jax.Array:
        """float32 [2]: the place."""
        return body.place

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called."""
        return ("x", "y")

    def body(self, observation: jax.Array, task: Any = None) -> ErrandBody:
        """The body that one observation shows, whatever the task."""
        return ErrandBody(place=observation)

    def position(self, observation: jax.Array) -> jax.Array:
        """Where the point is, float32 [N, 2]."""
        return observation

    def achieved(self, observation: jax.Array) -> ErrandTask:
        """The place of each row as a task [N], whose goal it is."""
        return ErrandTask(goal=observation)

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """Actions [N]: straight to the goal, and no further."""
        goal = stream.default(self, task, observation.shape[0]).goal
        return jnp.clip((goal - observation) / self.stride, -1.0, 1.0)

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]; `task` is the default where it is None."""
        return -_distance(next_observation, stream.default(self, task, observation.shape[0]).goal)

    def continues(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 1."""
        return jnp.ones(observation.shape[0], jnp.float32)

    def init(self, key: jax.Array, task: ErrandTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: ErrandTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


def _distance(one: jax.Array, other: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.sum((one - other) ** 2, axis=-1))
