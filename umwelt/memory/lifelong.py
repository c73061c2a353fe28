"""A memory for a whole life: a fixed budget of bytes over everything that was experienced.

Experience is kept in *chunks* of `length` transitions of one episode. A chunk is gathered aside. When it is complete,
`keep` assigns it a slot, or does not keep it. So what a life holds of its past is one choice, in one part.
"""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.core import TRUNCATED, Experience, TimeStep, capability, keys, part, struct
from umwelt.memory import sizes
from umwelt.memory.conform import Link, conform, joined, link
from umwelt.memory.keep import Keep, Reservoir


@struct
class LifelongState:
    """Chunks [slots], and those under way [B].

    steps: TimeStep [slots, L + 1]; links: leaves [slots, L, ...]. gathered_steps, gathered_links: the same [B, ...], of
    the newest transitions. run: int32 [B], transitions since the episode began, at most L. due: int32 [B], transitions
    since a chunk was last offered. offered: int32, chunks so far. filled: int32. keep: the state of `Lifelong.keep`.
    """

    steps: TimeStep
    links: Link
    gathered_steps: TimeStep
    gathered_links: Link
    run: jax.Array
    due: jax.Array
    offered: jax.Array
    filled: jax.Array
    keep: Any


@part
class Lifelong:
    """Chunks of a whole life, drawn evenly. What stays when it is full is the choice of `keep`.

    Rows of a life are added in order. An episode shorter than `length` leaves nothing. The last `length` transitions of a
    longer one always make a chunk, so that ends are not lost, unless it broke.

    >>> from umwelt.core import lived, spaces, zeros_step
    >>> from umwelt.worlds import Pendulum

    >>> spec = Pendulum().spec
    >>> moment = lived(zeros_step(spec), spaces.zeros(spec.action, 1), zeros_step(spec))

    >>> memory = Lifelong(bytes=1000, length=2)
    >>> state, add = memory.init(moment), jax.jit(memory.add)
    >>> for _ in range(4):
    ...     state = add(jax.random.key(0), state, moment)
    >>> int(memory.count(state))  # each transition is in one chunk
    2
    """

    bytes: int = 64_000_000
    """How much memory all may take, chunks under way and the state of `keep` included."""
    length: int = 1
    """Transitions of a chunk: the longest sequence that can be drawn."""
    keep: Keep = Reservoir()
    """Decides what stays."""

    def init(self, example: Experience) -> LifelongState:
        """Make an empty memory for experience [B] like `example`. Only shapes and dtypes are read."""
        if self.length < 1:
            raise ValueError(f"length={self.length}: a chunk has at least 1 transition")
        form = sizes.forms(example)
        batch = form.origin.shape[0]
        links = link(form)
        chunk = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((self.length, *leaf.shape[1:]), leaf.dtype), form)
        each = (self.length + 1) * sizes.row_bytes(form.next) + self.length * sizes.row_bytes(links)
        decides = [_bytes(jax.eval_shape(lambda slots=slots: self.keep.init(slots, chunk))) for slots in (1, 2)]
        # chunks under way with two counts each, two counts of all, and what `keep` holds beside the slots
        aside = batch * (each + 8) + 8 + 2 * decides[0] - decides[1]
        rows = f"chunks of {self.length} transitions"
        slots = sizes.capacity(self.bytes, each + decides[1] - decides[0], 1, rows, aside=aside)

        def empty(tree: Any, lead: int, length: int) -> Any:
            return jax.tree.map(lambda leaf: jnp.zeros((lead, length, *leaf.shape[1:]), leaf.dtype), tree)

        return LifelongState(
            steps=empty(form.next, slots, self.length + 1),
            links=empty(links, slots, self.length),
            gathered_steps=empty(form.next, batch, self.length + 1),
            gathered_links=empty(links, batch, self.length),
            run=jnp.zeros(batch, jnp.int32),
            due=jnp.zeros(batch, jnp.int32),
            offered=jnp.int32(0),
            filled=jnp.int32(0),
            keep=self.keep.init(slots, chunk),
        )

    def add(self, key: jax.Array, state: LifelongState, experience: Experience) -> LifelongState:
        """Gather experience [B], and offer what has become a chunk. In place where the state is donated."""
        experience = conform(experience, state.links)
        valid = experience.valid
        run = jnp.where(valid, jnp.minimum(jnp.where(_follows(state, experience), state.run, 0) + 1, self.length), 0)
        due = jnp.where(valid, jnp.where(run == 1, 0, state.due) + 1, 0)
        whole = (run == self.length) & ((due >= self.length) | experience.next.last)
        # the step before is written too: it may not be the one that was gathered last
        gathered_steps = _shifted(_shifted(state.gathered_steps, experience.step, over=1), experience.next)
        update = capability(self.keep, "update")
        state = replace(
            state,
            gathered_steps=gathered_steps,
            gathered_links=_shifted(state.gathered_links, link(experience)),
            run=run,
            due=jnp.where(whole, 0, due),
            keep=state.keep if update is None else update(state.keep, experience),
        )

        def offer(row: Any, state: LifelongState) -> LifelongState:
            return self._offer(jax.random.fold_in(key, row), state, row, whole[row])

        return offer(0, state) if run.shape[0] == 1 else jax.lax.fori_loop(0, run.shape[0], offer, state)

    def sample(self, key: jax.Array, state: LifelongState, shape: tuple[int, ...]) -> Experience:
        """Draw transitions [N] or sequences [N, L], L at most `length`, evenly over chunks, with replacement. Where
        nothing is held, the rows are not `valid`."""
        return self._drawn(key, state, shape, None, state.filled)

    def sample_part(
        self, key: jax.Array, state: LifelongState, part: Literal["new", "old"], shape: tuple[int, ...]
    ) -> Experience:
        """Draw as `sample` does from one part of what is kept: the newest, or the rest. `keep` says which is which."""
        slots: Any = capability(self.keep, "part", "keep")
        return self._drawn(key, state, shape, *slots(state.keep, part, state.offered))

    def _drawn(
        self, key: jax.Array, state: LifelongState, shape: tuple[int, ...], slots: jax.Array | None, filled: jax.Array
    ) -> Experience:
        """Experience from the first `filled` of some slots, or of all."""
        if len(shape) not in (1, 2) or not 1 <= (length := (*shape, 1)[1]) <= self.length:
            raise ValueError(f"shape={shape}: ask for (N,) or (N, L) with 1 <= L <= length={self.length}, or raise `length`")
        drawing, cutting = keys.split(key, "draw", "cut")
        slot = jax.random.randint(drawing, (shape[0],), 0, jnp.maximum(filled, 1))
        slot = slot if slots is None else slots[slot]
        begin = jax.random.randint(cutting, (shape[0],), 0, self.length - length + 1)
        at = begin[:, None] + jnp.arange(length + 1)
        steps = jax.tree.map(lambda leaf: leaf[slot[:, None], at], state.steps)
        links = jax.tree.map(lambda leaf: leaf[slot[:, None], at[:, 1:] - 1], state.links)
        found = joined(steps, links, axis=1)
        kind = jnp.where(filled > 0, found.step.kind, jnp.int8(TRUNCATED))
        found = replace(found, step=replace(found.step, kind=kind))
        return found if len(shape) == 2 else jax.tree.map(lambda leaf: leaf[:, 0], found)

    def held(self, state: LifelongState) -> jax.Array:
        """Count the transitions in the chunks held, int32."""
        return state.filled * self.length

    def count(self, state: LifelongState) -> jax.Array:
        """Count the chunks held, int32."""
        return state.filled

    def _offer(self, key: jax.Array, state: LifelongState, row: Any, whole: jax.Array) -> LifelongState:
        """Let `keep` assign a slot to the chunk of a row, where it is whole."""
        slots = state.steps.kind.shape[0]
        steps, links = jax.tree.map(lambda leaf: leaf[row], (state.gathered_steps, state.gathered_links))
        keep, slot = self.keep.assign(key, state.keep, joined(steps, links), state.offered, slots, whole)
        slot = jnp.where(whole, slot, slots)

        def put(held: jax.Array, new: jax.Array) -> jax.Array:
            return held.at[slot].set(new, mode="drop")

        return replace(
            state,
            steps=jax.tree.map(put, state.steps, steps),
            links=jax.tree.map(put, state.links, links),
            offered=state.offered + whole,
            filled=jnp.minimum(state.filled + whole, slots),
            keep=keep,
        )


def _follows(state: LifelongState, experience: Experience) -> jax.Array:
    """bool [B]: the step continues the episode that is gathered."""
    newest = jax.tree.map(lambda leaf: leaf[:, -1], state.gathered_steps)
    step = experience.step
    return sizes.same_rows((newest.kind, newest.observation), (step.kind, step.observation))


def _shifted(held: Any, rows: Any, over: int = 0) -> Any:
    """held [B, T, ...] with rows [B, ...] after its last entries; `over`: in place of so many of them."""

    def shift(leaf: jax.Array, row: jax.Array) -> jax.Array:
        kept = leaf[:, : leaf.shape[1] - over]
        return jnp.concatenate([kept, row[:, None]], axis=1)[:, -leaf.shape[1] :]

    return jax.tree.map(shift, held, rows)


def _bytes(tree: Any) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
