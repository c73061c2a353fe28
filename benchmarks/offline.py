"""How fast learners of logs learn: updates of IQL and of a decision transformer, and a life that studies a log of its own.

The shapes of d3rlpy's defaults and of a walking robot, 17 numbers seen and 6 done. IQL has two hidden layers of 256 and batches
of 256; the transformer three blocks of 256, one head, and 64 histories of 20 steps. It reads an observation by one layer, where
d3rlpy's takes two, and drops nothing out. Updates run in one compiled program, as in a life, each on a batch of its
own. Beside them stand d3rlpy's own updates, on the same cores, where `tests/offline_updates.py` has made its environment. The
life is that of the recipe `iql`: it reads the log, samples from its memory, standardises, averages, and writes its chronicle
and its saves.

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
from umwelt.behaviours import IQL, DecisionTransformer
from umwelt.behaviours.batch import Batch
from umwelt.behaviours.histories import Context, Sequences
from umwelt.core import FIRST, LIVED, MID, TERMINATED, Box, Experience, TimeStep, WorldSpec, part
from umwelt.life.api import live
from umwelt.memory.episodes import transitions
from umwelt.memory.pieces import lay
from umwelt.recipes.iql import iql
from umwelt.worlds.absent import Absent

SEEN, ACTS, ROWS, UPDATES = 17, 6, 256, 20
HISTORIES, CONTEXT, FEW = 64, 20, 4
"""Histories of a batch of the transformer, their steps, and its updates in one program."""
LESSONS, EPISODES, LENGTH = 20_000, 40, 500
ACTION = Box(shape=(ACTS,), low=-1.0, high=1.0)
PEER = Path("build/peer_offline/bin/python")
ASKED = """
import json, sys, time, torch, d3rlpy
from d3rlpy.torch_utility import TorchMiniBatch, TorchTrajectoryMiniBatch
IQL = sys.argv[1] == "iql"
config = d3rlpy.algos.IQLConfig() if IQL else d3rlpy.algos.DecisionTransformerConfig()
agent = config.create()
agent.create_impl((17,), 6)
shape = (256,) if IQL else (64, config.context_size)
now, after, action = torch.randn(*shape, 17), torch.randn(*shape, 17), 2 * torch.rand(*shape, 6) - 1
reward, zeros, ones = torch.randn(*shape, 1), torch.zeros(*shape, 1), torch.ones(*shape, 1)
if IQL:
    batch = TorchMiniBatch(observations=now, actions=action, rewards=reward, next_observations=after, next_actions=action,
        returns_to_go=zeros, terminals=zeros, intervals=ones, device="cpu")
else:
    steps = torch.arange(shape[1]).expand(shape)
    batch = TorchTrajectoryMiniBatch(observations=now, actions=action, rewards=reward, returns_to_go=reward, terminals=zeros,
        timesteps=steps, masks=torch.ones(shape), device="cpu")
best = float("inf")
for turn in range(12 if IQL else 6):
    began = time.perf_counter()
    for step in range(20 if IQL else 4):
        agent.impl.update(batch, step)
    best = min(best, (time.perf_counter() - began) / (20 if IQL else 4))
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


def histories() -> Sequences:
    """Random histories [FEW, HISTORIES, CONTEXT], as long as they may be."""
    shape = (FEW, HISTORIES, CONTEXT)
    seen, after = jax.random.normal(jax.random.key(0), (2, *shape, SEEN))
    action = jax.random.uniform(jax.random.key(1), (*shape, ACTS), minval=-1.0)
    ones = jax.numpy.ones(shape)
    context = Context(features=seen, actions=action, rewards=seen[..., 1], wanted=seen[..., 0], known=ones > 0)
    return Sequences(context=context, after=after, wanted_after=after[..., 0], continues=ones, acted=ones > 0, returned=ones > 0)


def update(learner: Any, data: Any, rates: dict[str, float]) -> dict[str, Any]:
    """Milliseconds of an update on data [K, ...]; the best counts."""
    number = jax.tree.leaves(data)[0].shape[0]
    keys = jax.random.split(jax.random.key(2), number)

    def several(state: Any, data: Any) -> Any:
        return jax.lax.scan(lambda state, x: learner.learn(x[0], state, x[1]), state, (keys, data))

    # a target begins as its network, and what is donated may be given once only
    held = [jax.tree.map(jax.numpy.copy, learner.init(jax.random.key(3), SEEN, ACTION))]
    one = jax.tree.map(lambda leaf: leaf[0], data)
    flop = products(lambda state: learner.learn(keys[0], state, one), held[0])
    compiled = jax.jit(several, donate_argnums=0)

    def call() -> Any:
        held[0], info = compiled(held[0], data)
        return info

    seconds = best_seconds(call, repeats=40 if number == UPDATES else 10) / number
    share = flop / seconds / 1e9 / max(rates["matmul"], matmul_rate(repeats=6))
    note = f"{flop / 1e6:.0f} MFLOP of products"
    return {"value": 1e3 * seconds, "unit": "ms", "share": share, "of": "matmul", "note": note}


def peers(which: str, own: float) -> dict[str, Any]:
    """Milliseconds of d3rlpy's update, without sampling."""
    done = subprocess.run([str(PEER), "-c", ASKED, which], capture_output=True, text=True, check=True)
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
    found: dict[str, dict[str, Any]] = {}
    transformer = DecisionTransformer(context=CONTEXT, width=256, layers=3)
    for name, which, learner, data in (
        ("an update of IQL", "iql", IQL(), batches()),
        ("an update of a decision transformer", "transformer", transformer, histories()),
    ):
        found[name] = update(learner, data, rates)
        if PEER.exists():
            found[f"{name} in d3rlpy"] = peers(which, found[name]["value"])
    return {**found, "20,000 lessons of a life": studied()}


if __name__ == "__main__":
    print(json.dumps(run({"matmul": matmul_rate()}), indent=1))
