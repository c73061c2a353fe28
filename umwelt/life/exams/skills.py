"""Where the skills of an agent lead: one short roll-out of each, all from one start, in exam mode. The life is only read."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, keys, layers, part
from umwelt.evaluation.proctor import is_hosted_mind
from umwelt.life.composition import Life
from umwelt.life.exams.examine import panel_of, probe_key, repeated
from umwelt.worlds import with_batch
from umwelt.worlds.position import position_of

SKILLED = ("Skilful", "Calling", "Snapshots")
"""Names of the agents that have skills; a life without any of them has none."""
TICKS = 40
"""Decisions of a roll-out, at most."""
MOST = 12
"""Skills that are shown, at most."""


@part
class Traces:
    """Where K skills lead on `task`. names: of the skills. places: float64 [K, T + 1, 2 or 3], the start first, NaN after the
    end of an episode."""

    task: str
    names: tuple[str, ...]
    places: np.ndarray


def traces_of(life: Life, agent_state: Any, seed: int = 0) -> Traces | None:
    """Roll out the skills of an agent's state, each alone; None where it has none, or the world no positions."""
    depth = skilled(life.agent)
    if depth is None or life.world.spec.hosted or is_hosted_mind(life.agent) or position_of(life.world) is None:
        return None
    world, key = with_batch(life.world, 1), probe_key(seed)
    name, task = next(iter(panel_of(life).items()))
    state = life.agent.embody(key, agent_state, world.spec)
    for _ in range(depth):
        state = state.inner
    agent = list(layers(life.agent))[depth]
    names, skills = examples(agent.skill_space(state))
    if not names:
        return None

    def led(state: Any, skills: Any) -> jax.Array:
        def acts(key: jax.Array, skill: Any, seen: Any) -> Any:
            return agent.called(key, state, skill, seen, "exploit")

        return jax.vmap(lambda skill: trace(key, world, acts, repeated({name: task}, 1), skill, TICKS))(skills)

    return Traces(task=name, names=names, places=np.asarray(jax.jit(led)(state, skills), np.float64))


def trace(key: jax.Array, world: Any, acts: Callable[..., Any], task: Any, skill: Any, ticks: int) -> jax.Array:
    """Act by one skill in a world of one row: positions float32 [ticks + 1, D], NaN after the end of the episode.

    acts: (key, skills [1, ...], observations [1, ...]) -> actions [1, ...]. Equal keys give equal starts.
    """
    place = position_of(world)
    assert place is not None
    state, step = world.init(keys.fold(key, "world"), task)
    rows = jax.tree.map(lambda leaf: leaf[None], skill)

    def tick(held: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        state, seen, alive = held
        acting, stepping = keys.split(key, "act", "step")
        state, step = world.step(stepping, state, acts(acting, rows, seen), task)
        here = jnp.where(alive, place(step.observation)[0], jnp.nan)
        return (state, step.observation, alive & ~step.last[0]), here

    begun = state, step.observation, jnp.bool_(True)
    path = jax.lax.scan(tick, begun, jax.random.split(keys.fold(key, "step"), ticks))[1]
    return jnp.concatenate([place(step.observation), path])


def examples(space: Any) -> tuple[tuple[str, ...], Any]:
    """Choose skills to show of a space: (their names, their values [K, ...]); none where the space is None.

    All of a few choices; directions around a circle where two numbers name a skill; else each number alone at its bounds.
    """
    if space is None:
        return (), None
    if isinstance(space, Discrete):
        chosen = np.unique(np.linspace(0, space.n - 1, min(space.n, MOST)).round().astype(np.int32))
        return tuple(f"skill {each}" for each in chosen), jnp.asarray(chosen)
    if not isinstance(space, Box) or not space.bounded or len(space.shape) != 1:
        return (), None
    low, high = space.bounds
    if space.shape == (2,) and (low < 0).all():
        angles = np.arange(MOST) * 360 // MOST
        turned = np.stack([np.cos(np.radians(angles)), np.sin(np.radians(angles))], axis=1)
        return tuple(f"{angle}°" for angle in angles), jnp.asarray(high * turned, jnp.float32)
    middle = np.clip(np.zeros_like(low), low, high)
    found = [(entry, edge[entry]) for entry in range(len(low)) for edge in (high, low) if edge[entry] != middle[entry]][:MOST]
    rows = np.stack([np.where(np.arange(len(low)) == entry, value, middle) for entry, value in found])
    return tuple(f"number {entry} at {value:g}" for entry, value in found), jnp.asarray(rows, jnp.float32)


def skilled(agent: Any) -> int | None:
    """How deep inside its wrappers the agent lies that has skills; None where none has."""
    return next((depth for depth, layer in enumerate(layers(agent)) if getattr(layer, "called", None) is not None), None)
