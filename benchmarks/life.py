"""How fast a life turns: whole in one compiled program, and from Python around a hosted world.

python -m benchmarks.life
"""

import json
import tempfile
import time
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours import SAC, ModelFree, RandomAgent
from umwelt.check.base import same_values
from umwelt.core import Experience, Info, Metric, Prediction, TimeStep, WorldSpec, part, struct
from umwelt.core.contracts import Mode
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.folder.folder import Folder
from umwelt.life.rhythm import Rhythm
from umwelt.life.session import Living
from umwelt.memory.ring import Ring
from umwelt.recipes.tdmpc2 import tdmpc2
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum
from umwelt.worlds.adapters import gymnasium

ROWS = 16


@struct
class LinearState:
    """policy [A, F], critic [F]. seen [B, F]: the features of the last observation, which are itself, its squares and 1."""

    policy: jax.Array
    critic: jax.Array
    seen: jax.Array


@part
class LinearAgent:
    """A linear actor-critic that learns from every step: the smallest agent that does all an agent does."""

    rate: float = 1e-3
    """Step size of both."""
    discount: float = 0.98
    """Worth of the next step in units of this one."""
    noise: float = 0.5
    """Standard deviation of what it tries."""
    metrics: tuple[Metric, ...] = ()

    def init(self, key: jax.Array, spec: WorldSpec) -> LinearState:
        """Knows nothing, does nothing."""
        features = 2 * spec.observation.shape[0] + 1
        seen = jnp.zeros((spec.batch, features))
        return LinearState(policy=jnp.zeros((spec.action.shape[0], features)), critic=jnp.zeros(features), seen=seen)

    def see(self, key: jax.Array, state: LinearState, step: TimeStep) -> tuple[LinearState, Info]:
        """Keep the features of the step; the surprise is the error of the critic."""
        there = _features(step)
        error = self._error(state, state.seen, step)
        surprise = jnp.where(step.first, jnp.nan, jnp.abs(error))
        return replace(state, seen=there), {"surprise": surprise, "doubt": jnp.full_like(surprise, jnp.nan)}

    def act(self, key: jax.Array, state: LinearState, mode: Mode = "explore") -> tuple[LinearState, Any]:
        """The policy's mean, and noise."""
        mean = state.seen @ state.policy.T
        return state, jnp.clip(mean + self.noise * jax.random.normal(key, mean.shape), -2, 2)

    def remember(self, key: jax.Array, state: LinearState, experience: Experience) -> tuple[LinearState, Info]:
        """One step of temporal differences for the critic, and of the policy gradient for the policy."""
        here = _features(experience.step)
        error = jnp.where(experience.valid, self._error(state, here, experience.next), 0.0)
        tried = (experience.action - here @ state.policy.T) * error[:, None]
        critic = state.critic + self.rate * (error @ here) / ROWS
        policy = state.policy + self.rate * jnp.clip(tried, -1, 1).T @ here / ROWS
        return replace(state, policy=policy, critic=critic), {}

    def learn(self, key: jax.Array, state: LinearState) -> tuple[LinearState, Info]:
        """It has learned already."""
        return state, {}

    def embody(self, key: jax.Array, state: LinearState, spec: WorldSpec) -> LinearState:
        """The same weights, for spec.batch rows."""
        return replace(state, seen=jnp.zeros((spec.batch, state.critic.shape[0])))

    def imagine(self, key: jax.Array, state: LinearState, actions: Any) -> Prediction | None:
        """It has no model."""
        return None

    def _error(self, state: LinearState, here: jax.Array, next: TimeStep) -> jax.Array:
        """The temporal difference [B] from features `here` to the step that follows."""
        return next.reward + self.discount * ~next.terminated * (_features(next) @ state.critic) - here @ state.critic


def _features(step: TimeStep) -> jax.Array:
    seen = step.observation / jnp.array([1.0, 1.0, 8.0])
    return jnp.concatenate([seen, seen**2, jnp.ones_like(seen[:, :1])], axis=1)


def compiled_life(ticks: int = 50_000, repeats: int = 5) -> dict[str, Any]:
    """Steps/s of 16 pendulums and a linear agent in one compiled program, the copies of its records included."""
    rhythm = Rhythm(random=0, learn_every=ticks, updates=0, chunk=ticks)
    life = Life(world=Pendulum(batch=ROWS), agent=LinearAgent(), teacher=Blocks(), rhythm=rhythm)
    engine = Engine(life)
    value, best = engine.begin(), float("inf")
    segment = rhythm.segment(0, ticks)
    for _ in range(repeats + 1):
        began = time.perf_counter()
        value, _ = engine.advance(value, segment)
        jax.block_until_ready(value)
        best = min(best, time.perf_counter() - began)
    same = _same_under_both_drivers(life)
    note = f"{ROWS} pendulums, learning at every step; host_scan lives the same 300 ticks bit for bit: {same}"
    return {"value": ticks * ROWS / best, "unit": "steps/s", "share": None, "of": None, "note": note}


