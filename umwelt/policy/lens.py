"""Apply the layers around a world to what an environment shows, as a life did, inside the program of a policy."""

from dataclasses import replace
from typing import Any

from umwelt.core import TimeStep, zeros_step
from umwelt.worlds.announced import SEEN, Announced
from umwelt.worlds.wrapped import Wrapped


def begin(world: Any) -> Any:
    """What the layers remember before a first step of a world with its number of rows."""
    if isinstance(world, Wrapped):
        inner = world.world.spec
        return begin(world.world), world.layer.begin(inner, zeros_step(inner))
    return begin(world.world) if isinstance(world, Announced) else ()


def look(world: Any, state: Any, step: TimeStep) -> tuple[Any, TimeStep]:
    """A step of the world outside all layers as the agent sees it."""
    if isinstance(world, Wrapped):
        inner, layer = state
        inner, step = look(world.world, inner, step)
        layer, step = world.layer.on_step(layer, step)
        return (inner, layer), step
    if isinstance(world, Announced):
        whole = step.observation
        state, inside = look(world.world, state, replace(step, observation=whole[SEEN]))
        return state, replace(inside, observation={**whole, SEEN: inside.observation})
    return state, step


def outside(world: Any) -> Any:
    """The spec of a world with the observation that stands outside all layers, and the rows of `world`."""
    spec = world.spec
    if isinstance(world, Wrapped):
        return replace(spec, observation=outside(world.world).observation)
    if isinstance(world, Announced):
        return replace(spec, observation={**spec.observation, SEEN: outside(world.world).observation})
    return spec
