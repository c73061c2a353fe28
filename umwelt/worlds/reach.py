"""Simulate a redundant arm of many joints that takes one decision: where all joints go."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream

DISCS = np.array([[0.6, 0.5], [-0.5, 0.65]], np.float32)
"""Middles of the two discs that pay, in lengths of the arm."""


@struct
class ReachTask:
    """pays: float32 [2], how much the middle of each disc pays."""

    pays: Any


@struct
class ReachBody:
    """angles: float32 [J], of each link from the one before it, in radians."""

    angles: jax.Array


@part
class Reach:
    """Bend an arm of twenty joints in one decision; two small discs pay where its end lies in them, and nothing else does.

    >>> middle = jnp.zeros((1, 40)).at[0, -2:].set(DISCS[0])
    >>> float(Reach().reward(middle, jnp.zeros((1, 20)), middle)[0])
    1.0
    """

    batch: int = 1
    """Episodes in parallel."""
    joints: int = 20
    """Joints of the arm, whose links have equal lengths and sum to 1."""
    radius: float = 0.1
    """Radius of a disc; the reward falls from its middle to its edge."""

    time_limit = 1

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        return WorldSpec(
            name="reach",
            observation=Box(shape=(2 * self.joints,), low=-1.0, high=1.0),
            action=Box(shape=(self.joints,), low=-np.pi, high=np.pi),
            task=ReachTask(pays=Box(shape=(2,), low=0.0, high=1.0)),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, ReachTask]:
        """Named tasks: both discs pay, or one of them."""
        pays = {"both": [1.0, 1.0], "first": [1.0, 0.0], "second": [0.0, 1.0]}
        return {name: stream.numbers(ReachTask(pays=np.array(each))) for name, each in pays.items()}

    def begin(self, key: jax.Array, task: ReachTask) -> ReachBody:
        """The arm is straight."""
        return ReachBody(angles=jnp.zeros(self.joints, jnp.float32))

    def advance(
        self, key: jax.Array, body: ReachBody, action: jax.Array, task: ReachTask
    ) -> tuple[ReachBody, jax.Array, jax.Array]:
        """Take the angles of the action; the episode ends."""
        angles = jnp.clip(action, -np.pi, np.pi)
        paid = jnp.sum(jnp.asarray(task.pays) * self.depths(places(angles)[-1]))
        return ReachBody(angles=angles), paid, jnp.bool_(True)

    def observe(self, body: ReachBody, task: ReachTask) -> jax.Array:
        """float32 [2 J]: x and y of the end of each link, the base first."""
        return jnp.clip(places(body.angles).reshape(-1), -1.0, 1.0)

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called."""
        return tuple(f"link {link + 1} {axis}" for link in range(self.joints) for axis in "xy")

    def body(self, observation: jax.Array, task: Any = None) -> ReachBody:
        """The body that one observation shows, whatever the task."""
        ends = observation.reshape(self.joints, 2)
        links = jnp.diff(ends, axis=0, prepend=jnp.zeros((1, 2), ends.dtype))
        turned = jnp.arctan2(links[:, 1], links[:, 0])
        angles = jnp.diff(turned, prepend=jnp.zeros(1, ends.dtype))
        return ReachBody(angles=(angles + np.pi) % (2.0 * np.pi) - np.pi)

    def depths(self, end: jax.Array) -> jax.Array:
        """float32 [2]: how deep a point [2] lies in each disc, 1 in its middle and 0 outside."""
        away = jnp.sqrt(jnp.sum((jnp.asarray(DISCS) - end) ** 2, axis=-1))
        return jnp.maximum(1.0 - away / self.radius, 0.0)

    def position(self, observation: jax.Array) -> jax.Array:
        """Where the arm ends, float32 [N, 2]."""
        return observation[:, -2:]

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]; `task` is the default where it is None."""
        pays = stream.default(self, task, observation.shape[0]).pays
        return jnp.sum(pays * jax.vmap(self.depths)(next_observation[:, -2:]), axis=-1)

    def continues(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 0."""
        return jnp.zeros(observation.shape[0], jnp.float32)

    def init(self, key: jax.Array, task: ReachTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: ReachTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


def places(angles: jax.Array) -> jax.Array:
    """Compute where each link ends: angles [..., J] between links -> float32 [..., J, 2], for an arm of length 1."""
    turned = jnp.cumsum(angles, axis=-1)
    links = jnp.stack([jnp.cos(turned), jnp.sin(turned)], axis=-1) / angles.shape[-1]
    return jnp.cumsum(links, axis=-2)
