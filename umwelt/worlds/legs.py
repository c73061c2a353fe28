"""Cut episodes into legs: a new goal in the middle of an episode is a new episode for the agent, and the world goes on."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import FIRST, MID, TERMINATED, TRUNCATED, TimeStep, WorldSpec, part, select, struct
from umwelt.worlds.wanted import Wanted, WantedState


@struct
class LegsState:
    """inner: the state of the world inside. shown: the last step [B]. age: int32 [B], decisions of the present leg.
    held: bool [B], the leg is over, and the episode inside is not."""

    inner: WantedState
    shown: TimeStep
    age: jax.Array
    held: jax.Array


@part
class Legs:
    """A pure world with goals in which a leg ends at its goal (TERMINATED) or after `length` decisions (TRUNCATED).

    The next step is FIRST on the next task, and the world inside stands still meanwhile. Only the goal changes then; the
    rest of the task changes where the episode inside begins.

    >>> from umwelt.worlds.pendulum import Pendulum
    >>> world = Legs(world=Wanted(world=Pendulum(), radius=0.01), length=2)
    >>> task = jax.tree.map(lambda leaf: leaf[None], world.tasks()["middle"])
    >>> state, step = world.init(jax.random.key(0), task)
    >>> kinds = []
    >>> for _ in range(3):
    ...     state, step = world.step(jax.random.key(1), state, jnp.ones((1, 1)), task)
    ...     kinds.append(int(step.kind[0]))
    >>> kinds  # of two decisions, the second ends the leg
    [1, 3, 0]
    """

    world: Wanted
    """The world inside, whose goals do not end its episodes."""
    length: int = 50
    """Decisions of a leg, at most."""

    passes = ("position", "achieved", "reward", "guard", "observation_names")
    """Capabilities of the world inside that hold here too."""

    @property
    def inner(self) -> Any:
        """The world inside."""
        return self.world

    @property
    def spec(self) -> WorldSpec:
        """The inner spec."""
        if self.length < 1:
            raise ValueError(f"length={self.length}: a leg has at least 1 decision")
        if self.world.ends:
            raise ValueError("world: its episodes end at the goal, so no leg can follow; set ends=False")
        return self.world.spec

    def tasks(self) -> dict[str, Any]:
        """The inner world's."""
        return self.world.tasks()

    def init(self, key: jax.Array, task: Any) -> tuple[LegsState, TimeStep]:
        """Begin an episode, and its first leg, in every row."""
        inner, step = self.world.init(key, task)
        none = jnp.zeros(step.kind.shape, jnp.int32)
        return LegsState(inner=inner, shown=step, age=none, held=none > 0), step

    def step(self, key: jax.Array, state: LegsState, action: Any, next_task: Any) -> tuple[LegsState, TimeStep]:
        """Take one decision in every row; a row whose leg was over begins another one where it stands."""
        inner, step = self.world.step(key, state.inner, action, next_task)
        age = jnp.where(step.first, 0, state.age + 1)
        reached = self.world.reached(step.observation, inner.task)
        over = jnp.where(reached, TERMINATED, jnp.where(age >= self.length, TRUNCATED, MID))
        going = step.kind == MID
        shown = replace(step, kind=jnp.where(going, over, step.kind).astype(jnp.int8))
        begun = replace(state.shown, kind=jnp.full_like(step.kind, FIRST), reward=jnp.zeros_like(step.reward))
        waiting = replace(state.inner, task=replace(state.inner.task, goal=next_task.goal))
        stays = (waiting, begun, jnp.zeros_like(age), jnp.zeros_like(going))
        inner, shown, age, held = select(state.held, stays, (inner, shown, age, going & (over != MID)))
        return LegsState(inner=inner, shown=shown, age=age, held=held), shown

    def continues(self, observation: Any, action: Any, next_observation: Any, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the leg goes on: 0 at the goal."""
        reached = self.world.reward(observation, action, next_observation, task)
        return self.world.continues(observation, action, next_observation, task) * (1.0 - reached)
