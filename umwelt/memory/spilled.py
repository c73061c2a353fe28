"""A memory larger than the machine's: all experience goes to disk, and a sample of it stays in memory.

What can be drawn is an even sample of the whole life, as in `Lifelong`. Between two stretches of a life, new chunks are
appended to files in the life's folder. A part of the sample is then exchanged for chunks from there.
"""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Experience, TimeStep, capability, part, static, struct
from umwelt.memory.conform import Link, parted
from umwelt.memory.keep import Reservoir
from umwelt.memory.lifelong import Lifelong, LifelongState
from umwelt.memory.slots import RANKS, Shelf, ShelfError, ranks_of


@struct
class StagedState:
    """Chunks that are not on disk yet. steps: TimeStep [R, L + 1]; links: leaves [R, L, ...]. count: int32, how many.
    salt: uint32 [2], from the newest key, for draws from the disk. keep: the state of `Staged.keep`."""

    steps: TimeStep
    links: Link
    count: jax.Array
    salt: jax.Array
    keep: Any


@part
class Staged:
    """Decides as `keep` does what stays in memory, and puts every chunk aside for the disk.

    >>> Staged(number=8).keep
    Reservoir()
    """

    number: int
    """How many chunks there is room for."""
    keep: Any = Reservoir()
    """Decides what stays in memory."""

    def init(self, slots: int, chunk: Experience) -> StagedState:
        """Begin with nothing put aside."""
        steps, links = parted(jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), chunk))

        def empty(leaf: jax.Array) -> jax.Array:
            return jnp.zeros((self.number, *leaf.shape), leaf.dtype)

        return StagedState(
            steps=jax.tree.map(empty, steps),
            links=jax.tree.map(empty, links),
            count=jnp.int32(0),
            salt=jnp.zeros(2, jnp.uint32),
            keep=self.keep.init(slots, chunk),
        )

    def update(self, state: StagedState, experience: Experience) -> StagedState:
        """Pass experience [B] on, where `keep` reads all of it."""
        update = capability(self.keep, "update")
        return state if update is None else replace(state, keep=update(state.keep, experience))

    def assign(
        self, key: jax.Array, state: StagedState, chunk: Experience, offered: jax.Array, slots: int, due: jax.Array
    ) -> tuple[StagedState, jax.Array]:
        """Put the chunk aside, and ask `keep` for its slot in memory."""
        steps, links = parted(chunk)
        at = jnp.where(due, state.count, self.number)

        def put(held: jax.Array, new: jax.Array) -> jax.Array:
            return held.at[at].set(new, mode="drop")

        keep, slot = self.keep.assign(key, state.keep, chunk, offered, slots, due)
        after = StagedState(
            steps=jax.tree.map(put, state.steps, steps),
            links=jax.tree.map(put, state.links, links),
            count=state.count + due,
            salt=jnp.where(due, jax.random.key_data(key).astype(jnp.uint32)[:2], state.salt),
            keep=keep,
        )
        return after, slot


@struct
class SpilledState:
    """inner: what is in memory. counts: int32 [RANKS], rows on disk by rank. lowest: int32, ranks below it were dropped.
    turns: int32, how often it was spilled. disk, exchanged: as in `Spilled`."""

    inner: LifelongState
    counts: jax.Array
    lowest: jax.Array
    turns: jax.Array
    disk: int = static()
    exchanged: int = static()

    def spill(self, folder: Path) -> "SpilledState":
        """Append what is new to the files in `folder`, and exchange some of the sample. Uses up this state."""
        staged = self.inner.keep
        count, room = int(staged.count), staged.steps.kind.shape[0]
        if count > room:
            raise ShelfError(
                f"staged={room}: {count} chunks came between two writes to the disk; set `staged` of the memory to at"
                " least that, or a shorter `--rhythm.chunk`"
            )
        rows = _packed((staged.steps, staged.links), count)
        shelf, lowest = Shelf(folder, rows.shape[1]), int(self.lowest)
        ranks = ranks_of(np.arange(int(self.inner.offered) - count, int(self.inner.offered)))
        counts = shelf.put(np.asarray(self.counts), ranks[ranks >= lowest], rows[ranks >= lowest])
        while counts[lowest:].sum() * rows.shape[1] > self.disk and lowest < RANKS - 1:
            lowest += 1
        inner = replace(self.inner, keep=replace(staged, count=jnp.int32(0)))
        inner = self._exchange(inner, shelf, counts, lowest)
        return replace(self, inner=inner, counts=jnp.asarray(counts), lowest=jnp.int32(lowest), turns=self.turns + 1)

    def sync(self, folder: Path) -> None:
        """Flush to disk what the next save counts on."""
        Shelf(folder, 1).sync(int(self.lowest))

    def _exchange(self, inner: LifelongState, shelf: Shelf, counts: np.ndarray, lowest: int) -> LifelongState:
        """Put chunks from disk into slots that are drawn. While everything fits into memory, nothing is exchanged."""
        slots, there = inner.steps.kind.shape[0], int(counts[lowest:].sum())
        if int(inner.offered) <= slots or not there:
            return inner
        draw = np.random.default_rng([*np.asarray(inner.keep.salt), int(self.turns)])
        chosen = np.unique(draw.integers(0, slots, self.exchanged))
        # a slot beyond the last is dropped
        taken = np.full(self.exchanged, slots, np.int32)
        taken[: len(chosen)] = chosen
        rows = shelf.take(counts, lowest, draw.integers(0, there, self.exchanged))
        steps, links = _unpacked(rows, (inner.steps, inner.links))
        return _exchanged(inner, taken, steps, links)


