"""What was lived lately, whole, beside an even sample of all that came before."""

import jax
import jax.numpy as jnp

from umwelt.core import Experience, part, struct


@struct
class HalvesState:
    """recent: int32 [R], a ring of the slots of the newest chunks. old: int32 [slots - R], the slots of the sample."""

    recent: jax.Array
    old: jax.Array


@part
class Halves:
    """The newest chunks, and an even sample of the older ones ("Augmenting replay in world models for continual
    reinforcement learning", 2024). A chunk that is no longer new stands for a place in the sample. Nothing moves in
    memory: slots change their roles.
    """

    recent: float = 0.5
    """The share of all slots for the newest."""

    def init(self, slots: int, chunk: Experience) -> HalvesState:
        """Nothing held."""
        if not 0.0 < self.recent < 1.0:
            raise ValueError(f"recent={self.recent}: the share of the newest must lie between 0 and 1")
        newest = max(1, round(self.recent * slots))
        return HalvesState(recent=jnp.zeros(newest, jnp.int32), old=jnp.zeros(slots - newest, jnp.int32))

    def place(
        self, key: jax.Array, state: HalvesState, chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[HalvesState, jax.Array]:
        """A free slot while there are some; then that of the chunk that leaves: the oldest of the new ones, or the one
        of the sample whose place it takes."""
        newest, sample = state.recent.shape[0], state.old.shape[0]
        turn = offered % newest
        ageing, before = state.recent[turn], offered - newest
        drawn = jax.random.randint(key, (), 0, jnp.maximum(before + 1, 1))
        # a place in the sample, or `sample` for none
        taken = jnp.where(before < 0, sample, jnp.where(before < sample, before, jnp.minimum(drawn, sample)))
        leaving = state.old[taken] if sample else ageing
        slot = jnp.where(offered < slots, offered, jnp.where(taken < sample, leaving, ageing)).astype(jnp.int32)
        after = HalvesState(
            recent=state.recent.at[jnp.where(due, turn, newest)].set(slot, mode="drop"),
            old=state.old.at[jnp.where(due, taken, sample)].set(ageing, mode="drop"),
        )
        return after, jnp.where(due, slot, slots)
