"""Two drivers of one loop: `jax.lax.scan`, and the same thing on the host.

A loop body is a function (carry, x) -> (carry, y). Where everything in it is pure, `scan` compiles
the whole loop. Where a part of it cannot be compiled (a simulator), `host_scan` runs the body in
Python, and the body's pure parts are compiled one by one.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

scan = jax.lax.scan


def scan_some(body: Callable[[Any, Any], tuple[Any, Any]], carry: Any, count: jax.Array, most: int) -> tuple[Any, Any]:
    """`scan(body, carry, None, most)` that stops after `count` steps, int32 []; outputs [most, ...] are zeros from there on.

    So one compiled program does some steps of a loop, or all, or none.
    """
    # compiled as a whole with what calls it: a `jit` in here only keeps the body from being traced twice
    body = jax.jit(body)
    shapes = jax.eval_shape(body, carry, None)[1]
    outputs = jax.tree.map(lambda leaf: jnp.zeros((most, *leaf.shape), leaf.dtype), shapes)

    def step(index: jax.Array, held: tuple[Any, Any]) -> tuple[Any, Any]:
        carry, y = body(held[0], None)
        return carry, jax.tree.map(lambda whole, one: whole.at[index].set(one), held[1], y)

    return jax.lax.fori_loop(0, count, step, (carry, outputs))


def host_scan(
    body: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any = None, length: int | None = None
) -> tuple[Any, Any]:
    """`jax.lax.scan` in Python: the same arguments, the same result, the outputs stacked as NumPy arrays.

    The outputs stay where they are made until the end, so that the host never waits inside the loop.
    """
    if xs is None and length is None:
        raise ValueError("host_scan needs `xs` or `length` to know how often to run")
    if xs is not None:
        sizes = {np.shape(leaf)[0] for leaf in jax.tree.leaves(xs)} | ({length} if length is not None else set())
        if len(sizes) != 1:
            raise ValueError(f"the leading axes of `xs` and `length` disagree: {sorted(sizes)}")
        length = sizes.pop()
    outputs = []
    for index in range(length or 0):
        x = None if xs is None else jax.tree.map(lambda leaf: leaf[index], xs)  # noqa: B023 - used at once
        carry, y = body(carry, x)
        outputs.append(y)
    if not outputs:
        return carry, None
    return carry, jax.tree.map(lambda *ys: np.stack([np.asarray(y) for y in ys]), *outputs)
