"""Simulate three small grids with a goal in the corner: a door and its key, lava with a gap, a wall with a gap.

Every episode draws its own layout. A line crosses the grid, from side to side or from top to bottom, and one cell of it can
be passed. All of the grid is seen, as bits. The three tasks resemble MiniGrid's DoorKey, LavaCrossing and SimpleCrossing.
Here are four moves in place of turns, and a step picks up the key or opens the door.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream

KINDS = ("key", "lava", "wall")
"""The named tasks, in the order in which a stream has them."""
KEY, LAVA, WALL = range(3)
MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))
"""What the actions add to row and column: up, down, left, right."""


@struct
class GridTask:
    """kind: int32, one of KEY, LAVA, WALL."""

    kind: Any


@struct
class GridBody:
    """agent, key: int32 [2], row and column; the key is at (-1, -1) where there is none to pick up. line: bool [size, size],
    cells of wall or lava. door: bool [size, size], the door's cell. holds: bool, the key is held. age: int32, decisions."""

    agent: jax.Array
    key: jax.Array
    line: jax.Array
    door: jax.Array
    holds: jax.Array
    age: jax.Array


@part
class Grids:
    """Cross a small grid to its corner: by a door and its key, or by a gap in lava or in a wall.

    >>> grid = Grids(batch=1)
    >>> seen = grid.init(jax.random.key(0), stream.rows(grid.tasks()["lava"], 1))[1].observation
    >>> int(seen[0, 50:75].sum())  # four cells of lava, and a gap
    4
    """

    batch: int = 32
    """Episodes in parallel."""
    time_limit: int = 30
    """Decisions after which an episode is truncated."""
    size: int = 5
    """Cells of a side."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        return WorldSpec(
            name="grids",
            observation=Box(shape=(5 * self.size**2 + 1,), low=0, high=1, dtype="uint8"),
            action=Discrete(n=len(MOVES)),
            task=GridTask(kind=Discrete(n=len(KINDS))),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, GridTask]:
        """Named tasks: a door and its key, lava with a gap, a wall with a gap."""
        return {name: GridTask(kind=np.int32(kind)) for kind, name in enumerate(KINDS)}

    def begin(self, key: jax.Array, task: GridTask) -> GridBody:
        """Draw a line with a gap, and an agent and a key on its side away from the goal."""
        turning, crossing, passing, standing, lying = jax.random.split(key, 5)
        rows, columns = jnp.indices((self.size, self.size))
        turned = jax.random.bernoulli(turning)
        # neither the goal's side nor the other is empty
        at = jax.random.randint(crossing, (), 1, self.size - 1)
        along = jax.random.randint(passing, (), 0, self.size)
        across, beside = jnp.where(turned, rows, columns), jnp.where(turned, columns, rows)
        gap, near = (across == at) & (beside == along), across < at
        agent = self._drawn(standing, near)
        locked = task.kind == KEY
        free = near & ~((rows == agent[0]) & (columns == agent[1]))
        return GridBody(
            agent=agent,
            key=jnp.where(locked, self._drawn(lying, free), -1),
            line=(across == at) & ~gap,
            door=gap & locked,
            holds=jnp.zeros((), bool),
            age=jnp.zeros((), jnp.int32),
        )

    def _drawn(self, key: jax.Array, cells: jax.Array) -> jax.Array:
        """int32 [2]: one of the cells, evenly."""
        drawn = jax.random.categorical(key, jnp.where(cells.ravel(), 0.0, -jnp.inf)).astype(jnp.int32)
        return jnp.stack([drawn // self.size, drawn % self.size])

    def advance(self, key: jax.Array, body: GridBody, action: jax.Array, task: GridTask) -> tuple[GridBody, jax.Array, jax.Array]:
        """Move by one cell, unless a wall, a side or a door without its key is there. The goal pays 1, less what the time
        took: at most a half. Lava ends the episode and pays nothing."""
        there = body.agent + jnp.asarray(MOVES, jnp.int32)[action]
        outside = jnp.any((there < 0) | (there >= self.size))
        there = jnp.clip(there, 0, self.size - 1)
        line, door = body.line[there[0], there[1]], body.door[there[0], there[1]]
        burns = task.kind == LAVA
        stopped = outside | (line & ~burns) | (door & ~body.holds)
        agent, age = jnp.where(stopped, body.agent, there), body.age + 1
        picks = jnp.all(agent == body.key)
        reached, burnt = jnp.all(agent == self.size - 1), line & burns & ~outside
        reward = jnp.where(reached, 1.0 - 0.5 * age / self.time_limit, 0.0)
        after = GridBody(
            agent=agent,
            key=jnp.where(picks, -1, body.key),
            line=body.line,
            door=body.door,
            holds=body.holds | picks,
            age=age,
        )
        return after, reward, reached | burnt

    def observe(self, body: GridBody, task: GridTask) -> jax.Array:
        """uint8 [5 size² + 1]: the cells of agent, wall, lava, door and key, and whether the key is held."""
        rows, columns = jnp.indices((self.size, self.size))
        agent, key = ((rows == each[0]) & (columns == each[1]) for each in (body.agent, body.key))
        burns = task.kind == LAVA
        planes = jnp.stack([agent, body.line & ~burns, body.line & burns, body.door, key])
        return jnp.append(planes.ravel(), body.holds).astype(jnp.uint8)

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """Actions [N]: the first step of a shortest way, to the key where one lies about, else to the goal."""
        planes = observation[:, :-1].reshape(-1, 5, self.size, self.size) > 0
        agent, key_cell, holds = planes[:, 0], planes[:, 4], observation[:, -1] > 0
        locked = planes[:, 3] & ~holds[:, None, None]
        shut = planes[:, 1] | planes[:, 2] | locked
        goal = jnp.zeros((self.size, self.size), bool).at[-1, -1].set(True)
        target = jnp.where(jnp.any(key_cell, axis=(1, 2))[:, None, None], key_cell, goal)
        far = float(self.size**2)

        def spread(_: Any, steps: jax.Array) -> jax.Array:
            return jnp.where(shut, far, jnp.minimum(steps, 1.0 + jnp.min(self._beside(steps, far), axis=0)))

        steps = jax.lax.fori_loop(0, self.size**2, spread, jnp.where(target, 0.0, far))
        return jnp.argmin(jnp.max(jnp.where(agent, self._beside(steps, far), -1.0), axis=(2, 3)), axis=0).astype(jnp.int32)

    def _beside(self, steps: jax.Array, far: float) -> jax.Array:
        """float32 [4, N, size, size]: the number in the cell that each move leads to, and `far` outside."""
        wide = jnp.pad(steps, ((0, 0), (1, 1), (1, 1)), constant_values=far)
        ends = self.size + 1
        return jnp.stack([wide[:, 1 + down : ends + down, 1 + right : ends + right] for down, right in MOVES])

    def init(self, key: jax.Array, task: GridTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: GridTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)
