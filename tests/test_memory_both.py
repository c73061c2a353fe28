"""Shown and lived experience in one memory, and what every memory does with fields that are not known."""

from dataclasses import replace
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.core import FIRST, LIVED, MID, SHOWN, TRUNCATED, WATCHED, Experience, TimeStep, lived
from umwelt.memory import Both, Lifelong, Ring, Spilled, Trajectories
from umwelt.memory.conform import blanked, conform, is_blank, joined, link, parted

KEY = jax.random.key(0)


def stream(ticks: int, origin: int, first: int = 0, episode: int = 9) -> Experience:
    """Experience [ticks, 2] whose rewards count up from `first`; `episode` transitions between two FIRST steps."""
    number = np.arange(ticks + 1)
    kind = np.full(ticks + 1, MID)
    kind[number % (episode + 1) == 0] = FIRST
    kind[number % (episode + 1) == episode] = TRUNCATED
    wide = lambda values, dtype: np.repeat(np.asarray(values, dtype)[:, None], 2, axis=1)  # noqa: E731
    steps = TimeStep(
        kind=wide(kind, np.int8), observation=wide(first + number, np.float32), reward=wide(first + number, np.float32)
    )
    before, after = (jax.tree.map(lambda leaf, cut=cut: leaf[cut], steps) for cut in (slice(-1), slice(1, None)))
    origins = wide(np.full(ticks, origin), np.int8)
    known = {"surprise": wide(np.full(ticks, 0.5), np.float32)} if origin == LIVED else {}
    shown = {} if origin == LIVED else {"to_come": wide(100 + number[1:], np.float32)}
    return Experience(step=before, action=wide(number[1:], np.float32), next=after, origin=origins, **known, **shown)


EXAMPLE = replace(
    jax.tree.map(lambda leaf: leaf[0], stream(2, LIVED)),
    to_come=np.zeros(2, np.float32),
    task={"size": np.zeros((2, 3), np.int32)},
)


@cache
def machines(memory: Any) -> Any:
    """(state, experience [ticks, 2]) -> the state after all of it, by a program that serves lives of every length; and draws."""
    add = jax.jit(memory.add)

    def feed(state: Any, rows: Experience) -> Any:
        for tick in range(len(rows.origin)):
            state = add(KEY, state, jax.tree.map(lambda leaf, tick=tick: leaf[tick], rows))
        return state

    return feed, jax.jit(memory.sample, static_argnums=2)


@pytest.mark.parametrize("length", [1, 4])
def test_a_share_comes_from_each_once_there_is_enough_of_life(length: int) -> None:
    inner = Ring(bytes=50_000) if length == 1 else Trajectories(bytes=50_000, length=length)
    memory = Both(shown=inner, lived=inner, share=0.25, least=12)
    feed, draw = machines(memory)
    shape = (40,) if length == 1 else (40, length)

    def origins(state: Any) -> list[int]:
        drawn = draw(KEY, state, shape)
        assert bool(drawn.valid.all())
        rewards = np.asarray(drawn.next.reward)
        assert np.array_equal(rewards >= 1000, drawn.origin == LIVED), "nothing is mixed up"
        return np.asarray(drawn.origin).reshape(40, -1)[:, 0].tolist()

    empty = memory.init(EXAMPLE)
    assert not draw(KEY, empty, shape).valid.any()
    early = feed(empty, stream(6, LIVED, first=1000))
    assert origins(early) == [LIVED] * 40, "where nothing was shown, all comes from life"
    state = feed(empty, stream(30, SHOWN))
    assert origins(state) == [SHOWN] * 40
    assert origins(feed(state, stream(5, LIVED, first=1000))) == [SHOWN] * 40
    enough = feed(state, stream(25, LIVED, first=1000))
    assert origins(enough) == [SHOWN] * 10 + [LIVED] * 30
    assert memory.held(enough) == 2 * (27 + 23)


def test_a_long_life_overwrites_nothing_that_was_shown() -> None:
    """Both rings are overrun many times by life alone."""
    for inner in (Ring(bytes=4000), Trajectories(bytes=4000, length=3), Lifelong(bytes=4000, length=3)):
        memory = Both(shown=inner, lived=inner, share=1.0, least=1)
        feed, draw = machines(memory)
        shown = feed(memory.init(EXAMPLE), stream(10, WATCHED))
        state = feed(shown, stream(400, LIVED, first=1000))
        jax.tree.map(np.testing.assert_array_equal, draw(KEY, state, (64,)), draw(KEY, shown, (64,)))
        assert set(np.asarray(draw(KEY, state, (64,)).origin).tolist()) == {WATCHED}


