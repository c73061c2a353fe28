"""From what was observed back to what can be drawn: for people who look at kept episodes, never for an agent."""

from collections.abc import Callable
from functools import singledispatch
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Box
from umwelt.worlds.acrobot import Acrobot, AcrobotBody
from umwelt.worlds.announced import Announced
from umwelt.worlds.arm import Arm, ArmBody
from umwelt.worlds.cartpole import Cartpole, CartpoleBody
from umwelt.worlds.cartpole_swingup import CartpoleSwingup
from umwelt.worlds.mountain_car import MountainCar, MountainCarBody, MountainCarContinuous
from umwelt.worlds.pendulum import Pendulum, PendulumBody
from umwelt.worlds.point_maze import MazeBody, PointMaze
from umwelt.worlds.sketch import drawing, picture

Draw = Callable[[Any, Any], jax.Array]


def drawer(world: Any) -> Draw | None:
    """From observations [N, ...] and tasks [N] to frames uint8 [N, H, W, 1 or 3]; None where there is nothing to look at.

    A world that is seen as pictures shows them, of several side by side the last.
    """
    seen = world.spec.observation
    if isinstance(seen, Box) and len(seen.shape) == 3 and seen.dtype == "uint8":
        channels = 3 if seen.shape[-1] % 3 == 0 else 1
        return lambda observation, task: jnp.asarray(observation)[..., -channels:]
    width = None
    while hasattr(world, "world"):
        inner = world.world
        if isinstance(world, Announced):
            width = inner.spec.observation.shape[0]
        elif inner.spec.observation != world.spec.observation:
            return None
        world = inner
    if posture.dispatch(type(world)) is posture.dispatch(object):
        return None

    @jax.jit
    def draw(observation: jax.Array, task: Any) -> jax.Array:
        def one(observation: jax.Array, task: Any) -> jax.Array:
            return picture(drawing(world, posture(world, observation[:width]), task))

        # one at a time: a life has many frames, and each is drawn from many strokes
        return jax.lax.map(lambda each: one(*each), (jnp.asarray(observation), task))

    return draw


@singledispatch
def posture(world: Any, observation: jax.Array) -> Any:
    """The body of one row, as far as it is drawn. A world of your own registers a function with `posture.register`."""
    raise TypeError(
        f"{type(world).__name__} does not say how its body follows from what is observed: register a function"
        " (world, observation) -> body with umwelt.worlds.posture.posture.register"
    )


@posture.register
def _(world: Pendulum, observation: jax.Array) -> PendulumBody:
    # the last torque is not observed, nor is it drawn
    return PendulumBody(
        angle=jnp.arctan2(observation[1], observation[0]), speed=observation[2], torque=jnp.zeros_like(observation[2])
    )


@posture.register
def _(world: Cartpole, observation: jax.Array) -> CartpoleBody:
    place, speed, angle, turn = observation
    return CartpoleBody(place=place, speed=speed, angle=angle, turn=turn)


@posture.register
def _(world: CartpoleSwingup, observation: jax.Array) -> CartpoleBody:
    place, speed, cosine, sine, turn = observation
    return CartpoleBody(place=place, speed=speed, angle=jnp.arctan2(sine, cosine), turn=turn)


@posture.register
def _(world: Acrobot, observation: jax.Array) -> AcrobotBody:
    angles = jnp.arctan2(observation[jnp.array([1, 3])], observation[jnp.array([0, 2])])
    return AcrobotBody(angles=angles, speeds=observation[4:])


@posture.register
def _(world: Arm, observation: jax.Array) -> ArmBody:
    joints = jnp.arctan2(observation[2:4], observation[:2])
    return ArmBody(joints=joints, button=observation[6], door=observation[7], puck=observation[8:10], peg=observation[10:])


@posture.register(MountainCar)
@posture.register(MountainCarContinuous)
def _(world: Any, observation: jax.Array) -> MountainCarBody:
    return MountainCarBody(place=observation[0], speed=observation[1])


@posture.register
def _(world: PointMaze, observation: jax.Array) -> MazeBody:
    return MazeBody(place=observation[:2], speed=observation[2:])