def _same_under_both_drivers(life: Life) -> bool:
    rhythm = Rhythm(random=0, learn_every=300, updates=0, chunk=300)
    ends = []
    for driver in ("scan", "host"):
        engine = Engine(replace(life, driver=driver, rhythm=rhythm))
        ends.append(engine.advance(engine.begin(), rhythm.segment(0, 300)))
    return same_values(ends[0], ends[1], "life") == ""


def remembering(decisions: int = 400) -> dict[str, Any]:
    """Milliseconds of a decision of a compiled life that learns from a memory of 256 MB; beside one of 1 MB in the note."""
    rhythm = Rhythm(random=20, learn_every=1, updates=1, chunk=decisions)
    spent = {}
    for megabytes in (1, 256):
        agent = ModelFree(learner=SAC(units=8), memory=Ring(bytes=megabytes * 10**6), batch=16)
        engine = Engine(Life(world=Pendulum(), agent=agent, teacher=Blocks(), rhythm=rhythm))
        value, _ = engine.advance(engine.begin(), rhythm.segment(0, 10**6))
        spent[megabytes] = float("inf")
        for _ in range(4):
            began = time.perf_counter()
            value, _ = engine.advance(value, rhythm.segment(20, 10**6))
            jax.block_until_ready(value)
            spent[megabytes] = min(spent[megabytes], (time.perf_counter() - began) / decisions * 1e3)
    note = f"a small soft actor-critic in a pendulum, one update a decision; {spent[1]:.3f} ms with 1 MB"
    return {"value": spent[256], "unit": "ms/decision", "share": None, "of": None, "note": note}


def learning_beside(stretches: int = 12, decisions: int = 50) -> dict[str, Any]:
    """Milliseconds of a decision and its two updates in a hosted life of `tdmpc2`, at once; one after the other in the
    note. Medians of stretches of one life, taken in turns."""
    rhythm = replace(tdmpc2.rhythm, random=decisions, first_updates=5, chunk=decisions)
    world = gymnasium(id="Pendulum-v1")
    life = Life(world=world, agent=tdmpc2.agent, teacher=Blocks(), rhythm=rhythm)
    engines = {beside: Engine(life, overlap=beside) for beside in (True, False)}
    value = engines[True].begin()
    spent: dict[bool, list[float]] = {True: [], False: []}
    for stretch in range(3 + 2 * stretches):
        beside = bool(stretch % 2)
        began = time.perf_counter()
        value, _ = engines[beside].advance(value, rhythm.segment(stretch * decisions, 10**6))
        jax.block_until_ready(value[1])
        # random decisions first, then one of each that compiles
        if stretch >= 3:
            spent[beside].append((time.perf_counter() - began) / decisions * 1e3)
    world.close(value[0])
    for engine in engines.values():
        engine.close()
    at_once, in_turn = (float(np.median(spent[beside])) for beside in (True, False))
    note = f"tdmpc2 small in Pendulum-v1; {in_turn:.1f} ms one after the other, {in_turn / at_once:.2f} times"
    return {"value": at_once, "unit": "ms/decision", "share": None, "of": None, "note": note}


def hosted_overhead(ticks: int = 5_000, repeats: int = 4) -> dict[str, Any]:
    """Microseconds that a step of a hosted life costs beyond the simulator's own step, its chronicle included."""
    world = gymnasium(id="Pendulum-v1")
    rhythm = Rhythm(random=0, learn_every=1000, updates=0, chunk=ticks, probe_episodes=1)
    life = Life(world=world, agent=RandomAgent(), teacher=Blocks(), rhythm=rhythm)
    with tempfile.TemporaryDirectory() as lives, Folder.create("bench", {}, lives=lives) as folder:
        living = Living(life, folder, end=ticks * (repeats + 1))
        value, clock, best = living.engine.begin(), 0, float("inf")
        for _ in range(repeats + 1):
            began = time.perf_counter()
            value, clock = living.chunk(value, clock)
            best = min(best, time.perf_counter() - began)
        living.close(value)
    bare = _bare_step(ticks)
    note = f"ask, act, remember, clock and chronicle around a random agent; the simulator itself takes {bare:.1f} us"
    return {"value": best / ticks * 1e6 - bare, "unit": "us/step", "share": None, "of": None, "note": note}


def _bare_step(ticks: int) -> float:
    """Microseconds of one step of Pendulum-v1 on its own."""
    import gymnasium

    simulator = gymnasium.make("Pendulum-v1")
    simulator.reset(seed=0)
    action, best = np.zeros(1, np.float32), float("inf")
    for _ in range(3):
        began = time.perf_counter()
        for _ in range(ticks):
            *_, truncated, _ = simulator.step(action)
            if truncated:
                simulator.reset()
        best = min(best, time.perf_counter() - began)
    return best / ticks * 1e6


def run() -> dict[str, dict[str, Any]]:
    """All four."""
    return {
        "one compiled life": compiled_life(),
        "a large memory": remembering(),
        "learning while deciding": learning_beside(),
        "hosted loop": hosted_overhead(),
    }


if __name__ == "__main__":
    print(json.dumps(run(), indent=1))
