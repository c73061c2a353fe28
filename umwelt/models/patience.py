"""When a member of an ensemble should rest: its error on what is hidden from it rises while it learns."""

import jax
import jax.numpy as jnp

from umwelt.core import struct

RATE = 0.05
"""Share of the newest batch in the recent error: the mean of about twenty."""
DRIFT = 1e-4
"""The lowest error rises by this share in each update, so that a member that has rested tries again."""


@struct
class Patience:
    """recent, lowest: float32 [E], errors on hidden rows; infinite before there were any."""

    recent: jax.Array
    lowest: jax.Array


def fresh(members: int) -> Patience:
    """Begin without any error."""
    return Patience(recent=jnp.full(members, jnp.inf, jnp.float32), lowest=jnp.full(members, jnp.inf, jnp.float32))


def watch(patience: Patience, held_out: jax.Array) -> Patience:
    """Add the errors [E] of a batch; a NaN, where nothing was hidden, adds nothing."""
    known = jnp.isfinite(held_out)
    moved = jnp.where(jnp.isfinite(patience.recent), patience.recent + RATE * (held_out - patience.recent), held_out)
    recent = jnp.where(known, moved, patience.recent)
    return Patience(recent=recent, lowest=jnp.minimum(patience.lowest * (1.0 + DRIFT), recent))


def rests(patience: Patience, rise: float) -> jax.Array:
    """Find the members that should rest: bool [E], the recent error is above the lowest by more than the share `rise`."""
    return jnp.isfinite(patience.lowest) & (patience.recent > (1.0 + rise) * patience.lowest)
