"""Tasks that a world announces: read from the observation, and numbered in the order in which they were met."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import part, struct
from umwelt.networks.form import Form, form

SEEN, TASK = "seen", "task"
"""The parts of the observation of an announced world."""
SAME = 1e-5
"""Numbers of an announced task, about 1 in size, that differ by less are the same."""


@part
class Announcement:
    """How an observation space divides into the announced task and the rest.

    whole: the form of the space. rest: without the task. task: of the task, None where the world announces none.
    """

    whole: Form
    rest: Form
    task: Form | None

    @property
    def space(self) -> Any:
        """The observation space."""
        return self.whole.space

    @property
    def width(self) -> int:
        """How many numbers a task is."""
        return self.task.width if self.task else 0

    def tasks(self, observation: Any) -> jax.Array:
        """Read the tasks of observations with any leading axes: float32 [..., width]."""
        if self.task is None:
            lead = jnp.shape(jax.tree.leaves(observation)[0])
            return jnp.zeros((*lead[: len(lead) - len(self.rest.leaves[0].shape)], 0), jnp.float32)
        given = observation[TASK]
        leaf = jax.tree.leaves(given)[0]
        lead = leaf.shape[: leaf.ndim - len(self.task.leaves[0].shape)]
        rows = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[len(lead) :]), given)
        return self.task.flat(rows).reshape(*lead, self.width)

    def without(self, observation: Any) -> Any:
        """Leave the task out of an observation."""
        return observation if self.task is None else _rest(observation)

    def joined(self, rest: Any, tasks: jax.Array) -> Any:
        """Put tasks float32 [N, width] beside the rest of an observation [N, ...]."""
        if self.task is None:
            return rest
        task = self.task.value(tasks)
        return {SEEN: rest, TASK: task} if set(self.space) == {SEEN, TASK} else {**rest, TASK: task}


def announcement(space: Any) -> Announcement:
    """Find the task in an observation space: the part called `task`, as `Announced` makes it."""
    if isinstance(space, dict) and TASK in space and len(space) > 1:
        return Announcement(whole=form(space), rest=form(_rest(space)), task=form(space[TASK]))
    return Announcement(whole=form(space), rest=form(space), task=None)


@struct
class KnownTasks:
    """announced: float32 [most, width], the numbers of each task. count: int32, how many are known."""

    announced: jax.Array
    count: jax.Array


def none_known(most: int, width: int) -> KnownTasks:
    """Make room for `most` tasks of `width` numbers, of which none is known."""
    return KnownTasks(announced=jnp.zeros((most, width), jnp.float32), count=jnp.zeros((), jnp.int32))


def meet(known: KnownTasks, task: jax.Array, due: jax.Array) -> tuple[KnownTasks, jax.Array]:
    """Add a task [width] where `due` (bool), unless it is known; return its number too, int32. Where there is no room, a
    new task takes the last place."""
    most = known.announced.shape[0]
    same = alike(known.announced, task) & (jnp.arange(most) < known.count)
    number = jnp.where(jnp.any(same), jnp.argmax(same), jnp.minimum(known.count, most - 1)).astype(jnp.int32)
    announced = known.announced.at[jnp.where(due, number, most)].set(task, mode="drop")
    return KnownTasks(announced=announced, count=jnp.where(due, jnp.maximum(known.count, number + 1), known.count)), number


def alike(one: jax.Array, other: jax.Array) -> jax.Array:
    """True where two tasks [..., width] are the same: bool [...].

    A compiler may round one announcement of a task in another way than the next, so the last digits do not count.
    """
    return jnp.all(jnp.abs(one - other) <= SAME, axis=-1)


def nearest(known: KnownTasks, tasks: jax.Array) -> jax.Array:
    """Find the known task that is most like each of the tasks [N, width]: int32 [N]; 0 where none is known."""
    apart = jnp.sum((tasks[:, None] - known.announced) ** 2, axis=-1)
    return jnp.argmin(jnp.where(jnp.arange(known.announced.shape[0]) < known.count, apart, jnp.inf), axis=1).astype(jnp.int32)


def _rest(observation: Any) -> Any:
    rest = {name: leaf for name, leaf in observation.items() if name != TASK}
    return rest[SEEN] if set(rest) == {SEEN} else rest
