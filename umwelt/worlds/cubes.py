"""Simulate a student instead of a body: tasks are places in a cube, and competence spreads from cell to cell.

The rules are those of the toy student of "Teacher algorithms for curriculum learning of Deep RL in continuously
parameterized environments" (2019). They isolate the teacher: whatever is learned depends on the order of tasks alone.
"""

import itertools
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import FIRST, TERMINATED, Box, Discrete, TimeStep, WorldSpec, part, struct

MOST, ENOUGH = 100.0, 75.0
"""The highest competence of a cell; a cell opens its neighbours from ENOUGH on, and is mastered above it."""


@struct
class CubesTask:
    """place: float32 [dimensions + useless], a place in the unit cube; its cell is what is practised."""

    place: Any


@struct
class CubesState:
    """competence: float32 [B, cells], from 0 to MOST. start: int32 [B], the cell that is open at first. task: [B, ...].
    kind: int8 [B]."""

    competence: jax.Array
    start: jax.Array
    task: CubesTask
    kind: jax.Array


@part
class Cubes:
    """Practise one cell of a cube in each episode; a cell can be learned once a neighbour is known well.

    Each row is a student of its own, and its competence lasts from episode to episode. The action has no effect. The
    reward is the share of full competence after the practice. What is learned is read by `mastered`: a probe begins
    with a new student.

    >>> world = Cubes(side=2)
    >>> state, step = world.init(jax.random.key(0), CubesTask(place=jnp.zeros((1, 2))))
    >>> onward = jax.jit(world.step)
    >>> for _ in range(152):  # every other step begins an episode
    ...     state, step = onward(jax.random.key(0), state, jnp.zeros(1, jnp.int32), state.task)
    >>> float(world.mastered(state)[0])  # one of four cells
    25.0
    """

    batch: int = 1
    """Students beside each other."""
    side: int = 10
    """Cells along each dimension."""
    dimensions: int = 2
    """Dimensions of the cube in which cells lie."""
    useless: int = 0
    """Further dimensions of a task, which change nothing."""
    unlearnable: float = 0.0
    """The share of tasks, at the far end of the first dimension, in which nothing is ever learned."""
    spread: Literal["forward", "around"] = "forward"
    """Which neighbours open a cell: those before it, diagonals included, or the nearest ones on all sides."""
    start: tuple[int, ...] = ()
    """The cell that is open at first; empty for the first corner."""
    drawn: bool = False
    """Draw the first cell of each student evenly, in place of `start`."""
    walls: tuple[tuple[int, ...], ...] = ()
    """Cells in which nothing is learned."""
    forget: float = 0.0
    """How often the competence of all cells halves in one episode: 1 / 3000 for a half-life of 3,000 episodes."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name; the observation is the competence of all cells, from 0 to 1."""
        self._checked()
        return WorldSpec(
            name="cubes",
            observation=Box(shape=(self.cells,), low=0.0, high=1.0),
            action=Discrete(n=1),
            task=CubesTask(place=Box(shape=(self.dimensions + self.useless,), low=0.0, high=1.0)),
            batch=self.batch,
        )

    @property
    def cells(self) -> int:
        """Cells of the cube."""
        return self.side**self.dimensions

    def tasks(self) -> dict[str, CubesTask]:
        """Named tasks: the first corner, the middle and the last corner."""
        width, half = self.dimensions + self.useless, 0.5 / self.side
        named = {"first": half, "middle": 0.5, "last": 1.0 - half}
        return {name: CubesTask(place=np.full(width, value, np.float32)) for name, value in named.items()}

    def practise(self, competence: jax.Array, start: jax.Array, place: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Let one student practise: competence [cells], start [], place [D] -> the competence, and the result []."""
        cell, learnable = self._cell(place)
        near = jnp.asarray(self._neighbours())[cell]
        opened = jnp.any((near >= 0) & (competence[near] >= ENOUGH)) | (cell == start)
        gain = (opened & learnable).astype(competence.dtype)
        kept = competence * 2.0**-self.forget if self.forget else competence
        after = kept.at[cell].set(jnp.minimum(kept[cell] + gain, MOST))
        return after, jnp.where(learnable, after[cell] / MOST, 0.0)

    def mastered(self, state: CubesState) -> jax.Array:
        """Percent of cells that each student has mastered, of those that are no walls: float32 [B]."""
        free = self.cells - len(set(self.walls))
        return 100.0 * jnp.sum(state.competence > ENOUGH, axis=1) / free

    def init(self, key: jax.Array, task: CubesTask) -> tuple[CubesState, TimeStep]:
        """Begin with students that know nothing."""
        first = jnp.asarray(np.ravel_multi_index(self.start or (0,) * self.dimensions, self._shape), jnp.int32)
        free = jnp.asarray([cell for cell in range(self.cells) if cell not in self._walled()], jnp.int32)
        drawn = jax.random.choice(key, free, (self.batch,))
        state = CubesState(
            competence=jnp.zeros((self.batch, self.cells), jnp.float32),
            start=drawn if self.drawn else jnp.full(self.batch, first),
            task=task,
            kind=jnp.full(self.batch, FIRST, jnp.int8),
        )
        return state, self._seen(state, jnp.zeros(self.batch, jnp.float32))

    def step(self, key: jax.Array, state: CubesState, action: jax.Array, next_task: CubesTask) -> tuple[CubesState, TimeStep]:
        """Practise in each row, or begin an episode where the last one had ended."""
        ended = state.kind >= TERMINATED
        after, result = jax.vmap(self.practise)(state.competence, state.start, state.task.place)
        state = CubesState(
            competence=jnp.where(ended[:, None], state.competence, after),
            start=state.start,
            task=CubesTask(place=jnp.where(ended[:, None], next_task.place, state.task.place)),
            kind=jnp.where(ended, FIRST, TERMINATED).astype(jnp.int8),
        )
        return state, self._seen(state, jnp.where(ended, 0.0, result))

    def _seen(self, state: CubesState, reward: jax.Array) -> TimeStep:
        return TimeStep(kind=state.kind, observation=state.competence / MOST, reward=reward)

    def _cell(self, place: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The number of the cell of a place, and whether anything can be learned there."""
        inside = place[: self.dimensions]
        if self.unlearnable:
            inside = inside.at[0].divide(1.0 - self.unlearnable)
        at = jnp.clip(jnp.floor(inside * self.side).astype(jnp.int32), 0, self.side - 1)
        cell = jnp.sum(at * jnp.asarray([self.side**power for power in range(self.dimensions)][::-1]))
        walled = jnp.asarray(np.isin(np.arange(self.cells), self._walled()))
        return cell, (inside[0] <= 1.0) & ~walled[cell]

    @property
    def _shape(self) -> tuple[int, ...]:
        return (self.side,) * self.dimensions

    def _walled(self) -> list[int]:
        return [int(np.ravel_multi_index(wall, self._shape)) for wall in self.walls]

    def _neighbours(self) -> np.ndarray:
        """int32 [cells, K]: the cells that open each cell; -1 where there is none."""
        if self.spread == "forward":
            steps = np.array([step for step in itertools.product((0, -1), repeat=self.dimensions) if any(step)])
        else:
            steps = np.concatenate([np.eye(self.dimensions, dtype=int), -np.eye(self.dimensions, dtype=int)])
        places = np.stack(np.unravel_index(np.arange(self.cells), self._shape), axis=-1)[:, None] + steps
        inside = np.all((places >= 0) & (places < self.side), axis=-1)
        found = np.ravel_multi_index(tuple(np.moveaxis(np.clip(places, 0, self.side - 1), -1, 0)), self._shape)
        return np.where(inside, found, -1).astype(np.int32)

    def _checked(self) -> None:
        if self.side < 1 or self.dimensions < 1 or self.useless < 0:
            raise ValueError(f"side={self.side}, dimensions={self.dimensions}, useless={self.useless}: give 1, 1 and 0 at least")
        if not 0.0 <= self.unlearnable < 1.0:
            raise ValueError(f"unlearnable={self.unlearnable} must be a share from 0 to below 1")
        if self.forget < 0.0:
            raise ValueError(f"forget={self.forget} must not be negative")
        if self.start and len(self.start) != self.dimensions:
            raise ValueError(f"start={self.start} needs one number for each of {self.dimensions} dimensions")
