"""Draw the built-in worlds by pure functions: strokes, and a picture of them.

A drawing is a list of strokes in a square whose sides are 0 .. 1, x to the right and y downwards. A
disc is a stroke that goes nowhere. Later strokes cover earlier ones.
"""

import itertools
from functools import singledispatch
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import innermost, layers, struct
from umwelt.worlds.acrobot import Acrobot
from umwelt.worlds.arm import BUTTON, HINGE, HOLE, LENGTHS, MARK, Arm, handle, tip
from umwelt.worlds.cartpole import Cartpole
from umwelt.worlds.cartpole_swingup import CartpoleSwingup
from umwelt.worlds.mountain_car import MountainCar, MountainCarContinuous
from umwelt.worlds.pendulum import Pendulum
from umwelt.worlds.point_maze import PointMaze

SIDE = 64
"""Pixels of a side."""


@struct
class Strokes:
    """ends: float32 [S, 4], x0, y0, x1, y1. thickness: float32 [S], half of it. shade: float32 [S], 0 .. 1 on black."""

    ends: jax.Array
    thickness: jax.Array
    shade: jax.Array


def picture(strokes: Strokes) -> jax.Array:
    """uint8 [64, 64, 1], with edges one pixel soft."""
    centres = (jnp.arange(SIDE, dtype=jnp.float32) + 0.5) / SIDE
    x, y = centres[None, :, None], centres[:, None, None]
    x0, y0, x1, y1 = strokes.ends.T
    along_x, along_y = x1 - x0, y1 - y0
    length = jnp.maximum(along_x**2 + along_y**2, 1e-12)
    share = jnp.clip(((x - x0) * along_x + (y - y0) * along_y) / length, 0.0, 1.0)
    distance = jnp.sqrt((x - x0 - share * along_x) ** 2 + (y - y0 - share * along_y) ** 2)
    cover = jnp.clip((strokes.thickness - distance) * SIDE + 0.5, 0.0, 1.0)
    shown = jnp.zeros((SIDE, SIDE))
    for index in range(strokes.shade.shape[0]):
        shown = shown + cover[..., index] * (strokes.shade[index] - shown)
    return jnp.round(255.0 * shown).astype(jnp.uint8)[..., None]


def strokes(*each: tuple[Any, ...]) -> Strokes:
    """Strokes of (x0, y0, x1, y1, thickness, shade)."""
    rows = jnp.stack([jnp.stack([jnp.asarray(number, jnp.float32) for number in one]) for one in each])
    return Strokes(ends=rows[:, :4], thickness=rows[:, 4], shade=rows[:, 5])


def bodies(world: Any, state: Any) -> tuple[Any, Any, Any] | None:
    """Find the innermost world, and the bodies and tasks in the state of what it is wrapped in.

    None where no function draws that world.
    """
    for _ in list(layers(world))[1:]:  # some wrappers have a state of their own, some pass on the world's
        state = getattr(state, "inner", state)
    world = innermost(world)
    return (world, state.body, state.task) if can_draw(world) else None


def require_drawing(world: Any) -> None:
    """Raise a TypeError, which says what to do, where no function draws the innermost world."""
    inside = innermost(world)
    if not can_draw(inside):
        drawing(inside, None, None)


def can_draw(world: Any) -> bool:
    """True where a function draws this world."""
    return drawing.dispatch(type(world)) is not drawing.dispatch(object)


@singledispatch
def drawing(world: Any, body: Any, task: Any) -> Strokes:
    """The strokes of one row of a world. A world of your own registers a function with `drawing.register`."""
    raise TypeError(
        f"{type(world).__name__} cannot be drawn: register a function (world, body, task) -> Strokes"
        " with umwelt.worlds.sketch.drawing.register, or use a world whose observation is a picture"
    )


@drawing.register
def _(world: Pendulum, body: Any, task: Any) -> Strokes:
    reach = 0.28 * jnp.minimum(task.length, 1.5)
    x, y = 0.5 + reach * jnp.sin(body.angle), 0.5 - reach * jnp.cos(body.angle)
    return strokes((0.5, 0.5, x, y, 0.03, 0.6), (x, y, x, y, 0.07, 1.0))


