"""How long agents take to decide, and learners to learn: the least time of several runs of a compiled program."""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Batch, Learner
from umwelt.claims.arms import Measure
from umwelt.core import keys, part, spaces
from umwelt.core.contracts import Agent, World
from umwelt.networks.form import form
from umwelt.networks.inside import with_batch
from umwelt.worlds import stream

DECISION = Measure(name="decision_seconds", unit="seconds", better="down")
"""The time of one decision of all rows."""
LESSON = Measure(name="lesson_seconds", unit="seconds", better="down")
"""The time of one update."""
RUNS = 5
"""Runs, the quickest of which counts: others are disturbed by what else the machine does."""


@part
class Deciding:
    """The time of a decision of an untrained agent; a function of a seed's number."""

    agent: Agent
    world: World
    rows: int = 100
    decisions: int = 50

    def __call__(self, seed: int) -> dict[str, float]:
        """See a world's first step and decide, again and again."""
        room = with_batch(self.world, self.rows)
        beginning, worldly, deciding = keys.split(jax.random.key(seed), "begin", "world", "decide")
        _, step = room.init(worldly, stream.default(self.world, None, self.rows))
        state = self.agent.embody(beginning, self.agent.init(beginning, room.spec), room.spec)

        def decide(body: Any, key: jax.Array) -> tuple[Any, Any]:
            seeing, choosing = keys.split(key, "see", "act")
            body, _ = self.agent.see(seeing, body, step)
            return self.agent.act(choosing, body, "exploit")

        def run() -> Any:
            return jax.lax.scan(decide, state, jax.random.split(deciding, self.decisions))[1]

        return {"decision_seconds": least(run) / self.decisions}


@part
class Studying:
    """The time of an update of a learner from random rows; a function of a seed's number."""

    learner: Learner
    world: World
    rows: int = 128
    lessons: int = 100

    def __call__(self, seed: int) -> dict[str, float]:
        """Learn from the same rows, again and again."""
        spec, ones = self.world.spec, jnp.ones(self.rows)
        beginning, seeing, acting, learning = keys.split(jax.random.key(seed), "begin", "see", "act", "learn")
        now = jax.random.normal(seeing, (self.rows, form(spec.observation).width))
        action = spaces.sample(acting, spec.action, self.rows)
        batch = Batch(now=now, action=action, reward=ones, continues=ones, after=now, weight=ones)
        state = self.learner.init(beginning, now.shape[1], spec.action)

        def learn(state: Any, key: jax.Array) -> tuple[Any, None]:
            return self.learner.learn(key, state, batch)[0], None

        def run() -> Any:
            return jax.lax.scan(learn, state, jax.random.split(learning, self.lessons))[0]

        return {"lesson_seconds": least(run) / self.lessons}


def least(run: Callable[[], Any]) -> float:
    """The least time of several runs of a function without arguments, in seconds; it is compiled before."""
    compiled = jax.jit(run)
    jax.block_until_ready(compiled())
    found = []
    for _ in range(RUNS):
        began = time.perf_counter()
        jax.block_until_ready(compiled())
        found.append(time.perf_counter() - began)
    return min(found)
