"""Books of codes: the nearest by brute force, running means of what they stand for, and gradients that pass."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.networks import books

KEY = jax.random.key(4)
MIDDLES = jnp.array([[1.0, 1.0], [-1.0, 1.0], [0.0, -1.0]])


def filled(number: int, rows: Any, updates: int = 200) -> books.Book:
    def update(held: books.Book, key: jax.Array) -> Any:
        drawn = rows(key)
        return books.moved(key, held, drawn, jnp.ones(drawn.shape[0])), None

    begun = books.book(number, 2)
    return jax.jit(lambda held: jax.lax.scan(update, held, jax.random.split(KEY, updates))[0])(begun)


def around(key: jax.Array) -> jax.Array:
    which, near = jax.random.split(key)
    return MIDDLES[jax.random.randint(which, (64,), 0, 3)] + 0.1 * jax.random.normal(near, (64, 2))


def test_rows_are_rounded_to_the_nearest_code_and_pass_their_gradient() -> None:
    held = filled(4, around)
    rows = jax.random.normal(KEY, (50, 2))
    found, far = books.rounded(held, rows)
    apart = np.linalg.norm(np.asarray(rows)[:, None] - np.asarray(held.codes), axis=-1)
    np.testing.assert_allclose(found, np.asarray(held.codes)[apart.argmin(axis=1)], atol=1e-6)
    np.testing.assert_allclose(far, apart.min(axis=1) ** 2 / 2, rtol=1e-3)
    slope = jax.grad(lambda rows: jnp.sum(3.0 * books.rounded(held, rows)[0]))(rows)
    np.testing.assert_array_equal(slope, jnp.full_like(rows, 3.0))
    assert float(jnp.abs(jax.grad(lambda codes: books.rounded(replace(held, codes=codes), rows)[1].sum())(held.codes)).max()) == 0


def test_codes_become_the_means_of_clusters_and_all_are_used() -> None:
    held = filled(3, around, 600)
    apart = np.linalg.norm(np.asarray(held.codes)[:, None] - np.asarray(MIDDLES), axis=-1)
    assert apart.min(axis=0).max() < 0.2
    shares = np.asarray(held.uses) / np.sum(held.uses)
    assert np.exp(-np.sum(shares * np.log(shares))) > 2.0


def test_as_many_codes_as_points_change_nothing() -> None:
    held = filled(12, lambda key: MIDDLES[jax.random.permutation(key, 3)], 400)
    np.testing.assert_allclose(books.rounded(held, MIDDLES)[0], MIDDLES, atol=1e-3)


def test_rows_without_weight_move_nothing() -> None:
    held = filled(3, around, 10)
    rows = around(KEY)
    after = books.moved(KEY, held, rows, jnp.zeros(64))
    jax.tree.map(np.testing.assert_array_equal, after, held)
    half = jnp.arange(64) < 32
    moved = [books.moved(KEY, held, jnp.where(half[:, None], rows, other), half.astype(jnp.float32)) for other in (0.0, 9.0)]
    jax.tree.map(np.testing.assert_allclose, *moved)
