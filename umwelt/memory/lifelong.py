"""A memory for a whole life: a fixed budget of bytes over everything that was ever lived.

Experience is kept in *chunks* of `length` transitions of one episode. A chunk is gathered aside, and when it is whole
`keep` says which place it takes, or that it is not kept. So what a life holds of its past is one choice, in one part.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import TRUNCATED, Experience, TimeStep, keys, part, struct
from umwelt.memory import sizes
from umwelt.memory.keep import Keep, Listens, Reservoir


@struct
class LifelongState:
    """Chunks [slots], and those under way [B].

    steps: TimeStep [slots, L + 1]; led: (action, origin, task, surprise), leaves [slots, L, ...]. gathered_steps,
    gathered: the same [B, ...], of the newest transitions. run: int32 [B], transitions since the episode began, at
    most L. due: int32 [B], transitions since a chunk was last offered. offered: int32, chunks so far. filled: int32.
    keep: the state of who decides.
    """

    steps: TimeStep
    led: tuple[Any, ...]
    gathered_steps: TimeStep
    gathered: tuple[Any, ...]
    run: jax.Array
    due: jax.Array
    offered: jax.Array
    filled: jax.Array
    keep: Any


@part
class Lifelong:
    """Chunks of a whole life, drawn evenly; who stays when it is full is chosen by `keep`.

    Rows of a life are added in order. An episode shorter than `length` leaves nothing; the last `length` transitions
    of a longer one always make a chunk, so that ends are not lost, unless it broke.
    """

    bytes: int = 64_000_000
    """How much memory all may take, chunks under way and the state of `keep` included."""
    length: int = 1
    """Transitions of a chunk: the longest sequence that can be drawn."""
    keep: Keep = Reservoir()
    """Who decides what stays."""

    def init(self, example: Experience) -> LifelongState:
        """Nothing held, for experience [B] like `example`. Only shapes and dtypes are read."""
        if self.length < 1:
            raise ValueError(f"length={self.length}: a chunk has at least 1 transition")
        form = sizes.forms(example)
        batch = form.origin.shape[0]
        led = (form.action, form.origin, form.task, form.surprise)
        chunk = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((self.length, *leaf.shape[1:]), leaf.dtype), form)
        each = (self.length + 1) * sizes.row_bytes(form.next) + self.length * sizes.row_bytes(led)
        decides = [_bytes(jax.eval_shape(lambda slots=slots: self.keep.init(slots, chunk))) for slots in (1, 2)]
        # chunks under way with two counts each, two counts of all, and what `keep` holds beside the slots
        aside = batch * (each + 8) + 8 + 2 * decides[0] - decides[1]
        rows = f"chunks of {self.length} transitions"
        slots = sizes.capacity(self.bytes, each + decides[1] - decides[0], 1, rows, aside=aside)

        def empty(tree: Any, lead: int, length: int) -> Any:
            return jax.tree.map(lambda leaf: jnp.zeros((lead, length, *leaf.shape[1:]), leaf.dtype), tree)

        return LifelongState(
            steps=empty(form.next, slots, self.length + 1),
            led=empty(led, slots, self.length),
            gathered_steps=empty(form.next, batch, self.length + 1),
            gathered=empty(led, batch, self.length),
            run=jnp.zeros(batch, jnp.int32),
            due=jnp.zeros(batch, jnp.int32),
            offered=jnp.int32(0),
            filled=jnp.int32(0),
            keep=self.keep.init(slots, chunk),
        )

    def add(self, key: jax.Array, state: LifelongState, steps: Experience) -> LifelongState:
        """Gather experience [B], and offer what has become a chunk. In place where the state is donated."""
        run = jnp.where(steps.valid, jnp.minimum(jnp.where(_goes_on(state, steps), state.run, 0) + 1, self.length), 0)
        due = jnp.where(steps.valid, jnp.where(run == 1, 0, state.due) + 1, 0)
        whole = (run == self.length) & ((due >= self.length) | steps.next.last)
        # the step before is written too: it may not be the one that was gathered last
        gathered_steps = _shifted(_shifted(state.gathered_steps, steps.step, over=1), steps.next)
        gathered = _shifted(state.gathered, (steps.action, steps.origin, steps.task, steps.surprise))
        state = replace(
            state,
            gathered_steps=gathered_steps,
            gathered=gathered,
            run=run,
            due=jnp.where(whole, 0, due),
            keep=self.keep.hear(state.keep, steps) if isinstance(self.keep, Listens) else state.keep,
        )

        def offer(row: Any, state: LifelongState) -> LifelongState:
            return self._offer(jax.random.fold_in(key, row), state, row, whole[row])

        return offer(0, state) if run.shape[0] == 1 else jax.lax.fori_loop(0, run.shape[0], offer, state)

    def sample(self, key: jax.Array, state: LifelongState, shape: tuple[int, ...]) -> Experience:
        """Transitions [N] or sequences [N, L], L at most `length`, evenly over chunks, with replacement; where nothing
        is held, rows that are not `valid`."""
        if len(shape) not in (1, 2) or not 1 <= (length := (*shape, 1)[1]) <= self.length:
            raise ValueError(f"shape={shape}: ask for (N,) or (N, L) with 1 <= L <= length={self.length}, or raise `length`")
        drawing, cutting = keys.split(key, "draw", "cut")
        slot = jax.random.randint(drawing, (shape[0],), 0, jnp.maximum(state.filled, 1))
        begin = jax.random.randint(cutting, (shape[0],), 0, self.length - length + 1)
        at = begin[:, None] + jnp.arange(length + 1)
        steps = jax.tree.map(lambda leaf: leaf[slot[:, None], at], state.steps)
        action, origin, task, surprise = jax.tree.map(lambda leaf: leaf[slot[:, None], at[:, 1:] - 1], state.led)
        step, after = (jax.tree.map(lambda leaf, cut=cut: leaf[:, cut], steps) for cut in (slice(None, -1), slice(1, None)))
        step = replace(step, kind=jnp.where(state.filled > 0, step.kind, jnp.int8(TRUNCATED)))
        found = Experience(step=step, action=action, next=after, origin=origin, task=task, surprise=surprise)
        return found if len(shape) == 2 else jax.tree.map(lambda leaf: leaf[:, 0], found)

    def count(self, state: LifelongState) -> jax.Array:
        """int32: how many chunks are held."""
        return state.filled

    def _offer(self, key: jax.Array, state: LifelongState, row: Any, whole: jax.Array) -> LifelongState:
        """Let `keep` place the chunk of a row, where it is whole."""
        slots = state.steps.kind.shape[0]
        steps, led = jax.tree.map(lambda leaf: leaf[row], (state.gathered_steps, state.gathered))
        before, after = (jax.tree.map(lambda leaf, cut=cut: leaf[cut], steps) for cut in (slice(None, -1), slice(1, None)))
        chunk = Experience(step=before, action=led[0], next=after, origin=led[1], task=led[2], surprise=led[3])
        keep, slot = self.keep.place(key, state.keep, chunk, state.offered, slots, whole)
        slot = jnp.where(whole, slot, slots)

        def put(held: jax.Array, new: jax.Array) -> jax.Array:
            return held.at[slot].set(new, mode="drop")

        return replace(
            state,
            steps=jax.tree.map(put, state.steps, steps),
            led=jax.tree.map(put, state.led, led),
            offered=state.offered + whole,
            filled=jnp.minimum(state.filled + whole, slots),
            keep=keep,
        )


def _goes_on(state: LifelongState, steps: Experience) -> jax.Array:
    """bool [B]: the step continues the episode that is gathered."""
    newest = jax.tree.map(lambda leaf: leaf[:, -1], state.gathered_steps)
    return sizes.same_rows((newest.kind, newest.observation), (steps.step.kind, steps.step.observation))


def _shifted(held: Any, rows: Any, over: int = 0) -> Any:
    """held [B, T, ...] with rows [B, ...] after its last entries; `over`: in place of so many of them."""

    def shift(leaf: jax.Array, row: jax.Array) -> jax.Array:
        kept = leaf[:, : leaf.shape[1] - over]
        return jnp.concatenate([kept, row[:, None]], axis=1)[:, -leaf.shape[1] :]

    return jax.tree.map(shift, held, rows)


def _bytes(tree: Any) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
