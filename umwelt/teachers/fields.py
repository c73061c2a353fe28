"""Read and set one field of a task, whatever its containers are: a dict or a struct."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import spaces


def field_of(task: Any, name: str) -> Any:
    """The field `name` of a task or of a task space; None where there is none."""
    return task.get(name) if isinstance(task, dict) else getattr(task, name, None)


def with_field(task: Any, name: str, value: jax.Array) -> Any:
    """The same task with another `name`."""
    return task | {name: value} if isinstance(task, dict) else replace(task, **{name: value})


def default_of(task_space: Any, named: dict[str, Any]) -> Any:
    """The first named task, as arrays of the dtypes of its space."""
    return spaces.map_space(lambda leaf, value: jnp.asarray(value, leaf.dtype), task_space, next(iter(named.values())))


def same_rows(tasks: Any, others: Any) -> jax.Array:
    """Say of tasks [N] whether they are others [N], or the one other: bool [N]."""
    pairs = zip(jax.tree.leaves(tasks), jax.tree.leaves(others), strict=True)
    return jnp.all(jnp.stack([jnp.all((task == other).reshape(task.shape[0], -1), axis=1) for task, other in pairs]), axis=0)


def rows_of(task: Any, n: int) -> Any:
    """The same task for n rows: leaves [...] -> [n, ...]."""
    return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (n, *leaf.shape)), task)
