"""Streams of experience in which each observation is kept once, drawn as sequences inside one episode, or across them.

Each of the B rows of a life is a stream of slots in a ring [T, B]. A slot holds a step, and the link of the transition
that led to it. A *window* of L transitions ends at a slot to which at least L transitions of one episode lead (`across`: of
several). All of them are still held.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import BROKEN, TERMINATED, TRUNCATED, Experience, TimeStep, keys, part, select, struct
from umwelt.memory import sizes
from umwelt.memory.conform import Link, conform, is_blank, joined, link


@struct
class Recent:
    """What changes at every `add` and is small. A program reads it before it writes a big array, and copies none.

    newest: TimeStep [B], and run [B]: what belongs to the newest slot, at `head`. first, size: int32, the head of the
    queue of ends and how many it holds. latest: int32 [length], slots since a window of 1, 2, ... length transitions
    last ended. filled: int32, slots held.
    """

    newest: TimeStep
    run: jax.Array
    first: jax.Array
    size: jax.Array
    latest: jax.Array
    head: jax.Array
    filled: jax.Array


@struct
class TrajectoriesState:
    """Slots [T, B] and the windows that end in them.

    steps: TimeStep [T, B]. links: of the transition that led to the slot. run: int16 or int32 [T, B], transitions of the
    slot's episode up to it, at most `length`; not yet written for the newest slot. ends: int32 [T * B], a queue of
    slot * B + row in which a window of `length` ends.
    """

    steps: TimeStep
    links: Link
    run: jax.Array
    ends: jax.Array
    recent: Recent


@part
class Trajectories:
    """Sequences, uniformly over all that are still held; the oldest leaves first.

    Add the B rows of a life in order. Where the `step` added does not continue the step before (a resumed life, another
    source), a new stretch begins in all rows. In a compiled program, add before you sample, or XLA must copy the memory
    to keep both versions.

    >>> from umwelt.core import lived, spaces, zeros_step
    >>> from umwelt.worlds import Pendulum

    >>> spec = Pendulum().spec
    >>> moment = lived(zeros_step(spec), spaces.zeros(spec.action, 1), zeros_step(spec))

    >>> memory = Trajectories(bytes=1000, length=3)
    >>> state, add = memory.init(moment), jax.jit(memory.add)
    >>> for _ in range(4):
    ...     state = add(jax.random.key(0), state, moment)
    >>> int(memory.count(state))  # of three transitions each: 1 to 3, and 2 to 4
    2
    """

    bytes: int = 64_000_000
    """How much memory the streams may take."""
    length: int = 64
    """The longest sequence that can be drawn, in transitions."""
    across: bool = False
    """Let sequences run on from one episode into the next, so that short episodes are drawn too. The seams between them
    are drawn as well, and are not `valid`. For models that reset at a FIRST step."""

    def init(self, example: Experience) -> TrajectoriesState:
        """Make empty streams for experience [B] like `example`. Only shapes and dtypes are read."""
        if self.length < 1:
            raise ValueError(f"length={self.length}: a sequence has at least 1 transition")
        form = sizes.forms(example)
        batch = form.origin.shape[0]
        run = jnp.int16 if self.length < 2**15 else jnp.int32
        stored = (form.next, link(form))
        each = batch * (sizes.row_bytes(stored) + jnp.dtype(run).itemsize + 4)
        # A new stretch writes two slots at once, beside the window that they end.
        slots = sizes.capacity(self.bytes, each, self.length + 3, f"slots of {batch} rows")
        slots = min(slots, sizes.MOST // batch)
        steps, links = jax.tree.map(lambda leaf: jnp.zeros((slots, *leaf.shape), leaf.dtype), stored)
        recent = Recent(
            newest=jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), form.next),
            run=jnp.zeros(batch, run),
            first=jnp.int32(0),
            size=jnp.int32(0),
            latest=jnp.full(self.length, slots, jnp.int32),
            head=jnp.int32(slots - 1),
            filled=jnp.int32(0),
        )
        ends = jnp.zeros(slots * batch, jnp.int32)
        return TrajectoriesState(steps=steps, links=links, run=jnp.zeros((slots, batch), run), ends=ends, recent=recent)

    def add(self, key: jax.Array, state: TrajectoriesState, experience: Experience) -> TrajectoriesState:
        """Append experience [B], one slot later than the last. In place where the state is donated."""
        del key
        experience = conform(experience, state.links)
        slots, recent = state.run.shape[0], state.recent
        broken, blank = _broken(recent, experience), is_blank(experience)
        # where no row belongs to a stream, nothing is written
        kept = ~jnp.all(blank)
        before, here = (recent.head + broken) % slots, (recent.head + broken + 1) % slots
        run_before = jnp.where(broken, 0, recent.run)
        unbroken = experience.valid | (self.across & ~blank)
        run_here = jnp.where(unbroken, jnp.minimum(run_before + 1, self.length), 0).astype(recent.run.dtype)
        aged = jnp.minimum(recent.latest + 1 + broken, slots)
        state, (first, size) = _queue(state, run_before, run_here, broken, self.length, kept)
        after = Recent(
            newest=experience.next,
            run=run_here,
            first=first,
            size=size,
            latest=jnp.where(jnp.arange(1, self.length + 1) <= run_here.max(), 0, aged),
            head=here,
            filled=jnp.minimum(recent.filled + 1 + broken, slots),
        )
        return replace(
            state,
            steps=_put(_put(state.steps, experience.step, before, kept), experience.next, here, kept),
            links=_put(state.links, link(experience), here, kept),
            recent=select(kept, after, recent),
        )

    def sample(self, key: jax.Array, state: TrajectoriesState, shape: tuple[int, ...]) -> Experience:
        """Draw transitions [N] or sequences [N, L], uniformly over all held, with replacement.

        L = `length` costs O(N L) whatever is held. A shorter L draws slots until a window ends in them. Each is accepted
        with the share of slots in which one does (for L = 1, at least 1/2). Where nothing can be drawn, the rows are not
        `valid`.
        """
        if len(shape) not in (1, 2) or not 1 <= (length := (*shape, 1)[1]) <= self.length:
            raise ValueError(f"shape={shape}: ask for (N,) or (N, L) with 1 <= L <= length={self.length}, or raise `length`")
        if length == self.length:
            some = state.recent.size > 0
            slot, row = _queued(key, state, shape[0])
        else:
            some = state.recent.latest[length - 1] + length < state.recent.filled
            slot, row = _sought(key, state, some, shape[0], length)
        found = _window(state, slot, row, length)
        kind = jnp.where(some, found.step.kind, jnp.int8(TRUNCATED))
        found = replace(found, step=replace(found.step, kind=kind))
        return found if len(shape) == 2 else jax.tree.map(lambda leaf: leaf[:, 0], found)

    def held(self, state: TrajectoriesState) -> jax.Array:
        """Count the transitions held, int32."""
        slots, recent = state.run.shape[0], state.recent
        run = state.run.at[recent.head].set(recent.run)
        age = (recent.head - jnp.arange(slots)) % slots
        before, here = jnp.roll(state.steps.kind, 1, axis=0), state.steps.kind
        # the step before the oldest slot is gone, and where a stretch begins there is none
        linked = (run > 0) & (age < recent.filled - 1)[:, None]
        return jnp.sum(linked & (before < TERMINATED) & (here != BROKEN), dtype=jnp.int32)

    def count(self, state: TrajectoriesState) -> jax.Array:
        """Count the sequences of `length` transitions that can be drawn, int32."""
        return state.recent.size


def _put(held: Any, rows: Any, slot: jax.Array, kept: jax.Array) -> Any:
    """The pytree held [T, B, ...] with rows [B, ...] in one slot, where `kept`."""

    def put(leaf: jax.Array, row: Any) -> jax.Array:
        # a constant beyond the last slot would make XLA copy the array
        return leaf.at[jnp.where(kept, slot, leaf.shape[0] + slot)].set(row, mode="drop")

    return jax.tree.map(put, held, rows)


def _broken(recent: Recent, experience: Experience) -> jax.Array:
    """int32, 1 where the step added is not the newest step that is held, in any row."""
    step = experience.step
    same = sizes.same_rows((recent.newest.kind, recent.newest.observation), (step.kind, step.observation))
    return ((recent.filled == 0) | ~jnp.all(same)).astype(jnp.int32)


def _queue(
    state: TrajectoriesState, run_before: jax.Array, run_here: jax.Array, broken: jax.Array, length: int, kept: jax.Array
) -> tuple[TrajectoriesState, tuple[jax.Array, jax.Array]]:
    """Retire the windows whose first slot is overwritten, and append those that end now: the state, and the queue's new
    first and size.

    The run of a new slot is written only when the next comes. Otherwise it would hide the window of a single transition
    that a new stretch overwrites there.
    """
    slots, batch = state.run.shape
    recent, capacity = state.recent, slots * batch
    before, here = (recent.head + broken) % slots, (recent.head + broken + 1) % slots
    run = _put(_put(state.run, recent.run, recent.head, kept), run_before, before, kept)
    starts = recent.head + jnp.array([1, 2])
    lost = jnp.sum(run[(starts + length) % slots] >= length, axis=1, dtype=jnp.int32)
    retired = lost[0] + broken * lost[1]
    complete = (run_here >= length) & kept
    rank = jnp.cumsum(complete, dtype=jnp.int32)
    first, size = (recent.first + retired) % capacity, recent.size - retired
    queued = jnp.where(complete, (first + size + rank - 1) % capacity, capacity)
    ends = state.ends.at[queued].set(here * batch + jnp.arange(batch, dtype=jnp.int32), mode="drop")
    return replace(state, run=run, ends=ends), (first, size + rank[-1])


def _queued(key: jax.Array, state: TrajectoriesState, number: int) -> tuple[jax.Array, jax.Array]:
    """Slots and rows [N] in which a window of `length` ends."""
    batch = state.run.shape[1]
    drawn = state.recent.first + jax.random.randint(key, (number,), 0, jnp.maximum(state.recent.size, 1))
    end = state.ends[drawn % state.ends.shape[0]]
    return end // batch, end % batch


def _sought(key: jax.Array, state: TrajectoriesState, some: jax.Array, number: int, length: int) -> tuple[jax.Array, jax.Array]:
    """Slots and rows [N] in which a window of `length` transitions ends, by rejection."""
    slots, batch = state.run.shape
    recent = state.recent
    ages = jnp.maximum(recent.filled - length, 1)

    def unfinished(carry: tuple[jax.Array, ...]) -> jax.Array:
        return some & ~jnp.all(carry[1])

    def again(carry: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        turn, done, slot, row = carry
        age_key, row_key = keys.split(jax.random.fold_in(key, turn), "age", "row")
        new_slot = (recent.head - jax.random.randint(age_key, (number,), 0, ages)) % slots
        new_row = jax.random.randint(row_key, (number,), 0, batch)
        slot, row = jnp.where(done, slot, new_slot), jnp.where(done, row, new_row)
        run = jnp.where(slot == recent.head, recent.run[row], state.run[slot, row])
        return turn + 1, run >= length, slot, row

    nowhere = jnp.zeros(number, jnp.int32)
    _, _, slot, row = jax.lax.while_loop(unfinished, again, (jnp.int32(0), jnp.zeros(number, bool), nowhere, nowhere))
    return slot, row


def _window(state: TrajectoriesState, slot: jax.Array, row: jax.Array, length: int) -> Experience:
    """Experience [N, length] that ends in the slots and rows [N]."""
    at = (slot[:, None] + jnp.arange(-length, 1)) % state.run.shape[0]

    def take(leaf: jax.Array, slots: jax.Array) -> jax.Array:
        return leaf[slots, row[:, None]]

    steps = jax.tree.map(lambda leaf: take(leaf, at), state.steps)
    return joined(steps, jax.tree.map(lambda leaf: take(leaf, at[:, 1:]), state.links), axis=1)
