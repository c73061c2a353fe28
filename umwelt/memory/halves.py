"""The newest chunks whole, beside an even sample of all that came before."""

from typing import Literal

import jax
import jax.numpy as jnp

from umwelt.core import Experience, part, struct


@struct
class HalvesState:
    """recent: int32 [R], a ring of the slots of the newest chunks. old: int32 [slots - R + 1], the slots of the sample,
    and one entry that is dropped. For the next chunk, int32: ageing, the slot of the chunk that then leaves `recent`;
    taken, the index in `old` that it takes; leaving, the slot that is there now."""

    recent: jax.Array
    old: jax.Array
    ageing: jax.Array
    taken: jax.Array
    leaving: jax.Array


@part
class Halves:
    """Keep the newest chunks, and an even sample of the older ones ("Augmenting replay in world models for continual
    reinforcement learning", 2024). A chunk that leaves the newest is a candidate for the sample. No chunk moves in memory:
    slots change their roles.

    >>> keep, slots = Halves(recent=0.5), []
    >>> state, assign = keep.init(4, None), jax.jit(keep.assign, static_argnums=4)
    >>> for number in range(6):
    ...     state, slot = assign(jax.random.key(number), state, None, number, 4, True)
    ...     slots.append(int(slot))

    >>> int(keep.part(state, "new", 6)[1]), int(keep.part(state, "old", 6)[1])
    (2, 2)
    """

    cites = ("wmar_2024",)

    recent: float = 0.5
    """The share of all slots for the newest."""

    def init(self, slots: int, chunk: Experience) -> HalvesState:
        """Begin with no chunk."""
        if not 0.0 < self.recent < 1.0:
            raise ValueError(f"recent={self.recent}: the share of the newest must lie between 0 and 1")
        newest = max(1, round(self.recent * slots))
        return HalvesState(
            recent=jnp.zeros(newest, jnp.int32),
            old=jnp.zeros(slots - newest + 1, jnp.int32),
            ageing=jnp.int32(0),
            taken=jnp.int32(slots - newest),
            leaving=jnp.int32(0),
        )

    def assign(
        self, key: jax.Array, state: HalvesState, chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[HalvesState, jax.Array]:
        """Choose a free slot while there are some. Then choose that of the chunk that leaves: the oldest of the newest, or
        the one of the sample that it replaces."""
        newest, sample = state.recent.shape[0], state.old.shape[0] - 1
        found = jnp.where(state.taken < sample, state.leaving, state.ageing)
        slot = jnp.where(offered < slots, offered, found).astype(jnp.int32)
        recent = state.recent.at[jnp.where(due, offered % newest, newest)].set(slot, mode="drop")
        old = state.old.at[jnp.where(due, state.taken, sample)].set(state.ageing, mode="drop")
        # what the next chunk needs is read here: reading before writing would copy both arrays
        before = offered + 1 - newest
        drawn = jnp.minimum(jax.random.randint(key, (), 0, jnp.maximum(before + 1, 1)), sample)
        # the first chunks that age take an index each; a later one takes one drawn from as many as have aged, or none
        taken = jnp.where(before < 0, sample, jnp.where(before < sample, before, drawn))
        taken = jnp.where(due, taken, state.taken).astype(jnp.int32)
        following = jnp.where(due, offered + 1, offered) % newest
        after = HalvesState(recent=recent, old=old, ageing=recent[following], taken=taken, leaving=old[taken])
        return after, jnp.where(due, slot, slots)

    def part(self, state: HalvesState, part: Literal["new", "old"], offered: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Name the slots of one half: int32 [most], of which the first int32 [] are taken."""
        newest, sample = state.recent.shape[0], state.old.shape[0] - 1
        if part == "new":
            return state.recent, jnp.minimum(offered, newest)
        return state.old, jnp.clip(offered - newest, 0, sample)
