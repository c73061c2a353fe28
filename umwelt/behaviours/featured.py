"""Features as a world of their own, for a model inside a learner: what it is made for, and what it learns from."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.on_policy import CLIP
from umwelt.core import MID, TERMINATED, TRUNCATED, Box, Experience, TimeStep, WorldSpec, lived
from umwelt.core.contracts import Model


def spec(width: int, action: Any) -> WorldSpec:
    """The spec of standard features and the world's actions."""
    seen = Box(shape=(width,), low=-CLIP, high=CLIP)
    return WorldSpec(name="features", observation=seen, action=action, task={}, batch=1)


def moments(
    now: jax.Array, action: Any, reward: jax.Array, after: jax.Array, terminated: jax.Array, weight: jax.Array
) -> Experience:
    """Experience [N] of features [N, F]; a row without weight is a seam."""
    kind = jnp.where(weight > 0, MID, TRUNCATED).astype(jnp.int8)
    ends = jnp.where(terminated, TERMINATED, MID).astype(jnp.int8)
    step = TimeStep(kind=kind, observation=now, reward=jnp.zeros_like(reward))
    return lived(step, action, TimeStep(kind=ends, observation=after, reward=reward))


def opened(key: jax.Array, model: Model, state: Any, features: jax.Array, action: Any) -> Any:
    """The model's belief that begins at features [N, F]; action: any actions [N]."""
    rows = features.shape[0]
    first = TimeStep(kind=jnp.full(rows, MID, jnp.int8), observation=features, reward=jnp.zeros(rows)).opening
    return model.observe(key, state, model.start(state, rows), action, first)[0]
