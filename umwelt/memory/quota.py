"""Equal room for every task, known or noticed."""

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
    names: float32 [groups, entries], what the known groups' observations end with. known: int32, groups so far.
    now: int32, the group that is lived. watch: the detector's state."""

    group: jax.Array
    held: jax.Array
    offered: jax.Array
    names: jax.Array
    known: jax.Array
    now: jax.Array
    watch: Any


@part
class Quota:
    """Equal room for each task; within its room, an even sample of what was lived of it.

    Tasks are told apart by the last `entries` numbers of the observation, as `Announced` shows them; or where the
    task is not shown, by a `detector` of `umwelt.retention` that watches surprise: after each alarm begins a new one.
    When memory is full, a new chunk takes a place from the task that has most ("Online continual learning from
    imbalanced data", ICML 2020).
    """

    entries: int = 0
    """Numbers at the end of the observation that name the task."""
    detector: Any = None
    """Who notices a change, in place of names."""
    groups: int = 64
    """The most tasks that are told apart; later ones share the last one's room."""

    def init(self, slots: int, chunk: Experience) -> QuotaState:
        """Nothing held, nothing known."""
        if (self.entries > 0) == (self.detector is not None):
            raise ValueError("keep=Quota(): give either entries=, for tasks that are shown, or detector=, for tasks that are not")
        if self.detector is not None and chunk.surprise is None:
            raise ValueError("keep=Quota(detector=...): the experience has no surprise; pass it to `lived(..., surprise=...)`")
        return QuotaState(
            group=jnp.zeros(slots, jnp.int32),
            held=jnp.zeros(self.groups, jnp.int32),
            offered=jnp.zeros(self.groups, jnp.int32),
            names=jnp.zeros((self.groups, self.entries), jnp.float32),
            known=jnp.array(0 if self.entries else 1, jnp.int32),
            now=jnp.zeros((), jnp.int32),
            watch=None if self.detector is None else self.detector.init(),
        )

    def hear(self, state: QuotaState, steps: Experience) -> QuotaState:
        """Notice which task is lived; of several rows the first one tells."""
        if self.detector is not None:
            # what broke surprises with what nobody saw
            surprise = jnp.where(steps.valid[0], steps.surprise[0], jnp.nan)
            watch, alarm = self.detector.watch(state.watch, surprise)
            now = jnp.where(alarm, jnp.minimum(state.now + 1, self.groups - 1), state.now)
            return replace(state, watch=watch, now=now, known=jnp.maximum(state.known, now + 1))
        flat = jnp.concatenate([jnp.ravel(leaf[0]).astype(jnp.float32) for leaf in jax.tree.leaves(steps.next.observation)])
        name = flat[-self.entries :]
        same = jnp.all(state.names == name, axis=1) & (jnp.arange(self.groups) < state.known)
        now = jnp.where(jnp.any(same), jnp.argmax(same), jnp.minimum(state.known, self.groups - 1)).astype(jnp.int32)
        return replace(state, now=now, names=state.names.at[now].set(name), known=jnp.maximum(state.known, now + 1))

    def place(
        self, key: jax.Array, state: QuotaState, chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[QuotaState, jax.Array]:
        """A free place, one of the greatest group's, or by chance one of its own."""
        drawing, seeking = keys.split(key, "draw", "seek")
        mine, met = state.now, state.offered[state.now] + 1
        greatest = jnp.argmax(state.held).astype(jnp.int32)
        own = state.held[mine] >= state.held[greatest]
        # within its own room: a reservoir, in which the newest stays by held / met
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
