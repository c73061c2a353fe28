"""Turn one episode into the stream convention: batching, time limits and the turn from LAST to FIRST.

A pure world is written for one row, as three functions of a frozen part:

    begin(key, task) -> body                                        a fresh episode
    advance(key, body, action, task) -> (body, reward, terminated)  one decision
    observe(body, task) -> observation                              what can be seen

and gets the contract's `init` and `step` from here.
"""

from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import FIRST, MID, TERMINATED, TRUNCATED, TimeStep, WorldSpec, keys, select, spaces, struct


class Episodic(Protocol):
    """A pure world of one row."""

    @property
    def time_limit(self) -> int: ...
    @property
    def spec(self) -> WorldSpec: ...
    def begin(self, key: jax.Array, task: Any) -> Any: ...
    def advance(self, key: jax.Array, body: Any, action: Any, task: Any) -> tuple[Any, jax.Array, jax.Array]: ...
    def observe(self, body: Any, task: Any) -> Any: ...


@struct
class StreamState:
    """body: the world's own state, leaves [B, ...]. task: [B, ...]. kind: int8 [B]. age: int32 [B]."""

    body: Any
    task: Any
    kind: jax.Array
    age: jax.Array


def init(world: Episodic, key: jax.Array, task: Any) -> tuple[StreamState, TimeStep]:
    """Begin an episode in every row."""
    batch = world.spec.batch
    body = jax.vmap(world.begin)(jax.random.split(key, batch), task)
    kind = jnp.full(batch, FIRST, jnp.int8)
    step = TimeStep(kind=kind, observation=jax.vmap(world.observe)(body, task), reward=jnp.zeros(batch, jnp.float32))
    return StreamState(body=body, task=task, kind=kind, age=jnp.zeros(batch, jnp.int32)), step


def step(world: Episodic, key: jax.Array, state: StreamState, action: Any, next_task: Any) -> tuple[StreamState, TimeStep]:
    """Take one decision in every row; rows that had ended begin again on their `next_task`."""
    begin, advance = keys.split(key, "begin", "advance")
    batch = world.spec.batch
    body, reward, terminated = jax.vmap(world.advance)(jax.random.split(advance, batch), state.body, action, state.task)
    ended = state.kind >= TERMINATED
    age = jnp.where(ended, 0, state.age + 1)
    kind = jnp.where(terminated, TERMINATED, jnp.where(age >= world.time_limit, TRUNCATED, MID))
    kind = jnp.where(ended, FIRST, kind).astype(jnp.int8)

    def begun() -> tuple[Any, Any]:
        fresh = jax.vmap(world.begin)(jax.random.split(begin, batch), next_task)
        return select(ended, (fresh, next_task), (body, state.task))

    # Drawing a fresh body costs more than a step of most worlds, and few steps need one. A processor
    # skips it; an accelerator would have to ask its host, and draws it every time instead.
    body, task = jax.lax.platform_dependent(
        cpu=lambda: jax.lax.cond(jnp.any(ended), begun, lambda: (body, state.task)), default=begun
    )
    seen = jax.vmap(world.observe)(body, task)
    reward = jnp.where(ended, 0.0, reward).astype(jnp.float32)
    return StreamState(body=body, task=task, kind=kind, age=age), TimeStep(kind=kind, observation=seen, reward=reward)


def numbers(task: Any) -> Any:
    """A task written with Python numbers, as float32 arrays: what a world's `tasks` returns."""
    return jax.tree.map(lambda value: np.asarray(value, np.float32), task)


def default(world: Any, task: Any, batch: int) -> Any:
    """Tasks [batch]: `task` with or without that axis, or the world's first named task where it is None."""
    task, space = next(iter(world.tasks().values())) if task is None else task, world.spec.task
    return spaces.map_space(lambda leaf, value: jnp.broadcast_to(jnp.asarray(value), (batch, *leaf.shape)), space, task)


def rows(task: Any, batch: int) -> Any:
    """The same task for `batch` rows: leaves [...] -> [batch, ...]."""
    return jax.tree.map(lambda leaf: jnp.broadcast_to(jnp.asarray(leaf), (batch, *np.shape(leaf))), task)
