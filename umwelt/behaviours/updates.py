"""One step of an optimiser, and of a target network after it."""

from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import optax

W = TypeVar("W")


def stepped(optimiser: Any, gradient: Any, state: Any, weights: W, slope: Any = None) -> tuple[W, Any]:
    """Move weights against their gradient: the weights and the optimiser's state. slope: weights -> gradient, of the same
    batch, for protections that read it."""
    update, after = optimiser.update(gradient, state, weights, slope=slope)
    moved: Any = optax.apply_updates(weights, update)  # type: ignore[arg-type]
    return moved, after


def followed(target: W, weights: W, rate: float) -> W:
    """Move a target network towards the weights by the share `rate` (an exponential moving average)."""
    moved: Any = optax.incremental_update(weights, target, rate)  # type: ignore[arg-type]
    return moved


def where_any(weight: jax.Array, new: W, old: W) -> W:
    """The new state where any row weighs, else the old one."""
    some = jnp.any(weight > 0)
    return jax.tree.map(lambda after, before: jnp.where(some, after, before), new, old)
