"""A world that is not there: the spaces of a record, for a life that only studies."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import FIRST, TRUNCATED, Box, TimeStep, WorldSpec, part, spaces, struct


@struct
class AbsentState:
    """ended: bool [B], the step before ended an episode. task: float32 [B], of which nothing depends."""

    ended: jax.Array
    task: Any


@part
class Absent:
    """Spaces without a world. Nothing can be done in it: each episode is over after one decision, and shows nothing.

    A life in it studies what it is shown. What it has learned can be used, but not probed here.

    >>> world = Absent(name="plant", observation=Box(shape=(2,)), action=Box(shape=(1,), low=-1.0, high=1.0))
    >>> state, step = world.init(jax.random.key(0), jnp.zeros(1))
    >>> int(world.step(jax.random.key(0), state, jnp.zeros((1, 1)), jnp.zeros(1))[1].kind[0])
    3
    """

    observation: Any
    """The space of what was seen."""
    action: Any
    """The space of what was done."""
    name: str = "absent"
    """What the record is called."""
    batch: int = 1
    """Streams of the record beside each other."""

    @property
    def spec(self) -> WorldSpec:
        """The spaces of the record."""
        return WorldSpec(name=self.name, observation=self.observation, action=self.action, task=Box(), batch=self.batch)

    def tasks(self) -> dict[str, Any]:
        """One task, of which nothing is known."""
        return {"recorded": np.float32(0.0)}

    def init(self, key: jax.Array, task: Any) -> tuple[AbsentState, TimeStep]:
        """Begin an episode that shows nothing."""
        return AbsentState(ended=jnp.zeros(self.batch, bool), task=task), self._shown(jnp.full(self.batch, FIRST, jnp.int8))

    def step(self, key: jax.Array, state: AbsentState, action: Any, next_task: Any) -> tuple[AbsentState, TimeStep]:
        """End the episode, or begin the next one."""
        kind = jnp.where(state.ended, FIRST, TRUNCATED).astype(jnp.int8)
        task = jnp.where(state.ended, next_task, state.task)
        return AbsentState(ended=~state.ended, task=task), self._shown(kind)

    def _shown(self, kind: jax.Array) -> TimeStep:
        return TimeStep(
            kind=kind, observation=spaces.zeros(self.observation, self.batch), reward=jnp.zeros(self.batch, jnp.float32)
        )
