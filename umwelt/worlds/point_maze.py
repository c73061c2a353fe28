"""A point that slides through rooms whose doors the task opens and closes."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream

FOUR_ROOMS = (
    "#########",
    "#S..#...#",
    "#...A...#",
    "#...#...#",
    "##B###C##",
    "#...#...#",
    "#...D...#",
    "#...#...#",
    "#########",
)
"""`#` is a wall, `.` is free, `S` is where episodes begin, letters A, B ... are the doors 0, 1 ..."""

SKIN = 1e-3
"""How far from a wall the point stops, so that rounding never puts it inside."""


@struct
class MazeTask:
    """doors: float32 [D], open where above 0.5. goal: float32 [2], the place to reach (x to the right, y downwards)."""

    doors: Any
    goal: Any


@struct
class MazeBody:
    """place: float32 [2], in cells; the cell in row r and column c is [c, c + 1) x [r, r + 1). speed: float32 [2]."""

    place: jax.Array
    speed: jax.Array


@part
class PointMaze:
    """Steer a sliding point through four rooms to a goal; doors open and close with the task."""

    batch: int = 1
    """Episodes lived in parallel."""
    time_limit: int = 200
    """Decisions after which an episode is truncated."""
    layout: tuple[str, ...] = FOUR_ROOMS
    """The map, one text for each row: `#` wall, `.` free, `S` start, `A`, `B` ... doors."""
    dt: float = 0.1
    """Seconds that one decision lasts."""
    push: float = 20.0
    """Acceleration at action 1, in cells per second squared."""
    drag: float = 4.0
    """The share of its speed that the point loses per second."""
    radius: float = 0.5
    """Cells from the goal at which it is reached."""
    dense: bool = False
    """Reward the distance to the goal, negative, instead of 1 at the goal and 0 elsewhere."""
    ends: bool = True
    """Whether the episode terminates at the goal; False lets it go on, to be held there until it is truncated."""
    goals: tuple[tuple[str, float, float], ...] = ()
    """The named tasks, (name, x, y) of a goal with every door open; none for far corners and shut doors."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        high, fastest = (float(len(self.layout[0])), float(len(self.layout))), self.push / self.drag
        return WorldSpec(
            name="point_maze",
            observation=Box(shape=(4,), low=(0.0, 0.0, -fastest, -fastest), high=(*high, fastest, fastest)),
            action=Box(shape=(2,), low=-1.0, high=1.0),
            task=MazeTask(
                doors=Box(shape=(len(self._letters()),), low=0.0, high=1.0), goal=Box(shape=(2,), low=(0.0, 0.0), high=high)
            ),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, MazeTask]:
        """Named tasks: every door open and a goal in a far corner, then the farthest goal with one door shut. Those
        of `goals` where they are given."""
        letters = self._letters()
        right, low = len(self.layout[0]) - 1.5, len(self.layout) - 1.5
        goals = {"far": (right, low), "east": (right, 1.5), "south": (1.5, low), "home": (1.5, 1.5)}
        goals = {name: (x, y) for name, x, y in self.goals} or goals
        made = {name: (np.ones(len(letters)), goal) for name, goal in goals.items()}
        for letter in letters if not self.goals else ():
            made[f"far_without_{letter.lower()}"] = (np.array([letter != other for other in letters]), goals["far"])
        return {name: stream.numbers(MazeTask(doors=doors, goal=np.array(goal))) for name, (doors, goal) in made.items()}

    def begin(self, key: jax.Array, task: MazeTask) -> MazeBody:
        """At rest somewhere in the cell of the start."""
        (row,), (column,) = np.nonzero(self._cells() == "S")
        corner = np.array([column, row], np.float32)
        place = corner + jax.random.uniform(key, (2,), minval=0.2, maxval=0.8)
        return MazeBody(place=place, speed=jnp.zeros_like(place))

    def advance(self, key: jax.Array, body: MazeBody, action: jax.Array, task: MazeTask) -> tuple[MazeBody, jax.Array, jax.Array]:
        """Push and slide, first along x and then along y; a shut cell stops that part of the motion."""
        speed = body.speed + self.dt * (self.push * jnp.clip(action, -1.0, 1.0) - self.drag * body.speed)
        # Less than a cell at a time, so that no wall is jumped over.
        shift = jnp.clip(self.dt * speed, -0.9, 0.9)
        x, y = body.place
        x, hit_x = self._slide(x + shift[0], shift[0], self._shut(x + shift[0], y, task.doors))
        y, hit_y = self._slide(y + shift[1], shift[1], self._shut(x, y + shift[1], task.doors))
        place, hit = jnp.stack([x, y]), jnp.stack([hit_x, hit_y])
        reward, reached = self._score(place, task.goal)
        return MazeBody(place=place, speed=jnp.where(hit, 0.0, speed)), reward, reached & self.ends

    def _slide(self, wanted: jax.Array, shift: jax.Array, shut: jax.Array) -> tuple[jax.Array, jax.Array]:
        cell = jnp.floor(wanted)
        edge = jnp.where(shift > 0.0, cell - SKIN, cell + 1.0 + SKIN)
        return jnp.where(shut, edge, wanted), shut

    def _shut(self, x: jax.Array, y: jax.Array, doors: jax.Array) -> jax.Array:
        """bool []: whether the cell at (x, y) is a wall or a door that the task shuts. Outside is wall."""
        cells = np.pad(self._cells(), 1, constant_values="#")
        kinds = np.full(cells.shape, -1, np.int32)
        kinds[cells == "#"] = 0
        for index, letter in enumerate(self._letters()):
            kinds[cells == letter] = index + 1
        row, column = (jnp.floor(value).astype(jnp.int32) + 1 for value in (y, x))
        kind = jnp.asarray(kinds)[row, column]
        shut = jnp.concatenate([jnp.ones(1, bool), doors <= 0.5])
        return (kind >= 0) & shut[jnp.maximum(kind, 0)]

    def _score(self, place: jax.Array, goal: jax.Array) -> tuple[jax.Array, jax.Array]:
        distance = jnp.sqrt(jnp.sum((place - goal) ** 2, axis=-1))
        reached = distance <= self.radius
        return (-distance if self.dense else reached.astype(place.dtype)), reached

    def _cells(self) -> np.ndarray:
        return np.array([list(row) for row in self.layout])

    def _letters(self) -> list[str]:
        return sorted(set("".join(self.layout)) - set("#.S"))

    def observe(self, body: MazeBody, task: MazeTask) -> jax.Array:
        """float32 [4]: place and speed, along x and along y."""
        return jnp.concatenate([body.place, body.speed])

    def place(self, observation: jax.Array) -> jax.Array:
        """Where the point is, float32 [N, 2]: to the right, and above the lower edge of the map."""
        return jnp.stack([observation[:, 0], len(self.layout) - observation[:, 1]], axis=1)

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]; `task` is the default where it is None."""
        goal = (self.tasks()["far"] if task is None else task).goal
        return self._score(next_observation[:, :2], goal)[0]

    def init(self, key: jax.Array, task: MazeTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: MazeTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """One decision in every row."""
        return stream.step(self, key, state, action, next_task)
