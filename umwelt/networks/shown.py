"""Tasks that are shown at the end of the observation, as `Announced` shows them: cut off, and told apart."""

from dataclasses import replace

import jax
import jax.numpy as jnp

from umwelt.core import Box, WorldSpec, struct


def without(spec: WorldSpec, entries: int) -> WorldSpec:
    """The world without the last `entries` numbers of its observation."""
    box = spec.observation
    if not isinstance(box, Box) or len(box.shape) != 1 or not 0 <= entries < box.shape[0]:
        raise ValueError(
            f"entries={entries}: the observation must be one Box of shape (n,) with n above it, and it is {box};"
            " show the task with `Announced(world=...)`"
        )
    low, high = (tuple(edge[: box.shape[0] - entries].tolist()) for edge in box.bounds)
    return replace(spec, observation=Box(shape=(box.shape[0] - entries,), low=low, high=high, dtype=box.dtype))


@struct
class Names:
    """Tasks by what is shown of them. shown: float32 [most, entries], in the order in which they were met. known: int32."""

    shown: jax.Array
    known: jax.Array


def unnamed(most: int, entries: int) -> Names:
    """No task is known yet."""
    return Names(shown=jnp.zeros((most, entries), jnp.float32), known=jnp.zeros((), jnp.int32))


def met(names: Names, name: jax.Array, due: jax.Array) -> tuple[Names, jax.Array]:
    """Where `due` (bool), the names with this one [entries] among them, and its number, int32. When all places are taken,
    a new task takes the last."""
    most = names.shown.shape[0]
    same = jnp.all(names.shown == name, axis=1) & (jnp.arange(most) < names.known)
    number = jnp.where(jnp.any(same), jnp.argmax(same), jnp.minimum(names.known, most - 1)).astype(jnp.int32)
    shown = names.shown.at[jnp.where(due, number, most)].set(name, mode="drop")
    return Names(shown=shown, known=jnp.where(due, jnp.maximum(names.known, number + 1), names.known)), number


def nearest(names: Names, told: jax.Array) -> jax.Array:
    """int32 [N]: the number of the known task that is most like what is told [N, entries]; 0 where none is known."""
    apart = jnp.sum((told[:, None] - names.shown) ** 2, axis=-1)
    return jnp.argmin(jnp.where(jnp.arange(names.shown.shape[0]) < names.known, apart, jnp.inf), axis=1).astype(jnp.int32)
