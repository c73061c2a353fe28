"""What a lifelong memory keeps when it is full: each part here assigns a slot to a new chunk, or does not keep it.

    init(slots, chunk) -> state                          chunk: the forms of one chunk, Experience leaves [L, ...]
    assign(key, state, chunk, offered, slots, due) -> (state, slot)
    update(state, experience) -> state                   optional: reads every experience [B] as it comes

`offered` chunks came before this one. `slot` is below `slots`, or `slots` itself for a chunk that is not kept. Where it
is not `due`, there is no chunk to be kept yet, and the state stays. No method costs more in a longer life: where a scan
of all slots would be needed, a few slots are drawn instead.
"""

from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.core import Experience, keys, part, struct

DRAWN = 64
"""Slots that are compared where comparing all would cost too much."""
WIDEST = 1024
"""The most features of a chunk that `Covering` compares."""


class Keep(Protocol):
    """Decides which chunks stay."""

    def init(self, slots: int, chunk: Experience) -> Any:
        """Begin with an empty memory."""
        ...

    def assign(
        self, key: jax.Array, state: Any, chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[Any, jax.Array]:
        """Choose the slot of a chunk, int32."""
        ...


@part
class Newest:
    """Keep what came last: the control that forgets.

    >>> _, slot = Newest().assign(jax.random.key(0), (), None, offered=6, slots=4, due=True)
    >>> slot
    2
    """

    def init(self, slots: int, chunk: Experience) -> tuple[()]:
        """Begin without a state."""
        return ()

    def assign(
        self, key: jax.Array, state: tuple[()], chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[tuple[()], jax.Array]:
        """Choose the slot of the oldest chunk."""
        return state, offered % slots


@part
class Reservoir:
    """Keep an even sample of everything ("Random sampling with a reservoir", 1985).

    >>> def slot(key):
    ...     return Reservoir().assign(key, (), None, offered=jnp.int32(99), slots=25, due=True)[1]

    >>> slots = jax.vmap(slot)(jax.random.split(jax.random.key(0), 100_000))

    >>> round(float(jnp.mean(slots < 25)), 2)  # with 25 slots a quarter of all hundredth chunks stay
    0.25
    """

    cites = ("reservoir_1985",)

    def init(self, slots: int, chunk: Experience) -> tuple[()]:
        """Begin without a state."""
        return ()

    def assign(
        self, key: jax.Array, state: tuple[()], chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[tuple[()], jax.Array]:
        """Draw a number below that of the chunks so far; a number beyond the slots keeps nothing."""
        return state, _reservoir(key, offered, slots)


@struct
class SurprisingState:
    """rank: float32 [slots], the keys of what is held; -infinity in an empty slot. mean, square: float32, of the
    surprise of all chunks that were offered."""

    rank: jax.Array
    mean: jax.Array
    square: jax.Array


@part
class Surprising:
    """Keep a sample weighted by surprise: about a draw without replacement, with weights of e^`zeal` for each standard
    deviation above the mean ("Weighted random sampling with a reservoir", 2006).

    Models measure surprise in units of their own, which may be negative; standard deviations have no unit.

    >>> from dataclasses import replace
    >>> from umwelt.core import lived, spaces, zeros_step
    >>> from umwelt.worlds import Pendulum

    >>> spec = Pendulum().spec
    >>> moment = lived(zeros_step(spec), spaces.zeros(spec.action, 1), zeros_step(spec))

    >>> keep, slots = Surprising(), []
    >>> state, assign = keep.init(2, replace(moment, surprise=jnp.zeros(1))), jax.jit(keep.assign, static_argnums=4)
    >>> for number, surprise in enumerate((0.0, 0.1, 9.0)):
    ...     chunk = replace(moment, surprise=jnp.array([surprise]))
    ...     state, slot = assign(jax.random.key(number), state, chunk, number, 2, True)
    ...     slots.append(int(slot))
    >>> slots  # what surprises most takes a slot
    [0, 1, 1]
    """

    cites = ("weighted_reservoir_2006",)

    zeal: float = 1.0
    """How much a deviation counts; 0 is an even sample."""
    most: float = 3.0
    """Deviations, up or down, at which a weight is clipped."""

    def init(self, slots: int, chunk: Experience) -> SurprisingState:
        """Begin with no chunk."""
        if chunk.surprise is None:
            raise ValueError("keep=Surprising(): the experience has no surprise; pass it to `lived(..., surprise=...)`")
        begin = {name: jnp.zeros((), jnp.float32) for name in ("mean", "square")}
        return SurprisingState(rank=jnp.full(slots, -jnp.inf, jnp.float32), **begin)

    def assign(
        self, key: jax.Array, state: SurprisingState, chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[SurprisingState, jax.Array]:
        """Choose the slot of the lowest rank among a few, where the new rank is higher."""
        known, count = ~jnp.isnan(chunk.surprise), offered + 1
        found = jnp.sum(jnp.where(known, chunk.surprise, 0.0)) / jnp.maximum(jnp.sum(known), 1)
        # a chunk without a measured surprise counts as the mean
        found = jnp.where(jnp.any(known), found, state.mean)
        mean = state.mean + (found - state.mean) / count
        square = state.square + (found - state.mean) * (found - mean)
        apart = (found - mean) / jnp.maximum(jnp.sqrt(square / count), 1e-20)
        weight = jnp.exp(self.zeal * jnp.clip(apart, -self.most, self.most))
        # the logarithm of u^(1 / weight), which has the same order
        rank = jnp.log(jnp.maximum(jax.random.uniform(keys.fold(key, "rank")), 1e-20)) / weight
        # the lowest of a few: reading all of them before one is written would copy them at every step
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
    """Keep much of what is recent and ever less of what is old: the number that is left of an age falls as a power of it.
    The exponent follows from how much fits.

    >>> keep, slots = Fading(), []
    >>> state, assign = keep.init(3, None), jax.jit(keep.assign, static_argnums=4)
    >>> for number in range(5):
    ...     state, slot = assign(jax.random.key(number), state, None, number, 3, True)
    ...     slots.append(int(slot))
    >>> slots  # a new one always stays
    [0, 1, 2, 2, 2]
    """

    def init(self, slots: int, chunk: Experience) -> FadingState:
        """Begin with no chunk."""
        return FadingState(born=jnp.zeros(slots, jnp.int32))

    def assign(
        self, key: jax.Array, state: FadingState, chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[FadingState, jax.Array]:
        """Draw one of a few slots by one over its age: old chunks have been spared often."""
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
    """Keep chunks that lie far from each other, so that what is rare stays however old it is.

    A chunk's features are the observation and the action in its middle, in their standard deviations. A new chunk is
    compared with a few that are drawn. Where it is farther from all of them than the nearest two are from each other, it
    replaces one of those two. For vectors: distances between pictures say little, and their features cost as much as they.

    >>> from dataclasses import replace
    >>> from umwelt.core import lived, spaces, zeros_step
    >>> from umwelt.worlds import Pendulum

    >>> spec = Pendulum().spec
    >>> moment = lived(zeros_step(spec), spaces.zeros(spec.action, 1), zeros_step(spec))

    >>> keep, slots = Covering(), []
    >>> state, assign = keep.init(2, moment), jax.jit(keep.assign, static_argnums=4)
    >>> for number, torque in enumerate((0.0, 0.1, 2.0)):
    ...     chunk = replace(moment, action=jnp.full((1, 1), torque))
    ...     state, slot = assign(jax.random.key(number), state, chunk, number, 2, True)
    ...     slots.append(int(slot))
    >>> slots  # what lies far takes the slot of one of the nearest two
    [0, 1, 1]
    """

    def init(self, slots: int, chunk: Experience) -> CoveringState:
        """Begin with no chunk."""
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

    def assign(
        self, key: jax.Array, state: CoveringState, chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[CoveringState, jax.Array]:
        """Choose the slot of one of the nearest two, where the new chunk is farther away."""
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
    """The next free slot while there are some; then one of 0 .. offered, of which those from `slots` on keep nothing."""
    drawn = jax.random.randint(key, (), 0, jnp.maximum(offered + 1, 1))
    return jnp.where(offered < slots, offered, jnp.minimum(drawn, slots)).astype(jnp.int32)
