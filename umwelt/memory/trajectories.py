"""Streams of experience in which each observation is kept once, drawn as sequences inside one episode, or across them.

Each of the B rows of a life is a stream of time slots in a ring [T, B]. A slot holds a step, and
the action, origin and task of the transition that led to it. A *window* of L transitions ends at a
slot where at least L transitions of one episode lead up to it (or of several, `across`), all of them still held.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import TRUNCATED, Experience, TimeStep, keys, part, struct
from umwelt.memory import sizes


@struct
class TrajectoriesState:
    """Slots [T, B] and the windows that end in them.

    steps: TimeStep [T, B]. action, origin, task: [T, B, ...], of the transition that led to the slot.
    run: int16 or int32 [T, B], transitions of the slot's episode up to it, at most `length`; not yet
    written for the newest slot.
    newest: TimeStep [B], and newest_run [B]: what belongs to the newest slot, so that `add` reads no
    big array before it writes it, which would make XLA copy it.
    ends: int32 [T * B], a queue of slot * B + row in which a window of `length` ends.
    first, size: int32, the head of the queue and how many it holds.
    latest: int32 [length], slots since a window of 1, 2, ... length transitions last ended.
    head: int32, the newest slot. filled: int32, slots held.
    """

    steps: TimeStep
    action: Any
    origin: jax.Array
    task: Any
    run: jax.Array
    newest: TimeStep
    newest_run: jax.Array
    ends: jax.Array
    first: jax.Array
    size: jax.Array
    latest: jax.Array
    head: jax.Array
    filled: jax.Array


@part
class Trajectories:
    """Sequences, uniformly over all that are still held; the oldest leaves first.

    Add the B rows of a life in order. Where the `step` added does not continue the step before (a
    life resumed elsewhere, another source), a new stretch begins in all rows. In a compiled
    program, add before you sample, or XLA must copy the memory to keep both versions.
    """

    bytes: int = 64_000_000
    """How much memory the streams may take."""
    length: int = 64
    """The longest sequence that can be drawn, in transitions."""
    across: bool = False
    """Let sequences run on from one episode into the next, so that short episodes are drawn too. The seams between them
    are drawn as well, and are not `valid`: for models that begin anew at a FIRST step."""

    def init(self, example: Experience) -> TrajectoriesState:
        """Empty streams for experience [B] like `example`. Only shapes and dtypes are read."""
        if self.length < 1:
            raise ValueError(f"length={self.length}: a sequence has at least 1 transition")
        form = sizes.forms(example)
        batch = form.origin.shape[0]
        run = jnp.int16 if self.length < 2**15 else jnp.int32
        stored = (form.next, form.action, form.origin, form.task)
        each = batch * (sizes.row_bytes(stored) + jnp.dtype(run).itemsize + 4)
        # Two slots are written at once where a stretch begins, beside the window that they end.
        slots = sizes.capacity(self.bytes, each, self.length + 3, f"slots of {batch} rows")
        slots = min(slots, sizes.MOST // batch)
        newest = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), form.next)
        steps, action, origin, task = jax.tree.map(lambda leaf: jnp.zeros((slots, *leaf.shape), leaf.dtype), stored)
        return TrajectoriesState(
            steps=steps,
            action=action,
            origin=origin,
            task=task,
            run=jnp.zeros((slots, batch), run),
            newest=newest,
            newest_run=jnp.zeros(batch, run),
            ends=jnp.zeros(slots * batch, jnp.int32),
            first=jnp.int32(0),
            size=jnp.int32(0),
            latest=jnp.full(self.length, slots, jnp.int32),
            head=jnp.int32(slots - 1),
            filled=jnp.int32(0),
        )

    def add(self, key: jax.Array, state: TrajectoriesState, steps: Experience) -> TrajectoriesState:
        """Append experience [B], one slot later than the last. In place where the state is donated."""
        del key
        slots = state.run.shape[0]
        broken = _broken(state, steps)
        before = (state.head + broken) % slots
        here = (before + 1) % slots
        run_before = jnp.where(broken, 0, state.newest_run)
        run_here = jnp.where(steps.valid | self.across, jnp.minimum(run_before + 1, self.length), 0)
        aged = jnp.minimum(state.latest + 1 + broken, slots)
        return replace(
            _queue(state, run_before, run_here, broken, self.length),
            steps=_put(_put(state.steps, steps.step, before), steps.next, here),
            action=_put(state.action, steps.action, here),
            origin=_put(state.origin, steps.origin, here),
            task=_put(state.task, steps.task, here),
            newest=steps.next,
            newest_run=run_here,
            latest=jnp.where(jnp.arange(1, self.length + 1) <= run_here.max(), 0, aged),
            head=here,
            filled=jnp.minimum(state.filled + 1 + broken, slots),
        )

    def sample(self, key: jax.Array, state: TrajectoriesState, shape: tuple[int, ...]) -> Experience:
        """Transitions [N] or sequences [N, L], uniformly over all held, with replacement.

        L = `length` costs O(N L) whatever is held. A shorter L draws slots until a window ends in
        them: each is accepted with the share of slots in which one does (for L = 1, at least 1/2).
        Where nothing can be drawn, the rows are not `valid`.
        """
        if len(shape) not in (1, 2) or not 1 <= (length := (*shape, 1)[1]) <= self.length:
            raise ValueError(f"shape={shape}: ask for (N,) or (N, L) with 1 <= L <= length={self.length}, or raise `length`")
        if length == self.length:
            some = state.size > 0
            slot, row = _queued(key, state, shape[0])
        else:
            some = state.latest[length - 1] + length < state.filled
            slot, row = _sought(key, state, some, shape[0], length)
        found = _window(state, slot, row, length)
        kind = jnp.where(some, found.step.kind, jnp.int8(TRUNCATED))
        found = replace(found, step=replace(found.step, kind=kind))
        return found if len(shape) == 2 else jax.tree.map(lambda leaf: leaf[:, 0], found)

    def count(self, state: TrajectoriesState) -> jax.Array:
        """int32: how many sequences of `length` transitions can be drawn now."""
        return state.size


def _put(held: Any, rows: Any, slot: jax.Array) -> Any:
    """The pytree held [T, B, ...] with rows [B, ...] in one slot."""
    return jax.tree.map(lambda leaf, row: jax.lax.dynamic_update_index_in_dim(leaf, row, slot, 0), held, rows)


def _broken(state: TrajectoriesState, steps: Experience) -> jax.Array:
    """int32, 1 where `steps.step` is not the newest step that is held, in any row."""
    same = sizes.same_rows((state.newest.kind, state.newest.observation), (steps.step.kind, steps.step.observation))
    return ((state.filled == 0) | ~jnp.all(same)).astype(jnp.int32)


def _queue(
    state: TrajectoriesState, run_before: jax.Array, run_here: jax.Array, broken: jax.Array, length: int
) -> TrajectoriesState:
    """Retire the windows whose first slot is overwritten, and append those that end now.

    The run of a new slot is written only when the next comes, or it would hide the window of a
    single transition that a new stretch overwrites there.
    """
    slots, batch = state.run.shape
    before = (state.head + broken) % slots
    here = (before + 1) % slots
    run = _put(_put(state.run, state.newest_run, state.head), run_before, before)
    starts = state.head + jnp.array([1, 2])
    lost = jnp.sum(run[(starts + length) % slots] >= length, axis=1, dtype=jnp.int32)
    retired = lost[0] + broken * lost[1]
    complete = run_here >= length
    rank = jnp.cumsum(complete, dtype=jnp.int32)
    capacity = slots * batch
    first, size = (state.first + retired) % capacity, state.size - retired
    places = jnp.where(complete, (first + size + rank - 1) % capacity, capacity)
    ends = state.ends.at[places].set(here * batch + jnp.arange(batch, dtype=jnp.int32), mode="drop")
    return replace(state, run=run, ends=ends, first=first, size=size + rank[-1])


def _queued(key: jax.Array, state: TrajectoriesState, number: int) -> tuple[jax.Array, jax.Array]:
    """Slots and rows [N] in which a window of `length` ends."""
    batch = state.run.shape[1]
    place = state.first + jax.random.randint(key, (number,), 0, jnp.maximum(state.size, 1))
    end = state.ends[place % state.ends.shape[0]]
    return end // batch, end % batch


def _sought(key: jax.Array, state: TrajectoriesState, some: jax.Array, number: int, length: int) -> tuple[jax.Array, jax.Array]:
    """Slots and rows [N] in which a window of `length` transitions ends, by rejection."""
    slots, batch = state.run.shape
    ages = jnp.maximum(state.filled - length, 1)

    def unfinished(carry: tuple[jax.Array, ...]) -> jax.Array:
        return some & ~jnp.all(carry[1])

    def again(carry: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        turn, done, slot, row = carry
        age_key, row_key = keys.split(jax.random.fold_in(key, turn), "age", "row")
        new_slot = (state.head - jax.random.randint(age_key, (number,), 0, ages)) % slots
        new_row = jax.random.randint(row_key, (number,), 0, batch)
        slot, row = jnp.where(done, slot, new_slot), jnp.where(done, row, new_row)
        run = jnp.where(slot == state.head, state.newest_run[row], state.run[slot, row])
        return turn + 1, run >= length, slot, row

    nowhere = jnp.zeros(number, jnp.int32)
    _, _, slot, row = jax.lax.while_loop(unfinished, again, (jnp.int32(0), jnp.zeros(number, bool), nowhere, nowhere))
    return slot, row


def _window(state: TrajectoriesState, slot: jax.Array, row: jax.Array, length: int) -> Experience:
    """Experience [N, length] that ends in the slots and rows [N]."""
    at = (slot[:, None] + jnp.arange(-length, 1)) % state.run.shape[0]

    def take(leaf: jax.Array, places: jax.Array) -> jax.Array:
        return leaf[places, row[:, None]]

    steps = jax.tree.map(lambda leaf: take(leaf, at), state.steps)
    led = jax.tree.map(lambda leaf: take(leaf, at[:, 1:]), (state.action, state.origin, state.task))
    step, after = (jax.tree.map(lambda leaf, cut=cut: leaf[:, cut], steps) for cut in (slice(None, -1), slice(1, None)))
    return Experience(step=step, action=led[0], next=after, origin=led[1], task=led[2])
