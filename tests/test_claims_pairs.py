"""Networks that read pairs: what they practise on, what they may see, and exams that a known rule passes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.claims.studies import pairs
from umwelt.claims.studies.pairs import Asked, Attention, Bursts, Mapped, Reader, Recurrence, Weights
from umwelt.core import part
from umwelt.networks import layers

KEY = jax.random.key(0)
MANY = 4000
"""Contexts that are counted."""


@part
class Nearest:
    """Names the label of the nearest pair: nothing to learn."""

    def init(self, key: jax.Array, wide: int, labels: int) -> Weights:
        return Weights(read=layers.layer(key, 1, 1), body=(), head=layers.layer(key, 1, labels))

    def logits(self, weights: Weights, asked: Asked) -> jax.Array:
        far = jnp.sum((asked.queries[:, :, None] - asked.items[:, None]) ** 2, axis=-1)
        found = jnp.take_along_axis(asked.labels, jnp.argmin(far, axis=-1), axis=1)
        return jax.nn.one_hot(found, weights.head.weight.shape[-1])


@part
class Plain:
    """A picture of each class, which is a one in the place of the class; it is twice as bright where it is held out."""

    classes: int = 10
    shape = (2, 5)

    def draw(self, key: jax.Array, label: jax.Array, held_out: jax.Array) -> jax.Array:
        return jax.nn.one_hot(label, 10).reshape(2, 5) * (1.0 + held_out)


def bursts(**fields: Any) -> Bursts:
    return Bursts(reader=Nearest(), **fields)


@pytest.mark.parametrize("share", [0.0, 0.7, 1.0])
def test_a_share_of_the_contexts_is_bursty(share: float) -> None:
    study = bursts(share=share)
    shown, query = map(np.asarray, study.named(KEY, MANY))
    apart = 1 - (1 - 1 / study.classes) ** study.pairs
    assert np.mean((shown == query[:, None]).any(1)) == pytest.approx(share + (1 - share) * apart, abs=0.03)
    even = [set(np.unique(row, return_counts=True)[1] % 2) == {0} for row in shown]
    assert np.mean(even) == pytest.approx(share, abs=0.03)


def test_classes_of_bursts_stand_anywhere_among_the_pairs() -> None:
    shown, query = map(np.asarray, bursts(share=1.0).named(KEY, MANY))
    np.testing.assert_allclose(np.mean(shown == query[:, None], axis=0), 2 / 8, atol=0.04)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_queries_are_as_frequent_as_the_law_of_zipf_has_it(exponent: float) -> None:
    study = bursts(exponent=exponent, classes=16)
    law = np.arange(1, 17) ** -exponent
    law /= law.sum()
    np.testing.assert_allclose(study.frequencies(), law, rtol=1e-5)
    shown, query = map(np.asarray, study.named(KEY, MANY))
    np.testing.assert_allclose(np.bincount(query, minlength=16) / MANY, law, atol=0.03)
    np.testing.assert_allclose(np.bincount(shown.ravel(), minlength=16) / shown.size, law, atol=0.03)


def test_known_classes_are_asked_for_without_a_pair_that_shows_them() -> None:
    study = bursts(exponent=1.0, classes=8, labels=8, noise=0.0)
    middles = jax.random.normal(KEY, (8, 16))
    asked = study.without_the_class(KEY, middles, MANY)
    np.testing.assert_array_equal(asked.queries, middles[asked.answers])
    np.testing.assert_array_equal(asked.items, middles[asked.labels])
    assert not np.any(asked.labels == asked.answers)
    often = np.bincount(np.asarray(asked.answers)[:, 0], minlength=8) / MANY
    np.testing.assert_allclose(often, study.frequencies(), atol=0.03)


def test_new_classes_are_shown_twice_each_by_labels_that_differ() -> None:
    asked = bursts(noise=0.0).of_new_classes(KEY, 200)
    same = np.all(asked.items == asked.queries, axis=-1)
    assert (same.sum(1) == 2).all()
    np.testing.assert_array_equal(np.asarray(asked.labels)[same], np.repeat(np.asarray(asked.answers), 2))
    assert all(np.unique(row, return_counts=True)[1].tolist() == [2] * 4 for row in np.asarray(asked.labels))
    assert len(np.unique(asked.answers)) == 32, "a new class has any label"


def test_the_nearest_pair_names_new_classes_and_never_a_known_one_that_no_pair_shows() -> None:
    found = bursts(updates=0, classes=32)(KEY)
    assert found["in_context"] == 1.0
    assert found["in_weights"] == 0.0, "each of the 32 classes has a label of its own here"


def test_the_nearest_of_32_mapped_digits_is_right_as_often_as_another_program_has_it() -> None:
    # 1-nearest neighbours of 32 of scikit-learn's digits under 150 maps by NumPy: 0.687
    found = Mapped(reader=Nearest(), updates=0)(KEY)
    assert found["seen"] == pytest.approx(0.687, abs=0.03)
    assert found["unseen"] == pytest.approx(0.687, abs=0.03)
    assert found["gap"] == pytest.approx(found["seen"] - found["unseen"])


def test_a_task_is_one_map_and_one_order_of_labels() -> None:
    study = Mapped(reader=Nearest(), cards=Plain(), pairs=120)
    middle = study.middle(KEY)
    np.testing.assert_allclose(middle, 0.1, atol=1e-6)

    def known(key: int, task: int, held_out: int = 0) -> dict[int, np.ndarray]:
        asked = study.context(jax.random.key(key), jax.random.key(task), middle, held_out)
        items, labels = np.concatenate([asked.items, asked.queries]), np.concatenate([asked.labels, asked.answers])
        for label in range(10):
            assert np.ptp(items[labels == label], axis=0).max() < 1e-5, "a label means one class"
        return {label: items[labels == label][0] for label in range(10)}

    one, again, other = known(1, 5), known(2, 5), known(1, 6)
    for label in range(10):
        np.testing.assert_allclose(one[label], again[label], atol=1e-5)
        assert min(np.abs(one[label] - each).max() for each in other.values()) > 0.1
    # a linear map of pictures twice as bright, of the same mean
    bright = known(3, 5, held_out=1)
    nothing = np.mean(list(one.values()), axis=0)
    assert np.abs(nothing).max() < 1e-5, "centred pictures have a mean of nothing"
    centre = np.mean(list(bright.values()), axis=0)
    for label in range(10):
        np.testing.assert_allclose(bright[label] - centre, 2 * one[label], atol=1e-5)


def test_exams_show_held_out_pictures_of_tasks_of_practice_and_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[Asked] = []

    def practised(reader: Reader, weights: Weights, draw: Callable[[jax.Array], Asked], *rest: object) -> Weights:
        met.append(draw(KEY))
        return weights

    monkeypatch.setattr(pairs, "practised", practised)
    monkeypatch.setattr(pairs, "right", lambda reader, weights, asked: met.append(asked) or 0.0)
    Mapped(reader=Nearest(), cards=Plain(), tasks=1, pairs=120, batch=1, probes=1)(KEY)
    practice, seen, unseen = (apart(each) for each in met)
    np.testing.assert_allclose(seen, 2 * practice, atol=1e-4)
    assert np.abs(unseen - 2 * practice).max() > 0.5


def apart(asked: Asked) -> np.ndarray:
    """How far apart the items of two labels are in the first context: float32 [10, 10]."""
    items, labels = np.concatenate([asked.items[0], asked.queries[0]]), np.concatenate([asked.labels[0], asked.answers[0]])
    each = np.stack([items[labels == label][0] for label in range(10)])
    return np.linalg.norm(each[:, None] - each[None], axis=-1)


@pytest.mark.parametrize("reader", [Attention(width=8), Recurrence(width=8, units=8)])
def test_a_query_is_named_from_the_pairs_and_itself_alone(reader: Reader) -> None:
    one, two, three, four = jax.random.split(KEY, 4)
    asked = Asked(
        items=jax.random.normal(one, (2, 5, 3)),
        labels=jax.random.randint(two, (2, 5), 0, 4),
        queries=jax.random.normal(three, (2, 3, 3)),
        answers=jnp.zeros((2, 3), jnp.int32),
    )
    weights = reader.init(four, 3, 4)
    shown, asks = pairs.tokens(weights, asked)
    np.testing.assert_allclose(shown, asked.items @ weights.read.weight[1:4] + weights.read.weight[4:][asked.labels], atol=1e-5)
    np.testing.assert_allclose(asks, weights.read.weight[0] + asked.queries @ weights.read.weight[1:4], atol=1e-5)
    logits = np.asarray(reader.logits(weights, asked))
    np.testing.assert_array_equal(reader.logits(weights, replace(asked, answers=asked.answers + 1)), logits)
    moved = np.asarray(reader.logits(weights, replace(asked, queries=asked.queries.at[:, 1].add(1.0))))
    np.testing.assert_allclose(moved[:, [0, 2]], logits[:, [0, 2]], atol=1e-5)
    assert np.abs(moved[:, 1] - logits[:, 1]).max() > 1e-3
    relabelled = reader.logits(weights, replace(asked, labels=(asked.labels + 1) % 4))
    assert np.abs(relabelled - logits).max() > 1e-3
    turned = reader.logits(weights, replace(asked, items=asked.items[:, ::-1], labels=asked.labels[:, ::-1]))
    if isinstance(reader, Attention):
        np.testing.assert_allclose(turned, logits, atol=1e-5)
    else:
        assert np.abs(turned - logits).max() > 1e-3


def test_attention_and_recurrence_have_about_as_many_weights() -> None:
    sizes = [
        sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(lambda key, reader=reader: reader.init(key, 16, 32), KEY)))
        for reader in (Attention(), Recurrence())
    ]
    assert 0.9 < sizes[0] / sizes[1] < 1.1


def test_practice_teaches_four_classes() -> None:
    few = {"classes": 4, "labels": 4, "pairs": 2, "batch": 32, "probes": 200}
    study = Bursts(reader=Attention(width=16, blocks=1), share=0.0, updates=100, rate=1e-2, **few)
    found = jax.jit(study)(KEY)
    assert found["in_weights"] > 0.95
