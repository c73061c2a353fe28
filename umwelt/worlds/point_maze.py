"""Simulate a point that slides through rooms whose doors the task opens and closes."""

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

SNAKE = (
    "###########",
    "#S........#",
    "#########.#",
    "#.........#",
    "#.#########",
    "#.........#",
    "#########.#",
    "#.........#",
    "###########",
)
"""One winding corridor of 39 cells: places that are close through a wall are far apart on foot."""

TRAP = (
    "#########",
    "#.......#",
    "#.#####.#",
    "#.....#.#",
    "#S....#.#",
    "#.....#.#",
    "#.#####.#",
    "#.......#",
    "#########",
)
"""A pocket that opens to the start: a straight path to the other side ends in it."""

SKIN = 1e-3
"""How far from a wall the point stops, so that rounding never puts it inside."""


SIDES = ((0, 1), (0, -1), (1, 0), (-1, 0))
"""The four neighbours of a cell: rows down, columns to the right."""


@struct
class MazeTask:
    """doors: float32 [D], open where above 0.5. goal: float32 [2], the position to reach (x to the right, y downwards)."""

    doors: Any
    goal: Any


@struct
class MazeBody:
    """position: float32 [2], in cells; the cell in row r and column c is [c, c + 1) x [r, r + 1). speed: float32 [2]."""

    position: jax.Array
    speed: jax.Array