@part
class Spilled:
    """Chunks of a whole life on disk, and an even sample of them in memory, of which a part is exchanged all the time.

    When the disk's budget is full, every second chunk is dropped, and only every second one is kept from then on. So the
    disk stays an even sample of the life. For one seed.

    >>> from umwelt.core import lived, spaces, zeros_step
    >>> from umwelt.worlds import Pendulum

    >>> spec = Pendulum().spec
    >>> moment = lived(zeros_step(spec), spaces.zeros(spec.action, 1), zeros_step(spec))

    >>> memory = Spilled(bytes=10_000, staged=8, exchanged=2)
    >>> state, add = memory.init(moment), jax.jit(memory.add)
    >>> for _ in range(4):
    ...     state = add(jax.random.key(0), state, moment)
    >>> int(memory.count(state))  # none is on disk yet
    4
    """

    bytes: int = 64_000_000
    """How much memory all may take, with the chunks that wait for the disk."""
    disk: int = 10_000_000_000
    """How many bytes the files may have. A dropped half stays until the next save, so plan for twice this."""
    length: int = 1
    """Transitions of a chunk: the longest sequence that can be drawn."""
    staged: int = 1024
    """Chunks that may wait for the disk: at least as many as one stretch (`--rhythm.chunk`) makes."""
    exchanged: int = 1024
    """Chunks in memory that are exchanged after each stretch."""
    keep: Any = Reservoir()
    """Decides what stays in memory until it is exchanged."""

    def init(self, example: Experience) -> SpilledState:
        """Make an empty memory for experience [B] like `example`. Only shapes and dtypes are read."""
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

    def add(self, key: jax.Array, state: SpilledState, experience: Experience) -> SpilledState:
        """Gather experience [B], and put aside what has become a chunk. In place where the state is donated."""
        return replace(state, inner=self._inner.add(key, state.inner, experience))

    def sample(self, key: jax.Array, state: SpilledState, shape: tuple[int, ...]) -> Experience:
        """Draw transitions [N] or sequences [N, L] of what is in memory."""
        return self._inner.sample(key, state.inner, shape)

    def held(self, state: SpilledState) -> jax.Array:
        """Count the transitions in the chunks on disk and on their way there, int32."""
        on_disk = jnp.sum(jnp.where(jnp.arange(RANKS) >= state.lowest, state.counts, 0), dtype=jnp.int32)
        return (on_disk + state.inner.keep.count) * self.length

    def count(self, state: SpilledState) -> jax.Array:
        """Count the chunks in memory, int32."""
        return self._inner.count(state.inner)

    @property
    def _inner(self) -> Lifelong:
        return Lifelong(bytes=self.bytes, length=self.length, keep=Staged(number=self.staged, keep=self.keep))


@partial(jax.jit, donate_argnums=0)
def _exchanged(inner: LifelongState, slots: jax.Array, steps: TimeStep, links: Link) -> LifelongState:
    """`inner` with chunks [K] in these slots."""

    def put(held: jax.Array, new: jax.Array) -> jax.Array:
        return held.at[slots].set(new, mode="drop")

    return replace(inner, steps=jax.tree.map(put, inner.steps, steps), links=jax.tree.map(put, inner.links, links))


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
