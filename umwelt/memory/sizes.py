"""How many rows of experience fit into a budget of bytes, and whether two of them are the same."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

MOST = 2**30
"""Rows are counted in int32, and two counts must be addable."""
SLACK = 1e-5
"""Two programs may round one observation differently; rows that agree this closely are the same."""


def forms(example: Any) -> Any:
    """Get the shapes and dtypes of a pytree [B, ...] as a compiled program sees them; no value is read."""
    return jax.eval_shape(lambda tree: tree, example)


def row_bytes(example: Any) -> int:
    """Count the bytes of one row of a pytree [B, ...], without its leading axis."""
    return sum(math.prod(leaf.shape[1:]) * np.dtype(leaf.dtype).itemsize for leaf in jax.tree.leaves(forms(example)))


def capacity(budget: int, each: int, least: int, what: str, aside: int = 0) -> int:
    """Count the rows of `each` bytes that the budget holds beside `aside` bytes that are taken already; ValueError
    where those are fewer than `least`."""
    found = min(max(budget - aside, 0) // each, MOST)
    if found < least:
        besides = f" beside the {aside} that it needs first" if aside else ""
        raise ValueError(
            f"bytes={budget} holds {found} {what} of {each} bytes{besides}, where at least {least} are needed;"
            f" give bytes={aside + least * each} or more"
        )
    return found


def same_rows(one: Any, other: Any) -> jax.Array:
    """Compare two pytrees [B, ...] row by row: bool [B], True where they hold the same numbers, up to rounding."""
    same = []
    for old, new in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        inexact = jnp.issubdtype(old.dtype, jnp.inexact)
        # written so that NaN equals anything, because no comparison finds it
        equal = ~(jnp.abs(old - new) > SLACK * (1 + jnp.abs(new))) if inexact else old == new
        same.append(equal.reshape(equal.shape[0], -1).all(axis=1))
    return jnp.stack(same).all(axis=0)
