"""Simulate the deep sea: a chain of moves to the right, each of which costs, leads to the treasure at its end.

"Behaviour suite for reinforcement learning" (ICLR 2020). With n rows, one of 2^n sequences of actions is paid. An agent
that explores at random needs about as many episodes; one that explores deeply needs a number polynomial in n.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream
from umwelt.worlds.sketch import Strokes, drawing, strokes


@struct
class DeepSeaTask:
    """swaps: float32 [size, size], above 0.5 in the cells in which action 0 means right in place of left."""

    swaps: Any


@struct
class DeepSeaBody:
    """row, column: int32 []; the row is `size` at the bottom, where the episode has ended."""

    row: jax.Array
    column: jax.Array


@part
class DeepSea:
    """Dive by one row with each decision, to the left for nothing or to the right at a cost, towards a treasure.

    >>> sea = DeepSea(size=3)
    >>> body, total, task = sea.begin(None, None), 0.0, sea.tasks()["plain"]
    >>> for _ in range(3):
    ...     body, reward, ended = sea.advance(None, body, 1, task)
    ...     total += float(reward)
    >>> round(total, 2), bool(ended)
    (0.99, True)
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 1000
    """Decisions after which an episode is truncated; the bottom ends it sooner."""
    size: int = 10
    """Rows, and columns."""
    cost: float = 0.01
    """What an episode of moves to the right costs in all."""
    treasure: float = 1.0
    """What the bottom pays in the last column."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        return WorldSpec(
            name="deep_sea",
            observation=Box(shape=(self.size**2,), low=0.0, high=1.0),
            action=Discrete(n=2),
            task=DeepSeaTask(swaps=Box(shape=(self.size, self.size), low=0.0, high=1.0)),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, DeepSeaTask]:
        """Named tasks: action 1 is right everywhere, and three in which a fixed draw decides in each cell."""
        named = {"plain": DeepSeaTask(swaps=np.zeros((self.size, self.size), np.float32))}
        drawn = {f"drawn_{seed}": np.random.default_rng(seed).integers(0, 2, (self.size, self.size)) for seed in (1, 2, 3)}
        return named | {name: stream.numbers(DeepSeaTask(swaps=swaps)) for name, swaps in drawn.items()}

    def drawn(self, key: jax.Array) -> DeepSeaTask:
        """Draw a task: what the actions mean, for each cell by itself."""
        return DeepSeaTask(swaps=jax.random.bernoulli(key, 0.5, (self.size, self.size)).astype(jnp.float32))

    def begin(self, key: jax.Array, task: DeepSeaTask) -> DeepSeaBody:
        """At the top left."""
        return DeepSeaBody(row=jnp.int32(0), column=jnp.int32(0))

    def advance(
        self, key: jax.Array, body: DeepSeaBody, action: jax.Array, task: DeepSeaTask
    ) -> tuple[DeepSeaBody, jax.Array, jax.Array]:
        """Dive by one row, and to the left or to the right."""
        swapped = jnp.asarray(task.swaps)[jnp.clip(body.row, 0, self.size - 1), body.column] > 0.5
        right = (action == 1) ^ swapped
        column = jnp.clip(jnp.where(right, body.column + 1, body.column - 1), 0, self.size - 1)
        row = jnp.minimum(body.row + 1, self.size)
        # the last column is reached from itself too: the treasure asks for a right move of all rows
        found = right & (body.row == self.size - 1) & (body.column == self.size - 1)
        reward = self.treasure * found - self.cost / self.size * right
        return DeepSeaBody(row=row, column=column), reward.astype(jnp.float32), row == self.size

    def values(self, task: DeepSeaTask) -> jax.Array:
        """The best return from each cell and action, undiscounted: float32 [size, size, 2], by backward induction."""

        def up(below: jax.Array, row: jax.Array) -> tuple[jax.Array, jax.Array]:
            bodies = DeepSeaBody(row=jnp.broadcast_to(row, (self.size, 2)), column=jnp.tile(jnp.arange(self.size)[:, None], 2))
            advance = jax.vmap(jax.vmap(lambda body, action: self.advance(row, body, action, task)))
            after, reward, ended = advance(bodies, jnp.tile(jnp.arange(2), (self.size, 1)))
            worth = reward + jnp.where(ended, 0.0, below[after.column])
            return jnp.max(worth, axis=1), worth

        return jax.lax.scan(up, jnp.zeros(self.size), jnp.arange(self.size), reverse=True)[1]

    def observe(self, body: DeepSeaBody, task: DeepSeaTask) -> jax.Array:
        """float32 [size²]: the cell as a one-hot vector; zeros at the bottom."""
        return jax.nn.one_hot(self._number(body), self.size**2)

    def body(self, observation: jax.Array, task: Any = None) -> DeepSeaBody:
        """The body that one observation shows, whatever the task."""
        cell = jnp.where(jnp.any(observation > 0.5), jnp.argmax(observation), self.size**2).astype(jnp.int32)
        return DeepSeaBody(row=cell // self.size, column=cell % self.size)

    def position(self, observation: jax.Array) -> jax.Array:
        """Column and height over the bottom of each row, float32 [N, 2]."""
        bodies = jax.vmap(self.body)(observation)
        return jnp.stack([bodies.column, self.size - bodies.row], axis=1).astype(jnp.float32)

    def _number(self, body: DeepSeaBody) -> jax.Array:
        """int32 []: the cell's number, size² at the bottom; a body that a model imagined may lie outside."""
        row, column = (jnp.asarray(leaf).astype(jnp.int32) for leaf in (body.row, body.column))
        inside = jnp.clip(row, 0, self.size - 1) * self.size + jnp.clip(column, 0, self.size - 1)
        return jnp.where(row >= self.size, self.size**2, inside)

    def init(self, key: jax.Array, task: DeepSeaTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: DeepSeaTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


@drawing.register
def _(world: DeepSea, body: Any, task: Any) -> Strokes:
    cell, number = 1.0 / (world.size + 1), world._number(body)
    row, column = number // world.size, number % world.size

    def disc(row: Any, column: Any, wide: float, shade: float) -> tuple[Any, ...]:
        x, y = (column + 1.0) * cell, (row + 0.5) * cell
        return (x, y, x, y, wide * cell, shade)

    slope = (0.5 * cell, 0.5 * cell, 1.0 - 0.5 * cell, 1.0 - 0.5 * cell, 0.01, 0.4)
    return strokes(slope, disc(world.size - 0.5, world.size - 1.0, 0.5, 0.7), disc(row, column, 0.4, 1.0))
