"""Equal room for every task, known or detected."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Experience, keys, part, struct

TRIES = 64
"""Slots that are drawn to find one of a group."""


@struct
class QuotaState:
    """group: int32 [slots], whose chunk a slot holds. held, offered: int32 [groups], chunks kept and met of each.
    names: float32 [groups, width], the tasks of the known groups as numbers, of width 0 with a detector. known: int32,
    groups so far. now: int32, the group that a detector believes in. detector: its state, or None."""

    group: jax.Array
    held: jax.Array
    offered: jax.Array
    names: jax.Array
    known: jax.Array
    now: jax.Array
    detector: Any


@part
class Quota:
    """Keep equal room for each task; within its room, an even sample of the task's chunks.

    Tasks are the values of `Experience.task`. Where the task is not to be known, a `detector` of `umwelt.retention`
    watches surprise, and after each alarm a new group begins. When memory is full, a new chunk takes a slot from the
    group that has most ("Online continual learning from imbalanced data", ICML 2020).

    >>> from umwelt.core import lived, spaces, zeros_step
    >>> from umwelt.worlds import Pendulum

    >>> spec = Pendulum().spec
    >>> moment = lived(zeros_step(spec), spaces.zeros(spec.action, 1), zeros_step(spec))

    >>> keep, groups = Quota(groups=4), []
    >>> state, assign = keep.init(2, replace(moment, task=jnp.zeros(1))), jax.jit(keep.assign, static_argnums=4)
    >>> for number, task in enumerate((0.0, 0.0, 1.0)):
    ...     chunk = replace(moment, task=jnp.array([task]))
    ...     state, _ = assign(jax.random.key(number), state, chunk, number, 2, True)
    >>> [int(held) for held in state.held]  # two tasks have equal room
    [1, 1, 0, 0]
    """

    cites = ("imbalanced_replay_2020",)

    detector: Any = None
    """Detects a change of task by surprise; None to read the tasks."""
    groups: int = 64
    """The most tasks that are kept apart; later ones share the last one's room."""

    def init(self, slots: int, chunk: Experience) -> QuotaState:
        """Begin with no chunk and no known task."""
        if self.detector is None and chunk.task is None:
            raise ValueError(
                "keep=Quota(): the experience has no task; pass it to `lived(..., task=...)`, or give a detector, such as"
                " umwelt.retention.Cusum()"
            )
        if self.detector is not None and chunk.surprise is None:
            raise ValueError("keep=Quota(detector=...): the experience has no surprise; pass it to `lived(..., surprise=...)`")
        width = 0 if self.detector is not None else jax.eval_shape(_name, chunk).shape[0]
        return QuotaState(
            group=jnp.zeros(slots, jnp.int32),
            held=jnp.zeros(self.groups, jnp.int32),
            offered=jnp.zeros(self.groups, jnp.int32),
            names=jnp.zeros((self.groups, width), jnp.float32),
            known=jnp.int32(0 if self.detector is None else 1),
            now=jnp.int32(0),
            detector=None if self.detector is None else self.detector.init(),
        )

    def update(self, state: QuotaState, experience: Experience) -> QuotaState:
        """Let the detector read the surprise of the first row."""
        if self.detector is None:
            return state
        # the surprise of a step that broke is of an observation that the world did not give
        surprise = jnp.where(experience.valid[0], experience.surprise[0], jnp.nan)
        detector, alarm = self.detector.watch(state.detector, surprise)
        now = jnp.where(alarm, jnp.minimum(state.now + 1, self.groups - 1), state.now)
        return replace(state, detector=detector, now=now, known=jnp.maximum(state.known, now + 1))

    def assign(
        self, key: jax.Array, state: QuotaState, chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[QuotaState, jax.Array]:
        """Choose a free slot, one of the greatest group's, or by chance one of its own."""
        drawing, seeking = keys.split(key, "draw", "seek")
        state, mine = self._group(state, chunk, due)
        met = state.offered[mine] + 1
        greatest = jnp.argmax(state.held).astype(jnp.int32)
        own = state.held[mine] >= state.held[greatest]
        # within its own room: a reservoir, in which the newest stays with probability held / met
        stays = jax.random.uniform(drawing) * met < state.held[mine]
        some = jax.random.randint(seeking, (TRIES,), 0, slots)
        giving = jnp.where(own, mine, greatest)
        of_group = state.group[some] == giving
        leaving, found = some[jnp.argmax(of_group)], jnp.any(of_group)
        free = offered < slots
        takes = due & (free | (found & (stays | ~own)))
        slot = jnp.where(takes, jnp.where(free, offered, leaving), slots).astype(jnp.int32)
        lost = jnp.where(takes & ~free, giving, self.groups)
        held = state.held.at[lost].add(-1, mode="drop").at[mine].add(takes.astype(jnp.int32))
        group = state.group.at[slot].set(mine, mode="drop")
        return replace(state, group=group, held=held, offered=state.offered.at[mine].add(due.astype(jnp.int32))), slot

    def _group(self, state: QuotaState, chunk: Experience, due: jax.Array) -> tuple[QuotaState, jax.Array]:
        """The group of a chunk, int32; a task that is new opens one."""
        if self.detector is not None:
            return state, state.now
        name = _name(chunk)
        same = jnp.all(state.names == name, axis=1) & (jnp.arange(self.groups) < state.known)
        mine = jnp.where(jnp.any(same), jnp.argmax(same), jnp.minimum(state.known, self.groups - 1)).astype(jnp.int32)
        names = state.names.at[jnp.where(due, mine, self.groups)].set(name, mode="drop")
        return replace(state, names=names, known=jnp.where(due, jnp.maximum(state.known, mine + 1), state.known)), mine


def _name(chunk: Experience) -> jax.Array:
    """The task of the newest transition of a chunk as float32 [width]."""
    return jnp.concatenate([jnp.ravel(leaf[-1]).astype(jnp.float32) for leaf in jax.tree.leaves(chunk.task)])
