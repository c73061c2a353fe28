"""Show an agent its task, as a leaf of what it observes."""

import dataclasses
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, capability, part, select, spaces, struct
from umwelt.worlds.observed import leaf_names, names_of

SEEN, TASK = "seen", "task"
"""The leaves of an announced observation: that of the world inside, and the task."""
SAVED = "announced_task_"
"""The prefix of the names under which `save` keeps the tasks."""


@struct
class AnnouncedState:
    """inner: the state, or the ticket, of the world inside. task: the tasks of the present episodes, leaves [B, ...]."""

    inner: Any
    task: Any


@part
class Announced:
    """A world whose observation is `{"seen": ..., "task": ...}`.

    `seen` is the observation of the world inside. `task` has the structure of the task space: numbers are float32, scaled
    to about [-1, 1] by their bounds, and choices stay choices.

    >>> from umwelt.worlds.pendulum import Pendulum
    >>> space, task = Pendulum().spec.task, Pendulum().tasks()["moon"]
    >>> round(float(scaled(space, task).gravity), 2)  # of 1 to 25, on -1 to 1
    -0.95
    """

    world: Any
    """The world inside, pure or hosted, with any observation."""
    only: tuple[str, ...] = ()
    """Fields of the task that are shown, such as `("goal",)`; empty shows all. `task` is then a dict of these fields."""

    passes = ("position", "reward", "continues", "expert", "achieved", "body", "advance", "guard")
    """Capabilities of the world inside that hold here too."""

    @property
    def inner(self) -> Any:
        """The world inside."""
        return self.world

    @property
    def spec(self) -> WorldSpec:
        """The inner spec, with the task in the observation."""
        return _spec(self)

    def tasks(self) -> dict[str, Any]:
        """The inner world's named tasks."""
        return self.world.tasks()

    def init(self, key: jax.Array, task: Any) -> tuple[AnnouncedState, TimeStep]:
        """Begin an episode in every row."""
        inner, step = self.world.init(key, task)
        return self._announce(inner, task, step)

    def step(self, key: jax.Array, state: AnnouncedState, action: Any, next_task: Any) -> tuple[AnnouncedState, TimeStep]:
        """Take one decision in every row; a row that begins an episode shows its row of `next_task` from then on."""
        inner, step = self.world.step(key, state.inner, action, next_task)
        if self.world.spec.hosted:
            task = jax.tree.map(lambda new, old: _chosen(step.first, new, old), next_task, state.task)
        else:
            task = select(step.first, next_task, state.task)
        return self._announce(inner, task, step)

    def project(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a capability of the world inside: what was seen, and the task that the observation shows."""
        given = dict(arguments)
        if "observation" in given and TASK in given:
            given[TASK] = self.task_of(given["observation"])
        return given | {name: given[name][SEEN] for name in ("observation", "next_observation") if name in given}

    def task_of(self, observation: Any) -> Any:
        """The tasks that observations show, with any leading axes. Fields that are not shown are those of the world's
        first task."""
        shown = unscaled(_parts(self.world.spec.task, self.only), observation[TASK])
        if not self.only:
            return shown
        leaf, value = spaces.leaves(self.spec.observation[TASK])[0], jax.tree.leaves(shown)[0]
        lead = value.shape[: value.ndim - len(leaf.shape)]
        first = next(iter(self.world.tasks().values()))
        whole = jax.tree.map(lambda leaf: jnp.broadcast_to(jnp.asarray(leaf), (*lead, *np.shape(leaf))), first)
        return _with(whole, shown)

    def posed(self, observation: Any, goal: Any) -> Any:
        """Observations that show another goal: `goal` stands for the task's field of that name, in its own units."""
        shown = scaled(_parts(self.world.spec.task, ("goal",))["goal"], goal)
        return {SEEN: observation[SEEN], TASK: _with(observation[TASK], {"goal": shown})}

    def observation_names(self) -> tuple[str, ...]:
        """What each number of the world inside is called, then those of the task by its fields."""
        seen = names_of(self.world)
        return (*seen, *leaf_names(self.spec.observation)[len(seen) :])

    @property
    def observe(self) -> Callable[[Any, Any], Any]:
        """Show the observation of one body under one task. Absent where the world inside has no such capability."""
        seen = capability(self.world, "observe")
        if seen is None:
            raise AttributeError(f"{self.world.spec.name} has no `observe`")
        space = _parts(self.world.spec.task, self.only)
        return lambda body, task: {SEEN: seen(body, task), TASK: scaled(space, _parts(task, self.only))}

    def save(self, ticket: AnnouncedState) -> dict[str, np.ndarray]:
        """What a hosted world needs to be resumed, and the tasks of the present episodes."""
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

    def render(self, ticket: AnnouncedState) -> np.ndarray | None:
        """Row 0 of the hosted world as uint8 [H, W, 3], or None where it shows nothing."""
        return self.world.render(ticket.inner)

    def close(self, ticket: AnnouncedState) -> None:
        """End the hosted world's simulators."""
        self.world.close(ticket.inner)

    def _announce(self, inner: Any, task: Any, step: TimeStep) -> tuple[AnnouncedState, TimeStep]:
        spec = self.world.spec
        shown = scaled(_parts(spec.task, self.only), _parts(task, self.only), np if spec.hosted else jnp)
        observation = {SEEN: step.observation, TASK: shown}
        return AnnouncedState(inner=inner, task=task), dataclasses.replace(step, observation=observation)


@lru_cache(maxsize=64)
def _spec(world: Announced) -> WorldSpec:
    """One object, so that equal worlds have equal specs."""
    inner = world.world.spec
    task = _parts(inner.task, world.only)
    return dataclasses.replace(inner, observation={SEEN: inner.observation, TASK: spaces.map_space(_shown, task)})


def _parts(task: Any, names: tuple[str, ...]) -> Any:
    """The fields of a task, or of its space, that are called so, as a dict; the whole where there are no names."""
    fields = task if isinstance(task, dict) else getattr(task, "__dict__", {})
    if unknown := [name for name in names if name not in fields]:
        raise ValueError(f"only: the task has no field called {', '.join(unknown)}; it has {', '.join(fields) or 'no fields'}")
    return {name: fields[name] for name in names} if names else task


def _with(task: Any, fields: dict[str, Any]) -> Any:
    """The task with other values of some fields."""
    return {**task, **fields} if isinstance(task, dict) else dataclasses.replace(task, **fields)


def seen_space(space: Any) -> Any:
    """The space of what the world itself shows: `seen` where the task is announced."""
    return space[SEEN] if isinstance(space, dict) and set(space) == {SEEN, TASK} else space


def scaled(space: Any, task: Any, xp: Any = jnp) -> Any:
    """Tasks, with any leading axes, as they are shown: numbers float32 on about [-1, 1], choices int32."""

    def show(leaf: Box | Discrete, value: Any) -> Any:
        if isinstance(leaf, Discrete):
            return xp.asarray(value, xp.int32)
        middle, half = _middle(leaf)
        return (xp.asarray(value, xp.float32) - middle) / half

    return spaces.map_space(show, space, task)


def unscaled(space: Any, shown: Any) -> Any:
    """Read back the tasks that `scaled` made."""

    def read(leaf: Box | Discrete, value: Any) -> Any:
        if isinstance(leaf, Discrete):
            return jnp.asarray(value, jnp.int32)
        middle, half = _middle(leaf)
        number = jnp.asarray(value, jnp.float32) * half + middle
        return (jnp.round(number) if np.dtype(leaf.dtype).kind in "iu" else number).astype(leaf.dtype)

    return spaces.map_space(read, space, shown)


def _shown(leaf: Box | Discrete) -> Box | Discrete:
    """The space of one leaf of a task as it is shown."""
    if isinstance(leaf, Discrete):
        return leaf
    middle, half = _middle(leaf)
    low, high = (((edge.astype(np.float32) - middle) / half).reshape(-1).tolist() for edge in leaf.bounds)
    low, high = (edge[0] if edge and len(set(edge)) == 1 else tuple(edge) for edge in (low, high))
    return Box(shape=leaf.shape, low=low or 0.0, high=high or 0.0)


def _middle(leaf: Box) -> tuple[np.ndarray, np.ndarray]:
    """What to subtract and what to divide by, of the leaf's shape; 0 and 1 where a side has no bound."""
    low, high = (edge.astype(np.float32) for edge in leaf.bounds)
    finite = np.isfinite(low) & np.isfinite(high) & (high > low)
    low, high = np.where(finite, low, -1.0), np.where(finite, high, 1.0)
    return ((low + high) / 2.0).astype(np.float32), ((high - low) / 2.0).astype(np.float32)


def _chosen(rows: np.ndarray, new: Any, old: Any) -> np.ndarray:
    return np.where(rows.reshape(rows.shape + (1,) * (np.ndim(new) - 1)), new, old)
