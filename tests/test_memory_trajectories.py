"""Sequences against a NumPy list of every window that is still held."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from umwelt.core import FIRST, LIVED, MID, TERMINATED, TRUNCATED, Experience, TimeStep, lived
from umwelt.memory.conform import blanked, is_blank
from umwelt.memory.trajectories import Trajectories

# One observation uint8[3], kind, reward, action int16, origin, task float32; then the run and the queue.
ONE = 3 + 1 + 4 + 2 + 1 + 4 + 2 + 4
TICKS = 40
KEY = jax.random.key(0)


def stream(lengths: list[int], rows: int, ticks: int = TICKS, start: int = 0) -> Experience:
    """Experience [ticks, rows]: episodes of the given lengths in turn, one after another along each row.

    The observation of tick t is t + start in its first entry, and the row in its second; so is the action.
    """
    kind = np.full((ticks + 1, rows), MID, np.int8)
    turn = 0
    for row in range(rows):
        tick = 0
        while tick <= ticks:
            kind[tick, row] = FIRST
            tick += lengths[turn % len(lengths)]
            if tick <= ticks:
                kind[tick, row] = TERMINATED if turn % 2 else TRUNCATED
            tick, turn = tick + 1, turn + 1
    tick, row = np.broadcast_arrays(np.arange(start, start + ticks + 1)[:, None], np.arange(rows))
    observation = np.stack([tick, row, tick + row], -1).astype(np.uint8)
    steps = TimeStep(kind=kind, observation=observation, reward=np.where(kind == FIRST, 0, tick * 10 + row).astype(np.float32))
    before, after = (jax.tree.map(lambda leaf, cut=cut: leaf[cut], steps) for cut in (slice(-1), slice(1, None)))
    action, origin = (tick[:-1] * 10 + row[:-1]).astype(np.int16), np.full((ticks, rows), LIVED, np.int8)
    return Experience(step=before, action=action, next=after, origin=origin, task=row[:-1].astype(np.float32))


def windows(steps: Experience, ticks: int, slots: int, length: int, across: bool = False) -> set[tuple[int, int]]:
    """(first tick, row) of every run of `length` transitions without a seam (or `across` them) in the newest `slots` steps."""
    valid = np.asarray(steps.valid)[:ticks] | across
    oldest = max(0, ticks + 1 - slots)
    return {
        (tick, row)
        for row in range(valid.shape[1])
        for tick in range(oldest, ticks - length + 1)
        if valid[tick : tick + length, row].all()
    }


@cache
def machines(rows: int, slots: int, length: int, across: bool = False):
    memory = Trajectories(bytes=slots * rows * ONE, length=length, across=across)

    @jax.jit
    def feed(state, steps, ticks):
        def body(tick, state):
            return memory.add(KEY, state, jax.tree.map(lambda leaf: leaf[tick], steps))

        return jax.lax.fori_loop(0, ticks, body, state)

    empty = jax.jit(memory.init)(jax.tree.map(lambda leaf: leaf[0], stream([5], rows)))
    return memory, empty, feed, jax.jit(memory.sample, static_argnums=2)


@cache
def counter(memory: Trajectories):
    """state -> how many windows and how many transitions it holds."""
    return jax.jit(lambda state: (memory.count(state), memory.held(state)))


def starts(drawn: Experience) -> list[tuple[int, int]]:
    seen = np.asarray(drawn.step.observation)
    return [(int(tick), int(row)) for tick, row, _ in (seen[:, 0] if seen.ndim == 3 else seen)]


def moments(steps: Experience, ticks: np.ndarray, rows: np.ndarray) -> Experience:
    return jax.tree.map(lambda leaf: leaf[ticks, rows], steps)


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=12),
    ticks=st.integers(0, TICKS),
    form=st.sampled_from([(1, 8, 4), (3, 13, 6), (2, 11, 1), (2, 30, 3, True), (1, 11, 4, True)]),
)
def test_every_window_still_held_is_drawn_and_no_other(lengths, ticks, form):
    rows, slots, length, across = (*form, False)[:4]
    steps = stream(lengths, rows)
    memory, empty, feed, draw = machines(*form)
    state = feed(empty, steps, ticks)
    assert counter(memory)(state) == (len(windows(steps, ticks, slots, length, across)), len(windows(steps, ticks, slots, 1)))
    for each in {1, (length + 1) // 2, length}:
        held = windows(steps, ticks, slots, each, across)
        drawn = jax.tree.map(np.asarray, draw(KEY, state, (2048, each)))
        if not held:
            assert not drawn.valid.any()
            continue
        assert set(starts(drawn)) == held
        tick, row = np.array(starts(drawn)).T
        wanted = moments(steps, tick[:, None] + np.arange(each), row[:, None])
        jax.tree.map(np.testing.assert_array_equal, drawn, wanted)


@pytest.mark.parametrize("shape", [(20_000,), (20_000, 2), (20_000, 4)])
def test_draws_are_uniform_over_windows(shape):
    steps = stream([9, 4, 2, 12], 2)
    _, empty, feed, draw = machines(2, 25, 4)
    held = sorted(windows(steps, TICKS, 25, (*shape, 1)[1]))
    found = starts(draw(jax.random.key(5), feed(empty, steps, TICKS), shape))
    counts = np.array([found.count(window) for window in held])
    assert counts.sum() == len(found)
    statistic = np.sum((counts - counts.mean()) ** 2) / counts.mean()
    assert chi2.ppf(0.001, len(held) - 1) < statistic < chi2.ppf(0.999, len(held) - 1)


def test_episodes_shorter_than_the_length_serve_shorter_sequences():
    steps = stream([3], 2)
    memory, empty, feed, draw = machines(2, 30, 6)
    state = feed(empty, steps, 20)
    assert memory.count(state) == 0
    assert not draw(KEY, state, (8, 6)).valid.any()
    assert not draw(KEY, state, (8, 4)).valid.any()
    assert set(starts(draw(KEY, state, (512, 3)))) == windows(steps, 20, 30, 3)


def test_a_stream_that_continues_elsewhere_begins_a_new_stretch():
    """Both streams are in the middle of an episode at the joint; only the observations there differ."""
    first, second = stream([100], 2), stream([100], 2, start=100)
    memory, empty, feed, draw = machines(2, 30, 3)
    middle = jax.tree.map(lambda leaf: np.roll(leaf, -5, axis=0), second)
    state = feed(feed(empty, first, 8), middle, 6)
    drawn = np.asarray(draw(KEY, state, (4096, 3)).step.observation)[:, :, 0].astype(int)
    assert {tuple(ticks) for ticks in drawn} == {(t, t + 1, t + 2) for t in [*range(6), *range(105, 109)]}
    assert memory.count(state) == 2 * (6 + 4)
    transitions = draw(KEY, state, (4096,))
    np.testing.assert_array_equal(transitions.next.observation[:, 0], transitions.step.observation[:, 0] + 1)


def test_many_new_stretches_do_not_upset_the_queue():
    """Each stretch of two transitions takes three slots; the ring of eleven is overrun many times."""
    memory, empty, feed, draw = machines(2, 11, 1)
    state, cuts = empty, range(0, 200, 5)
    for cut in cuts:
        state = feed(state, stream([100], 2, ticks=2, start=cut), 2)
    held = [tick for cut in list(cuts)[-4:] for tick in (cut, cut + 1)][-7:]
    assert memory.count(state) == 2 * len(held)
    assert set(starts(draw(KEY, state, (1024,)))) == {(tick, row) for tick in held for row in range(2)}


def test_blank_rows_take_no_slot_and_no_window_leads_through_them():
    """A stream is padded for longer than the ring; then one row is blank while the other goes on, with `across`."""
    steps = stream([5], 2)
    for across in (False, True):
        _, empty, feed, draw = machines(2, 12, 3, across)
        state = feed(empty, steps, 9)
        padding = blanked(steps, np.ones((TICKS, 2), bool))
        jax.tree.map(np.testing.assert_array_equal, feed(state, padding, TICKS), state)
        half = blanked(jax.tree.map(lambda leaf: np.roll(leaf, -9, axis=0), steps), np.array([False, True]))
        after = feed(state, half, 8)
        drawn = draw(KEY, after, (2048, 3))
        late = np.asarray(drawn.step.observation)[..., 0] >= 9
        rows = np.asarray(drawn.step.observation)[..., 1]
        assert late.any()
        assert not rows[late].any(), "nothing of the blank row is drawn"
        assert not is_blank(drawn).any()


def test_rounding_does_not_break_a_stretch():
    step = TimeStep(kind=np.ones(1, np.int8), observation=np.ones((1, 2), np.float32), reward=np.zeros(1, np.float32))
    near = TimeStep(kind=step.kind, observation=step.observation * np.float32(1 + 1e-7), reward=step.reward)
    nothing = TimeStep(kind=step.kind, observation=step.observation * np.float32(np.nan), reward=step.reward)
    memory = Trajectories(bytes=10_000, length=4)
    state, add = memory.init(lived(step, step.reward, step)), jax.jit(memory.add)
    for before, after in ((step, near), (step, step), (near, nothing), (nothing, step)):
        state = add(KEY, state, lived(before, step.reward, after))
    assert memory.count(state) == 1


def test_the_budget_is_counted_in_slots_that_hold_each_observation_once():
    _, empty, _, _ = machines(3, 13, 6)
    assert empty.run.shape == (13, 3)
    assert sum(leaf.nbytes for leaf in jax.tree.leaves(empty) if leaf.shape[:1] in ((13,), (39,))) == 13 * 3 * ONE
    example = jax.tree.map(lambda leaf: leaf[0], stream([5], 3))
    with pytest.raises(ValueError, match=f"holds 8 slots of 3 rows .* give bytes={9 * 3 * ONE}"):
        Trajectories(bytes=9 * 3 * ONE - 1, length=6).init(example)
    with pytest.raises(ValueError, match="length=0"):
        Trajectories(length=0).init(example)
    with pytest.raises(ValueError, match="length=6"):
        machines(3, 13, 6)[0].sample(KEY, empty, (4, 7))


def test_a_full_sized_memory_is_never_copied():
    """100 MB: the donated buffers come back, and no compiled program has room for a copy, even of a small part."""
    step = TimeStep(kind=jnp.ones(2, jnp.int8), observation=jnp.zeros((2, 17)), reward=jnp.zeros(2))
    steps, memory = lived(step, jnp.zeros((2, 6)), step), Trajectories(bytes=100_000_000)
    state = jax.block_until_ready(memory.init(steps))

    def places(state):
        return [leaf.unsafe_buffer_pointer() for leaf in jax.tree.leaves(state) if leaf.size > 100_000]

    before = places(state)
    add = jax.jit(memory.add, donate_argnums=1)
    for _ in range(3):
        state = add(KEY, state, steps)
    assert places(state) == before
    assert len(before) == 7

    def live(state, keys):
        def body(state, each):
            state = memory.add(each, state, steps)
            drawn = [memory.sample(each, state, shape) for shape in ((16,), (16, 8), (16, 64))]
            return state, [one.next.observation.mean() for one in drawn]

        return jax.lax.scan(body, state, keys)

    keys = jax.random.split(KEY, 10)
    seeds = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((3, *leaf.shape), leaf.dtype), state)
    programs = {
        "add": add.lower(KEY, state, steps),
        "scan": jax.jit(live, donate_argnums=0).lower(state, keys),
        "three seeds": jax.jit(jax.vmap(live, in_axes=(0, None)), donate_argnums=0).lower(seeds, keys),
    }
    for name, lowered in programs.items():
        assert lowered.compile().memory_analysis().temp_size_in_bytes < 900_000, name
