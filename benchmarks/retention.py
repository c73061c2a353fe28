"""What it costs to keep: time and bytes of every memory, protection and expert, beside doing without.

    python -m benchmarks.retention

A pendulum; an ensemble of three networks of 128 units, and the linear model at its default size. Times are the best of
several runs. Bytes are those of the part's own state. `python -m benchmarks.retention NAME ...` measures only those learners
whose names begin so.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.machine import best_seconds
from umwelt.core import TimeStep, lived, zeros_step
from umwelt.core.contracts import Memory, Model, Spills
from umwelt.memory import Covering, Fading, Halves, Lifelong, Newest, Quota, Reservoir, Ring, Spilled, Surprising
from umwelt.models import Ensemble, Losse, Recalling
from umwelt.retention import (
    Anchored,
    Cusum,
    Elastic,
    Experts,
    Hypernetwork,
    LowRank,
    Prune,
    Refresh,
    Renewal,
    Sparse,
    Synaptic,
    Zoo,
)
from umwelt.worlds import Pendulum

SPEC, KEY = Pendulum().spec, jax.random.key(0)
STEP = zeros_step(SPEC)
MOMENT = lived(STEP, jnp.zeros((1, 1)), STEP, surprise=STEP.reward)
NETWORKS = Ensemble(units=128, members=3)
BYTES = 1_000_000
TICKS = 1000
MEMORIES: dict[str, Memory] = {
    "ring": Ring(bytes=BYTES),
    **{
        type(keep).__name__.lower(): Lifelong(bytes=BYTES, keep=keep)
        for keep in (Newest(), Reservoir(), Halves(), Fading(), Covering(), Surprising(), Quota(detector=Cusum()))
    },
    "spilled": Spilled(bytes=BYTES, disk=100_000_000),
}
LEARNERS: dict[str, Model] = {
    "ensemble": NETWORKS,
    "ensemble, anchored": replace(NETWORKS, protection=Anchored()),
    "ensemble, elastic": replace(NETWORKS, protection=Elastic()),
    "ensemble, synaptic": replace(NETWORKS, protection=Synaptic()),
    "ensemble, sparse": replace(NETWORKS, protection=Sparse()),
    "ensemble, renewal": replace(NETWORKS, protection=Renewal()),
    # so that it is measured in its second stretch, as almost all of a life is
    "ensemble, low rank": replace(NETWORKS, protection=LowRank(every=2)),
    "ensemble, refresh": replace(NETWORKS, protection=Refresh()),
    "ensemble, made for 8 tasks": Hypernetwork(model=NETWORKS),
    "ensemble, zoo of 4": Zoo(model=NETWORKS, most=4),
    "ensemble, recalling": Recalling(model=NETWORKS),
    "losse": Losse(),
    "losse, 4 experts": Experts(model=Losse(), most=4),
    "losse, 8 experts": Experts(model=Losse(), most=8),
    "losse, 8 experts, pruned": Experts(model=Losse(), most=8, prune=Prune()),
}


def size(state: Any) -> int:
    """Bytes of all arrays of a state."""
    return sum(leaf.nbytes for leaf in jax.tree.leaves(state) if hasattr(leaf, "nbytes"))


def moments(ticks: int) -> Any:
    """Random experience [ticks, 1] that never ends."""
    seen = jax.random.uniform(KEY, (ticks + 1, 1, 3), minval=-1.0)
    steps = TimeStep(kind=jnp.ones((ticks + 1, 1), jnp.int8), observation=seen, reward=seen[..., 0])
    before, after = (jax.tree.map(lambda leaf, cut=cut: leaf[cut], steps) for cut in (slice(-1), slice(1, None)))
    action = jax.random.uniform(KEY, (ticks, 1, 1), minval=-1.0)
    return jax.vmap(lambda step, action, next: lived(step, action, next, surprise=next.reward))(before, action, after)


def keeping(memory: Memory) -> tuple[float, int]:
    """Microseconds of one moment added, and bytes; with what goes to disk after each stretch, if it does."""
    some = moments(TICKS)

    def run(state: Any) -> Any:
        return jax.lax.scan(lambda state, one: (memory.add(KEY, state, one), None), state, some)[0]

    again = jax.jit(run, donate_argnums=0)
    with tempfile.TemporaryDirectory() as folder:

        def once() -> Any:
            held[0] = again(held[0])
            if isinstance(held[0], Spills):
                held[0] = held[0].spill(Path(folder))
            return held[0]

        held = [memory.init(MOMENT)]
        once()
        return 1e6 * best_seconds(once, 5) / TICKS, size(held[0])


def learning(model: Model) -> tuple[float, int]:
    """Milliseconds of one lesson, and bytes: 256 rows of a replay model, one moment of a stream model (the mean of many)."""
    state = model.init(KEY, SPEC)
    if model.diet == "replay":
        rows = jax.tree.map(lambda leaf: leaf[:, 0], moments(256))
        step = jax.jit(lambda state: model.learn(KEY, state, rows)[0], donate_argnums=0)
        each = 1
    else:
        some = moments(TICKS)
        step = jax.jit(
            lambda state: jax.lax.scan(lambda state, one: (model.learn(KEY, state, one)[0], None), state, some)[0],
            donate_argnums=0,
        )
        each = TICKS
    held = [step(jax.tree.map(jnp.copy, state))]

    def once() -> Any:
        held[0] = step(held[0])
        return held[0]

    return 1e3 * best_seconds(once, 5) / each, size(held[0])


def main() -> int:
    """Both tables, or some rows of the second."""
    some = tuple(sys.argv[1:])
    if not some:
        print(f"{'memory':26} us a moment   bytes")
        for name, memory in MEMORIES.items():
            spent, held = keeping(memory)
            print(f"{name:26} {spent:8.2f}  {held:12,}", flush=True)
    print(f"{'model':26} ms a lesson   bytes")
    for name, model in LEARNERS.items():
        if name.startswith(some or ""):
            spent, held = learning(model)
            print(f"{name:26} {spent:8.3f}  {held:12,}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
