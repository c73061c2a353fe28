"""Simulate a corridor whose two doors look alike, and a cue at the other end that says which of them is right."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream

LEFT, RIGHT, UP, DOWN = range(4)


@struct
class CorridorTask:
    """side: float32, the upper door is right where it is above 0.5, else the lower one."""

    side: Any


@struct
class CorridorBody:
    """cell: int32 [], from 0 at the cue."""

    cell: jax.Array


@part
class Corridor:
    """Walk to the cue at one end, remember it, and take the right one of two doors at the other end.

    >>> corridor = Corridor(length=4)
    >>> body, task = corridor.begin(None, None), corridor.tasks()["up"]
    >>> for action in (LEFT, LEFT):
    ...     body, reward, ended = corridor.advance(None, body, action, task)

    >>> [int(each) for each in corridor.observe(body, task)]  # the first of four cells, and the upper door
    [1, 0, 0, 0, 1, 0]
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 60
    """Decisions after which an episode is truncated."""
    length: int = 12
    """Cells from the cue to the doors; episodes begin in the middle."""
    wrong: float = -1.0
    """What the wrong door pays; the right one pays 1, and both end the episode."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        return WorldSpec(
            name="corridor",
            observation=Box(shape=(self.length + 2,), low=0.0, high=1.0),
            action=Discrete(n=4),
            task=CorridorTask(side=Box(shape=(), low=0.0, high=1.0)),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, CorridorTask]:
        """Named tasks: the upper door, the lower door."""
        return {name: CorridorTask(side=np.float32(side)) for name, side in (("up", 1.0), ("down", 0.0))}

    def begin(self, key: jax.Array, task: CorridorTask) -> CorridorBody:
        """In the middle."""
        return CorridorBody(cell=jnp.int32(self.length // 2))

    def advance(
        self, key: jax.Array, body: CorridorBody, action: jax.Array, task: CorridorTask
    ) -> tuple[CorridorBody, jax.Array, jax.Array]:
        """Go left or right by one cell; up and down open a door in the last cell, and do nothing elsewhere."""
        action = jnp.asarray(action)
        move = jnp.where(action == LEFT, -1, jnp.where(action == RIGHT, 1, 0))
        opens = (body.cell == self.length - 1) & (action >= UP)
        right = (action == UP) == (jnp.asarray(task.side) > 0.5)
        reward = jnp.where(opens, jnp.where(right, 1.0, self.wrong), 0.0)
        return CorridorBody(cell=jnp.clip(body.cell + move, 0, self.length - 1).astype(jnp.int32)), reward, opens

    def observe(self, body: CorridorBody, task: CorridorTask) -> jax.Array:
        """float32 [length + 2]: the cell as a one-hot vector, and the two doors, of which the right one is 1 at the cue."""
        up = jnp.asarray(task.side) > 0.5
        cue = (body.cell == 0) * jnp.stack([up, ~up])
        return jnp.concatenate([jax.nn.one_hot(body.cell, self.length), cue.astype(jnp.float32)])

    def cell(self, observation: jax.Array) -> jax.Array:
        """The cell of each row: int32 [N]."""
        return jnp.argmax(observation[:, : self.length], axis=1).astype(jnp.int32)

    def likelihood(self, observation: jax.Array, action: Any, next_observation: jax.Array) -> jax.Array:
        """The likelihood of what came after under each named task, up to a factor: float32 [N, 2]."""
        cue = next_observation[:, self.length :]
        return jnp.where(jnp.any(cue > 0.5, axis=1, keepdims=True), cue, 1.0)

    def tables(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each named task, cell and action: probabilities of the next cell [2, S, 4, S], what is paid, and whether the
        episode continues [2, S, 4]."""
        cells, actions = np.meshgrid(np.arange(self.length), np.arange(4), indexing="ij")
        moves = np.clip(cells + np.select([actions == LEFT, actions == RIGHT], [-1, 1], 0), 0, self.length - 1)
        opens = (cells == self.length - 1) & (actions >= UP)
        paid = [np.where(opens, np.where((actions == UP) == up, 1.0, self.wrong), 0.0) for up in (True, False)]
        next = np.eye(self.length)[moves]
        return np.stack([next, next]), np.stack(paid), np.stack([~opens, ~opens]).astype(np.float64)

    def init(self, key: jax.Array, task: CorridorTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: CorridorTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)
