"""How many rows of experience fit into a budget of bytes."""

import math
from typing import Any

import jax
import numpy as np

MOST = 2**30
"""Rows are counted in int32, and two counts must be addable."""


def forms(example: Any) -> Any:
    """The shapes and dtypes of a pytree [B, ...] as a compiled program sees them; no value is read."""
    return jax.eval_shape(lambda tree: tree, example)


def row_bytes(example: Any) -> int:
    """Bytes of one row of a pytree [B, ...], without its leading axis."""
    return sum(math.prod(leaf.shape[1:]) * np.dtype(leaf.dtype).itemsize for leaf in jax.tree.leaves(forms(example)))


def capacity(budget: int, each: int, least: int, what: str) -> int:
    """How many rows of `each` bytes the budget holds; ValueError where those are fewer than `least`."""
    found = min(budget // each, MOST)
    if found < least:
        raise ValueError(
            f"bytes={budget} holds {found} {what} of {each} bytes, where at least {least} are needed;"
            f" give bytes={least * each} or more"
        )
    return found
