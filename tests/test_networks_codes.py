"""Codes against another library, and against what quantisation promises."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.cluster import KMeans as Peer

from umwelt.networks import codes
from umwelt.networks.codes import KMeans, Residual

KEY = jax.random.key(3)
ONES = jnp.ones(256)
ONE: Any = 1
TEN: Any = 10


def blobs(key: jax.Array, number: int, rows: int = 256) -> jax.Array:
    """Rows around `number` places of a plane."""
    places, which, noise = jax.random.split(key, 3)
    middles = jax.random.uniform(places, (number, 2), minval=-1.0, maxval=1.0)
    return middles[jax.random.randint(which, (rows,), 0, number)] + 0.05 * jax.random.normal(noise, (rows, 2))


def test_clusters_are_those_of_another_library() -> None:
    part = KMeans(number=8, restarts=8, gather=1, kept=512, iterations=30)
    rows = blobs(KEY, 8)
    state = part.init(KEY, 2)
    fit = jax.jit(part.fit)
    for _ in range(31):
        assert not part.fitted(state)
        state = fit(KEY, state, rows, ONES)
    assert part.fitted(state)
    kept = np.asarray(state.rows[0])
    mine = float(np.min(state.errors))
    peer: Any = Peer(8, n_init=TEN, random_state=0).fit(kept)
    # the best of eight beginnings is as good as the best of ten of theirs
    assert mine <= peer.inertia_ / len(kept) * 1.01
    # from the same beginning, both end at the same middles
    begun = codes.seeds(KEY, jnp.asarray(kept), 8)
    given: Any = np.asarray(begun)
    theirs = Peer(8, init=given, n_init=ONE, max_iter=30, tol=0.0).fit(kept).cluster_centers_
    moved = begun
    for _ in range(30):
        moved, _ = codes.iterated(moved, jnp.asarray(kept))
    np.testing.assert_allclose(moved, theirs, atol=1e-4)


def test_frozen_clusters_give_each_row_its_nearest_middle() -> None:
    part = KMeans(number=4, gather=1, kept=64, iterations=2)
    state, fit = part.init(KEY, 2), jax.jit(part.fit)
    for index in range(3):
        state = fit(jax.random.fold_in(KEY, index), state, blobs(KEY, 4), ONES)
    final = state
    for index in range(3):
        state = fit(jax.random.fold_in(KEY, index), state, blobs(KEY, 4), ONES)
    jax.tree.map(np.testing.assert_array_equal, state, final)
    rows = blobs(KEY, 4, 20)
    found = part.encode(state, rows)
    apart = np.linalg.norm(np.asarray(rows)[:, None] - np.asarray(state.centres[np.argmin(state.errors)]), axis=-1)
    np.testing.assert_array_equal(found[:, 0], apart.argmin(axis=1))
    np.testing.assert_array_equal(part.encode(state, part.decode(state, found)), found)


@pytest.mark.parametrize("part", [KMeans(number=2, gather=1, kept=32, iterations=4), Residual(number=2, lessons=4)])
def test_rows_without_weight_are_not_read_and_count_for_nothing(part: codes.Codes) -> None:
    state, fit = part.init(KEY, 2), jax.jit(part.fit)
    after = fit(KEY, state, blobs(KEY, 2, 16), jnp.zeros(16))
    jax.tree.map(np.testing.assert_array_equal, after, state)
    rows = blobs(KEY, 2, 16)
    weight = (jnp.arange(16) < 8).astype(jnp.float32)
    fits = [fit(KEY, state, rows.at[8:].set(filling), weight) for filling in (0.0, 9.0)]
    jax.tree.map(np.testing.assert_array_equal, *fits)


def test_two_groups_of_rows_have_far_apart_first_middles() -> None:
    rows = jnp.concatenate([jnp.zeros((99, 1)), jnp.full((1, 1), 10.0)])
    for seed in range(5):
        assert sorted(codes.seeds(jax.random.key(seed), rows, 2)[:, 0].tolist()) == [0.0, 10.0]


def test_one_level_is_vector_quantisation_and_the_last_leftover_is_its_error() -> None:
    book, latent = jax.random.normal(KEY, (1, 6, 3)), jax.random.normal(jax.random.key(1), (10, 3))
    found, left = codes.quantised(book, latent)
    apart = np.linalg.norm(np.asarray(latent)[:, None] - np.asarray(book[0]), axis=-1)
    np.testing.assert_array_equal(found[:, 0], apart.argmin(axis=1))
    np.testing.assert_allclose(np.linalg.norm(left[:, 1], axis=-1), apart.min(axis=1), atol=1e-5)


def test_a_gradient_goes_straight_through_the_rounding() -> None:
    value = jnp.array([0.3, -1.2])
    slope = jax.grad(lambda value: jnp.sum(codes.straight_through(value, jnp.round(value)) ** 2))(value)
    np.testing.assert_allclose(slope, 2 * jnp.round(value))


def test_residual_codes_are_all_used_and_their_error_falls_with_levels_and_lessons() -> None:
    part = Residual(levels=3, number=6, latent=8, units=32, lessons=300, decay=0.9)
    rows = jax.random.uniform(KEY, (256, 4), minval=-1.0, maxval=1.0)

    def lesson(state: codes.ResidualState, key: jax.Array) -> tuple[codes.ResidualState, None]:
        return part.fit(key, state, rows, ONES), None

    state, _ = jax.jit(lambda state: jax.lax.scan(lesson, state, jax.random.split(KEY, 300)))(part.init(KEY, 4))
    latent = codes.layers.apply(state.encoder, rows, jax.nn.relu)
    left = np.mean(np.asarray(codes.quantised(state.books, latent)[1]) ** 2, axis=(0, 2))
    assert np.all(np.diff(left) <= 0), f"the error rises with levels: {left}"
    found = part.encode(state, rows)
    assert all(len(np.unique(found[:, level])) == 6 for level in range(3)), "a code is dead"
    error = np.mean(np.abs(part.decode(state, found) - rows))
    # without codes of use, the best guess is the mean, whose error is 0.5
    assert error < 0.3
    fewer = replace(state, books=state.books.at[1:].set(0.0))
    assert np.mean(np.abs(part.decode(fewer, found) - rows)) > error
