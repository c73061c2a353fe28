"""Make a goal of any world: its task says which entries of the observation are wanted, and reaching them is the reward."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import BROKEN, MID, TERMINATED, Box, TimeStep, WorldSpec, capability, keys, part, select, struct
from umwelt.networks.form import Form, form
from umwelt.worlds import stream
from umwelt.worlds.announced import Announced


@struct
class WantedTask:
    """inner: the task of the world inside. goal: float32 [G], the wanted entries of its observation."""

    inner: Any
    goal: Any


@struct
class WantedState:
    """inner: the state of the world inside. task: the tasks [B] of the present episodes. cut: bool [B], the goal has ended
    the episode, and the world inside would go on."""

    inner: Any
    task: WantedTask
    cut: jax.Array


@part
class Wanted:
    """A pure world whose task has a goal, and whose reward is 1 within `radius` of it and 0 elsewhere.

    >>> from umwelt.worlds.pendulum import Pendulum
    >>> world = Wanted(world=Pendulum(), entries=(0, 1), radius=0.2, goals=(("up", (1.0, 0.0)),))
    >>> task = jax.tree.map(lambda leaf: leaf[None], world.tasks()["up"])
    >>> upright = jnp.array([[0.99, 0.1, 3.0]])
    >>> float(world.reward(upright, None, upright, task)[0])
    1.0
    """

    world: Any
    """The world inside, pure, whose state has the leading axis B throughout."""
    entries: tuple[int, ...] = ()
    """Which numbers of the flat observation make up a goal; empty takes all."""
    radius: float = 0.1
    """How near they come where the goal is reached: the length of the difference."""
    ends: bool = False
    """Whether the episode terminates at the goal."""
    goals: tuple[tuple[str, tuple[float, ...]], ...] = ()
    """Named goals; none for one in the middle of the observation's bounds."""

    passes = ("position", "guard", "observation_names")
    """Capabilities of the world inside that hold here too."""

    @property
    def inner(self) -> Any:
        """The world inside."""
        return self.world

    @property
    def spec(self) -> WorldSpec:
        """The inner spec, with a goal in the task."""
        inner, entries = self.world.spec, list(self._entries)
        if inner.hosted:
            raise ValueError(
                f"world: {inner.name} is hosted, and Wanted cuts the episodes of pure worlds only; take a built-in one"
            )
        low, high = self._form.bounds
        if entries and max(entries) >= len(low):
            raise ValueError(f"entries={self.entries}: an observation of {inner.name} has {len(low)} numbers")
        edges = (tuple(map(float, edge[entries])) for edge in (low, high))
        goal = Box(shape=(len(entries),), **dict(zip(("low", "high"), edges, strict=True)))
        return replace(inner, task=WantedTask(inner=inner.task, goal=goal))

    def tasks(self) -> dict[str, WantedTask]:
        """The named goals, each with the first task of the world inside."""
        inner = next(iter(self.world.tasks().values()))
        low, high = self.spec.task.goal.bounds
        bounded = np.isfinite(low) & np.isfinite(high)
        middle = (np.where(bounded, low, 0.0) + np.where(bounded, high, 0.0)) / 2
        goals = dict(self.goals) or {"middle": middle}
        return {name: WantedTask(inner=inner, goal=np.asarray(goal, np.float32)) for name, goal in goals.items()}

    def init(self, key: jax.Array, task: WantedTask) -> tuple[WantedState, TimeStep]:
        """Begin an episode in every row."""
        inner, step = self.world.init(key, task.inner)
        return WantedState(inner=inner, task=task, cut=jnp.zeros(step.kind.shape, bool)), step

    def step(self, key: jax.Array, state: WantedState, action: Any, next_task: WantedTask) -> tuple[WantedState, TimeStep]:
        """Take one decision in every row."""
        stepping, beginning = keys.split(key, "step", "begin")
        inner, step = self.world.step(stepping, state.inner, action, next_task.inner)
        if self.ends:
            inner, step = select(state.cut, self.world.init(beginning, next_task.inner), (inner, step))
        task = select(step.first, next_task, state.task)
        reached = self.reached(step.observation, task) & ~step.first & (step.kind != BROKEN)
        kind = jnp.where(reached & self.ends, TERMINATED, step.kind).astype(jnp.int8)
        shown = replace(step, kind=kind, reward=reached.astype(jnp.float32))
        return WantedState(inner=inner, task=task, cut=reached & self.ends & (step.kind == MID)), shown

    def reached(self, observation: Any, task: WantedTask) -> jax.Array:
        """Whether observations [N] are within the radius of the goals of tasks [N]: bool [N]."""
        return jnp.sqrt(jnp.sum((self.achieved(observation) - task.goal) ** 2, axis=-1)) <= self.radius

    def achieved(self, observation: Any) -> jax.Array:
        """The goal that observations achieve, float32 [N, G]."""
        return self._form.flat(observation)[:, jnp.array(self._entries)]

    def reward(self, observation: Any, action: Any, next_observation: Any, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]; `task` is the default where it is None."""
        return self.reached(next_observation, self._given(task, next_observation)).astype(jnp.float32)

    def continues(self, observation: Any, action: Any, next_observation: Any, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode goes on; a world that does not say is taken to go on."""
        given = self._given(task, next_observation)
        inside = capability(self.world, "continues")
        goes = jnp.float32(1.0) if inside is None else inside(observation, action, next_observation, given.inner)
        return goes * (1.0 - (self.reached(next_observation, given) & self.ends).astype(jnp.float32))

    def _given(self, task: Any, observation: Any) -> Any:
        return stream.default(self, task, jax.tree.leaves(observation)[0].shape[0])

    @property
    def _form(self) -> Form:
        return form(self.world.spec.observation)

    @property
    def _entries(self) -> tuple[int, ...]:
        return self.entries or tuple(range(self._form.width))


def announcing_goals(world: Any, entries: tuple[int, ...] = (), radius: float = 0.2) -> Any:
    """The world with entries of its observation as goal, which it shows; a world that is announced already stays as it is."""
    if isinstance(world, Announced):
        return world
    return Announced(world=Wanted(world=world, entries=entries, radius=radius), only=("goal",))
