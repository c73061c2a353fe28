"""What memory costs: microseconds for an add and a draw, beside a plain copy in the same run.

Run `python -m benchmarks.memory`. Every memory holds 100 MB of transitions with 17 numbers of
observation and 6 of action (a MuJoCo HalfCheetah), and is full when it is measured.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Experience, TimeStep, lived, scan
from umwelt.memory.ring import Ring
from umwelt.memory.trajectories import Trajectories

BYTES = 100_000_000


def run() -> dict[str, dict[str, float]]:
    """Measure every memory: {name: {figure: value}}."""
    copy = _copy()
    found = {"memcpy": {"bytes_per_second": copy}}
    for batch in (1, 16):
        found[f"ring, B={batch}"] = _memory(Ring(bytes=BYTES), batch, (256,), copy)
        long = Trajectories(bytes=BYTES, length=64)
        found[f"trajectories, B={batch}"] = _memory(long, batch, (16, 64), copy) | _draw(long, batch, (256,), copy)
    return found


def example(batch: int) -> Experience:
    """Experience [B] in the middle of an episode."""
    step = TimeStep(kind=jnp.ones(batch, jnp.int8), observation=jnp.ones((batch, 17)), reward=jnp.ones(batch, jnp.float32))
    return lived(step, jnp.ones((batch, 6)), step)


def _at(steps: Experience, now: Any) -> Experience:
    """The experience with a reward that depends on `now`, so that nothing is a constant of the loop."""
    return replace(steps, next=replace(steps.next, reward=steps.next.reward * now))


def _memory(memory: Any, batch: int, shape: tuple[int, ...], copy: float) -> dict[str, float]:
    steps, key = example(batch), jax.random.key(0)
    adds = 5_000
    add = jax.jit(memory.add, donate_argnums=1)

    def many(state: Any) -> Any:
        return scan(lambda held, now: (memory.add(key, held, _at(steps, now)), None), state, jnp.arange(adds))[0]

    live = jax.jit(many, donate_argnums=0)
    held = {"state": live(memory.init(steps))}

    def from_host() -> Any:
        for _ in range(adds):
            held["state"] = add(key, held["state"], steps)
        return held["state"]

    def in_scan() -> Any:
        held["state"] = live(held["state"])
        return held["state"]

    return {
        "add_from_host_microseconds": _best(from_host) / adds * 1e6,
        "add_in_scan_microseconds": _best(in_scan) / adds * 1e6,
    } | _draw(memory, batch, shape, copy)


def _draw(memory: Any, batch: int, shape: tuple[int, ...], copy: float) -> dict[str, float]:
    steps, key = example(batch), jax.random.key(0)
    # Fresh zeros are not yet backed by physical memory, so that draws from them would look cheap.
    state = jax.jit(lambda empty: jax.tree.map(lambda leaf: leaf | 0 if leaf.dtype != jnp.float32 else leaf + 1, empty))(
        memory.init(steps)
    )
    state = _full(memory, state, steps)
    sample = jax.jit(memory.sample, static_argnums=2)
    draws = [jax.random.fold_in(key, turn) for turn in range(200)]
    seconds = _best(lambda: [sample(draw, state, shape) for draw in draws]) / len(draws)
    drawn = sum(leaf.nbytes for leaf in jax.tree.leaves(sample(key, state, shape)))
    name = "x".join(str(size) for size in shape)
    return {f"sample_{name}_microseconds": seconds * 1e6, f"sample_{name}_share_of_memcpy": drawn / seconds / copy}


def _full(memory: Any, state: Any, steps: Experience) -> Any:
    """Add until nothing more fits."""
    add = jax.jit(
        lambda state: scan(lambda held, _: (memory.add(jax.random.key(0), held, steps), None), state, None, 100_000)[0],
        donate_argnums=0,
    )
    before = -1
    while (count := int(memory.count(state))) > before:
        before, state = count, add(state)
    return state


def _copy() -> float:
    """Bytes per second of `memcpy` on one core, read and written memory counted once."""
    source, target = np.ones(BYTES, np.uint8), np.ones(BYTES, np.uint8)
    return BYTES / _best(lambda: np.copyto(target, source))


def _best(work: Callable[[], Any], repeats: int = 5) -> float:
    """The least seconds of several runs, after one to warm up."""
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        jax.block_until_ready(work())
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
