"""What a decision costs, part by part.

In a life the parts of a decision are one compiled program, which does not show where one ends and the next begins. So
each is compiled and timed by itself, on what a save holds, and none of it is kept. A hosted agent is timed in Python.
"""

import time
from collections.abc import Callable
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import lived
from umwelt.core.contracts import HostedWorld, Mode
from umwelt.evaluation.proctor import is_hosted_mind
from umwelt.life.composition import Life
from umwelt.life.mind import Mind

REPEATS = 16
"""Decisions in one run of a compiled part, so that calling it is no part of what it costs."""
SECONDS = 0.5
"""A part is run until it took so long, and three times at least."""

Part = Callable[[jax.Array, Any], Any]
"""A part of a decision: (key, what it needs) -> what it needs next."""


def dissect(life: Life, mind: Mind) -> dict[str, float]:
    """part -> seconds of one decision of all rows of one seed. The mind is used up.

    acting: to see a step and draw an action at random. planning: what choosing one well costs beyond that.
    learning: to remember, and the updates that fall on one decision. world: its own step.
    """
    after, action, task = mind.step, mind.decision.action, mind.decision.next_task
    world, timed = _world_seconds(life, mind.task, action, task), _timed
    if is_hosted_mind(life.agent):
        timed = _timed_in_python

    def see_and_act(mode: Mode) -> Part:
        return lambda key, agent: life.agent.act(key, life.agent.see(key, agent, after)[0], mode)[0]

    experience = lived(after, action, after, task=mind.task, surprise=jnp.full_like(after.reward, jnp.nan))
    agent, drawn = timed(see_and_act("random"), mind.agent)
    agent, chosen = timed(see_and_act("explore"), agent)
    agent, remembered = timed(lambda key, agent: life.agent.remember(key, agent, experience)[0], agent)
    _, learned = timed(lambda key, agent: life.agent.learn(key, agent)[0], agent)
    updates = life.rhythm.updates / life.rhythm.learn_every
    found = {"acting": drawn, "planning": max(0.0, chosen - drawn), "learning": remembered + updates * learned}
    return {**found, "world": world}


def _world_seconds(life: Life, begun: Any, action: Any, task: Any) -> float:
    key = jax.random.key(life.seed)
    if life.world.spec.hosted:
        return _hosted_seconds(cast(HostedWorld, life.world), key, begun, action, task)
    state = jax.jit(life.world.init)(key, begun)[0]
    return _timed(lambda key, state: life.world.step(key, state, action, task)[0], state)[1]


def _hosted_seconds(world: HostedWorld, key: jax.Array, begun: Any, action: Any, task: Any) -> float:
    """One decision in simulators of its own, from the median."""
    words: Any = np.asarray(jax.random.key_data(key))
    state, _ = world.init(key, begun)
    times: list[float] = []
    try:
        while sum(times) < SECONDS or len(times) < 3:
            began = time.perf_counter()
            state, _ = world.step(words, state, action, task)
            times.append(time.perf_counter() - began)
    finally:
        world.close(state)
    return float(np.median(times))


def _timed(part: Part, state: Any) -> tuple[Any, float]:
    """(the state after many turns of a part, the median seconds of one). The state that is passed in is used up."""

    def run(key: jax.Array, state: Any) -> Any:
        def again(state: Any, index: jax.Array) -> tuple[Any, None]:
            return part(jax.random.fold_in(key, index), state), None

        return jax.lax.scan(again, state, jnp.arange(REPEATS))[0]

    compiled = jax.jit(run, donate_argnums=1)
    state = jax.block_until_ready(compiled(jax.random.key(0), state))  # the first call compiles
    state, seconds = _timed_in_python(compiled, state)
    return state, seconds / REPEATS


def _timed_in_python(part: Part, state: Any) -> tuple[Any, float]:
    """`_timed` of one call each."""
    times: list[float] = []
    while sum(times) < SECONDS or len(times) < 3:
        began = time.perf_counter()
        state = jax.block_until_ready(part(jax.random.key(len(times)), state))
        times.append(time.perf_counter() - began)
    return state, float(np.median(times))
