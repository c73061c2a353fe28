"""Begin episodes where others have been: a world around a pure world, with a shelf of its states.

"Go-Explore: a new approach for hard-exploration problems" (2019): remember places, return to one, and explore from there.
In a pure world a state is a value, so a return is a copy. Randomness comes from the key of each step, so a row that has
returned does not see the future.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import FIRST, Discrete, TimeStep, WorldSpec, part, select, struct
from umwelt.networks.cells import cells_of, slots_of
from umwelt.worlds.stream import StreamState

Cells = Callable[[Any], jax.Array]
"""Observations [N, ...] -> int32 [N], the cell that each lies in."""


@struct
class RestartedTask:
    """inner: a task of the world inside. start: int32, 0 for its usual beginning, k for the state of cell k - 1."""

    inner: Any
    start: Any


@struct
class Shelf:
    """One entry for each cell [K]. state, observation: of the world inside, as they were. score: float32, rewards on the way
    there. steps: int32, decisions on the way there. parent: int32, the cell before, -1 for none. visits: int32. held: bool,
    False where the entry is empty. over: bool, an episode terminated there, so no other begins there."""

    state: Any
    observation: Any
    score: jax.Array
    steps: jax.Array
    parent: jax.Array
    visits: jax.Array
    held: jax.Array
    over: jax.Array


@struct
class RestartedState:
    """inner: the state of the world inside. shelf: shared by all rows. score, steps: float32 and int32 [B], since the usual
    beginning. cell: int32 [B], where each row is, and -1 before any."""

    inner: Any
    shelf: Shelf
    score: jax.Array
    steps: jax.Array
    cell: jax.Array


@part
class Tiles:
    """Number the cells of a grid over some entries of a flat observation.

    >>> tiles = Tiles(entries=(0, 1), low=(0.0, 0.0), high=(9.0, 9.0), bins=(9, 9))
    >>> int(tiles(jnp.array([[1.5, 2.5, 0.3]]))[0])
    11
    """

    entries: tuple[int, ...]
    """Entries of the observation."""
    low: tuple[float, ...]
    """The lower edge of each."""
    high: tuple[float, ...]
    """The upper edge of each."""
    bins: tuple[int, ...]
    """Into how many bins each is divided."""

    def __call__(self, observation: jax.Array) -> jax.Array:
        """Find the cell of each row: float32 [N, F] -> int32 [N]."""
        return cells_of(observation[:, jnp.asarray(self.entries)], self.low, self.high, self.bins)


@part
class Places:
    """Number what is seen where one of the first entries is one, and bits follow: the place and the bits.

    >>> int(Places(places=3, bits=2)(jnp.array([[0.0, 1.0, 0.0, 1.0, 0.0]]))[0])
    6
    """

    places: int
    """Entries of which one is one."""
    bits: int = 0
    """Entries after them that are zero or one."""

    def __call__(self, observation: jax.Array) -> jax.Array:
        """Find the cell of each row: float32 [N, F] -> int32 [N]."""
        at = jnp.argmax(observation[:, : self.places], axis=1)
        bits = observation[:, self.places : self.places + self.bits] > 0.5
        return (at * 2**self.bits + bits @ (2 ** jnp.arange(self.bits)[::-1])).astype(jnp.int32)


@part
class Rounded:
    """Number any observation: its numbers are rounded, and hashed into slots.

    >>> seen = jnp.array([[0.1, 2.0], [0.2, 2.1], [0.9, 2.0]])
    >>> first, second, third = Rounded(edge=0.5, slots=4096)(seen).tolist()
    >>> int(first == second), int(first == third)
    (1, 0)
    """

    edge: float = 0.5
    """The width of a step of rounding, in units of the observation."""
    slots: int = 4096
    """How many cells there are, a power of two; two observations share one about once in so many."""

    def __call__(self, observation: Any) -> jax.Array:
        """Find the cell of each row: leaves [N, ...] -> int32 [N]."""
        if self.slots < 2 or self.slots & (self.slots - 1):
            raise ValueError(f"slots={self.slots}: a power of two such as 4096 is needed, because the hash keeps whole bits")
        leaves = [jnp.asarray(leaf, jnp.float32).reshape(leaf.shape[0], -1) for leaf in jax.tree.leaves(observation)]
        codes = jnp.floor(jnp.concatenate(leaves, axis=1) / self.edge).astype(jnp.int32)
        odds = jax.random.bits(jax.random.key(0), codes.shape[1:], jnp.uint32) | 1
        return slots_of(codes, odds, self.slots)


@part
class Restarted:
    """A pure world whose episodes may begin at a stored state; the task says which.

    The number of a cell is its place on the shelf. An entry is replaced where its cell is reached with a higher score, or
    with the same score in fewer decisions. The shelf is shared by all rows, so this wrapper stands outside the others. It
    keeps states of one inner task: a row that returns goes on under the task of the stored state.

    >>> from umwelt.worlds.point_maze import PointMaze
    >>> from umwelt.worlds.stream import rows

    >>> world = Restarted(world=PointMaze(), cells=Tiles(entries=(0, 1), low=(0, 0), high=(9, 9), bins=(9, 9)), slots=81)

    >>> state, step = world.init(jax.random.key(0), rows(world.tasks()["far"], 1))
    >>> int(state.shelf.held.sum())  # the cell in which the episode begins
    1
    """

    world: Any
    """The world inside: pure, with the leading axis of its rows in all of its state."""
    cells: Cells
    """Which cell an observation lies in."""
    slots: int
    """How many cells there are."""
    keeps: Cells | None = None
    """Which observations [N] are worth a place, bool [N]; None keeps all."""

    passes = ("position", "reward", "continues", "expert", "guard", "body", "observe", "advance", "observation_names")
    """Capabilities of the world inside that hold here too."""
    cites = ("go_explore_2019",)
    returns = "copy"
    """How a row comes back to a stored state."""

    @property
    def inner(self) -> Any:
        """The world inside."""
        return self.world

    def project(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a capability of the world inside: its own task."""
        task = arguments.get("task")
        return arguments | {"task": task.inner} if isinstance(task, RestartedTask) else arguments

    @property
    def spec(self) -> WorldSpec:
        """The inner spec, with a start in the task."""
        inner = self.world.spec
        if inner.hosted:
            raise TypeError(f"Restarted copies states, and {inner.name!r} is hosted; take a pure world")
        return replace(inner, task=RestartedTask(inner=inner.task, start=Discrete(n=self.slots + 1)))

    def tasks(self) -> dict[str, Any]:
        """The inner world's, from their usual beginnings."""
        return {name: RestartedTask(inner=task, start=np.int32(0)) for name, task in self.world.tasks().items()}

    def achieved(self, observation: Any) -> jax.Array:
        """The start that would begin in the cell of each observation: int32 [N]."""
        return self._cell(observation) + 1

    def init(self, key: jax.Array, task: RestartedTask) -> tuple[RestartedState, TimeStep]:
        """Begin an episode in every row, each at its usual beginning: the shelf is empty."""
        inner, step = self.world.init(key, task.inner)
        batch, slots = self.spec.batch, self.slots
        shelf = Shelf(
            state=jax.tree.map(lambda leaf: jnp.zeros((slots, *leaf.shape[1:]), leaf.dtype), inner),
            observation=jax.tree.map(lambda leaf: jnp.zeros((slots, *leaf.shape[1:]), leaf.dtype), step.observation),
            score=jnp.zeros(slots, jnp.float32),
            steps=jnp.zeros(slots, jnp.int32),
            parent=jnp.full(slots, -1, jnp.int32),
            visits=jnp.zeros(slots, jnp.int32),
            held=jnp.zeros(slots, bool),
            over=jnp.zeros(slots, bool),
        )
        none = jnp.zeros(batch, jnp.int32)
        state = RestartedState(inner=inner, shelf=shelf, score=none.astype(jnp.float32), steps=none, cell=none - 1)
        return self._shelved(state, step), step

    def step(
        self, key: jax.Array, state: RestartedState, action: Any, next_task: RestartedTask
    ) -> tuple[RestartedState, TimeStep]:
        """Take one decision in every row; a row that begins copies the entry of its start, where there is one."""
        inner, step = self.world.step(key, state.inner, action, next_task.inner)
        shelf, entry = state.shelf, jnp.clip(next_task.start - 1, 0, self.slots - 1)
        back = step.first & (next_task.start > 0) & shelf.held[entry] & ~shelf.over[entry]
        stored, seen = jax.tree.map(lambda leaf: leaf[entry], (shelf.state, shelf.observation))
        step = replace(step, observation=select(back, seen, step.observation))
        moved = RestartedState(
            inner=select(back, _young(stored), inner),
            shelf=shelf,
            score=jnp.where(step.first, jnp.where(back, shelf.score[entry], 0.0), state.score + step.reward),
            steps=jnp.where(step.first, jnp.where(back, shelf.steps[entry], 0), state.steps + 1),
            cell=jnp.where(step.first, jnp.where(back, shelf.parent[entry], -1), state.cell),
        )
        return self._shelved(moved, step), step

    def chain(self, shelf: Shelf, cell: jax.Array, longest: int) -> jax.Array:
        """Follow the cells back from `cell` to the beginning: int32 [longest], padded with -1.

        Entries are replaced one by one, so a way that pays may come to lead in a circle; the chain ends before it closes.
        """

        def back(held: Any, _: None) -> tuple[Any, jax.Array]:
            at, passed = held
            at = jnp.where((at < 0) | passed[at], -1, at)
            passed = passed.at[jnp.where(at < 0, self.slots, at)].set(True, mode="drop")
            return (jnp.where(at < 0, -1, shelf.parent[at]), passed), at

        begun = jnp.asarray(cell, jnp.int32), jnp.zeros(self.slots, bool)
        return jax.lax.scan(back, begun, None, length=longest)[1]

    def _cell(self, observation: Any) -> jax.Array:
        return jnp.clip(self.cells(observation), 0, self.slots - 1).astype(jnp.int32)

    def _shelved(self, state: RestartedState, step: TimeStep) -> RestartedState:
        """Count the visits of all rows, and store those that are better than what is there."""
        shelf, cell = state.shelf, self._cell(step.observation)
        parent = jnp.where(cell == state.cell, shelf.parent[cell], state.cell)
        better = (state.score > shelf.score[cell]) | ((state.score == shelf.score[cell]) & (state.steps < shelf.steps[cell]))
        offered = ~shelf.held[cell] | better
        if self.keeps is not None:
            offered &= self.keeps(step.observation)
        slot = jnp.where(self._best(offered, cell, state.score, state.steps), cell, self.slots)

        def put(held: jax.Array, new: jax.Array) -> jax.Array:
            return held.at[slot].set(new, mode="drop")

        after = Shelf(
            state=jax.tree.map(put, shelf.state, state.inner),
            observation=jax.tree.map(put, shelf.observation, step.observation),
            score=put(shelf.score, state.score),
            steps=put(shelf.steps, state.steps),
            parent=put(shelf.parent, parent),
            visits=shelf.visits.at[cell].add(1),
            held=put(shelf.held, jnp.ones(cell.shape, bool)),
            over=put(shelf.over, step.terminated),
        )
        return replace(state, shelf=after, cell=cell)

    def _best(self, offered: jax.Array, cell: jax.Array, score: jax.Array, steps: jax.Array) -> jax.Array:
        """Which of the offered rows wins its cell: the highest score, then the fewest steps, then the lowest row."""
        for worth in (score, -steps.astype(jnp.float32), -jnp.arange(cell.shape[0], dtype=jnp.float32)):
            most = jnp.full(self.slots, -jnp.inf).at[cell].max(jnp.where(offered, worth, -jnp.inf))
            offered &= worth >= most[cell]
        return offered


def _young(state: Any) -> Any:
    """The same state at age 0, of an episode that has not ended."""

    def young(node: Any) -> Any:
        if not isinstance(node, StreamState):
            return node
        return replace(node, age=jnp.zeros_like(node.age), kind=jnp.full_like(node.kind, FIRST))

    return jax.tree.map(young, state, is_leaf=lambda node: isinstance(node, StreamState))
