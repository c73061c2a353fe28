"""Grant an agent what no robot can do, as far as the task says so: a virtual force on things.

"Learning long-horizon robot manipulation skills via privileged action" (2025).
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, part, select, struct


@struct
class AidedTask:
    """inner: a task of the world inside. aid: float32, 1 for all the help, 0 for none."""

    inner: Any
    aid: Any


@struct
class AidedState:
    """inner: the state of the world inside. aid: float32 [B], of the present episodes."""

    inner: Any
    aid: jax.Array


@part
class Aided:
    """A pure world whose action has two more entries: a virtual force on a thing, scaled by the `aid` of the task.

    The force acts before the world's own step, and has a small cost. At `aid` 0 the world is as it is without it, bit for
    bit, whatever these entries say.

    >>> from umwelt.worlds.crate import Crate
    >>> world = Aided(world=Crate())
    >>> task = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], world.tasks()["right"])
    >>> state, _ = world.init(jax.random.key(0), replace(task, aid=jnp.ones(1)))
    >>> after, _ = world.step(jax.random.key(1), state, jnp.array([[0.0, 0.0, 1.0, 0.0]]), task)
    >>> round(float(after.inner.body.puck[0, 0] - state.inner.body.puck[0, 0]), 3)
    0.3
    """

    world: Any
    """The world inside, a `stream` world with `shoved(body, force)`, as `Crate` has it, and a Box for its action."""
    strength: float = 3.0
    """How often the force acts in one decision at full aid: a robot's own push may be weaker."""
    cost: float = 0.01
    """What a full force costs in each decision, while there is aid."""

    cites = ("privileged_action_2025",)
    passes = ("position", "achieved", "observation_names")
    """Capabilities of the world inside that hold here too."""

    @property
    def inner(self) -> Any:
        """The world inside."""
        return self.world

    @property
    def spec(self) -> WorldSpec:
        """The inner spec, with the force in the action and the aid in the task."""
        inner = self.world.spec
        if not isinstance(inner.action, Box) or len(inner.action.shape) != 1 or not hasattr(self.world, "shoved"):
            raise TypeError(
                f"world={inner.name!r}: Aided shoves things; take a world with `shoved` and one Box of actions, as Crate"
            )
        low, high = (edge.tolist() for edge in inner.action.bounds)
        action = Box(shape=(len(low) + 2,), low=(*low, -1.0, -1.0), high=(*high, 1.0, 1.0))
        return replace(inner, action=action, task=AidedTask(inner=inner.task, aid=Box(low=0.0, high=1.0)))

    def tasks(self) -> dict[str, AidedTask]:
        """The inner world's, without aid; and the first of them with all of it, called `aided`."""
        alone = {name: AidedTask(inner=task, aid=np.float32(0.0)) for name, task in self.world.tasks().items()}
        return alone | {"aided": replace(next(iter(alone.values())), aid=np.float32(1.0))}

    def init(self, key: jax.Array, task: AidedTask) -> tuple[AidedState, TimeStep]:
        """Begin an episode in every row."""
        inner, step = self.world.init(key, task.inner)
        return AidedState(inner=inner, aid=task.aid), step

    def step(self, key: jax.Array, state: AidedState, action: Any, next_task: AidedTask) -> tuple[AidedState, TimeStep]:
        """Shove the thing as far as the aid goes, and take one decision in every row."""
        own, force = action[:, :-2], jnp.clip(action[:, -2:], -1.0, 1.0)
        shoved = self.world.shoved(state.inner.body, self.strength * state.aid[:, None] * force)
        body = select(state.aid > 0.0, shoved, state.inner.body)
        inner, step = self.world.step(key, replace(state.inner, body=body), own, next_task.inner)
        paid = self.cost * jnp.mean(force**2, axis=-1) * (state.aid > 0.0) * ~step.first
        aid = jnp.where(step.first, next_task.aid, state.aid)
        return AidedState(inner=inner, aid=aid), replace(step, reward=step.reward - paid)
