"""Behaviour spaces that are learned, signatures of paths, and the volume of a population."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.core import part
from umwelt.curiosity import Diverse, Encoded, Novelty, Serene, Signed
from umwelt.curiosity.determinant import volume
from umwelt.curiosity.encoded import Projected
from umwelt.curiosity.novelty import Plain
from umwelt.curiosity.signature import signature

KEY = jax.random.key(5)


def test_a_straight_line_has_its_increment_and_half_its_outer_square() -> None:
    line = jnp.linspace(0.0, 1.0, 7)[:, None] * jnp.array([2.0, -3.0]) + 5.0
    found = np.asarray(signature(line[None]))[0]
    np.testing.assert_allclose(found, [2, -3, 2, -3, -3, 4.5], atol=1e-5)


def test_a_loop_has_no_increment_and_shows_the_area_it_encloses() -> None:
    square = jnp.array([[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]], jnp.float32)
    first, second = np.split(np.asarray(signature(square))[0], [2])
    assert np.all(first == 0)
    area = 0.5 * (second.reshape(2, 2) - second.reshape(2, 2).T)[0, 1]
    assert area == pytest.approx(1.0)
    # the other way round it has the opposite sign
    assert np.asarray(signature(square[:, ::-1]))[0, 3] == pytest.approx(-second[1])


def test_a_path_cut_in_two_joins_by_the_identity_of_chen() -> None:
    path = np.random.default_rng(0).normal(size=(1, 9, 3)).astype(np.float32)
    whole, left, right = (np.asarray(signature(jnp.asarray(each)))[0] for each in (path, path[:, :5], path[:, 4:]))
    np.testing.assert_allclose(whole[:3], left[:3] + right[:3], atol=1e-5)
    joined = left[3:] + right[3:] + np.outer(left[:3], right[:3]).ravel()
    np.testing.assert_allclose(whole[3:], joined, atol=1e-4)


def test_a_linear_autoencoder_spans_the_principal_components() -> None:
    random = np.random.default_rng(1)
    axes = np.linalg.qr(random.normal(size=(6, 2)))[0]
    traits = (random.normal(size=(200, 2)) * [3.0, 2.0]) @ axes.T + 0.05 * random.normal(size=(200, 6)) + 4.0
    traits = jnp.asarray(traits, jnp.float32)
    descriptor = Encoded(code=2, units=0, learning_rate=0.02, updates=400, batch=200)
    state = jax.jit(descriptor.learn)(KEY, descriptor.init(KEY, 6), traits, jnp.ones(200))
    decoder = np.asarray(state.networks[1][0].weight).T
    found = np.linalg.qr(decoder)[0]
    # the sines of the angles between the two planes
    assert np.linalg.norm(axes - found @ (found.T @ axes), 2) < 0.05
    far = descriptor.errors(state, traits.at[:, 0].add(20.0))
    assert float(far.min()) > float(descriptor.errors(state, traits).max())


def test_an_encoder_learns_nothing_from_empty_slots() -> None:
    descriptor = Encoded(code=1, units=4, updates=2, batch=4)
    traits, learn = jax.random.normal(KEY, (6, 3)), jax.jit(descriptor.learn)
    state = descriptor.init(KEY, 3)
    same = learn(KEY, state, traits, jnp.zeros(6))
    jax.tree.map(np.testing.assert_array_equal, same, state)
    weight = jnp.array([1.0, 1, 1, 0, 0, 0])
    one, other = (learn(KEY, state, each, weight) for each in (traits, traits.at[3:].set(1e6)))
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-6), one, other)


@part
class Same:
    """The identity, with a state that counts."""

    def init(self, key: jax.Array, traits: int) -> jax.Array:
        return jnp.int32(0)

    def points(self, state: jax.Array, traits: jax.Array) -> jax.Array:
        return traits

    def errors(self, state: jax.Array, traits: jax.Array) -> jax.Array:
        return jnp.zeros(traits.shape[0])

    def learn(self, key: jax.Array, state: jax.Array, traits: jax.Array, weight: jax.Array) -> jax.Array:
        return state + 1


@partial(jax.jit, static_argnums=0)
def lived(search: Any) -> tuple[Any, jax.Array]:
    """Six generations of eight: the state and all genomes."""

    def once(state: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        state, genomes = search.ask(key, state, 8)
        pay = jnp.maximum(genomes[:, 0] - 2.0, 0.0)
        return search.tell(key, state, genomes, pay, genomes[:, :2]), genomes

    return jax.lax.scan(once, search.init(KEY, 3, 2), jax.random.split(KEY, 6))


def test_with_the_identity_as_encoder_it_is_serene_bit_for_bit() -> None:
    made = [Serene(search=Novelty(population=4, slots=16, descriptor=each), slots=4, emitters=2, chunk=16, window=8, rewards=8)
            for each in (Plain(), Same())]  # fmt: skip
    (one, genomes), (other, same) = (lived(search) for search in made)
    np.testing.assert_array_equal(genomes, same)
    assert float(one.search.champion_return) > 0
    assert int(other.search.descriptor) > 0


def test_the_projection_is_linear_and_as_wide_as_it_says() -> None:
    state = Projected(code=2).init(KEY, 4)
    traits = jax.random.normal(KEY, (3, 4))
    points = Projected(code=2).points(state, traits)
    np.testing.assert_allclose(points, traits @ state.matrix, rtol=1e-4)


def test_equal_members_span_nothing_and_far_ones_all() -> None:
    far = 100.0 * jnp.eye(3)
    assert float(volume(far, 1.0)) == pytest.approx(1.0, abs=1e-5)
    assert float(volume(far.at[1].set(far[0]), 1.0)) == pytest.approx(0.0, abs=1e-5)
    # of two, by hand: one less the squared likeness
    pair = jnp.array([[0.0, 0.0], [1.0, 1.0]])
    assert float(volume(pair, 1.0)) == pytest.approx(1.0 - np.exp(-1.0), abs=1e-5)


@partial(jax.jit, static_argnums=(0, 1))
def stepped(search: Diverse, n: int, centres: jax.Array, arm: int) -> tuple[Any, Any]:
    """One step on the return minus the square of a genome, with genomes as traits: the state before and after."""
    state = replace(search.init(KEY, centres.shape[1], centres.shape[1]), centres=centres, arm=jnp.int32(arm))
    state, genomes = search.ask(KEY, state, n)
    return state, search.tell(KEY, state, genomes, -jnp.sum(genomes**2, axis=1), genomes)


def test_a_step_follows_the_gradients_of_return_and_of_the_volume() -> None:
    search, n = Diverse(members=2, deviation=0.02, weights=(0.0, 1.0)), 4000
    centres = jnp.array([[1.0, 0.5], [0.8, -0.4]])
    for arm, wanted in enumerate((-2 * centres, jax.grad(lambda each: volume(each, 1.0))(centres))):
        before, after = stepped(search, n, centres, arm)
        moved = np.ravel(after.centres - before.centres)
        cosine = moved @ np.ravel(wanted) / np.linalg.norm(moved) / np.linalg.norm(np.ravel(wanted))
        assert cosine > 0.98, arm


def test_the_bandit_prefers_what_raised_the_best_return() -> None:
    search = Diverse(window=40)
    arms = jnp.tile(jnp.array([0, 1]), 20)
    rose = (arms == 1).astype(jnp.float32)
    known = jnp.stack([rose, jnp.full(40, jnp.nan)])
    drawn = jax.jit(jax.vmap(lambda key, index: search._drawn(key, arms, known[index])))
    chosen = drawn(jax.random.split(KEY, 400), jnp.repeat(jnp.arange(2), 200)).reshape(2, 200)
    assert int(chosen[0].sum()) > 180
    # nothing is known: evenly
    assert 60 < int(chosen[1].sum()) < 140


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Encoded(code=0).init(KEY, 3), "code"),
        (lambda: Signed(looks=4).init(KEY, 6), "looks"),
        (lambda: Diverse(weights=(2.0,)).init(KEY, 3, 2), "weights"),
        (lambda: Diverse(members=3).ask(KEY, Diverse(members=3).init(KEY, 3, 2), 8), "members"),
    ],
)
def test_bad_values_are_named(make: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        make()
