"""How fast a learner of logs learns: one update of IQL, and a life that studies a log of its own.

The shapes of d3rlpy's defaults and of a walking robot: two hidden layers of 256, batches of 256, 17 numbers seen and 6 done.
Updates run in one compiled program, as in a life, each on a batch of its own. Beside them stand d3rlpy's own updates, on the
same cores, where `tests/offline_updates.py` has made its environment. The life is that of the recipe `iql`: it reads the log,
samples from its memory, standardises, averages, and writes its chronicle and its saves.

Run it alone: `python -m benchmarks.offline`.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from benchmarks.machine import best_seconds, matmul_rate
from benchmarks.products import products
from umwelt.behaviours import IQL
from umwelt.behaviours.batch import Batch
from umwelt.core import FIRST, LIVED, MID, TERMINATED, Box, Experience, TimeStep, WorldSpec, part
from umwelt.life.api import live
from umwelt.memory.episodes import transitions
from umwelt.memory.pieces import lay
from umwelt.recipes.iql import iql
from umwelt.worlds.absent import Absent

SEEN, ACTS, ROWS, UPDATES = 17, 6, 256, 20
LESSONS, EPISODES, LENGTH = 20_000, 40, 500
ACTION = Box(shape=(ACTS,), low=-1.0, high=1.0)
PEER = Path("build/peer_offline/bin/python")
ASKED = """
import json, time, torch, d3rlpy
from d3rlpy.torch_utility import TorchMiniBatch
agent = d3rlpy.algos.IQLConfig().create()
agent.create_impl((17,), 6)
zeros, now, after = torch.zeros(256, 1), torch.randn(256, 17), torch.randn(256, 17)
action = 2 * torch.rand(256, 6) - 1
batch = TorchMiniBatch(observations=now, actions=action, rewards=torch.randn(256, 1), next_observations=after,
    next_actions=action, returns_to_go=zeros, terminals=zeros, intervals=zeros + 1, device="cpu")
best = float("inf")
for turn in range(12):
    began = time.perf_counter()
    for step in range(20):
        agent.impl.update(batch, step)
    best = min(best, (time.perf_counter() - began) / 20)
print(json.dumps(best))
"""


@part
class Walks:
    """A log of random walks."""

    episodes: int = EPISODES
    length: int = LENGTH

    def read(self, key: jax.Array, spec: WorldSpec) -> Iterator[Experience]:
        """Yield pieces of whole episodes."""
        yield from lay(self._episode, (self.length,) * self.episodes, spec.batch)

    def _episode(self, number: int) -> Experience:
        random = np.random.default_rng(number)
        kind = np.array([FIRST] + [MID] * (self.length - 1) + [TERMINATED], np.int8)
        seen, reward = random.normal(size=(self.length + 1, SEEN)), random.normal(size=self.length + 1)
        step = TimeStep(kind=kind, observation=seen.astype(np.float32), reward=reward.astype(np.float32))
        return transitions(step, random.uniform(-1, 1, (self.length, ACTS)).astype(np.float32), None, LIVED)


def batches() -> Batch:
    """Random batches [UPDATES, ROWS]."""
    now, after = jax.random.normal(jax.random.key(0), (2, UPDATES, ROWS, SEEN))
    action = jax.random.uniform(jax.random.key(1), (UPDATES, ROWS, ACTS), minval=-1.0)
    ones = jax.numpy.ones((UPDATES, ROWS))
    return Batch(now=now, action=action, reward=now[..., 0], continues=ones, after=after, weight=ones)


def update(rates: dict[str, float]) -> dict[str, Any]:
    """Milliseconds of an update; the best counts."""
    learner, data = IQL(), batches()
    keys = jax.random.split(jax.random.key(2), UPDATES)

    def several(state: Any, data: Batch) -> Any:
        return jax.lax.scan(lambda state, x: learner.learn(x[0], state, x[1]), state, (keys, data))

    held = [learner.init(jax.random.key(3), SEEN, ACTION)]
    one = jax.tree.map(lambda leaf: leaf[0], data)
    flop = products(lambda state: learner.learn(keys[0], state, one), held[0])
    compiled = jax.jit(several, donate_argnums=0)

    def call() -> Any:
        held[0], info = compiled(held[0], data)
        return info

    seconds = best_seconds(call, repeats=40) / UPDATES
    share = flop / seconds / 1e9 / max(rates["matmul"], matmul_rate(repeats=6))
    note = f"{flop / 1e6:.0f} MFLOP of products"
    return {"value": 1e3 * seconds, "unit": "ms", "share": share, "of": "matmul", "note": note}


def peers(own: float) -> dict[str, Any]:
    """Milliseconds of d3rlpy's update, without sampling."""
    done = subprocess.run([str(PEER), "-c", ASKED], capture_output=True, text=True, check=True)
    seconds = float(done.stdout.splitlines()[-1])
    return {"value": 1e3 * seconds, "unit": "ms", "note": f"{1e3 * seconds / own:.1f} times ours"}


def studied() -> dict[str, Any]:
    """Seconds of a whole life of 20,000 lessons, its compiling and its reading of the log included."""
    made = iql(Absent(observation=Box(shape=(SEEN,)), action=ACTION))
    life = replace(made, shown=(Walks(),), rhythm=replace(made.rhythm, study=LESSONS, probe_episodes=0))
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        live(life, steps=0, lives=folder)
        seconds = time.perf_counter() - began
    return {"value": seconds, "unit": "s", "note": f"{1e3 * seconds / LESSONS:.2f} ms a lesson, all included"}


def run(rates: dict[str, float]) -> dict[str, dict[str, Any]]:
    """All of them; d3rlpy's where it is installed."""
    found = {"an update of IQL": update(rates)}
    if PEER.exists():
        found["the same in d3rlpy"] = peers(found["an update of IQL"]["value"])
    return {**found, "20,000 lessons of a life": studied()}


if __name__ == "__main__":
    print(json.dumps(run({"matmul": matmul_rate()}), indent=1))
