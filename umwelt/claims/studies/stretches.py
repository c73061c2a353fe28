"""Pieces of lives in pure mazes, for studies in which one agent hands something on to another: live, and be examined."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import keys, lived


def rows_of(task: Any, number: int) -> Any:
    """A task for so many rows."""
    return jax.tree.map(lambda leaf: jnp.broadcast_to(jnp.asarray(leaf), (number, *jnp.shape(leaf))), task)


def begun(world: Any, agent: Any, key: jax.Array, mind: Any, task: Any) -> Any:
    """A life (world state, agent state, step) that begins with a mind, on a task."""
    state, step = world.init(keys.fold(key, "world"), rows_of(task, world.spec.batch))
    mind, _ = agent.see(key, mind, step)
    return state, mind, step


def lived_on(
    world: Any, agent: Any, key: jax.Array, life: Any, task: Any, ticks: int, updates: int, random: bool = False, look: Any = None
) -> tuple[Any, jax.Array]:
    """The life after some ticks with `updates` lessons after each, and what `look` sees of each next observation on the way:
    the positions float32 [ticks, B, 2] where it is None."""
    asked, look = rows_of(task, world.spec.batch), look or world.achieved

    def tick(life: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        acting, stepping, seeing, keeping, learning = keys.split(key, "act", "step", "see", "remember", "learn")
        state, mind, step = life
        mind, action = agent.act(acting, mind, "random" if random else "explore")
        state, next = world.step(stepping, state, action, asked)
        mind, seen = agent.see(seeing, mind, next)
        mind, _ = agent.remember(keeping, mind, lived(step, action, next, task=asked, surprise=seen["surprise"]))
        mind = jax.lax.fori_loop(0, updates, lambda at, mind: agent.learn(jax.random.fold_in(learning, at), mind)[0], mind)
        return (state, mind, next), look(next.observation)

    return jax.lax.scan(tick, life, jax.random.split(key, ticks))


def examined(world: Any, agent: Any, key: jax.Array, mind: Any, task: Any, rows: int, ticks: int) -> jax.Array:
    """The share of episodes in which an exam is passed, by the best action: float32 []."""
    room, asked = replace(world, batch=rows), rows_of(task, rows)
    state, step = room.init(key, asked)
    body, _ = agent.see(key, agent.embody(key, mind, room.spec), step)

    def tick(held: Any, key: jax.Array) -> tuple[Any, None]:
        state, body, hit = held
        body, action = agent.act(key, body, "exploit")
        state, next = room.step(key, state, action, asked)
        body, _ = agent.see(key, body, next)
        return (state, body, hit | (next.reward > 0.5)), None

    (_, _, hit), _ = jax.lax.scan(tick, (state, body, jnp.zeros(rows, bool)), jax.random.split(key, ticks))
    return jnp.mean(hit.astype(jnp.float32))
