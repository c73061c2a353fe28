"""The wrapper that shows an agent its task."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, spaces, struct
from umwelt.worlds.place import place_of

SAVED = "announced_task_"
"""The prefix of the names under which `save` keeps the tasks."""


@struct
class AnnouncedState:
    """inner: the state, or the ticket, of the world inside. task: the tasks now lived, leaves [B, ...]."""

    inner: Any
    task: Any


@part
class Announced:
    """A world whose observation ends with its task, scaled to about [-1, 1] by the task space's bounds."""

    world: Any
    """The world inside, pure or hosted; its observation is a vector."""

    @property
    def spec(self) -> WorldSpec:
        """The inner spec, with the longer observation."""
        inner = self.world.spec
        seen = inner.observation
        if not isinstance(seen, Box) or len(seen.shape) != 1:
            raise ValueError(
                f"Announced(world=...) needs a world whose observation is one Box of shape (n,), and {inner.name!r} has {seen};"
                " flatten its observation first"
            )
        edges = [_edges(leaf) for leaf in spaces.leaves(inner.task)]
        low, high = (np.concatenate([seen.bounds[side], *(edge[side] for edge in edges)]) for side in (0, 1))
        box = Box(shape=low.shape, low=tuple(low.tolist()), high=tuple(high.tolist()))
        return dataclasses.replace(inner, observation=box)

    def tasks(self) -> dict[str, Any]:
        """The inner world's named tasks."""
        return self.world.tasks()

    def init(self, key: jax.Array, task: Any) -> tuple[AnnouncedState, TimeStep]:
        """Begin an episode in every row."""
        inner, step = self.world.init(key, task)
        return self._announce(inner, task, step)

    def step(self, key: jax.Array, state: AnnouncedState, action: Any, next_task: Any) -> tuple[AnnouncedState, TimeStep]:
        """One decision in every row; a row that begins anew lives its row of `next_task` from then on."""
        inner, step = self.world.step(key, state.inner, action, next_task)
        xp = self._arrays()

        def choose(new: Any, old: Any) -> Any:
            return xp.where(step.first.reshape(step.first.shape + (1,) * (xp.ndim(new) - 1)), new, old)

        return self._announce(inner, jax.tree.map(choose, next_task, state.task), step)

    @property
    def reward(self) -> Callable[..., jax.Array]:
        """The inner world's reward of a transition, with the task read from the observation. Absent where it has none."""
        given = self.world.reward

        def reward(observation: jax.Array, action: Any, next_observation: jax.Array) -> jax.Array:
            width = self.world.spec.observation.shape[0]
            task = unscaled(self.world.spec.task, observation[:, width:])
            return given(observation[:, :width], action, next_observation[:, :width], task)

        return reward

    @property
    def place(self) -> Callable[[jax.Array], jax.Array]:
        """The inner world's place, with the task left out. Absent where it has none."""
        given = place_of(self.world)
        if given is None:
            raise AttributeError(f"{self.world.spec.name} has no place")
        return lambda observation: given(observation[:, : self.world.spec.observation.shape[0]])

    def save(self, ticket: AnnouncedState) -> dict[str, np.ndarray]:
        """What a hosted world needs to be resumed, and the tasks now lived."""
        tasks = {f"{SAVED}{index}": np.asarray(leaf) for index, leaf in enumerate(jax.tree.leaves(ticket.task))}
        return {**self.world.save(ticket.inner), **tasks}

    def restore(self, saved: dict[str, np.ndarray]) -> tuple[AnnouncedState, TimeStep]:
        """The hosted world as it was saved."""
        inner, step = self.world.restore({name: value for name, value in saved.items() if not name.startswith(SAVED)})
        shape = jax.tree.structure(self.world.spec.task, is_leaf=spaces.is_leaf)
        leaves = [saved[f"{SAVED}{index}"] for index in range(shape.num_leaves)]
        return self._announce(inner, jax.tree.unflatten(shape, leaves), step)

    def drain(self, ticket: AnnouncedState) -> list[Any]:
        """The hosted world's events since the last call."""
        return self.world.drain(ticket.inner)

    def close(self, ticket: AnnouncedState) -> None:
        """End the hosted world's simulators."""
        self.world.close(ticket.inner)

    def _arrays(self) -> Any:
        return np if self.world.spec.hosted else jnp

    def _announce(self, inner: Any, task: Any, step: TimeStep) -> tuple[AnnouncedState, TimeStep]:
        xp = self._arrays()
        told = scaled(self.world.spec.task, task, xp)
        seen = xp.concatenate([xp.asarray(step.observation, xp.float32), told], axis=-1)
        return AnnouncedState(inner=inner, task=task), dataclasses.replace(step, observation=seen)


def scaled(space: Any, task: Any, xp: Any = jnp) -> Any:
    """Tasks [N] as float32 [N, width]: bounded numbers to [-1, 1], others as they are, choices one-hot."""

    def encode(leaf: Box | Discrete, value: Any) -> Any:
        value = xp.asarray(value)
        if isinstance(leaf, Discrete):
            return (value[:, None] == xp.arange(leaf.n)).astype(xp.float32)
        middle, half = _middle(leaf)
        return ((value.astype(xp.float32) - middle) / half).reshape(value.shape[0], -1)

    parts = [encode(leaf, value) for leaf, value in zip(spaces.leaves(space), jax.tree.leaves(task), strict=True)]
    rows = jax.tree.leaves(task)[0].shape[0] if parts else 0
    return xp.concatenate(parts, axis=-1) if parts else xp.zeros((rows, 0), xp.float32)


def unscaled(space: Any, told: jax.Array) -> Any:
    """The tasks [N] that `scaled` wrote as float32 [N, width]."""
    made, start = [], 0
    for leaf in spaces.leaves(space):
        stop = start + spaces.width(leaf)
        piece, start = told[:, start:stop], stop
        if isinstance(leaf, Discrete):
            made.append(jnp.argmax(piece, axis=-1).astype(jnp.int32))
            continue
        middle, half = _middle(leaf)
        made.append((piece.reshape(-1, *leaf.shape) * half + middle).astype(leaf.dtype))
    return jax.tree.unflatten(jax.tree.structure(space, is_leaf=spaces.is_leaf), made)


def _middle(leaf: Box) -> tuple[np.ndarray, np.ndarray]:
    """What to subtract and what to divide by, of the leaf's shape; 0 and 1 where a side has no bound."""
    low, high = (edge.astype(np.float32) for edge in leaf.bounds)
    finite = np.isfinite(low) & np.isfinite(high) & (high > low)
    low, high = np.where(finite, low, -1.0), np.where(finite, high, 1.0)
    return ((low + high) / 2.0).astype(np.float32), ((high - low) / 2.0).astype(np.float32)


def _edges(leaf: Box | Discrete) -> tuple[np.ndarray, np.ndarray]:
    """The bounds of the leaf's part of the observation, flat."""
    if isinstance(leaf, Discrete):
        return np.zeros(leaf.n), np.ones(leaf.n)
    low, high = leaf.bounds
    middle, half = _middle(leaf)
    return ((low - middle) / half).reshape(-1), ((high - middle) / half).reshape(-1)
