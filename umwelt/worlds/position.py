"""Find where an observation is, and what it looks like: for people, never for the agent.

A world whose observation shows a position has the capability `position(observation)`. It goes from rows [N, ...] to
float32 [N, 2] or [N, 3], x to the right and y upwards. Two or three numbers are their own position.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, capability, innermost
from umwelt.worlds.announced import SEEN, seen_space
from umwelt.worlds.sketch import SIDE, bodies, can_draw, drawing, picture

Position = Callable[[Any], jax.Array]


def position_of(world: Any) -> Position | None:
    """Return the function from observations [N, ...] to positions float32 [N, 2 or 3]; None where the world has none."""
    found, space = capability(world, "position"), world.spec.observation
    if found is not None:
        return found
    seen = seen_space(space)
    if not isinstance(seen, Box) or seen.shape not in ((2,), (3,)):
        return None
    return _itself if seen is space else lambda observation: _itself(observation[SEEN])


def frame_of(world: Any) -> Callable[[Any, TimeStep], jax.Array] | None:
    """Return the function from a world's state and its last step [B, ...] to a frame of the first row.

    A frame is uint8 [H, W, 1 or 3], neither side longer than 64 pixels. None where the world can neither be drawn nor
    shows pictures.
    """
    seen = seen_space(world.spec.observation)
    if isinstance(seen, Box) and len(seen.shape) == 3 and seen.dtype == "uint8":
        return _newest_picture
    inside = innermost(world)
    if world.spec.hosted or not can_draw(inside):
        return None

    def draw(state: Any, step: TimeStep) -> jax.Array:
        found = bodies(world, state)
        assert found is not None
        body, task = jax.tree.map(lambda leaf: leaf[0], found[1:])
        return picture(drawing(inside, body, task))

    return draw


def _itself(observation: Any) -> jax.Array:
    return jnp.asarray(observation, jnp.float32)


def _newest_picture(state: Any, step: TimeStep) -> jax.Array:
    """The newest of stacked pictures is the last; long sides are thinned out."""
    seen = step.observation[SEEN] if isinstance(step.observation, dict) else step.observation
    whole = jnp.asarray(seen)[0]
    channels = 3 if whole.shape[-1] % 3 == 0 else 1
    high, wide = (max(1, int(np.ceil(side / SIDE))) for side in whole.shape[:2])
    return whole[::high, ::wide, -channels:]
