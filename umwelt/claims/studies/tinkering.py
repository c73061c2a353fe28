"""Agents that play in a workshop where nothing pays, and then learn to make one product: the study of goals that make sense."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import keys, part
from umwelt.core.contracts import Agent
from umwelt.life.body import Body
from umwelt.teachers import Blocks
from umwelt.worlds.workshop import NEEDS, Workshop

FOUND = Measure(name="found", unit="products", better="up")
"""Distinct products that were made at least once while nothing paid."""
WAIT = Measure(name="wait", unit="share", better="down")
"""Share of the second life's episodes that end without the product that pays."""


@part
class Tinkering:
    """A life in which nothing pays, and a life after it in which one deep product does; a function of a key."""

    world: Workshop
    agent: Agent
    ticks: int = 2500
    """Decisions of each row while nothing pays."""
    after: int = 1000
    """Decisions of each row when the product pays."""
    product: str = "product_11"
    """What pays then."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live both: {measure: float32 []}."""
        playing = Body(world=self.world, agent=self.agent, teacher=Blocks(names=("play", self.product), steps=self.ticks))
        agent, teacher, task = playing.create(key)
        state, step = self.world.init(keys.fold(key, "world"), task)
        mind = playing.open("explore", key, agent, teacher, task, step)

        def tick(life: Any, _: Any) -> tuple[Any, Any]:
            (state, mind), ever = life
            decision = mind.decision
            state, next = self.world.step(jax.random.wrap_key_data(decision.key), state, decision.action, decision.next_task)
            mind, record = playing.turn("explore", mind, next)  # noqa: RUF059
            agent, _ = self.agent.learn(keys.fold(jax.random.fold_in(mind.key, mind.clock), "learn"), mind.agent)
            plays = mind.clock <= self.ticks
            made = jnp.any(next.observation[:, : len(NEEDS)] > 0, axis=0)
            ended = (next.last & ~plays).sum(), (next.terminated & ~plays).sum()
            return ((state, replace(mind, agent=agent)), ever | (made & plays)), ended

        begun = ((state, mind), jnp.zeros(len(NEEDS), bool))
        (_, ever), (ended, done) = jax.lax.scan(tick, begun, None, self.ticks + self.after)
        return {"found": jnp.sum(ever, dtype=jnp.float32), "wait": 1.0 - done.sum() / jnp.maximum(ended.sum(), 1)}