def test_rows_of_two_origins_are_parted() -> None:
    rows = stream(30, LIVED)
    second = np.arange(2) == 1
    origin = np.where(second, np.int8(SHOWN), rows.origin)
    memory = Both(shown=Ring(bytes=9000), lived=Trajectories(bytes=9000, length=1), share=0.5, least=1)
    feed, draw = machines(memory)
    state = feed(memory.init(EXAMPLE), replace(rows, origin=origin, action=rows.action + np.float32(500) * second))
    drawn = draw(KEY, state, (64,))
    assert np.array_equal(drawn.action >= 500, drawn.origin == SHOWN)
    assert np.bincount(drawn.origin).tolist() == [32, 0, 32]


@pytest.mark.parametrize("memory", [
    Both(shown=Ring(bytes=100_000), lived=Ring(bytes=300_000), least=5),
    Both(shown=Trajectories(length=4), lived=Trajectories(length=6, bytes=32_000_000), share=0.3, least=9),
], ids=["rings", "trajectories"])  # fmt: skip
def test_it_keeps_the_contract_of_a_memory(memory: Both) -> None:
    """The values of sequences are looked at by the tests above."""
    check.memory(memory, depth="values" if isinstance(memory.shown, Ring) else "shapes").raise_if_broken()


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"share=1.5: the share of shown experience lies between 0 and 1"):
        Both(share=1.5).init(EXAMPLE)


@pytest.mark.parametrize("memory", [
    Ring(bytes=20_000), Trajectories(bytes=20_000, length=2), Lifelong(bytes=20_000, length=2),
    Spilled(bytes=40_000, length=2, staged=100),
], ids=lambda memory: type(memory).__name__)  # fmt: skip
def test_unknown_fields_are_filled_and_unwanted_ones_dropped(memory: Any) -> None:
    feed, draw = machines(memory)
    shown, life = (draw(KEY, feed(memory.init(EXAMPLE), stream(30, origin)), (64,)) for origin in (SHOWN, LIVED))
    np.testing.assert_array_equal(shown.to_come, shown.next.reward + 100)
    assert np.isnan(shown.surprise).all()
    assert np.all(life.surprise == 0.5)
    assert np.isnan(life.to_come).all()
    for drawn in (shown, life):
        assert drawn.task["size"].shape == (64, 3)
        assert drawn.task["size"].dtype == jnp.int32
        assert not np.any(drawn.task["size"])
    bare = replace(EXAMPLE, task=None, surprise=None, to_come=None)
    drawn = draw(KEY, feed(memory.init(bare), stream(30, SHOWN)), (64,))
    assert (drawn.task, drawn.surprise, drawn.to_come) == (None, None, None)


def test_a_task_of_another_structure_is_refused() -> None:
    wrong = replace(EXAMPLE, task={"mass": jnp.zeros((2, 3), jnp.int32)})
    with pytest.raises(ValueError, match=r"experience\.task: its structure"):
        conform(wrong, EXAMPLE)


def test_a_sequence_is_parted_into_steps_and_links_and_joined_again() -> None:
    whole = conform(stream(7, SHOWN), EXAMPLE)
    row = jax.tree.map(lambda leaf: leaf[:, 0], whole)
    steps, links = parted(row)
    assert steps.kind.shape == (8,)
    jax.tree.map(np.testing.assert_array_equal, joined(steps, links), row)
    two = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), whole)
    steps = jax.tree.map(lambda a, b: jnp.concatenate([a[:, :1], b], axis=1), two.step, two.next)
    jax.tree.map(np.testing.assert_array_equal, joined(steps, link(two), axis=1), two)


def test_only_what_no_life_has_is_blank() -> None:
    kinds = [(a, b) for a in range(5) for b in range(5)]
    zeros = jnp.zeros(len(kinds))
    steps = [TimeStep(kind=jnp.asarray(kind, jnp.int8), observation=zeros, reward=zeros) for kind in zip(*kinds, strict=True)]
    given = lived(steps[0], zeros, steps[1])
    assert [kind for kind, blank in zip(kinds, is_blank(given), strict=True) if blank] == [
        (a, b) for a in (2, 3, 4) for b in (1, 2, 3, 4)
    ]
    rows = jnp.arange(len(kinds)) % 2 == 0
    hidden = blanked(given, rows)
    assert np.all(is_blank(hidden)[rows])
    assert not np.any(hidden.valid[rows])
    np.testing.assert_array_equal(hidden.step.kind[~rows], given.step.kind[~rows])