@drawing.register(Cartpole)
@drawing.register(CartpoleSwingup)
def _(world: Any, body: Any, task: Any) -> Strokes:
    scale = 0.45 / (1.2 * world.track)
    x, reach = 0.5 + scale * jnp.clip(body.position, -1.2 * world.track, 1.2 * world.track), 0.3 * jnp.sqrt(2.0 * task.length)
    top_x, top_y = x + reach * jnp.sin(body.angle), 0.6 - reach * jnp.cos(body.angle)
    goal = 0.5 + scale * task.goal
    return strokes(
        (0.0, 0.64, 1.0, 0.64, 0.01, 0.3),
        (goal, 0.7, goal, 0.7, 0.02, 0.4),
        (x - 0.06, 0.6, x + 0.06, 0.6, 0.04, 0.6),
        (x, 0.6, top_x, top_y, 0.025, 1.0),
    )


@drawing.register
def _(world: Acrobot, body: Any, task: Any) -> Strokes:
    first, second = body.angles[0], body.angles[0] + body.angles[1]
    # the lower link is 1 m long whatever the task; the picture holds both, however long the upper one is
    unit = 0.21 * jnp.minimum(1.0, 2.0 / (1.0 + task.length))
    elbow = (0.5 + unit * task.length * jnp.sin(first), 0.5 + unit * task.length * jnp.cos(first))
    tip = (elbow[0] + unit * jnp.sin(second), elbow[1] + unit * jnp.cos(second))
    line = 0.5 - unit * task.goal
    return strokes((0.0, line, 1.0, line, 0.01, 0.3), (0.5, 0.5, *elbow, 0.03, 0.6), (*elbow, *tip, 0.03, 1.0))


@drawing.register
def _(world: Arm, body: Any, task: Any) -> Strokes:
    def at(place: Any) -> tuple[Any, Any]:
        return 0.5 + 0.4 * place[0], 0.5 - 0.4 * place[1]

    def dot(place: Any, wide: float, shade: float) -> tuple[Any, ...]:
        return (*at(place), *at(place), wide, shade)

    first = body.joints[0]
    elbow = at(LENGTHS[0] * jnp.stack([jnp.cos(first), jnp.sin(first)]))
    down = BUTTON - jnp.stack([jnp.float32(0.0), body.button])
    return strokes(
        dot(MARK, 0.06, 0.25),
        dot(HOLE, 0.06, 0.25),
        (*at(HINGE), *at(handle(body.door)), 0.02, 0.5),
        dot(down, 0.05, 0.6),
        dot(body.puck, 0.06, 0.7),
        dot(body.peg, 0.04, 0.85),
        (0.5, 0.5, *elbow, 0.03, 0.6),
        (*elbow, *at(tip(body.joints)), 0.03, 1.0),
    )


@drawing.register(MountainCar)
@drawing.register(MountainCarContinuous)
def _(world: Any, body: Any, task: Any) -> Strokes:
    def height(place: Any) -> Any:
        return 0.55 - 0.25 * jnp.sin(3.0 * place)

    def across(place: Any) -> Any:
        return (place - world.low) / (world.high - world.low)

    places = np.linspace(world.low, world.high, 13)
    hill = [(across(a), height(a), across(b), height(b), 0.01, 0.4) for a, b in itertools.pairwise(places)]
    flag, car = (across(task.goal), height(task.goal)), (across(body.position), height(body.position) - 0.03)
    return strokes(*hill, (*flag, flag[0], flag[1] - 0.12, 0.012, 0.7), (*car, *car, 0.05, 1.0))


@drawing.register
def _(world: PointMaze, body: Any, task: Any) -> Strokes:
    rows, columns = len(world.layout), len(world.layout[0])
    cell = 1.0 / max(rows, columns)
    cells, letters = np.array([list(row) for row in world.layout]), sorted(set("".join(world.layout)) - set("#.S"))

    def block(row: int, column: int, shade: Any) -> tuple[Any, ...]:
        # a square, as a short thick stroke would be round
        middle = ((column + 0.5) * cell, (row + 0.5) * cell)
        return (*middle, *middle, 0.62 * cell, shade)

    walls = [block(row, column, 0.35) for row, column in np.argwhere(cells == "#")]
    doors = [
        block(row, column, jnp.where(task.doors[index] > 0.5, 0.0, 0.25))
        for index, letter in enumerate(letters)
        for row, column in np.argwhere(cells == letter)
    ]

    def disc(centre: Any, wide: float, shade: float) -> tuple[Any, ...]:
        x, y = centre * cell
        return (x, y, x, y, wide * cell, shade)

    return strokes(*walls, *doors, disc(task.goal, world.radius, 0.65), disc(body.position, 0.35, 1.0))