@part
class PointMaze:
    """Steer a sliding point through four rooms to a goal; doors open and close with the task.

    >>> maze = PointMaze()
    >>> arrived = jnp.append(maze.tasks()["east"].goal, jnp.zeros(2))[None]
    >>> float(maze.reward(arrived, jnp.zeros((1, 2)), arrived, maze.tasks()["east"])[0])
    1.0
    """

    batch: int = 1
    """Episodes in parallel."""
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
        position = jnp.asarray(corner) + jax.random.uniform(key, (2,), minval=0.2, maxval=0.8)
        return MazeBody(position=position, speed=jnp.zeros_like(position))

    def advance(self, key: jax.Array, body: MazeBody, action: jax.Array, task: MazeTask) -> tuple[MazeBody, jax.Array, jax.Array]:
        """Push and slide, first along x and then along y; a shut cell stops that part of the motion."""
        speed = body.speed + self.dt * (self.push * jnp.clip(action, -1.0, 1.0) - self.drag * body.speed)
        # Less than a cell at a time, so that no wall is jumped over.
        shift = jnp.clip(self.dt * speed, -0.9, 0.9)
        x, y = body.position
        x, hit_x = self._slide(x + shift[0], shift[0], self._shut(x + shift[0], y, task.doors))
        y, hit_y = self._slide(y + shift[1], shift[1], self._shut(x, y + shift[1], task.doors))
        position, hit = jnp.stack([x, y]), jnp.stack([hit_x, hit_y])
        reward, reached = self._score(position, task.goal)
        return MazeBody(position=position, speed=jnp.where(hit, 0.0, speed)), reward, reached & self.ends

    def _slide(self, wanted: jax.Array, shift: jax.Array, shut: jax.Array) -> tuple[jax.Array, jax.Array]:
        cell = jnp.floor(wanted)
        edge = jnp.where(shift > 0.0, cell - SKIN, cell + 1.0 + SKIN)
        return jnp.where(shut, edge, wanted), shut

    def _shut(self, x: jax.Array, y: jax.Array, doors: jax.Array) -> jax.Array:
        """bool []: whether the cell at (x, y) is a wall or a door that the task shuts. Outside is wall."""
        row, column = (jnp.floor(value).astype(jnp.int32) + 1 for value in (y, x))
        return _shut_kinds(jnp.asarray(self._kinds())[row, column], doors)

    def _kinds(self) -> np.ndarray:
        """int32 [rows + 2, columns + 2]: -1 for free cells, 0 for walls and the frame around, 1, 2 ... for the doors."""
        cells = np.pad(self._cells(), 1, constant_values="#")
        kinds = np.full(cells.shape, -1, np.int32)
        kinds[cells == "#"] = 0
        for index, letter in enumerate(self._letters()):
            kinds[cells == letter] = index + 1
        return kinds

    def _score(self, position: jax.Array, goal: jax.Array) -> tuple[jax.Array, jax.Array]:
        distance = jnp.sqrt(jnp.sum((position - goal) ** 2, axis=-1))
        reached = distance <= self.radius
        return (-distance if self.dense else reached.astype(position.dtype)), reached

    def _cells(self) -> np.ndarray:
        return np.array([list(row) for row in self.layout])

    def _letters(self) -> list[str]:
        return sorted(set("".join(self.layout)) - set("#.S"))

    def observe(self, body: MazeBody, task: MazeTask) -> jax.Array:
        """float32 [4]: position and speed, along x and along y."""
        return jnp.concatenate([body.position, body.speed])

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called."""
        return ("x", "y", "speed along x", "speed along y")

    def body(self, observation: jax.Array, task: Any = None) -> MazeBody:
        """The body that one observation shows, whatever the task."""
        return MazeBody(position=observation[:2], speed=observation[2:])

    def position(self, observation: jax.Array) -> jax.Array:
        """Where the point is, float32 [N, 2]: to the right, and above the lower edge of the map."""
        return jnp.stack([observation[:, 0], len(self.layout) - observation[:, 1]], axis=1)

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]; `task` is the default where it is None."""
        goal = stream.default(self, task, observation.shape[0]).goal
        return self._score(next_observation[:, :2], goal)[0]

    def continues(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 0 at the goal, where episodes end there."""
        goal = stream.default(self, task, observation.shape[0]).goal
        reached = self._score(next_observation[:, :2], goal)[1]
        return 1.0 - (reached & self.ends).astype(jnp.float32)

    def achieved(self, observation: jax.Array) -> jax.Array:
        """The position of each row, float32 [N, 2], as a task's `goal` is."""
        return observation[:, :2]

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """Actions [N]: steer from the middle of one cell to that of the next, along a shortest way."""
        given = stream.default(self, task, observation.shape[0])
        waypoint = jax.vmap(self._waypoint)(observation[:, :2], given)
        return jnp.clip(2.0 * (waypoint - observation[:, :2]) - 0.3 * observation[:, 2:], -1.0, 1.0)

    def _waypoint(self, position: jax.Array, task: MazeTask) -> jax.Array:
        """float32 [2]: the middle of the next cell on a shortest way to the goal, or the goal from its own cell."""
        far = self._steps_from(task)
        row, column = (jnp.floor(value).astype(jnp.int32) + 1 for value in (position[1], position[0]))
        around = jnp.stack([far[row + down, column + right] for down, right in SIDES])
        down, right = jnp.asarray(SIDES)[jnp.argmin(around)]
        middle = jnp.stack([column + right, row + down]).astype(position.dtype) - 0.5
        return jnp.where(jnp.min(around) < far[row, column], middle, task.goal)

    def _steps_from(self, task: MazeTask) -> jax.Array:
        """float32 [rows + 2, columns + 2]: steps from each cell to the goal's, infinite where there is no way."""
        shut = _shut_kinds(jnp.asarray(self._kinds()), task.doors)
        column, row = (jnp.floor(value).astype(jnp.int32) + 1 for value in task.goal)
        start = jnp.full(shut.shape, jnp.inf).at[row, column].set(0.0)

        def spread(_: Any, far: jax.Array) -> jax.Array:
            nearest = jnp.min(jnp.stack([jnp.roll(far, (-down, -right), (0, 1)) for down, right in SIDES]), axis=0)
            return jnp.where(shut, jnp.inf, jnp.minimum(far, nearest + 1.0))

        return jax.lax.fori_loop(0, shut.size, spread, start)

    def init(self, key: jax.Array, task: MazeTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: MazeTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


def _shut_kinds(kinds: jax.Array, doors: jax.Array) -> jax.Array:
    """bool: which cells of these kinds are walls, or doors that the task shuts."""
    shut = jnp.concatenate([jnp.ones(1, bool), doors <= 0.5])
    return (kinds >= 0) & shut[jnp.maximum(kinds, 0)]
