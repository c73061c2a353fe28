"""Whole lives as pure functions of a key: for claims whose seeds run in one program and whose measures no chronicle holds."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import keys, layers, part, select, spaces
from umwelt.life.body import Body, rounds
from umwelt.worlds import with_batch
from umwelt.worlds.stream import rows

SUCCESS = Measure(name="success", unit="share", better="up")
"""Episodes of the policy, on the default task, that are paid more than a half by their end."""


@part
class Lives:
    """One life and the success of its policy; a function of a key."""

    world: Any
    agent: Any
    teacher: Any
    ticks: int
    """Decisions of each row."""
    updates: int = 1
    """Updates after each decision."""
    random: int = 0
    """Decisions of each row at the beginning that are drawn evenly."""
    episodes: int = 64
    """Episodes of the exam."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live, and examine the policy: {measure: float32 []}."""
        living, examining = keys.split(key, "live", "examine")
        body = Body(world=self.world, agent=self.agent, teacher=self.teacher)
        _, mind = lived_through(body, living, self.ticks, self.updates, self.random)
        return {"success": success(body, examining, mind.agent, self.episodes)}


def lived_through(
    body: Body,
    key: jax.Array,
    ticks: int,
    updates: int = 1,
    random: int = 0,
    shelf: Any = None,
    starts: Any = None,
    changes: Mapping[str, Any] | None = None,
) -> tuple[Any, Any]:
    """Live `ticks` decisions, each followed by so many updates: (the world's state, the mind).

    random: decisions at the beginning that are drawn evenly. shelf: one of `Restarted` to go on with. starts: the
    demonstration of a `Retreat`. changes: fields of the agent's state as it begins.
    """
    spec = body.world.spec
    agent, teacher, task = body.create(keys.fold(key, "create"))
    state, step = body.world.init(keys.fold(key, "world"), task)
    state = state if shelf is None else replace(state, shelf=shelf)
    teacher = teacher if starts is None else replace(teacher, starts=starts)
    agent = replace(agent, **(changes or {}))
    mind = body.open("explore", key, agent, teacher, task, step)

    def tick(life: Any, _: None) -> tuple[Any, None]:
        state, mind = life
        if random:
            anything = spaces.sample(keys.fold(jax.random.wrap_key_data(mind.decision.key), "any"), spec.action, spec.batch)
            action = select(mind.clock < random, anything, mind.decision.action)
            mind = replace(mind, decision=replace(mind.decision, action=action))
        decision = mind.decision
        state, next = body.world.step(jax.random.wrap_key_data(decision.key), state, decision.action, decision.next_task)
        mind, _recorded = body.turn("explore", mind, next)
        if updates:
            lesson = jax.random.fold_in(keys.fold(key, "learn"), mind.clock)
            agent, _info = rounds(body.agent.learn, mind.agent, lesson, updates, 0)
            mind = replace(mind, agent=agent)
        return (state, mind), None

    return jax.lax.scan(tick, (state, mind), None, length=ticks)[0]


def success(body: Body, key: jax.Array, agent: Any, episodes: int) -> jax.Array:
    """float32 []: the share of so many episodes on the default task whose return passes a half."""
    world = with_batch(body.world, episodes)
    task = rows(next(iter(world.tasks().values())), episodes)
    state, step = world.init(key, task)
    acting = body.agent.embody(key, agent, world.spec)

    def tick(held: Any, key: jax.Array) -> tuple[Any, None]:
        state, acting, step, returns, over = held
        acting, _ = body.agent.see(keys.fold(key, "see"), acting, step)
        acting, action = body.agent.act(keys.fold(key, "act"), acting, "exploit")
        state, step = world.step(keys.fold(key, "world"), state, action, task)
        returns = jnp.where(over, returns, returns + step.reward)
        return (state, acting, step, returns, over | step.last), None

    limit = next(layer.time_limit for layer in layers(world) if hasattr(layer, "time_limit"))
    begun = state, acting, step, jnp.zeros(episodes), jnp.zeros(episodes, bool)
    (_, _, _, returns, _), _ = jax.lax.scan(tick, begun, jax.random.split(key, limit))
    return jnp.mean((returns > 0.5).astype(jnp.float32))
