"""Cards: what is shown, its truth, and what each kind of lesson changes."""

import sys
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np
import pytest

from umwelt import check
from umwelt.worlds import Cards, Digits, Glyphs, Lesson
from umwelt.worlds.card_sets import digits, prototypes
from umwelt.worlds.card_streams import permuted, relabelled, split, turned
from umwelt.worlds.stream import rows

KEY = jax.random.key(0)
CLEAN = Glyphs(shift=0.0, stretch=0.0, noise=0.0)
"""Glyphs that are their prototypes, so that a card names its class."""


@partial(jax.jit, static_argnums=0)
def begun(world: Cards, task: Any) -> Any:
    return world.init(KEY, task)


def shown(world: Cards, name: str, number: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Cards [N, h, w] of a task, and their truths [N]."""
    wide = replace(world, batch=number)
    state, step = begun(wide, rows(wide.tasks()[name], number))
    return np.asarray(step.observation["card"]), np.asarray(state.body.truth)


@pytest.mark.parametrize("cards", [Glyphs(), Digits()])
def test_the_world_keeps_its_contract(cards: Any) -> None:
    check.world(Cards(batch=2, time_limit=5, cards=cards, lessons=split(10)[:2]), steps=12).raise_if_broken()


def test_the_truth_about_a_card_is_shown_with_the_next_and_pays_for_a_right_answer() -> None:
    world = Cards(batch=5, time_limit=3, cards=CLEAN)
    task = rows(world.tasks()["all"], 5)
    signs = prototypes(10, 12, 0)
    state, step = begun(world, task)
    np.testing.assert_array_equal(step.observation["truth"], 10)
    turn = jax.jit(world.step)
    for tick in range(3):
        before = np.asarray(step.observation["card"])
        named = np.argmin(((before[:, None] - signs) ** 2).sum((2, 3)), axis=1)
        answer = ((named + (np.arange(5) == 0)) % 10).astype(np.int32)
        state, step = turn(jax.random.fold_in(KEY, tick), state, answer, task)
        np.testing.assert_array_equal(step.observation["truth"], named)
        np.testing.assert_array_equal(step.reward, [0, 1, 1, 1, 1])
    assert step.last.all()
    _, step = turn(KEY, state, answer, task)
    np.testing.assert_array_equal(step.observation["truth"], 10)


def test_all_allowed_classes_come_evenly_and_no_others() -> None:
    _, truth = shown(Cards(cards=CLEAN, lessons=(Lesson(name="few", classes=(2, 5, 9)),)), "few", 3_000)
    counts = np.bincount(truth, minlength=10)
    assert counts.sum() == counts[[2, 5, 9]].sum()
    # five deviations of a binomial with a third
    assert np.abs(counts[[2, 5, 9]] - 1_000).max() < 5 * np.sqrt(3_000 * 2 / 9)


def test_lessons_turn_permute_and_rename() -> None:
    lessons = (*permuted(3), *turned(4), *relabelled(3, 10))
    world = Cards(cards=CLEAN, lessons=lessons)
    plain, truth = shown(world, "p0")
    once, _ = shown(world, "t1")
    np.testing.assert_array_equal(once, np.rot90(plain, axes=(1, 2)))
    moved, same = shown(world, "p2")
    np.testing.assert_array_equal(same, truth)
    np.testing.assert_allclose(np.sort(moved.reshape(64, -1)), np.sort(plain.reshape(64, -1)))
    # one permutation for all cards: pixels that were equal in all cards stay so
    order = np.array([np.flatnonzero((plain.reshape(64, -1) == column[:, None]).all(0))[0] for column in moved.reshape(64, -1).T])
    assert len(set(order)) == 144
    assert (order != np.arange(144)).mean() > 0.9
    still, renamed = shown(world, "r2")
    np.testing.assert_array_equal(still, plain)
    np.testing.assert_array_equal(renamed, np.array(lessons[-1].answers)[truth])


def test_swapped_answers_are_a_permutation_of_which_few_change() -> None:
    before, after = (np.array(lesson.answers) for lesson in relabelled(4, 10, swaps=1)[2:])
    assert (before != after).sum() == 2
    assert sorted(after) == list(range(10))


def test_digits_that_are_held_out_are_never_learned_from() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    pictures, labels = datasets.load_digits(return_X_y=True)
    _, table, counts = digits()
    sides = [np.concatenate([table[side, label, : counts[side, label]] for label in range(10)]) for side in (0, 1)]
    assert sorted(np.concatenate(sides)) == list(range(1797))
    np.testing.assert_allclose(counts[1] / counts.sum(0), 0.2, atol=0.005)
    assert all(labels[table[0, label, 0]] == label for label in range(10))
    kept = {picture.tobytes() for picture in np.round(pictures[sides[1]]).astype(np.uint8)}
    own = pictures.std(), pictures.mean()
    world = Cards(cards=Digits())
    for name, held in (("all", False), ("all_held_out", True)):
        cards, truth = shown(world, name, 300)
        whole = np.round(cards.reshape(300, -1) * own[0] + own[1]).astype(np.uint8)
        assert np.mean([card.tobytes() in kept for card in whole]) == held
        nearest = labels[((pictures[None] - whole[:, None]) ** 2).sum(-1).argmin(1)]
        np.testing.assert_array_equal(nearest, truth)


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    digits.cache_clear()
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"umwelt\[data\]"):
        digits()
