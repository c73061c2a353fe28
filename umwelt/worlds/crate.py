"""Simulate a point that pushes a puck over a table."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, keys, part, struct
from umwelt.worlds import stream

EDGE = 1.0
"""The table reaches from -EDGE to EDGE along both axes."""


@struct
class CrateTask:
    """mark: float32 [2], where the puck should be."""

    mark: Any


@struct
class CrateBody:
    """point, puck: float32 [2]."""

    point: jax.Array
    puck: jax.Array


@part
class Crate:
    """Push a puck to a mark; only the mark pays, and the episode may end there.

    >>> crate = Crate()
    >>> body = CrateBody(point=jnp.array([-0.2, 0.0]), puck=jnp.zeros(2))

    >>> body, _, _ = crate.advance(jax.random.key(0), body, jnp.array([1.0, 0.0]), crate.tasks()["right"])

    >>> round(float(body.puck[0]), 2)  # the point came to -0.1, and pushed the puck out of its way
    0.05
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 40
    """Decisions after which an episode is truncated."""
    stride: float = 0.1
    """How far a decision leads along an axis at action 1."""
    touch: float = 0.15
    """Distance of the two middles at which the point touches the puck."""
    radius: float = 0.15
    """Distance from the mark at which it is reached."""
    away: float = 0.8
    """Distance of the named marks from where the puck begins."""
    ends: bool = True
    """Whether the episode terminates at the mark; False lets it go on, and pays for staying."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        table = Box(shape=(2,), low=-EDGE, high=EDGE)
        return WorldSpec(
            name="crate",
            observation=Box(shape=(6,), low=-EDGE, high=EDGE),
            action=Box(shape=(2,), low=-1.0, high=1.0),
            task=CrateTask(mark=table),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, CrateTask]:
        """Named tasks: marks to the right, above, to the left and below."""
        sides = {"right": (1, 0), "above": (0, 1), "left": (-1, 0), "below": (0, -1)}
        return {name: stream.numbers(CrateTask(mark=self.away * np.array(side))) for name, side in sides.items()}

    def begin(self, key: jax.Array, task: CrateTask) -> CrateBody:
        """The puck near the middle, the point somewhere around it."""
        placing, turning = keys.split(key, "puck", "point")
        puck = jax.random.uniform(placing, (2,), minval=-0.05, maxval=0.05)
        angle = jax.random.uniform(turning, (), maxval=2 * jnp.pi)
        return CrateBody(point=puck + 0.4 * jnp.stack([jnp.cos(angle), jnp.sin(angle)]), puck=puck)

    def advance(
        self, key: jax.Array, body: CrateBody, action: jax.Array, task: CrateTask
    ) -> tuple[CrateBody, jax.Array, jax.Array]:
        """Move the point; a puck that it touches is pushed straight away from it."""
        point = jnp.clip(body.point + self.stride * jnp.clip(action, -1.0, 1.0), -EDGE, EDGE)
        apart = body.puck - point
        distance = jnp.sqrt(jnp.sum(apart**2) + 1e-9)
        pushed = point + apart / distance * jnp.maximum(distance, self.touch)
        puck = jnp.where(distance < self.touch, jnp.clip(pushed, -EDGE, EDGE), body.puck)
        reached = self._reached(puck, task.mark)
        return CrateBody(point=point, puck=puck), reached.astype(jnp.float32), reached & self.ends

    def shoved(self, body: CrateBody, force: jax.Array) -> CrateBody:
        """The bodies [B] after a virtual force [B, 2] on the puck, a stride at force 1: what no robot can do."""
        puck = jnp.clip(body.puck + self.stride * force, -EDGE, EDGE)
        return CrateBody(point=body.point, puck=puck)

    def _reached(self, puck: jax.Array, mark: jax.Array) -> jax.Array:
        return jnp.sum((puck - mark) ** 2, axis=-1) <= self.radius**2

    def observe(self, body: CrateBody, task: CrateTask) -> jax.Array:
        """float32 [6]: point, puck and mark."""
        return jnp.concatenate([body.point, body.puck, task.mark])

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]."""
        return self._reached(next_observation[:, 2:4], next_observation[:, 4:]).astype(jnp.float32)

    def continues(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 0 at the mark, where episodes end there."""
        return 1.0 - self.ends * self.reward(observation, action, next_observation, task)

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called."""
        return ("point x", "point y", "puck x", "puck y", "mark x", "mark y")

    def achieved(self, observation: jax.Array) -> jax.Array:
        """Where the puck is, float32 [N, 2], as a task's `mark` is."""
        return observation[:, 2:4]

    def position(self, observation: jax.Array) -> jax.Array:
        """Where the point is, float32 [N, 2]."""
        return observation[:, :2]

    def init(self, key: jax.Array, task: CrateTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: CrateTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)
