"""What this machine can do at most: the rates against which every other benchmark is read."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

import umwelt.core  # noqa: F401 - sets how dtypes are read, as in every life
from umwelt.life.allocator import keep_heap

keep_heap()  # as every life does


def best_seconds(call: Callable[[], Any], repeats: int) -> float:
    """Wall time of the fastest of `repeats` calls, after one that is not timed.

    The fastest is the one that other work on the machine disturbed least.
    """
    jax.block_until_ready(call())
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        jax.block_until_ready(call())
        times.append(time.perf_counter() - begin)
    return min(times)


def matmul_rate(size: int = 2048, repeats: int = 12) -> float:
    """GFLOP/s: the best of several float32 products [size, size] x [size, size], on all cores; 2 size^3 FLOP each."""
    left, right = jax.random.normal(jax.random.key(0), (2, size, size), jnp.float32)
    multiply = jax.jit(jnp.matmul)
    return 2 * size**3 / best_seconds(lambda: multiply(left, right), repeats) / 1e9


def memory_rate(megabytes: int = 256, repeats: int = 8) -> float:
    """GB/s: the best of several triads a <- b + 3 c on arrays far larger than the caches, three arrays' bytes each."""
    entries = megabytes * 1_000_000 // 4
    b, c = jnp.ones(entries, jnp.float32), jnp.full(entries, 0.5, jnp.float32)
    # the old `a` is donated, so that the triad writes to memory that the system has already mapped
    triad = jax.jit(lambda a, b, c: b + 3.0 * c, donate_argnums=0, keep_unused=True)
    held = [jnp.zeros(entries, jnp.float32)]

    def call() -> jax.Array:
        held[0] = triad(held[0], b, c)
        return held[0]

    return 3 * 4 * entries / best_seconds(call, repeats) / 1e9


def rates() -> dict[str, float]:
    """The machine's limits by name, as the other benchmarks take them."""
    return {"matmul": matmul_rate(), "memory": memory_rate()}
