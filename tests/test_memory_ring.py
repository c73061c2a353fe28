"""A ring of transitions against a bounded deque, its budget against a count by hand."""

from collections import deque
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from umwelt.core import FIRST, MID, TERMINATED, TRUNCATED, Experience, TimeStep, lived
from umwelt.memory.ring import Ring

# Two kinds, two rewards, two named observations, an action, an origin: 1 + 1 + 4 + 4 + 2 (3 + 4) + 2 + 1.
SMALL = 27
TICKS = 24


def stream(kinds: np.ndarray) -> Experience:
    """Experience [T, B] whose rewards are numbered 0, 1, 2 ... in row-major order, from kinds [T, B]."""
    number = np.arange(kinds.size).reshape(kinds.shape)
    observation = {"low": np.stack([number] * 3, -1).astype(np.uint8), "high": number.astype(np.float32)}
    step = TimeStep(kind=jnp.asarray(kinds, jnp.int8), observation=observation, reward=jnp.float32(number))
    return jax.tree.map(jnp.asarray, lived(step, number.astype(np.int16), step))


@cache
def machines(capacity: int):
    """Add the first n ticks of a stream, compiled; and draw."""
    ring = Ring(bytes=capacity * SMALL)

    @jax.jit
    def feed(steps, ticks):
        def body(tick, state):
            return ring.add(jax.random.key(0), state, jax.tree.map(lambda leaf: leaf[tick], steps))

        return jax.lax.fori_loop(0, ticks, body, ring.init(jax.tree.map(lambda leaf: leaf[0], steps)))

    return ring, feed, jax.jit(ring.sample, static_argnums=2)


@settings(max_examples=60, deadline=None)
@given(
    kinds=st.lists(st.sampled_from([FIRST, MID, MID, TERMINATED, TRUNCATED]), min_size=TICKS * 3, max_size=TICKS * 3),
    ticks=st.integers(0, TICKS),
    capacity=st.sampled_from([1, 2, 7, 200]),
)
def test_it_holds_the_newest_transitions_that_are_no_seams(kinds, ticks, capacity):
    steps = stream(np.array(kinds).reshape(TICKS, 3))
    ring, feed, draw = machines(capacity)
    state = feed(steps, ticks)
    kept = deque(maxlen=capacity)
    for tick in range(ticks):
        kept.extend(3 * tick + row for row in range(3) if kinds[3 * tick + row] in (FIRST, MID))
    assert ring.count(state) == len(kept)
    drawn = draw(jax.random.key(1), state, (4096,))
    if not kept:
        assert not drawn.valid.any()
        return
    assert set(np.asarray(drawn.next.reward).tolist()) == {float(number) for number in kept}
    number = drawn.action.astype(int)
    wanted = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:])[number], steps)
    jax.tree.map(np.testing.assert_array_equal, drawn, wanted)


def test_the_budget_is_the_bytes_of_whole_transitions():
    step = TimeStep(kind=jnp.zeros(4, jnp.int8), observation=jnp.zeros((4, 17)), reward=jnp.zeros(4))
    steps = lived(step, jnp.zeros((4, 6)), step, task={"goal": jnp.zeros((4, 2))})
    each = 2 * (1 + 17 * 4 + 4) + 6 * 4 + 1 + 2 * 4
    for budget, rows in ((each, 1), (2 * each - 1, 1), (100_000, 100_000 // each)):
        state = Ring(bytes=budget).init(steps)
        assert state.rows.origin.shape == (rows,)
        assert sum(leaf.nbytes for leaf in jax.tree.leaves(state.rows)) == rows * each
    with pytest.raises(ValueError, match=f"bytes={each - 1} holds 0 transitions .* give bytes={each}"):
        Ring(bytes=each - 1).init(steps)


def test_only_shapes_and_dtypes_of_the_example_are_read():
    steps = jax.tree.map(lambda leaf: leaf[0], stream(np.full((1, 2), MID)))
    form = jax.eval_shape(lambda: steps)
    made, again = Ring(bytes=1000).init(form), Ring(bytes=1000).init(steps)
    jax.tree.map(np.testing.assert_array_equal, made, again)


def test_draws_are_uniform_with_replacement():
    steps = stream(np.full((40, 2), MID))
    _, feed, draw = machines(50)
    drawn = draw(jax.random.key(3), feed(steps, 40), (20_000,)).next.reward
    counts = np.bincount(np.asarray(drawn, int), minlength=80)[30:]
    statistic = np.sum((counts - 400) ** 2 / 400)
    assert chi2.ppf(0.001, 49) < statistic < chi2.ppf(0.999, 49)


def test_sequences_are_refused_by_name():
    ring, feed, _ = machines(50)
    with pytest.raises(ValueError, match=r"shape=\(4, 2\).*Trajectories"):
        ring.sample(jax.random.key(0), feed(stream(np.full((TICKS, 3), MID)), 5), (4, 2))


def test_a_full_sized_ring_is_never_copied():
    """100 MB: the donated buffers come back, and no compiled program has room for a copy."""
    step = TimeStep(kind=jnp.zeros(2, jnp.int8), observation=jnp.zeros((2, 64)), reward=jnp.zeros(2))
    steps, ring, key = lived(step, jnp.zeros((2, 6)), step), Ring(bytes=100_000_000), jax.random.key(0)
    state = jax.block_until_ready(ring.init(steps))
    places = [leaf.unsafe_buffer_pointer() for leaf in jax.tree.leaves(state.rows)]
    add = jax.jit(ring.add, donate_argnums=1)
    for _ in range(3):
        state = add(key, state, steps)
    assert [leaf.unsafe_buffer_pointer() for leaf in jax.tree.leaves(state.rows)] == places

    def live(state, keys):
        def body(state, each):
            state = ring.add(each, state, steps)
            return state, ring.sample(each, state, (256,)).next.observation.mean()

        return jax.lax.scan(body, state, keys)

    keys = jax.random.split(key, 10)
    seeds = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((3, *leaf.shape), leaf.dtype), state)
    programs = {
        "add": add.lower(key, state, steps),
        "scan": jax.jit(live, donate_argnums=0).lower(state, keys),
        "three seeds": jax.jit(jax.vmap(live, in_axes=(0, None)), donate_argnums=0).lower(seeds, keys),
    }
    for name, lowered in programs.items():
        memory = lowered.compile().memory_analysis()
        assert memory.temp_size_in_bytes < 3_000_000, name
        assert memory.alias_size_in_bytes > 99_000_000 * (3 if name == "three seeds" else 1), name
