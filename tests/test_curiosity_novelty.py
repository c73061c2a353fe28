"""Novelty search and emitters: scores against pyribs, selection against brute force."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from umwelt.core import keys
from umwelt.curiosity.emitters import CANDIDATE, EMITTER, Serene, front
from umwelt.curiosity.novelty import Novelty, added, none_kept, novelty
from umwelt.evaluation.quality_diversity import Cells, coverage, qd_score

KEY = jax.random.key(3)
PEER = np.load(Path(__file__).with_name("ribs_scores.npz"))


@pytest.mark.parametrize("width", [2, 20])
@pytest.mark.parametrize("neighbours", [1, 15, 100])
def test_novelty_is_that_of_pyribs_for_the_same_reference_set(width: int, neighbours: int) -> None:
    points, known = PEER[f"points/{width}"], PEER[f"known/{width}"]
    # empty slots among the known ones change nothing
    known = jnp.concatenate([known, jnp.zeros((7, width))])
    weight = jnp.concatenate([jnp.ones(40), jnp.zeros(7)])
    found = novelty(jnp.asarray(points), known, weight, neighbours)
    np.testing.assert_allclose(found, PEER[f"novelty/{width}/{neighbours}"], rtol=1e-6, atol=1e-6)


def test_coverage_and_score_are_those_of_pyribs() -> None:
    cells = Cells(number=(12, 8))
    half = len(PEER["returns"]) // 2
    elites = cells.init()
    for part in (slice(0, half), slice(half, None)):
        elites = cells.add(elites, jnp.asarray(PEER["places"][part]), jnp.asarray(PEER["returns"][part]))
    assert float(coverage(elites)) == pytest.approx(float(PEER["coverage"]), rel=1e-6)
    assert float(qd_score(elites, offset=-2.0)) == pytest.approx(float(PEER["score"]), rel=1e-6)


def test_a_point_does_not_count_as_its_own_neighbour_and_equal_ones_do() -> None:
    points = jnp.array([[0.0], [0.0], [3.0], [7.0]])
    found = novelty(points, points, jnp.ones(4), neighbours=2, itself=True)
    np.testing.assert_allclose(found, [1.5, 1.5, 3.0, 5.5])
    assert novelty(points[:1], points, jnp.zeros(4), 2).tolist() == [0.0]


SMALL = Novelty(population=3, neighbours=2, archived=1, slots=4, deviation=1e-3, limit=2.0)


def generation(search: Any, state: Any, key: Any, n: int, pay: Any) -> Any:
    state, genomes = search.ask(key, state, n)
    return search.tell(key, state, genomes, pay(genomes), genomes[:, :2]), genomes


@partial(jax.jit, static_argnums=0)
def born(search: Any) -> Any:
    """One generation that is paid by its first number: the state, the genomes, and children of the fittest."""
    state, genomes = generation(search, search.init(KEY, 2, 2), KEY, 8, lambda genomes: genomes[:, 0])
    return state, genomes, search.ask(KEY, state, 6)[1]


def test_the_most_novel_live_on_and_have_children_near_them() -> None:
    state, genomes, children = born(SMALL)
    away = np.linalg.norm(np.asarray(genomes)[:, None] - np.asarray(genomes)[None], axis=-1)
    scores = np.sort(away, axis=1)[:, 1:3].mean(1)
    wanted = np.asarray(genomes)[np.argsort(-scores)[:3]]
    np.testing.assert_allclose(state.population.genomes, wanted, rtol=1e-6)
    np.testing.assert_allclose(children, np.tile(wanted, (2, 1)), atol=0.01)
    assert np.max(np.abs(children)) <= 2.0


def test_blind_selection_keeps_the_best_returns() -> None:
    search = replace(SMALL, blind=True)
    state, genomes, _ = born(search)
    best = np.sort(np.asarray(genomes)[:, 0])[::-1]
    np.testing.assert_allclose(state.population.returns, best[:3], rtol=1e-6)
    assert float(search.best(state)[0]) == pytest.approx(best[0])


def test_a_full_archive_takes_new_ones_in_place_of_old_ones() -> None:
    kept = none_kept(3, 1, 1)
    new = replace(none_kept(2, 1, 1), genomes=jnp.array([[5.0], [6.0]]), weight=jnp.array([1.0, 0.0]))
    kept = added(KEY, kept, new)
    assert kept.weight.sum() == 1
    kept = added(KEY, kept, replace(new, weight=jnp.ones(2)))
    assert sorted(np.asarray(kept.genomes).ravel().tolist()) == [5.0, 5.0, 6.0]
    full = added(KEY, kept, replace(new, genomes=jnp.array([[8.0], [9.0]]), weight=jnp.ones(2)))
    assert {8.0, 9.0} < set(np.asarray(full.genomes).ravel().tolist())
    assert full.weight.tolist() == [1.0, 1.0, 1.0]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.booleans()), min_size=6, max_size=6))
def test_the_front_is_what_nothing_dominates(points: list[tuple[int, int, bool]]) -> None:
    one, other, among = (jnp.asarray(column) for column in zip(*points, strict=True))
    found = found_front(one.astype(jnp.float32), other.astype(jnp.float32), among)
    for index, (x, y, is_in) in enumerate(points):
        beaten = any(ok and u >= x and v >= y and (u, v) != (x, y) for u, v, ok in points)
        assert bool(found[index]) == (is_in and not beaten)


found_front = jax.jit(front)
SERENE = Serene(search=Novelty(population=8, slots=32, deviation=0.3), slots=6, emitters=2, chunk=40, window=10, rewards=16)


@partial(jax.jit, static_argnums=(0, 1))
def lived(search: Any, rounds: int) -> tuple[Any, Any, Any]:
    """Search for a hill at (3, 3) in a plain: the state, which ran in each round, and the best return so far."""

    def pay(genomes: jax.Array) -> jax.Array:
        return jnp.maximum(1.0 - jnp.linalg.norm(genomes[:, :2] - 3.0, axis=1), 0.0)

    def once(state: Any, key: jax.Array) -> tuple[Any, Any]:
        state, _ = generation(search, state, key, 8, pay)
        held = state.emitters
        return state, (state.climbs, jnp.sum(held.running), held.kind, search.best(state))

    return jax.lax.scan(once, search.init(KEY, 3, 2), jax.random.split(KEY, rounds))


def test_emitters_climb_the_hill_that_novelty_finds() -> None:
    state, (climbs, running, kinds, best) = lived(SERENE, 120)
    assert np.linalg.norm(np.asarray(best)[-1, :2] - 3.0) < 0.3
    assert {CANDIDATE, EMITTER} <= set(np.unique(kinds))
    # five generations to a chunk, by turns once there was reward
    turns = np.flatnonzero(np.diff(np.asarray(climbs).astype(int)))
    assert len(turns) > 4
    assert set(np.diff(turns)[1:]) <= {5, 10, 15}
    assert np.all(np.asarray(running)[~np.asarray(climbs)] == 0)
    assert float(state.rewarded.weight.sum()) > 0


def test_without_reward_emitters_are_novelty_search() -> None:
    alone, both = SERENE.search, SERENE
    asked = np.random.default_rng(0).uniform(size=(8, 3)).astype(np.float32)
    other = tell(both, KEY, asked)
    one = tell(alone, keys.fold(keys.fold(KEY, "search"), "search"), asked)
    assert not bool(other.climbs)
    np.testing.assert_array_equal(other.search.population.genomes, one.population.genomes)
    np.testing.assert_array_equal(other.search.archive.genomes, one.archive.genomes)
    assert int(other.emitters.kind.sum()) == 0


@partial(jax.jit, static_argnums=0)
def tell(search: Any, key: Any, genomes: Any) -> Any:
    return search.tell(key, search.init(key, 3, 2), genomes, jnp.zeros(8), genomes[:, :2])


def test_an_emitter_that_does_not_improve_ends_after_its_trial() -> None:
    state = SERENE.init(KEY, 3, 2)
    held = replace(
        state.emitters,
        kind=jnp.array([CANDIDATE, CANDIDATE, EMITTER, 0, 0, 0]),
        running=jnp.array([True, True, True, False, False, False]),
        rounds=jnp.array([6, 6, 10, 0, 0, 0]),
        history=jnp.stack([jnp.linspace(0, 1, 10), jnp.linspace(1, 0, 10), jnp.ones(10), *[jnp.zeros(10)] * 3]),
    )
    after, tried = SERENE._judged(held)
    assert after.kind.tolist() == [EMITTER, 0, 0, 0, 0, 0]
    assert bool(tried)
    assert not bool(jnp.any(after.running))


@pytest.mark.parametrize(
    ("search", "word"),
    [(Novelty(neighbours=0), "neighbours"), (Serene(trial=3), "trial"), (Serene(emitters=30), "emitters")],
)
def test_bad_values_are_named(search: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        search.init(KEY, 2, 2)
