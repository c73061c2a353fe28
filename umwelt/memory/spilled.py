"""A memory larger than the machine's: all that is lived goes to disk, and a sample of it is at hand.

What can be drawn is an even sample of the whole life, as in `Lifelong`. Between two stretches of life the chunks that
are new are appended to files in the life's folder, and some of the sample is exchanged for others from there.
"""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Experience, TimeStep, part, static, struct
from umwelt.memory.keep import Reservoir
from umwelt.memory.lifelong import Lifelong, LifelongState
from umwelt.memory.slots import RANKS, Shelf, ShelfError, ranks_of


@struct
class StagedState:
    """Chunks that are not on disk yet. steps: TimeStep [R, L + 1]; led: (action, origin, task, surprise), leaves
    [R, L, ...]. count: int32, how many. salt: uint32 [2], from the newest key, for what is drawn on disk. keep: the
    state of who decides what stays at hand."""

    steps: TimeStep
    led: tuple[Any, ...]
    count: jax.Array
    salt: jax.Array
    keep: Any


@part
class Staged:
    """A choice of what stays at hand that also puts every chunk aside for the disk."""

    number: int
    """How many chunks there is room for."""
    keep: Any = Reservoir()
    """Who decides what stays at hand."""

    def init(self, slots: int, chunk: Experience) -> StagedState:
        """Nothing put aside."""
        steps, led = _halves(jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), chunk))

        def empty(leaf: jax.Array) -> jax.Array:
            return jnp.zeros((self.number, *leaf.shape), leaf.dtype)

        return StagedState(
            steps=jax.tree.map(empty, steps),
            led=jax.tree.map(empty, led),
            count=jnp.int32(0),
            salt=jnp.zeros(2, jnp.uint32),
            keep=self.keep.init(slots, chunk),
        )

    def place(
        self, key: jax.Array, state: StagedState, chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[StagedState, jax.Array]:
        """Put it aside, and ask where it stays at hand."""
        steps, led = _halves(chunk)
        at = jnp.where(due, state.count, self.number)

        def put(held: jax.Array, new: jax.Array) -> jax.Array:
            return held.at[at].set(new, mode="drop")

        keep, slot = self.keep.place(key, state.keep, chunk, offered, slots, due)
        after = StagedState(
            steps=jax.tree.map(put, state.steps, steps),
            led=jax.tree.map(put, state.led, led),
            count=state.count + due,
            salt=jnp.where(due, jax.random.key_data(key).astype(jnp.uint32)[:2], state.salt),
            keep=keep,
        )
        return after, slot


@struct
class SpilledState:
    """inner: what is at hand. counts: int32 [RANKS], rows on disk by rank. lowest: int32, ranks below it were let go.
    turns: int32, how often it was spilled. disk, exchanged: as in `Spilled`."""

    inner: LifelongState
    counts: jax.Array
    lowest: jax.Array
    turns: jax.Array
    disk: int = static()
    exchanged: int = static()

    def spill(self, folder: Path) -> "SpilledState":
        """Append what is new to the files in `folder`, and exchange some of what is at hand. Uses up this state."""
        staged = self.inner.keep
        count, room = int(staged.count), staged.steps.kind.shape[0]
        if count > room:
            raise ShelfError(
                f"staged={room}: {count} chunks were lived between two looks at the disk; set `staged` of the memory to"
                " at least that, or a shorter `--rhythm.chunk`"
            )
        rows = _packed((staged.steps, staged.led), count)
        shelf, lowest = Shelf(folder, rows.shape[1]), int(self.lowest)
        ranks = ranks_of(np.arange(int(self.inner.offered) - count, int(self.inner.offered)))
        counts = shelf.put(np.asarray(self.counts), ranks[ranks >= lowest], rows[ranks >= lowest])
        while counts[lowest:].sum() * rows.shape[1] > self.disk and lowest < RANKS - 1:
            lowest += 1
        inner = replace(self.inner, keep=replace(staged, count=jnp.int32(0)))
        inner = self._exchange(inner, shelf, counts, lowest)
        return replace(self, inner=inner, counts=jnp.asarray(counts), lowest=jnp.int32(lowest), turns=self.turns + 1)

    def sync(self, folder: Path) -> None:
        """Have the disk remember what a save that follows will count on."""
        Shelf(folder, 1).sync(int(self.lowest))

    def _exchange(self, inner: LifelongState, shelf: Shelf, counts: np.ndarray, lowest: int) -> LifelongState:
        """Put chunks from disk into the places of some that are drawn. While all there is fits, nothing is exchanged."""
        slots, there = inner.steps.kind.shape[0], int(counts[lowest:].sum())
        if int(inner.offered) <= slots or not there:
            return inner
        draw = np.random.default_rng([*np.asarray(inner.keep.salt), int(self.turns)])
        chosen = np.unique(draw.integers(0, slots, self.exchanged))
        # a place beyond the last is none
        places = np.full(self.exchanged, slots, np.int32)
        places[: len(chosen)] = chosen
        rows = shelf.take(counts, lowest, draw.integers(0, there, self.exchanged))
        steps, led = _unpacked(rows, (inner.steps, inner.led))
        return _exchanged(inner, places, steps, led)


@part
class Spilled:
    """Chunks of a whole life on disk, and an even sample of them at hand, of which a little is exchanged all the time.

    When the disk's budget is full, every second chunk is let go, and from then on only every second one is kept, so
    that what is on disk stays an even sample of the life. For one seed.
    """

    bytes: int = 64_000_000
    """How much memory all may take, with the chunks that wait for the disk."""
    disk: int = 10_000_000_000
    """How many bytes the files may have. For a while after a half is let go it is still there, so plan for twice this."""
    length: int = 1
    """Transitions of a chunk: the longest sequence that can be drawn."""
    staged: int = 1024
    """Chunks that may wait for the disk: at least as many as one stretch between two looks (`--rhythm.chunk`) makes."""
    exchanged: int = 1024
    """Chunks at hand that are exchanged after each stretch."""
    keep: Any = Reservoir()
    """Who decides what stays at hand until it is exchanged."""

    def init(self, example: Experience) -> SpilledState:
        """Nothing held, for experience [B] like `example`. Only shapes and dtypes are read."""
        for name in ("disk", "staged", "exchanged"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")
        return SpilledState(
            inner=self._inner.init(example),
            counts=jnp.zeros(RANKS, jnp.int32),
            lowest=jnp.int32(0),
            turns=jnp.int32(0),
            disk=self.disk,
            exchanged=self.exchanged,
        )

    def add(self, key: jax.Array, state: SpilledState, steps: Experience) -> SpilledState:
        """Gather experience [B], and put aside what has become a chunk. In place where the state is donated."""
        return replace(state, inner=self._inner.add(key, state.inner, steps))

    def sample(self, key: jax.Array, state: SpilledState, shape: tuple[int, ...]) -> Experience:
        """Transitions [N] or sequences [N, L] of what is at hand."""
        return self._inner.sample(key, state.inner, shape)

    def count(self, state: SpilledState) -> jax.Array:
        """int32: how many chunks are at hand."""
        return self._inner.count(state.inner)

    @property
    def _inner(self) -> Lifelong:
        return Lifelong(bytes=self.bytes, length=self.length, keep=Staged(number=self.staged, keep=self.keep))


@partial(jax.jit, donate_argnums=0)
def _exchanged(inner: LifelongState, places: jax.Array, steps: TimeStep, led: tuple[Any, ...]) -> LifelongState:
    """`inner` with chunks [K] in these places."""

    def put(held: jax.Array, new: jax.Array) -> jax.Array:
        return held.at[places].set(new, mode="drop")

    return replace(inner, steps=jax.tree.map(put, inner.steps, steps), led=jax.tree.map(put, inner.led, led))


def _halves(chunk: Experience) -> tuple[TimeStep, tuple[Any, ...]]:
    """A chunk as L + 1 steps and what led to the last L of them."""
    steps = jax.tree.map(lambda first, rest: jnp.concatenate([first[:1], rest]), chunk.step, chunk.next)
    return steps, (chunk.action, chunk.origin, chunk.task, chunk.surprise)


def _packed(tree: Any, count: int) -> np.ndarray:
    """The first `count` rows of leaves [R, ...] as uint8 [count, bytes of a row]."""
    leaves = [np.ascontiguousarray(np.asarray(leaf)[:count]) for leaf in jax.tree.leaves(tree)]
    widths = [_row_bytes(leaf) for leaf in jax.tree.leaves(tree)]
    parts = [np.ndarray((count, width), np.uint8, leaf.data) for leaf, width in zip(leaves, widths, strict=True) if width]
    return np.concatenate(parts, axis=1) if count else np.empty((0, sum(widths)), np.uint8)


def _unpacked(rows: np.ndarray, like: Any) -> Any:
    """Rows uint8 [K, bytes] as leaves [K, ...] of the forms of leaves [slots, ...]."""
    leaves, form = jax.tree.flatten(like)
    found, begin = [], 0
    for leaf in leaves:
        end = begin + _row_bytes(leaf)
        found.append(np.ndarray((len(rows), *leaf.shape[1:]), leaf.dtype, np.ascontiguousarray(rows[:, begin:end]).data))
        begin = end
    return jax.tree.unflatten(form, found)


def _row_bytes(leaf: Any) -> int:
    return math.prod(leaf.shape[1:]) * leaf.dtype.itemsize
