"""What the doors of curiosity share: the unit of a bonus, and the refusal of a signal that does not fit a door."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Moment, capability
from umwelt.networks import scale
from umwelt.networks.scale import Scale

HORIZON = 1e5
"""Transitions over which the unit of a bonus is averaged."""


def in_unit(unit: Scale, bonus: jax.Array) -> jax.Array:
    """Divide a bonus [N] by its running deviation from 0, so that a weight means the same for every signal.

    No mean is subtracted: what is known well would cost something, and an episode that ends would be a relief.
    """
    deviation = jnp.sqrt(unit.mean[0] ** 2 + unit.variance[0])
    return bonus / jnp.where(deviation > 1e-12, deviation, 1.0)


def update(unit: Scale, bonus: jax.Array, weight: jax.Array) -> Scale:
    """Add a bonus [N] to its unit where weight [N] is above 0."""
    weighs = weight > 0
    return scale.update(unit, jnp.where(weighs, bonus, 0.0)[:, None], weighs.astype(jnp.float32), HORIZON)


def moment(now: jax.Array, done: jax.Array, after: jax.Array, weight: jax.Array, surprise: jax.Array | None = None) -> Moment:
    """Make a moment of rows [N]; a surprise that was not measured is NaN."""
    unknown = jnp.full(weight.shape, jnp.nan, jnp.float32)
    return Moment(now=now, after=after, done=done, weight=weight, surprise=unknown if surprise is None else surprise)


def weighed(moment: Moment) -> tuple[Moment, jax.Array, jax.Array]:
    """A moment of zeros where a row weighs nothing, so that no NaN spreads; 1 for the rows that weigh, and each row's share
    of the whole weight, both float32 [N]."""
    weighs = moment.weight > 0
    wiped = jax.tree.map(lambda leaf: jnp.where(weighs.reshape(-1, *(1,) * (leaf.ndim - 1)), leaf, 0.0), moment)
    return wiped, weighs.astype(jnp.float32), moment.weight / jnp.maximum(jnp.sum(moment.weight), 1e-9)


def refuse_episodic(curiosity: Any, door: str) -> None:
    """Raise ValueError where a signal is episodic, for a door that sees transitions out of their order."""
    if capability(curiosity, "begin") is not None:
        raise ValueError(
            f"curiosity: {curiosity!r} counts within episodes, and {door} reads transitions out of their order;"
            " put it around the agent with umwelt.behaviours.Curious, or take a signal that is not episodic"
        )
