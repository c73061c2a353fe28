"""Where an observation is, and what it looks like: for the eyes of people, never for the agent's.

A world whose observation tells a place of two or three dimensions says so by a method `place(observation)`, from rows
[N, ...] to float32 [N, 2] or [N, 3], x to the right and y upwards. An observation that is two or three numbers is its own place.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep
from umwelt.worlds.sketch import SIDE, drawing, picture

Place = Callable[[Any], jax.Array]


def place_of(world: Any) -> Place | None:
    """From observations [N, ...] to places float32 [N, 2 or 3]; None where the world has none."""
    if hasattr(world, "place"):
        return world.place
    seen, inside = world.spec.observation, getattr(world, "world", None)
    if inside is not None and inside.spec.observation == seen:
        return place_of(inside)
    if isinstance(seen, Box) and seen.shape in ((2,), (3,)):
        return _itself
    return None


def frame_of(world: Any) -> Callable[[Any, TimeStep], jax.Array] | None:
    """From a world's state and its last step [B, ...] to the first row as uint8 [H, W, 1 or 3], neither side longer than
    64 pixels; None where the world can neither be drawn nor is seen as pictures."""
    seen = world.spec.observation
    if isinstance(seen, Box) and len(seen.shape) == 3 and seen.dtype == "uint8":
        return _newest_picture
    innermost, layers = world, 0
    while hasattr(innermost, "world"):
        innermost, layers = innermost.world, layers + 1
    if world.spec.hosted or drawing.dispatch(type(innermost)) is drawing.dispatch(object):
        return None

    def draw(state: Any, step: TimeStep) -> jax.Array:
        for _ in range(layers):  # some wrappers have a state of their own, some pass on the world's
            state = getattr(state, "inner", state)
        body, task = jax.tree.map(lambda leaf: leaf[0], (state.body, state.task))
        return picture(drawing(innermost, body, task))

    return draw


def _itself(observation: Any) -> jax.Array:
    return jnp.asarray(observation, jnp.float32)


def _newest_picture(state: Any, step: TimeStep) -> jax.Array:
    """Of stacked pictures the newest is the last; long sides are thinned out."""
    whole = jnp.asarray(step.observation)[0]
    channels = 3 if whole.shape[-1] % 3 == 0 else 1
    high, wide = (max(1, int(np.ceil(side / SIDE))) for side in whole.shape[:2])
    return whole[::high, ::wide, -channels:]
