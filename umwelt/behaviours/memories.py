"""An empty memory that is known to serve the lessons that will be asked of it."""

from typing import Any

import jax

from umwelt.core import Experience
from umwelt.core.contracts import Memory


def empty(memory: Memory, example: Experience, shape: tuple[int, ...]) -> Any:
    """The memory's first state. One that could never be asked for experience of `shape` says so now, and not when the
    first lesson is due, by when a life has long begun."""
    state = memory.init(example)
    try:
        jax.eval_shape(lambda key, state: memory.sample(key, state, shape), jax.random.key(0), state)
    except ValueError as error:
        raise ValueError(f"memory: {type(memory).__name__} cannot serve the lessons that this agent asks for; {error}") from error
    return state
