"""Count observations: one that was met n times pays one over the root of n.

Vectors of zeros and ones are counted entry by entry ("Count-based exploration in feature space for reinforcement
learning", IJCAI 2017). The pseudo-count of an observation is about as small as that of its rarest entries. So a key in
the hand is new wherever it is held. Other vectors are counted by the cell of a grid that they lie in.

Episodic, an observation pays once in an episode, as in "RIDE: rewarding impact-driven exploration" (ICLR 2020).
Otherwise an agent would stay where it is rare to be, and loops would pay.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import jax
import jax.numpy as jnp

from umwelt.core import Info, Moment, part, select, struct
from umwelt.networks.cells import slots_of

OFTEN = 4
"""What `told` distinguishes: an observation was met in this episode never before, once, twice, or more often."""
MOST = 2**16 - 1
"""The highest count of an observation in one episode."""


@struct
class EpisodeCounts:
    """The episode of each row. met: uint16 [B, slots], how often. before: int32 [B], how often the last observation had
    been met before it. opens: bool [B], the first observation of the episode is not counted yet."""

    met: jax.Array
    before: jax.Array
    opens: jax.Array


@struct
class CountsState:
    """odds: uint32 [F], factors of the hash. ones: float32 [F], how often each entry was one. total: float32 [], how many
    observations were counted. cells: float32 [slots], how often each cell was met. episode: None where not episodic."""

    odds: jax.Array
    ones: jax.Array
    total: jax.Array
    cells: jax.Array
    episode: EpisodeCounts | None


@part
class Counts:
    """One over the root of how often an observation was met, itself included.

    >>> signal = Counts(of="cells")
    >>> state = signal.init(jax.random.key(0), width=2, actions=1, batch=1)

    >>> place = jnp.ones((1, 2))
    >>> moment = Moment(now=place, after=place, done=place[:, :1], weight=jnp.ones(1), surprise=jnp.zeros(1))

    >>> learn, bonus = jax.jit(signal.learn), jax.jit(signal.bonus)
    >>> round(float(bonus(jax.random.key(0), state, moment)[0]), 2)
    1.0
    >>> state, _ = learn(jax.random.key(0), state, moment)
    >>> round(float(bonus(jax.random.key(0), state, moment)[0]), 2)
    0.71
    """

    of: Literal["bits", "cells", "index"] = "bits"
    """What is counted: entries that are above one half, cells of a grid, or which entry is the highest. The last is for
    one-hot observations, which then have a slot each."""
    episodic: bool = False
    """Pay an observation only where an episode meets it for the first time."""
    lifelong: bool = True
    """Count over the whole life. Where not, `episodic` counts each episode by itself, and pays at every time."""
    edge: float = 1.0
    """Edge of a cell, in units of the observation."""
    slots: int = 4096
    """Slots of the table of cells, a power of two; two observations share a slot about once in so many."""
    tells: Literal["last", "table"] = "last"
    """What `told` shows of an episode: how often the last observation had been met, or the bonus of every slot."""

    metrics = ()
    novelty = True
    cites = ("feature_counts_2017", "ride_2020")

    def init(self, key: jax.Array, width: int, actions: int, batch: int) -> CountsState:
        """Count nothing yet."""
        if self.of not in ("bits", "cells", "index"):
            raise ValueError(f"of={self.of!r}: Counts counts 'bits', 'cells' or an 'index'")
        if self.tells not in ("last", "table"):
            raise ValueError(f"tells={self.tells!r}: Counts shows the 'last' count or the whole 'table'")
        if self.slots < 2 or self.slots & (self.slots - 1):
            raise ValueError(f"slots={self.slots}: a power of two such as 4096 is needed, because the hash keeps whole bits")
        if not (self.lifelong or self.episodic):
            raise ValueError("lifelong=False: only an episodic count forgets; set episodic=True, or leave lifelong=True")
        return CountsState(
            odds=jax.random.bits(key, (width,), jnp.uint32) | 1,
            ones=jnp.zeros(width, jnp.float32),
            total=jnp.float32(0.0),
            cells=jnp.zeros(0 if self.of == "bits" else self._size(width), jnp.float32),
            episode=self._opened(batch, self._size(width)) if self.episodic else None,
        )

    def bonus(self, key: jax.Array, state: CountsState, moment: Moment) -> jax.Array:
        """Value each row as the count will be once the rows that weigh are counted, all at the same time."""
        state = self._with_openings(state, moment)
        codes = self._codes(moment.after)
        before = self._before(state, codes)
        if not self.lifelong:
            return jax.lax.rsqrt(before + 1.0)
        new = (before == 0).astype(jnp.float32)
        counted = self._counted(state, codes, moment.weight * new)
        # a row that is only imagined counts itself, but not for others
        times = self.times(counted, codes, itself=1.0 - (moment.weight > 0) * new)
        return new * jax.lax.rsqrt(jnp.maximum(times, 1.0))

    def learn(self, key: jax.Array, state: CountsState, moment: Moment) -> tuple[CountsState, Info]:
        """Count what came after, and in an episode that opens what was there before."""
        state = self._with_openings(state, moment)
        codes = self._codes(moment.after)
        before, weighs = self._before(state, codes), moment.weight > 0
        state = self._counted(state, codes, moment.weight * (before == 0))
        if state.episode is None:
            return state, {}
        episode = self._met(state.episode, self._slots(state, codes), weighs)
        episode = replace(episode, before=jnp.where(weighs, before, episode.before))
        return replace(state, episode=episode), {}

    @property
    def begin(self) -> Callable[[CountsState, jax.Array], CountsState]:
        """Begin an episode in rows bool [B]. Absent where the count is not episodic."""
        self._only_episodic("begin")
        return self._begin

    @property
    def told(self) -> Callable[[CountsState], jax.Array]:
        """Show how often the last observation had been met in its episode: float32 [B, OFTEN], never, once, twice, or
        more often. With `tells="table"` show one over the root of one more than each slot's count: float32 [B, slots],
        what the episode's own count would pay there. Absent where the count is not episodic."""
        self._only_episodic("told")
        return self._told

    def times(self, state: CountsState, codes: jax.Array, itself: jax.Array | float = 0.0) -> jax.Array:
        """How often observations [N, F] were met, and `itself` [N] more: float32 [N].

        Entries are independent in this model of bits, each by the estimator of Krichevsky and Trofimov. An observation
        of probability p, which would be p' after one more, has the pseudo-count p (1 - p') / (p' - p); p' is small.
        """
        itself = jnp.broadcast_to(jnp.asarray(itself, jnp.float32), codes.shape[:1])
        if self.of != "bits":
            return state.cells[self._slots(state, codes)] + itself
        total = state.total + itself[:, None]
        same = jnp.where(codes > 0, state.ones, state.total - state.ones) + itself[:, None]
        gain = jnp.sum(jnp.log1p(1.0 / (same + 0.5)) - jnp.log1p(1.0 / (total + 1.0)), axis=-1)
        return 1.0 / jnp.maximum(jnp.expm1(gain), 1e-9)

    def _size(self, width: int) -> int:
        """The slots of a table for observations of `width` entries."""
        return width if self.of == "index" else self.slots

    def _opened(self, batch: int, size: int) -> EpisodeCounts:
        """Episodes [batch] of which nothing is met."""
        zeros = jnp.zeros(batch, jnp.int32)
        return EpisodeCounts(met=jnp.zeros((batch, size), jnp.uint16), before=zeros, opens=zeros == 0)

    def _begin(self, state: CountsState, rows: jax.Array) -> CountsState:
        """Begin an episode in rows bool [B]; where they are not as many as before, all begin."""
        fresh = self._opened(rows.shape[0], self._size(state.odds.shape[0]))
        if state.episode is None or state.episode.before.shape != rows.shape:
            return replace(state, episode=fresh)
        return replace(state, episode=select(rows, fresh, state.episode))

    def _told(self, state: CountsState) -> jax.Array:
        assert state.episode is not None
        if self.tells == "table":
            return jax.lax.rsqrt(1.0 + state.episode.met.astype(jnp.float32))
        return jax.nn.one_hot(jnp.minimum(state.episode.before, OFTEN - 1), OFTEN, dtype=jnp.float32)

    def _only_episodic(self, name: str) -> None:
        if not self.episodic:
            raise AttributeError(f"Counts(episodic=False) has no `{name}`")

    def _codes(self, features: jax.Array) -> jax.Array:
        """Features [N, F] as whole numbers int32 [N, F]; equal ones are counted together."""
        if self.of == "index":
            features = jax.nn.one_hot(jnp.argmax(features, axis=-1), features.shape[-1])
        found = jnp.floor(features / self.edge) if self.of == "cells" else features > 0.5
        return found.astype(jnp.int32)

    def _slots(self, state: CountsState, codes: jax.Array) -> jax.Array:
        """The slot of codes [N, F]: int32 [N]."""
        if self.of == "index":
            return jnp.argmax(codes, axis=-1).astype(jnp.int32)
        return slots_of(codes, state.odds, self.slots)

    def _before(self, state: CountsState, codes: jax.Array) -> jax.Array:
        """How often the episode of each row had met its codes [B, F]: int32 [B]; 0 where not episodic."""
        rows = codes.shape[0]
        if state.episode is None:
            return jnp.zeros(rows, jnp.int32)
        if rows != state.episode.before.shape[0]:
            raise ValueError(f"{rows} transitions for episodes of {state.episode.before.shape[0]} rows: give one of each row")
        return state.episode.met[jnp.arange(rows), self._slots(state, codes)].astype(jnp.int32)

    def _counted(self, state: CountsState, codes: jax.Array, weight: jax.Array) -> CountsState:
        """Count codes [N, F] over the whole life, each as often as weight [N] says."""
        if self.of != "bits":
            return replace(state, cells=state.cells.at[self._slots(state, codes)].add(weight))
        return replace(state, ones=state.ones + weight @ codes.astype(jnp.float32), total=state.total + jnp.sum(weight))

    def _met(self, episode: EpisodeCounts, slots: jax.Array, rows: jax.Array) -> EpisodeCounts:
        """Count slots [B] in the episodes of rows bool [B]."""
        at = (jnp.arange(slots.shape[0]), slots)
        now = episode.met[at]
        more = jnp.where(rows & (now < MOST), now + 1, now).astype(jnp.uint16)
        return replace(episode, met=episode.met.at[at].set(more), opens=episode.opens & ~rows)

    def _with_openings(self, state: CountsState, moment: Moment) -> CountsState:
        """Count `now` where it opens an episode: an observation that comes back is not new."""
        if state.episode is None:
            return state
        codes = self._codes(moment.now)
        self._before(state, codes)
        rows = state.episode.opens & (moment.weight > 0)
        state = self._counted(state, codes, rows.astype(jnp.float32))
        assert state.episode is not None
        return replace(state, episode=self._met(state.episode, self._slots(state, codes), rows))
