"""Simulate a small map of cells as a finite world: all chances stand in tables, so that what is best is known exactly."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream

LAKE = ("S...", ".O.O", "...O", "O..G")
"""Frozen lake: `S` start, `O` hole, `G` goal; Gymnasium's map of four by four."""
WAYS = ((0, -1), (1, 0), (0, 1), (-1, 0), (0, 0))
"""Left, down, right, up, as Gymnasium numbers them, and stay."""
SOONER = 0.999
"""The expert's discount: without one it may walk in circles while there is time enough."""


@struct
class TableTask:
    """moves: float32 [S, A, S], the chance of each next cell. pays: float32 [S], what it pays to enter a cell. ends: float32
    [S], 1 where entering ends the episode. first: float32 [S], the chance to begin in a cell."""

    moves: Any
    pays: Any
    ends: Any
    first: Any


@struct
class TableBody:
    """cell: int32 []."""

    cell: jax.Array


@part
class Table:
    """Walk over cells that may be slippery, to a goal that pays.

    >>> lake = Table()
    >>> start = jnp.eye(16)[:1]
    >>> round(float(lake.values(stream.default(lake, None, 1))[0, 0].max()), 2)  # the best chance, in 100 decisions
    0.74
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 100
    """Decisions after which an episode is truncated."""
    layout: tuple[str, ...] = LAKE
    """The map, one text for each row: `S` start, `.` free, `O` hole, `G` goal. Without a `G` each cell is a task's goal, which
    pays at every step; without an `S` episodes begin anywhere."""
    slips: float = 2 / 3
    """The chance that a step goes aside, evenly to both sides."""
    stays: bool = False
    """A fifth action that stays where it is."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        cells, actions = len(self._cells), 4 + self.stays
        table, cell = Box(shape=(cells, actions, cells), low=0.0, high=1.0), Box(shape=(cells,), low=0.0, high=1.0)
        return WorldSpec(
            name="table",
            observation=cell,
            action=Discrete(n=actions),
            task=TableTask(moves=table, pays=cell, ends=cell, first=cell),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, TableTask]:
        """Named tasks: the goal of the map, or one for each cell."""
        if "G" in self._cells:
            return {"goal": self._task(self._cells.index("G"))}
        wide = len(self.layout[0])
        return {f"goal {cell // wide} {cell % wide}": self._task(cell) for cell in range(len(self._cells))}

    def drawn(self, key: jax.Array) -> TableTask:
        """Draw one of the named tasks."""
        every = jax.tree.map(lambda *leaves: jnp.stack(leaves), *self.tasks().values())
        chosen = jax.random.randint(key, (), 0, len(self.tasks()))
        return jax.tree.map(lambda leaf: leaf[chosen], every)

    def begin(self, key: jax.Array, task: TableTask) -> TableBody:
        """In a cell by the chances of the task."""
        return TableBody(cell=jax.random.categorical(key, _logs(task.first)).astype(jnp.int32))

    def advance(
        self, key: jax.Array, body: TableBody, action: jax.Array, task: TableTask
    ) -> tuple[TableBody, jax.Array, jax.Array]:
        """Step, and be paid for the cell that is entered."""
        cell = jax.random.categorical(key, _logs(jnp.asarray(task.moves)[body.cell, action])).astype(jnp.int32)
        return TableBody(cell=cell), jnp.asarray(task.pays)[cell], jnp.asarray(task.ends)[cell] > 0.5

    def observe(self, body: TableBody, task: TableTask) -> jax.Array:
        """float32 [S]: the cell as a one-hot vector."""
        return jax.nn.one_hot(body.cell, len(self._cells))

    def values(self, task: TableTask, discount: float = 1.0) -> jax.Array:
        """The best return of `time_limit` decisions after each action: float32 [N, S, A], by value iteration."""
        pays, goes_on = jnp.asarray(task.pays), discount * (1.0 - jnp.asarray(task.ends))

        def sweep(_: Any, worth: jax.Array) -> jax.Array:
            return jnp.einsum("nsat,nt->nsa", task.moves, pays + goes_on * jnp.max(worth, axis=-1))

        return jax.lax.fori_loop(0, self.time_limit, sweep, jnp.zeros(jnp.shape(task.moves)[:3]))

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """Actions [N]: the best ones where all of the time is left; of those that return the same, one that is paid sooner."""
        found = self.values(stream.default(self, task, observation.shape[0]), discount=SOONER)
        cell = jnp.argmax(observation, axis=-1)
        return jnp.argmax(jnp.take_along_axis(found, cell[:, None, None], axis=1)[:, 0], axis=-1).astype(jnp.int32)

    def init(self, key: jax.Array, task: TableTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: TableTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)

    @property
    def _cells(self) -> str:
        return "".join(self.layout)

    def _task(self, goal: int) -> TableTask:
        high, wide, number = len(self.layout), len(self.layout[0]), len(self._cells)
        moves = np.zeros((number, 4 + self.stays, number))
        for cell in range(number):
            for action in range(4 + self.stays):
                aside = [(action - 1) % 4, (action + 1) % 4] if action < 4 else [action, action]
                for way, chance in zip((action, *aside), (1 - self.slips, self.slips / 2, self.slips / 2), strict=True):
                    row, column = np.clip(np.array(divmod(cell, wide)) + WAYS[way], 0, (high - 1, wide - 1))
                    moves[cell, action, row * wide + column] += chance
        marks = np.array(list(self._cells))
        first = marks == "S" if "S" in self._cells else np.ones(number)
        return stream.numbers(
            TableTask(
                moves=moves, pays=np.arange(number) == goal, ends=(marks == "O") | (marks == "G"), first=first / first.sum()
            )
        )


def _logs(chances: Any) -> jax.Array:
    return jnp.log(jnp.maximum(jnp.asarray(chances), 1e-12))
