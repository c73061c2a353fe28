"""Draw what was observed: for a reader of kept episodes, never for an agent."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Box, capability, innermost
from umwelt.worlds.announced import SEEN, seen_space
from umwelt.worlds.sketch import can_draw, drawing, picture

Draw = Callable[[Any, Any], jax.Array]


def drawer(world: Any) -> Draw | None:
    """From observations [N, ...] and tasks [N] to frames uint8 [N, H, W, 1 or 3]; None where there is nothing to look at.

    A picture is its own frame, of several side by side the last. Another world is drawn where it has the capability `body`,
    and a function is registered with `umwelt.worlds.sketch.drawing`.
    """
    space = world.spec.observation
    seen = seen_space(space)
    if isinstance(seen, Box) and len(seen.shape) == 3 and seen.dtype == "uint8":
        channels = 3 if seen.shape[-1] % 3 == 0 else 1
        return lambda observation, task: jnp.asarray(observation if seen is space else observation[SEEN])[..., -channels:]
    inside, body = innermost(world), capability(world, "body")
    if body is None or not can_draw(inside):
        return None

    @jax.jit
    def draw(observation: Any, task: Any) -> jax.Array:
        def one(observation: Any, task: Any) -> jax.Array:
            return picture(drawing(inside, body(observation, task), task))

        # one at a time: a life has many frames, and each is drawn from many strokes
        return jax.lax.map(lambda each: one(*each), jax.tree.map(jnp.asarray, (observation, task)))

    return draw
