"""A memory on disk: what it holds of a long life, what it costs, and that a killed life resumes with it exactly."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from test_memory_lifelong import life

from umwelt import check
from umwelt.life.api import live, resume
from umwelt.life.composition import BadLife, Life
from umwelt.life.engine import Engine
from umwelt.life.saves.saver import Saver
from umwelt.memory import Spilled
from umwelt.memory.slots import RANKS, Shelf, ShelfError, ranks_of
from umwelt.memory.spilled import _exchanged, _unpacked
from umwelt.recipes.sac import sac
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum

KEY = jax.random.key(0)
ROOM = 40
"""About how many chunks the memories of these tests hold."""


@cache
def small(**settings: Any) -> Spilled:
    """A memory with about ROOM chunks, of which at most 100 wait for the disk."""
    first = jax.tree.map(lambda leaf: leaf[0], life(2, 0.0))
    refused = ValueError("no size was tried")
    for room in range(100, 100_000, 100):
        try:
            memory = Spilled(**{"bytes": room, "staged": 100, "exchanged": 10} | settings)
            if jax.eval_shape(memory.init, first).inner.steps.kind.shape[0] >= ROOM:
                return memory
        except ValueError as error:
            refused = error  # still too small, or impossible
    raise refused


@cache
def filler(memory: Spilled) -> Any:
    """(state, numbers, experience [ticks, 1]) -> the state after all of it, compiled once for each size."""

    def add(state: Any, item: Any) -> tuple[Any, None]:
        return memory.add(jax.random.fold_in(KEY, item[0]), state, item[1]), None

    return jax.jit(lambda state, *items: jax.lax.scan(add, state, items)[0], donate_argnums=0)


def filled(memory: Spilled, folder: Path, ticks: int, every: int = 50) -> Any:
    """The state after a life of so many ticks, spilled after each `every`."""
    lived = life(ticks, 0.0)
    state = memory.init(jax.tree.map(lambda leaf: leaf[0], lived))
    for begin in range(0, ticks, every):
        some = jax.tree.map(lambda leaf, begin=begin: leaf[begin : begin + every], (np.arange(ticks), lived))
        state = filler(memory)(state, *some).spill(folder)
    return state


def in_memory(state: Any) -> np.ndarray:
    """The numbers of the transitions in memory."""
    return np.asarray(state.inner.steps.reward[: int(state.inner.filled), -1])


def on_disk(state: Any, folder: Path) -> np.ndarray:
    """The numbers of all transitions on disk, by asking for each."""
    staged = state.inner.keep
    size = sum(leaf.nbytes // leaf.shape[0] for leaf in jax.tree.leaves((staged.steps, staged.links)))
    counts, lowest = np.asarray(state.counts), int(state.lowest)
    rows = Shelf(folder, size).take(counts, lowest, np.arange(counts[lowest:].sum()))
    steps, _ = _unpacked(rows, (staged.steps, staged.links))
    return np.sort(steps.reward[:, -1].ravel())


def test_it_keeps_the_contract_of_a_memory() -> None:
    example = jax.tree.map(lambda leaf: leaf[0], life(2, 0.0))
    check.memory(Spilled(staged=64), example=example).raise_if_broken()


def test_every_transition_of_a_life_is_on_disk(tmp_path: Path) -> None:
    state = filled(small(), tmp_path, 600)
    assert on_disk(state, tmp_path).tolist() == list(range(1, 601))


def test_the_memory_stays_an_even_sample_and_is_exchanged(tmp_path: Path) -> None:
    ticks, memory = 1000, small(staged=400)
    state = filled(memory, tmp_path, ticks, 200)
    before = in_memory(state)
    assert len(before) < 0.1 * ticks, "only a small part fits into memory"
    seen = [before]
    for _ in range(20):
        state = state.spill(tmp_path)
        seen.append(in_memory(state))
    assert stats.kstest(np.concatenate(seen[::5]) / ticks, "uniform").pvalue > 1e-3
    assert len(np.unique(np.concatenate(seen))) > 3 * len(before), "other chunks were exchanged for these"


def test_a_full_disk_holds_an_even_share_of_all(tmp_path: Path) -> None:
    free = filled(small(), tmp_path / "free", 50)
    row = sum(path.stat().st_size for path in (tmp_path / "free").iterdir()) // 50
    assert int(np.sum(free.counts)) == 50
    state = filled(small(disk=100 * row), tmp_path / "full", 2000)
    held = on_disk(state, tmp_path / "full")
    assert 25 <= len(held) <= 100
    assert stats.kstest(held / 2000, "uniform").pvalue > 1e-3
    wanted = [number for number in range(1, 2001) if ranks_of(np.array([number - 1]))[0] >= int(state.lowest)]
    assert held.tolist() == wanted


def test_ranks_are_the_throws_of_a_fair_coin() -> None:
    counts = np.bincount(ranks_of(np.arange(100_000)), minlength=RANKS)[:8]
    expected = 100_000 * 0.5 ** np.arange(1, 9)
    assert np.all(np.abs(counts - expected) < 5 * np.sqrt(expected))


@settings(max_examples=30, deadline=None)
@given(lengths=st.lists(st.integers(0, 30), min_size=1, max_size=5), size=st.integers(1, 9), seed=st.integers(0, 99))
def test_a_shelf_gives_back_what_was_put(lengths: list[int], size: int, seed: int, tmp_path_factory: Any) -> None:
    shelf, random = Shelf(tmp_path_factory.mktemp("shelf"), size), np.random.default_rng(seed)
    counts, kept = np.zeros(RANKS, np.int32), [np.empty((0, size), np.uint8) for _ in range(RANKS)]
    for length in lengths:
        rows, ranks = random.integers(0, 256, (length, size), np.uint8), random.integers(0, RANKS, length)
        # a killed life wrote these after its last save
        shelf.put(counts, ranks, 255 - rows)
        counts = shelf.put(counts, ranks, rows)
        kept = [np.concatenate([held, rows[ranks == rank]]) for rank, held in enumerate(kept)]
    for lowest in (0, 3):
        wanted = np.concatenate(kept[lowest:])
        assert np.array_equal(shelf.take(counts, lowest, np.arange(len(wanted))), wanted)


def test_a_file_that_lost_its_end_is_reported(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 4)
    counts = shelf.put(np.zeros(RANKS, np.int32), np.zeros(3, int), np.ones((3, 4), np.uint8))
    (tmp_path / "rank-00").write_bytes(b"1234")
    with pytest.raises(ShelfError, match="holds 4 bytes where the life's last save knows of 12"):
        shelf.take(counts, 0, np.arange(3))
    with pytest.raises(ShelfError, match="holds 4 bytes"):
        shelf.put(counts, np.zeros(1, int), np.ones((1, 4), np.uint8))


def test_a_rank_that_was_dropped_outlasts_one_save(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 4)
    counts = shelf.put(np.zeros(RANKS, np.int32), np.zeros(3, int), np.ones((3, 4), np.uint8))
    shelf.sync(lowest=1)
    assert shelf.take(counts, 0, np.arange(3)).sum() == 12, "a life that resumes from before still finds it"
    shelf.sync(lowest=1)
    shelf.sync(lowest=1)
    assert not list(tmp_path.iterdir())


def test_too_few_places_to_wait_in_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ShelfError, match="staged=100: 150 chunks"):
        filled(small(), tmp_path, 150, every=150)


def spilling() -> Life:
    """A life whose memory spills, on two tasks; it acts at random, since learning takes long to compile."""
    agent = replace(sac.agent, memory=Spilled(bytes=20_000, disk=12_000, staged=60, exchanged=8, length=2))
    rhythm = replace(sac.rhythm, random=600, chunk=50, probe_episodes=0)
    teacher = Blocks(names=("earth", "moon"), steps=200)
    return Life(world=Pendulum(time_limit=40), agent=agent, teacher=teacher, rhythm=rhythm)


def test_a_resumed_life_finds_the_same_memory(tmp_path: Path) -> None:
    life = spilling()
    live(life, steps=600, name="whole", lives=tmp_path)
    live(life, steps=250, name="parted", lives=tmp_path)
    for path in (tmp_path / "parted" / "memory" / "0").iterdir():
        path.write_bytes(path.read_bytes() + b"written after the last save")
    resume("parted", steps=600, lives=tmp_path)
    whole, parted = (Saver(tmp_path / name / "checkpoints", Engine(life)).fingerprint() for name in ("whole", "parted"))
    assert whole == parted
    state = Saver(tmp_path / "whole" / "checkpoints", Engine(life)).load_minds()[0].agent.memory
    assert int(state.lowest) > 0, "this life must be long enough for its disk"


def test_several_seeds_at_once_are_refused() -> None:
    with pytest.raises(BadLife, match="seeds: a memory on disk is of one life"):
        Engine(replace(spilling(), seeds=2)).check()


def test_nothing_recompiles_and_nothing_grows(tmp_path: Path) -> None:
    filled(small(), tmp_path / "one", 300)
    before = _exchanged._cache_size()
    state = filled(small(), tmp_path / "two", 600)
    assert _exchanged._cache_size() == before
    assert jnp.all(state.inner.keep.count == 0)
