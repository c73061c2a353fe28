"""Lives in small worlds as functions of a key: what an agent is paid, and how many cells it sees."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import keys, lived, part
from umwelt.core.contracts import Agent, World

CELLS = Measure(name="cells", unit="cells", better="up")
"""Distinct cells of an episode, mean of those that end in the last tenth of a life."""
LATE_RETURN = Measure(name="late_return", unit="return", better="up")
"""Return of an episode, mean of those that end in the last tenth of a life."""
SOLVED = Measure(name="solved", unit="share of seeds", better="up")
"""1 where that mean is above one half, else 0."""
LATE = 0.1
"""The last share of a life that is measured."""


@part
class Roamed:
    """One agent's life in a world that shows its cell as a one-hot vector; a function of a key."""

    world: World
    """Its rows live side by side."""
    agent: Agent
    ticks: int
    """Ticks of each row: decisions, and the beginnings of episodes."""
    every: int = 1
    """Ticks between two rounds of learning."""
    updates: int = 1
    """Updates in one round."""
    task: str = ""
    """The named task of all episodes; empty for the default, `drawn` for one that the world draws once."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live: {measure: float32 []}."""
        beginning, living, drawing = keys.split(key, "begin", "live", "task")
        life = self.begun(beginning, self._tasks(drawing))
        periods = self.ticks // self.every
        _, (ended, returned, cells) = jax.lax.scan(self.period, life, jax.random.split(living, periods))
        # [periods, every, rows]
        late = ended & (jnp.arange(periods) >= (1.0 - LATE) * periods)[:, None, None]
        number = jnp.maximum(jnp.sum(late), 1)
        late_return = jnp.sum(late * returned) / number
        return {
            "cells": jnp.sum(late * cells) / number,
            "late_return": late_return,
            "solved": (late_return > 0.5).astype(jnp.float32),
        }

    def begun(self, key: jax.Array, tasks: Any) -> Any:
        """World, agent and step at the beginning, with what each row's episode was paid and has seen."""
        spec = self.world.spec
        state, step = self.world.init(keys.fold(key, "world"), tasks)
        agent, _ = self.agent.see(key, self.agent.init(keys.fold(key, "agent"), spec), step)
        return state, agent, step, tasks, jnp.zeros(spec.batch), jnp.zeros((spec.batch, *spec.observation.shape), bool)

    def period(self, life: Any, key: jax.Array) -> tuple[Any, Any]:
        """Some ticks, and then a round of learning."""
        ticking, learning = keys.split(key, "tick", "learn")
        life, found = jax.lax.scan(self.tick, life, jax.random.split(ticking, self.every))

        def learn(agent: Any, key: jax.Array) -> tuple[Any, None]:
            return self.agent.learn(key, agent)[0], None

        agent, _ = jax.lax.scan(learn, life[1], jax.random.split(learning, self.updates))
        return (life[0], agent, *life[2:]), found

    def tick(self, life: Any, key: jax.Array) -> tuple[Any, Any]:
        """One decision of each row: which episodes end, what they were paid, and how many cells they have seen, [B] each."""
        acting, stepping, seeing, keeping = keys.split(key, "act", "step", "see", "remember")
        state, agent, step, tasks, paid, met = life
        agent, action = self.agent.act(acting, agent)
        state, next = self.world.step(stepping, state, action, tasks)
        agent, seen = self.agent.see(seeing, agent, next)
        agent, _ = self.agent.remember(keeping, agent, lived(step, action, next, task=tasks, surprise=seen["surprise"]))
        paid = jnp.where(next.first, 0.0, paid + next.reward)
        met = jnp.where(next.first[:, None], False, met) | (next.observation > 0.5)
        return (state, agent, next, tasks, paid, met), (next.last, paid, jnp.sum(met, axis=1).astype(jnp.float32))

    def _tasks(self, key: jax.Array) -> Any:
        """The task of every row, leaves [B, ...]."""
        world: Any = self.world
        named = world.tasks()
        task = world.drawn(key) if self.task == "drawn" else named[self.task or next(iter(named))]
        return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (world.spec.batch, *jnp.shape(leaf))), task)
