"""Rules that advise in `KeyRooms`, in the place of a language model; each says how good it is."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Feedback, part
from umwelt.worlds.key_rooms import KeyRoomsTask


@part
class StageSkills:
    """Which stages the present episode achieved, as skills."""

    rooms: int = 4
    """Rooms of the world."""

    def __call__(self, feedback: Feedback) -> jax.Array:
        """Say of each row which of the stages 1, 2 ... it has reached: bool [B, 2 rooms]."""
        return jnp.asarray(feedback.reached)[:, None] > jnp.arange(2 * self.rooms)


@part
class OneStepAway:
    """Proposes, for each of the weakest stages, the whole way from one stage before it.

    >>> success = jnp.array([1.0, 0.9, 0.2, 0.0])
    >>> OneStepAway(number=2)(None, success, None).start.tolist()
    [3, 2]
    """

    number: int = 4
    """Configurations that are proposed."""

    def __call__(self, key: jax.Array, success: jax.Array, space: Any) -> KeyRoomsTask:
        """Propose from the success float32 [stages] of each stage: tasks [number]; of equal ones the first is weaker."""
        weakest = jnp.argsort(success)[: self.number].astype(jnp.int32)
        return _way(weakest, jnp.full_like(weakest, success.shape[0]))


@part
class AnyConfiguration:
    """Proposes the whole way from stages at random: the control."""

    number: int = 4
    """Configurations that are proposed."""

    def __call__(self, key: jax.Array, success: jax.Array, space: Any) -> KeyRoomsTask:
        """Draw tasks [number], whatever the success was."""
        start = jax.random.randint(key, (self.number,), 0, success.shape[0])
        return _way(start, jnp.full_like(start, success.shape[0]))


def _way(start: jax.Array, goal: jax.Array) -> KeyRoomsTask:
    """The ways from stages [N] to stages [N], in layouts that are drawn."""
    none = jnp.zeros_like(start, jnp.int32)
    return KeyRoomsTask(start=start.astype(jnp.int32), goal=goal.astype(jnp.int32), lacks=none, layout=none)


@part
class Universe:
    """Draws ways of one room to all of them: a third begin at their end, and a third lack their last key.

    >>> tasks = Universe(rooms=3)(jax.random.key(0), 3000, None)
    >>> [round(float(share), 1) for share in ((tasks.start == tasks.goal).mean(), tasks.lacks.mean())]
    [0.3, 0.3]
    """

    rooms: int = 4
    """Rooms of the world."""

    def __call__(self, key: jax.Array, n: int, space: Any) -> KeyRoomsTask:
        """Draw n tasks."""
        for_goal, for_kind = jax.random.split(key)
        goal = 2 * jax.random.randint(for_goal, (n,), 1, self.rooms + 1)
        kind = jax.random.randint(for_kind, (n,), 0, 3)
        made = _way(jnp.where(kind == 0, goal, 0), goal)
        return KeyRoomsTask(start=made.start, goal=made.goal, lacks=(kind == 1).astype(jnp.int32), layout=made.layout)
