"""What a lifelong memory keeps when it is full: each part here says where a new chunk goes, or that it is not kept.

    init(slots, chunk) -> state                          chunk: the forms of one chunk, Experience leaves [L, ...]
    place(key, state, chunk, offered, slots, due) -> (state, slot)
    hear(state, steps) -> state                          every experience [B] as it comes; only for those who listen

`offered` chunks came before this one; `slot` is below `slots`, or `slots` itself for a chunk that is not kept. Where it
is not `due`, there is no chunk to be placed yet, and the state stays. No method costs more the longer a life has
lasted: where all slots would have to be looked through, some are drawn.
"""

from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp

from umwelt.core import Experience, keys, part, struct

DRAWN = 64
"""Slots that are looked at where looking at all would cost too much."""
WIDEST = 1024
"""The most numbers of a moment whose distances are told."""


class Keep(Protocol):
    """Who decides which chunks stay."""

    def init(self, slots: int, chunk: Experience) -> Any: ...
    def place(
        self, key: jax.Array, state: Any, chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[Any, jax.Array]: ...


@runtime_checkable
class Listens(Protocol):
    """Who wants to hear of every moment, such as `Quota`, which notices tasks."""

    def hear(self, state: Any, steps: Experience) -> Any: ...


@part
class Newest:
    """Whatever came last: the control that forgets."""

    def init(self, slots: int, chunk: Experience) -> tuple[()]:
        """Nothing to remember."""
        return ()

    def place(
        self, key: jax.Array, state: tuple[()], chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[tuple[()], jax.Array]:
        """The place of the oldest."""
        return state, offered % slots


@part
class Reservoir:
    """An even sample of all that was ever lived ("Random sampling with a reservoir", 1985)."""

    def init(self, slots: int, chunk: Experience) -> tuple[()]:
        """Nothing to remember."""
        return ()

    def place(
        self, key: jax.Array, state: tuple[()], chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[tuple[()], jax.Array]:
        """A place drawn from as many as there were chunks; those that do not exist mean no."""
        return state, _reservoir(key, offered, slots)


@struct
class SurprisingState:
    """rank: float32 [slots], the keys of what is held; -infinity where nothing is. mean, square: float32, of the
    surprise of all chunks that were offered."""

    rank: jax.Array
    mean: jax.Array
    square: jax.Array


@part
class Surprising:
    """A sample of all that was lived in which each chunk stands by its surprise: drawn without replacement, about, with
    weights of e^`zeal` for each standard deviation above the mean ("Weighted random sampling with a reservoir", 2006).

    Models measure surprise in units of their own, which may be below zero; deviations are the same for all.
    """

    zeal: float = 1.0
    """How much a deviation counts; 0 is an even sample."""
    most: float = 3.0
    """Deviations, up or down, beyond which a chunk weighs no more and no less."""

    def init(self, slots: int, chunk: Experience) -> SurprisingState:
        """Nothing held."""
        if chunk.surprise is None:
            raise ValueError("keep=Surprising(): the experience has no surprise; pass it to `lived(..., surprise=...)`")
        begin = {name: jnp.zeros((), jnp.float32) for name in ("mean", "square")}
        return SurprisingState(rank=jnp.full(slots, -jnp.inf, jnp.float32), **begin)

    def place(
        self, key: jax.Array, state: SurprisingState, chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[SurprisingState, jax.Array]:
        """The place of the lowest rank out of some that are drawn, where the new one is higher."""
        known, count = ~jnp.isnan(chunk.surprise), offered + 1
        found = jnp.sum(jnp.where(known, chunk.surprise, 0.0)) / jnp.maximum(jnp.sum(known), 1)
        # a chunk that nobody measured is as surprising as most
        found = jnp.where(jnp.any(known), found, state.mean)
        mean = state.mean + (found - state.mean) / count
        square = state.square + (found - state.mean) * (found - mean)
        apart = (found - mean) / jnp.maximum(jnp.sqrt(square / count), 1e-20)
        weight = jnp.exp(self.zeal * jnp.clip(apart, -self.most, self.most))
        # the logarithm of u^(1 / weight), which orders as that does
        rank = jnp.log(jnp.maximum(jax.random.uniform(keys.fold(key, "rank")), 1e-20)) / weight
        # the lowest of some: reading all of them before one is written would copy them at every step
        some = jax.random.randint(keys.fold(key, "seek"), (DRAWN,), 0, slots)
        ranks = state.rank[some]
        lowest = jnp.argmin(ranks)
        slot = jnp.where(rank > ranks[lowest], some[lowest], slots)
        slot = jnp.where(due, jnp.where(offered < slots, offered, slot), slots).astype(jnp.int32)
        mean, square = jnp.where(due, mean, state.mean), jnp.where(due, square, state.square)
        return SurprisingState(rank=state.rank.at[slot].set(rank, mode="drop"), mean=mean, square=square), slot


@struct
class FadingState:
    """born: int32 [slots], the number of the chunk that is held."""

    born: jax.Array


@part
class Fading:
    """Much of what is recent and ever less of what is old: the number that is left of an age falls as a power of it,
    whose exponent follows from how much fits."""

    def init(self, slots: int, chunk: Experience) -> FadingState:
        """Nothing held."""
        return FadingState(born=jnp.zeros(slots, jnp.int32))

    def place(
        self, key: jax.Array, state: FadingState, chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[FadingState, jax.Array]:
        """The place of one that is drawn, out of some, by one over its age: the old ones have been spared often."""
        seeking, choosing = keys.split(key, "seek", "choose")
        some = jax.random.randint(seeking, (DRAWN,), 0, slots)
        age = jnp.maximum(offered - state.born[some], 1).astype(jnp.float32)
        chosen = some[jax.random.categorical(choosing, -jnp.log(age))]
        slot = jnp.where(due, jnp.where(offered < slots, offered, chosen), slots).astype(jnp.int32)
        return FadingState(born=state.born.at[slot].set(offered, mode="drop")), slot


@struct
class CoveringState:
    """features: float32 [slots, F]. mean, square: float32 [F], of all features that were offered."""

    features: jax.Array
    mean: jax.Array
    square: jax.Array


@part
class Covering:
    """Chunks that lie far from each other, so that what is rare stays however old it is.

    A chunk's features are what it saw at its middle and what it did there, in their standard deviations. A new one
    takes the place of one of the two that lie nearest to each other, out of some that are drawn, if it is farther
    than that from them all. For vectors: distances between pictures say little, and their features cost as much as they.
    """

    def init(self, slots: int, chunk: Experience) -> CoveringState:
        """Nothing held."""
        width = jax.eval_shape(_features, chunk).shape[0]
        if width > WIDEST:
            raise ValueError(
                f"keep=Covering(): observation and action are {width} numbers, and it compares at most {WIDEST};"
                " for pictures use Reservoir() or Surprising()"
            )
        return CoveringState(
            features=jnp.zeros((slots, width), jnp.float32),
            mean=jnp.zeros(width, jnp.float32),
            square=jnp.zeros(width, jnp.float32),
        )

    def place(
        self, key: jax.Array, state: CoveringState, chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[CoveringState, jax.Array]:
        """The place of one of the nearest two, where the new one is less near."""
        found, count = _features(chunk), offered + 1
        mean = state.mean + (found - state.mean) / count
        square = state.square + (found - state.mean) * (found - mean)
        deviation = jnp.sqrt(square / count) + 1e-6
        seeking, choosing = keys.split(key, "seek", "choose")
        some = jax.random.randint(seeking, (DRAWN,), 0, slots)
        held = state.features[some]
        apart = jnp.sqrt(jnp.sum(((held[:, None] - held[None]) / deviation) ** 2, axis=-1))
        # a slot that was drawn twice is not near itself
        apart = jnp.where(some[:, None] == some[None], jnp.inf, apart)
        nearest = jnp.argmin(apart)
        pair = jnp.array([nearest // DRAWN, nearest % DRAWN])
        leaving = some[pair[jax.random.randint(choosing, (), 0, 2)]]
        far = jnp.min(jnp.sqrt(jnp.sum(((held - found) / deviation) ** 2, axis=-1)))
        novel = far > jnp.min(apart)
        slot = jnp.where(offered < slots, offered, jnp.where(novel, leaving, slots))
        slot = jnp.where(due, slot, slots).astype(jnp.int32)
        mean, square = jnp.where(due, mean, state.mean), jnp.where(due, square, state.square)
        return CoveringState(features=state.features.at[slot].set(found, mode="drop"), mean=mean, square=square), slot


def _features(chunk: Experience) -> jax.Array:
    """float32 [F]: the observation and the action in the middle of a chunk."""
    middle = chunk.origin.shape[0] // 2
    leaves = jax.tree.leaves((chunk.step.observation, chunk.action))
    return jnp.concatenate([jnp.ravel(leaf[middle]).astype(jnp.float32) for leaf in leaves])


def _reservoir(key: jax.Array, offered: jax.Array, slots: int) -> jax.Array:
    """The next slot while there are free ones; then one of 0 .. offered, of which those from `slots` on mean none."""
    drawn = jax.random.randint(key, (), 0, jnp.maximum(offered + 1, 1))
    return jnp.where(offered < slots, offered, jnp.minimum(drawn, slots)).astype(jnp.int32)
