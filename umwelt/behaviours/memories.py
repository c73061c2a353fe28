"""What an agent keeps in memory: the leaves of its experience, and a memory that can serve the batches of its updates."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Experience, WorldSpec, lived, spaces, zeros_step
from umwelt.core.contracts import Memory


def example(spec: WorldSpec, to_come: bool = False) -> Experience:
    """Build experience [B] of zeros with every leaf that an agent keeps: task and surprise beside the transition.

    to_come: keep the return to the episode's end as well, for a learner that reads it. A memory gives all experience the
    leaves of its example, so it takes what is shown too.
    """
    step, zeros = zeros_step(spec), jnp.zeros(spec.batch, jnp.float32)
    task = spaces.zeros(spec.task, spec.batch)
    made = lived(step, spaces.zeros(spec.action, spec.batch), step, task=task, surprise=zeros)
    return replace(made, to_come=zeros) if to_come else made


def empty(memory: Memory, example: Experience, shape: tuple[int, ...]) -> Any:
    """Begin the memory's state. Raise now, not at the first update, if it cannot serve batches of `shape`."""
    state = memory.init(example)
    try:
        jax.eval_shape(lambda key, state: memory.sample(key, state, shape), jax.random.key(0), state)
    except ValueError as error:
        raise ValueError(f"memory: {type(memory).__name__} cannot serve the batches that this agent asks for; {error}") from error
    return state
