"""What an agent keeps in memory: the leaves of its experience, and a memory that can serve the batches of its updates."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Experience, WorldSpec, lived, spaces, zeros_step
from umwelt.core.contracts import Memory
from umwelt.networks.form import Form


def example(spec: WorldSpec, to_come: bool = False) -> Experience:
    """Build experience [B] of zeros with every leaf that an agent keeps: task and surprise beside the transition.

    to_come: keep the return to the episode's end as well, for a learner that reads it.
    """
    step, zeros = zeros_step(spec), jnp.zeros(spec.batch, jnp.float32)
    task = spaces.zeros(spec.task, spec.batch)
    made = lived(step, spaces.zeros(spec.action, spec.batch), step, task=task, surprise=zeros)
    return replace(made, to_come=zeros) if to_come else made


def fitted(experience: Experience, task: Form, to_come: bool = False) -> Experience:
    """Give experience the leaves of `example`: an unknown task is zeros, and what was not measured is NaN."""
    lead = experience.origin.shape
    unknown = jnp.full(lead, jnp.nan, jnp.float32)
    return replace(
        experience,
        task=spaces.zeros(task.space, *lead) if experience.task is None else experience.task,
        surprise=unknown if experience.surprise is None else experience.surprise,
        to_come=(unknown if experience.to_come is None else experience.to_come) if to_come else None,
    )


def empty(memory: Memory, example: Experience, shape: tuple[int, ...]) -> Any:
    """Begin the memory's state. Raise now, not at the first update, if it cannot serve batches of `shape`."""
    state = memory.init(example)
    try:
        jax.eval_shape(lambda key, state: memory.sample(key, state, shape), jax.random.key(0), state)
    except ValueError as error:
        raise ValueError(f"memory: {type(memory).__name__} cannot serve the batches that this agent asks for; {error}") from error
    return state
