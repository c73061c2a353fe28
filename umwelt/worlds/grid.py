"""Simulate a grid that is drawn as text: walls, keys and doors, goals, lures, lava, and a noisy television."""

from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, keys, part, struct
from umwelt.worlds import stream
from umwelt.worlds.sketch import Strokes, drawing, strokes

FOUR_ROOMS = (
    "#########",
    "#...#...#",
    "#.S.....#",
    "#...#...#",
    "##.###.##",
    "#...#...#",
    "#.......#",
    "#...#...#",
    "#########",
)
"""Four rooms of nine cells and four gaps between them: 40 free cells."""
MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))
"""What the actions add to row and column: up, down, left, right."""
NOWHERE = (-1.0, -1.0)
"""The goal of a task in which nothing pays but letters of the layout."""


@struct
class GridTask:
    """goal: float32 [2], the cell (x to the right, y downwards) that pays 1; `NOWHERE` for none."""

    goal: Any


@struct
class GridBody:
    """cell: int32 [], the number of a free cell. taken: bool [K], keys that were picked up. opened: bool [D], doors that
    were opened. noise: float32 [television]."""

    cell: jax.Array
    taken: jax.Array
    opened: jax.Array
    noise: jax.Array


@part
class Grid:
    """Walk through a grid that is drawn as text, and find what pays in it.

    The marks of a layout: `#` wall, `.` free, `S` start (several are drawn evenly), `K` key, `D` door, and the letters of
    `rewards`. A key opens one door, whichever comes first. The cells are numbered by row, and then by column.

    >>> grid = Grid(layout=("S.K", "##D", "G.."))
    >>> body, path = grid.begin(jax.random.key(0), grid.tasks()["layout"]), []
    >>> for action in (3, 3, 1, 1, 2, 2):
    ...     body, reward, ended = grid.advance(jax.random.key(0), body, action, grid.tasks()["layout"])
    ...     path.append(int(body.cell))
    >>> path, float(reward), bool(ended)
    ([1, 2, 3, 6, 5, 4], 1.0, True)
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 100
    """Decisions after which an episode is truncated."""
    layout: tuple[str, ...] = FOUR_ROOMS
    """The map, one text for each row; outside is wall."""
    rewards: tuple[tuple[str, float], ...] = (("G", 1.0), ("g", 0.1), ("X", 0.0))
    """Letters of cells that pay whenever a decision ends in them: a goal, a lure, and lava."""
    ends: bool = True
    """Whether the episode terminates where it is paid; False lets it go on, and pays for staying too."""
    shows: Literal["cell", "numbers"] = "cell"
    """What is seen: the cell as a one-hot vector, or its place (x, y), from 0 to 1. Keys and doors follow, as bits."""
    television: int = 0
    """Entries of noise, uniform and drawn again at each decision, at the end of what is seen."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        high = (float(len(self.layout[0])), float(len(self.layout)))
        place = len(self.cells) if self.shows == "cell" else 2
        return WorldSpec(
            name="grid",
            observation=Box(shape=(place + self._count("K") + self._count("D") + self.television,), low=0.0, high=1.0),
            action=Discrete(n=len(MOVES)),
            task=GridTask(goal=Box(shape=(2,), low=NOWHERE, high=high)),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, GridTask]:
        """Named tasks: goals at the free cells nearest to the corners, and `layout`, in which its letters alone pay. That
        is the default where the layout has such letters."""
        far, right = len(self.layout) - 1, len(self.layout[0]) - 1
        corners = {"far": (far, right), "east": (0, right), "south": (far, 0), "home": (0, 0)}
        at = {name: self.cells[np.argmin(np.abs(self.cells - corner).sum(1))] for name, corner in corners.items()}
        named = {name: stream.numbers(GridTask(goal=cell[::-1])) for name, cell in at.items()}
        free = {"layout": stream.numbers(GridTask(goal=np.array(NOWHERE)))}
        return free | named if any(self._count(letter) for letter, _ in self.rewards) else named | free

    def begin(self, key: jax.Array, task: GridTask) -> GridBody:
        """At one of the starts, all keys in their places and all doors shut."""
        standing, showing = keys.split(key, "start", "noise")
        starts = np.flatnonzero(self._marks() == "S")
        if not starts.size:
            raise ValueError(f"layout={self.layout}: no cell is marked S; mark where episodes begin")
        return GridBody(
            cell=jnp.asarray(starts, jnp.int32)[jax.random.randint(standing, (), 0, starts.size)],
            taken=jnp.zeros(self._count("K"), bool),
            opened=jnp.zeros(self._count("D"), bool),
            noise=jax.random.uniform(showing, (self.television,)),
        )

    def advance(self, key: jax.Array, body: GridBody, action: jax.Array, task: GridTask) -> tuple[GridBody, jax.Array, jax.Array]:
        """Move by one cell, unless a wall is there, or a door for which no key is left."""
        marks, there = self._marks(), jnp.asarray(self.neighbours())[body.cell, action]
        doors, spots = (jnp.asarray(np.flatnonzero(marks == mark)) for mark in "DK")
        shut = (doors == there) & ~body.opened
        spare = jnp.sum(body.taken) > jnp.sum(body.opened)
        cell = jnp.where(jnp.any(shut) & ~spare, body.cell, there)
        after = GridBody(
            cell=cell,
            taken=body.taken | (spots == cell),
            opened=body.opened | (shut & spare),
            noise=jax.random.uniform(key, body.noise.shape),
        )
        pays, kinds = jnp.asarray(self.pays()), jnp.asarray(np.isin(marks, [letter for letter, _ in self.rewards]))
        reached = jnp.all(jnp.asarray(self.cells)[cell, ::-1] == task.goal)
        return after, pays[cell] + reached, (kinds[cell] | reached) & self.ends

    def observe(self, body: GridBody, task: GridTask) -> jax.Array:
        """float32 [W]: the place, the keys, the doors and the noise."""
        cell = self._number(body)
        place = jax.nn.one_hot(cell, len(self.cells)) if self.shows == "cell" else self._shares()[cell]
        return jnp.concatenate([place, *(leaf.astype(jnp.float32) for leaf in (body.taken, body.opened, body.noise))])

    def body(self, observation: jax.Array, task: Any = None) -> GridBody:
        """The body that one observation shows, whatever the task."""
        place = len(self.cells) if self.shows == "cell" else 2
        ends = np.cumsum([place, self._count("K"), self._count("D")])
        shown, taken, opened, noise = jnp.split(observation, ends)
        return GridBody(cell=self._cell(shown[None])[0], taken=taken > 0.5, opened=opened > 0.5, noise=noise)

    def position(self, observation: jax.Array) -> jax.Array:
        """The middle of the cell of each row, float32 [N, 2]: to the right, and above the lower edge of the map."""
        x, y = self.achieved(observation).T
        return jnp.stack([x + 0.5, len(self.layout) - 0.5 - y], axis=1)

    def achieved(self, observation: jax.Array) -> jax.Array:
        """The cell (x, y) of each row, float32 [N, 2], as a task's `goal` is."""
        place = len(self.cells) if self.shows == "cell" else 2
        return jnp.asarray(self.cells[:, ::-1], jnp.float32)[self._cell(observation[:, :place])]

    @property
    def cells(self) -> np.ndarray:
        """Row and column of each free cell, int64 [C, 2]; a door is free."""
        return np.argwhere(self._map() != "#")

    def neighbours(self) -> np.ndarray:
        """The cell that each of the four moves leads to, int32 [C, 4], every door open."""
        numbers = np.full(np.add(self._map().shape, 2), -1)
        numbers[tuple(self.cells.T + 1)] = np.arange(len(self.cells))
        found = np.stack([numbers[tuple((self.cells + move).T + 1)] for move in MOVES], axis=1)
        return np.where(found < 0, np.arange(len(self.cells))[:, None], found).astype(np.int32)

    def pays(self) -> np.ndarray:
        """What the layout pays in each cell, float32 [C]."""
        known = dict(self.rewards)
        return np.array([known.get(mark, 0.0) for mark in self._marks()], np.float32)

    def _cell(self, place: jax.Array) -> jax.Array:
        """int32 [N]: the cell whose place [N, C or 2] is shown."""
        if self.shows == "cell":
            return jnp.argmax(place, axis=1).astype(jnp.int32)
        away = jnp.abs(place[:, None] - self._shares())
        return jnp.argmin(jnp.sum(away, axis=2), axis=1).astype(jnp.int32)

    def _number(self, body: GridBody) -> jax.Array:
        """int32 []: the cell's number; one that a model imagined may lie outside."""
        return jnp.clip(body.cell, 0, len(self.cells) - 1).astype(jnp.int32)

    def _shares(self) -> jax.Array:
        """float32 [C, 2]: the place (x, y) of each cell, from 0 to 1."""
        return jnp.asarray(self.cells[:, ::-1] / np.maximum(np.array(self._map().shape)[::-1] - 1, 1), jnp.float32)

    def _map(self) -> np.ndarray:
        if len({len(row) for row in self.layout}) != 1:
            raise ValueError(f"layout={self.layout}: its rows differ in length; fill them up with # or .")
        return np.array([list(row) for row in self.layout])

    def _marks(self) -> np.ndarray:
        return self._map()[tuple(self.cells.T)]

    def _count(self, mark: str) -> int:
        return "".join(self.layout).count(mark)

    def init(self, key: jax.Array, task: GridTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: GridTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


@drawing.register
def _(world: Grid, body: Any, task: Any) -> Strokes:
    cell = 1.0 / max(len(world.layout), len(world.layout[0]))
    shades = {"#": 0.35, "K": 0.6, "D": 0.5, **{letter: 0.75 for letter, _ in world.rewards}}

    def disc(row: Any, column: Any, wide: float, shade: float) -> tuple[Any, ...]:
        x, y = (column + 0.5) * cell, (row + 0.5) * cell
        return (x, y, x, y, wide * cell, shade)

    things = [
        disc(row, column, 0.62 if mark == "#" else 0.3, shades[mark])
        for row, line in enumerate(world.layout)
        for column, mark in enumerate(line)
        if mark in shades
    ]
    row, column = jnp.asarray(world.cells)[world._number(body)]
    return strokes(*things, disc(task.goal[1], task.goal[0], 0.4, 0.65), disc(row, column, 0.35, 1.0))
