"""Simulate a point that crosses a field of round posts, which can be done in 24 ways.

It is in the manner of the task Avoiding of "Towards diverse behaviors" (2024): six posts stand in rows of one, two and
three, so that a path goes through one of two, of three and of four gaps. A touch ends the episode.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream
from umwelt.worlds.sketch import Strokes, drawing, strokes

ROWS = (-0.5, 0.05, 0.6)
"""How high each row of posts stands; the field is [-1, 1] both ways."""
POSTS = ((0.0,), (-0.3, 0.3), (-0.6, 0.0, 0.6))
"""Where the posts of each row stand, from left to right."""
GAPS = ((-0.3, 0.3), (-0.6, 0.0, 0.6), (-0.9, -0.3, 0.3, 0.9))
"""Where the expert goes through the gaps of each row: straight below posts of the next one."""
START, LINE = -0.95, 0.95
"""How high paths begin, and where they have crossed."""
NEAR = 0.22
"""How far before a row the expert turns aside."""
ASIDE = 0.3
"""How far it goes to the side around a post, and as far ahead on the way."""
ALIGNED = 0.03
"""How near it comes to where it turns."""
ROUTES = 24
"""Ways through the field. A route of that number is any."""
GATES = {"left": -0.67, "middle": 0.0, "right": 0.67}
"""The middle of each gate on the line that is crossed."""
GATE = 0.33
"""Half the width of a gate."""


@struct
class CrossingTask:
    """route: float32 [], the way that the expert takes, 0 to 23, or 24 for the nearest gaps. goal: float32 [2], where to cross
    the line. within: float32 [], how far to the side of it a crossing may be."""

    route: Any
    goal: Any
    within: Any


@struct
class CrossingBody:
    """place: float32 [2], to the right and upwards."""

    place: jax.Array


@part
class Crossing:
    """Steer a point through a field of six posts to the line on the other side; which way does not matter.

    >>> world = Crossing()
    >>> arrived = jnp.array([[0.2, 0.96]])
    >>> [float(world.reward(arrived, arrived, arrived, world.tasks()[name])[0]) for name in ("any", "left", "middle")]
    [1.0, 0.0, 1.0]
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 80
    """Decisions after which an episode is truncated."""
    speed: float = 0.08
    """How far a decision moves the point, at most."""
    radius: float = 0.1
    """Radius of a post."""
    spread: float = 0.05
    """How far to the side of the middle an episode begins, at most."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        return WorldSpec(
            name="crossing",
            observation=Box(shape=(2,), low=-1.0, high=1.0),
            action=Box(shape=(2,), low=-1.0, high=1.0),
            task=CrossingTask(
                route=Box(low=0.0, high=ROUTES), goal=Box(shape=(2,), low=-1.0, high=1.0), within=Box(low=0.0, high=2.0)
            ),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, CrossingTask]:
        """Named tasks: cross anywhere on any way, through a gate, or on a way."""
        made = {"any": task(ROUTES)}
        made |= {name: task(ROUTES, gate) for name, gate in GATES.items()}
        return made | {f"route{route:02}": task(route) for route in range(ROUTES)}

    def begin(self, key: jax.Array, task: CrossingTask) -> CrossingBody:
        """Before the field, near its middle."""
        aside = jax.random.uniform(key, (), minval=-self.spread, maxval=self.spread)
        return CrossingBody(place=jnp.stack([aside, jnp.float32(START)]))

    def advance(
        self, key: jax.Array, body: CrossingBody, action: jax.Array, task: CrossingTask
    ) -> tuple[CrossingBody, jax.Array, jax.Array]:
        """Move; a step longer than `speed` is cut to it, and so is what leads out of the field."""
        pushed = jnp.clip(action, -1.0, 1.0)
        length = jnp.sqrt(jnp.sum(pushed**2))
        place = jnp.clip(body.place + self.speed * pushed / jnp.maximum(length, 1.0), -1.0, 1.0)
        reward, ended = self._score(place, jnp.asarray(task.goal), jnp.asarray(task.within))
        return CrossingBody(place=place), reward, ended

    def _score(self, place: jax.Array, goal: jax.Array, within: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The reward of coming to places [..., 2], and whether the episode ends there."""
        posts = jnp.asarray([(x, y) for xs, y in zip(POSTS, ROWS, strict=True) for x in xs])
        apart = jnp.sum((place[..., None, :] - posts) ** 2, axis=-1)
        touched = jnp.any(apart < self.radius**2, axis=-1)
        crossed = place[..., 1] >= LINE
        paid = crossed & (jnp.abs(place[..., 0] - goal[..., 0]) <= within)
        return paid.astype(jnp.float32), crossed | touched

    def observe(self, body: CrossingBody, task: CrossingTask) -> jax.Array:
        """float32 [2]: where the point is. The posts always stand where they do."""
        return body.place

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called."""
        return ("x", "y")

    def body(self, observation: jax.Array, task: Any = None) -> CrossingBody:
        """The body that one observation shows, whatever the task."""
        return CrossingBody(place=observation)

    def position(self, observation: jax.Array) -> jax.Array:
        """Where the point is, float32 [N, 2]."""
        return observation

    def achieved(self, observation: jax.Array) -> jax.Array:
        """The place of each row, float32 [N, 2], as a task's `goal` is."""
        return observation

    def reward(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]; `task` is the default where it is None."""
        given = stream.default(self, task, observation.shape[0])
        return self._score(next_observation, given.goal, given.within)[0]

    def continues(self, observation: jax.Array, action: jax.Array, next_observation: jax.Array, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 0 behind the line and at a post."""
        given = stream.default(self, task, observation.shape[0])
        return 1.0 - self._score(next_observation, given.goal, given.within)[1].astype(jnp.float32)

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """Actions [N]: straight ahead until a post is near, then around it, and at last to the goal.

        All routes look alike until they part, and the mean of their actions there leads into the post.
        """
        given = stream.default(self, task, observation.shape[0])
        away = jax.vmap(_aim)(observation, given) - observation
        return away / jnp.maximum(jnp.sqrt(jnp.sum(away**2, axis=-1, keepdims=True)), self.speed)

    def init(self, key: jax.Array, task: CrossingTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: CrossingTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


def task(route: int, gate: float | None = None) -> CrossingTask:
    """Cross on a way, 24 for any, and through the gate whose middle is given, None for anywhere."""
    goal = np.array([0.0 if gate is None else gate, 1.0])
    return stream.numbers(CrossingTask(route=route, goal=goal, within=2.0 if gate is None else GATE))


def modes(number: int) -> tuple[str, ...]:
    """Name `number` ways as tasks, spread evenly over all 24: the data set `modes-6` is played on `modes(6)`."""
    if not 1 <= number <= ROUTES or ROUTES % number:
        raise ValueError(f"number={number}: give a divisor of {ROUTES}, such as 6")
    return tuple(f"route{route:02}" for route in range(0, ROUTES, ROUTES // number))


def gaps(route: Any) -> tuple[Any, Any, Any]:
    """Which gap a route takes in each row, from the left. The last turns with the others, so that every fourth route, and
    every sixth, still differ in all rows."""
    first, second = route // 12, route // 4 % 3
    return first, second, (route + second + 2 * first) % 4


def route(path: jax.Array) -> jax.Array:
    """Name the way of a path [T, 2], which may stand still at its end: int32 [], -1 where it does not come past all rows."""
    found = []
    for height, posts in zip(ROWS, POSTS, strict=True):
        past = path[:, 1] >= height
        after = jnp.maximum(jnp.argmax(past), 1)
        (before_x, before_y), (after_x, after_y) = path[after - 1], path[after]
        share = (height - before_y) / jnp.maximum(after_y - before_y, 1e-6)
        crossed = before_x + jnp.clip(share, 0.0, 1.0) * (after_x - before_x)
        found.append(jnp.where(jnp.any(past), jnp.sum(crossed > jnp.asarray(posts)), -1))
    first, second, third = found
    number = 12 * first + 4 * second + (third - second - 2 * first) % 4
    return jnp.where(jnp.minimum(jnp.minimum(first, second), third) < 0, -1, number).astype(jnp.int32)


def _aim(place: jax.Array, task: CrossingTask) -> jax.Array:
    """Where the expert goes from one place, float32 [2]."""
    x, y = place
    wanted = jnp.round(task.route).astype(jnp.int32)
    # to a gate, or straight ahead over the line
    aim = jnp.where(task.within < 1.0, jnp.asarray(task.goal), jnp.stack([x, jnp.float32(1.0)]))
    for height, ways, gap in reversed(list(zip(ROWS, GAPS, gaps(wanted), strict=True))):
        middles, turn = jnp.asarray(ways), jnp.float32(height - NEAR)
        middle = middles[jnp.where(wanted < ROUTES, gap, jnp.argmin(jnp.abs(middles - x)))]
        beside = middle + jnp.sign(x - middle) * ASIDE
        far = jnp.abs(x - middle) > ASIDE + ALIGNED
        around = jnp.where(far, jnp.stack([beside, turn]), jnp.stack([middle, turn + ASIDE]))
        here = jnp.where(y < turn - ALIGNED, jnp.stack([x, turn]), around)
        aim = jnp.where(y < turn + ASIDE - ALIGNED, here, aim)
    return aim


@drawing.register
def _(world: Crossing, body: Any, task: Any) -> Strokes:
    def at(x: Any, y: Any) -> tuple[Any, Any]:
        return 0.5 + 0.5 * x, 0.5 - 0.5 * y

    posts = [(*at(x, y), *at(x, y), 0.5 * world.radius, 0.5) for xs, y in zip(POSTS, ROWS, strict=True) for x in xs]
    line = (*at(task.goal[0] - task.within, LINE), *at(task.goal[0] + task.within, LINE), 0.01, 0.35)
    return strokes(line, *posts, (*at(*body.place), *at(*body.place), 0.03, 1.0))
