"""Lives without the world's reward, and what is met in them: the study of claims about signals that explore."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import keys, lived, part
from umwelt.core.contracts import Agent, World

MET = Measure(name="met", unit="places", better="up")
"""Distinct places of an episode, mean of all episodes of the second half."""
TOUCHED = Measure(name="touched", unit="share", better="up")
"""The share of decisions, of the second half of a life, that end at one of the places."""


@part
class Unpaid:
    """One agent's life among places; a function of a key."""

    world: World
    """Pure; its rows live side by side, on its first named task."""
    agent: Agent
    places: Callable[[Any], jax.Array]
    """Observations [B] -> bool [B, K], the places where each row is."""
    ticks: int = 5000
    """Ticks of each row: decisions, and the beginnings of episodes."""
    every: int = 1
    """Ticks between two updates."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live: {measure: float32 []}."""
        beginning, living = keys.split(key, "begin", "live")
        spec, world = self.world.spec, self.world
        task = jax.tree.map(
            lambda leaf: jnp.broadcast_to(leaf, (spec.batch, *jnp.shape(leaf))), next(iter(world.tasks().values()))
        )
        state, step = world.init(keys.fold(beginning, "world"), task)
        agent, _ = self.agent.see(beginning, self.agent.init(keys.fold(beginning, "agent"), spec), step)

        def tick(life: Any, key: jax.Array) -> tuple[Any, Any]:
            acting, stepping, seeing, keeping = keys.split(key, "act", "step", "see", "remember")
            state, agent, step, met = life
            agent, action = self.agent.act(acting, agent)
            state, next = world.step(stepping, state, action, task)
            agent, seen = self.agent.see(seeing, agent, next)
            agent, _ = self.agent.remember(keeping, agent, lived(step, action, next, task=task, surprise=seen["surprise"]))
            here = self.places(next.observation)
            met = jnp.where(next.first[:, None], False, met) | here
            noted = (next.last, jnp.sum(met, axis=1), jnp.any(here, axis=1) & ~next.first, ~next.first)
            return (state, agent, next, met), noted

        def period(life: Any, key: jax.Array) -> tuple[Any, Any]:
            ticking, learning = keys.split(key, "tick", "learn")
            life, noted = jax.lax.scan(tick, life, jax.random.split(ticking, self.every))
            agent, _ = self.agent.learn(learning, life[1])
            return (life[0], agent, *life[2:]), noted

        life = (state, agent, step, jnp.zeros_like(self.places(step.observation)))
        _, noted = jax.lax.scan(period, life, jax.random.split(living, self.ticks // self.every))
        ended, met, touched, decided = (leaf[leaf.shape[0] // 2 :].astype(jnp.float32) for leaf in noted)
        return {
            "met": jnp.sum(ended * met) / jnp.maximum(jnp.sum(ended), 1.0),
            "touched": jnp.sum(touched) / jnp.maximum(jnp.sum(decided), 1.0),
        }
