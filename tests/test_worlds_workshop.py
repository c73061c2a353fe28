"""The workshop against an enumeration of what can be made, and the goals that make sense in it."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.core import Moment
from umwelt.curiosity import Suggested
from umwelt.worlds import Workshop, stream
from umwelt.worlds.workshop import CLUTTER, NEEDS, Sensible

WORLD = Workshop(batch=4, time_limit=60)
KEY = jax.random.key(2)
PRODUCTS = len(NEEDS)


@partial(jax.jit, static_argnums=0)
def worked(signal: Suggested, actions: jax.Array, goal: jax.Array) -> Any:
    """What is seen after each of the actions [T] in every row, kind and reward, and the bonus."""
    task = stream.rows(WORLD.tasks()["play"], WORLD.batch)
    task = jax.tree.map(lambda leaf: jnp.full_like(leaf, goal), task)

    def tick(held: Any, action: jax.Array) -> Any:
        state, step, paying = held
        state, next = WORLD.step(KEY, state, jnp.full(WORLD.batch, action), task)
        weight = (~step.last).astype(jnp.float32)
        now, after = (each.observation.astype(jnp.float32) for each in (step, next))
        moment = Moment(now=now, after=after, done=now[:, :1], weight=weight, surprise=weight)
        paying = signal.begin(paying, step.first)
        bonus = signal.bonus(KEY, paying, moment) * weight
        return (state, next, signal.learn(KEY, paying, moment)[0]), (after, next.kind, next.reward, bonus)

    state, step = WORLD.init(KEY, task)
    paying = signal.init(KEY, PRODUCTS + CLUTTER, 1, WORLD.batch)
    return jax.lax.scan(tick, (state, step, paying), actions)[1]


def reachable(actions: np.ndarray) -> list[list[int]]:
    """What lies on the bench after each action, by the rules of the world."""
    book, made, found = WORLD.book().tolist(), set(), []
    for action in actions.tolist():
        if action in book and (NEEDS[book.index(action)] < 0 or NEEDS[book.index(action)] in made):
            made.add(book.index(action))
        found.append(sorted(made))
    return found


def choices(seed: int) -> np.ndarray:
    """Products and other choices, at random."""
    random = np.random.default_rng(seed)
    return np.where(random.random(59) < 0.8, random.choice(WORLD.book(), 59), random.integers(0, 256, 59))


def test_it_keeps_the_contract() -> None:
    umwelt.check.world(Workshop(batch=2, time_limit=12), steps=30).raise_if_broken()


@pytest.mark.parametrize("seed", range(4))
def test_a_perfect_suggester_pays_each_product_of_the_tree_once(seed: int) -> None:
    actions = choices(seed)
    seen, _, reward, bonus = map(np.asarray, worked(Suggested(suggest=Sensible(precision=1.0, recall=1.0)), actions, 0))
    expected = reachable(actions)
    made = [np.flatnonzero(row[0, :PRODUCTS]).tolist() for row in seen]
    assert made == expected
    assert len(expected[-1]) > 3
    sizes = np.array([len(each) for each in expected])
    assert np.allclose(bonus[:, 0], np.diff(sizes, prepend=0)), "one for each new product, and nothing for clutter"
    assert not reward.any()


def test_a_choice_that_makes_no_product_makes_clutter_that_stays() -> None:
    others = np.setdiff1d(np.arange(256), WORLD.book())[:59]
    seen, _, _, bonus = map(np.asarray, worked(Suggested(), others, 0))
    assert np.all(np.diff(seen[:, 0, PRODUCTS:].sum(1)) >= 0)
    assert seen[-1, 0, PRODUCTS:].sum() > CLUTTER / 2
    assert not seen[:, :, :PRODUCTS].any()
    assert bonus[:, 0].sum() == seen[-1, 0].sum(), "where all is suggested, clutter pays too"


def test_the_product_of_a_task_pays_and_ends_the_episode() -> None:
    book = WORLD.book()
    way = [book[0], book[2], book[6], book[0], book[0]]
    _, kind, reward, _ = map(np.asarray, worked(Suggested(), np.array(way), 7))
    assert kind[:, 0].tolist() == [1, 1, 2, 0, 1]
    assert reward[:, 0].tolist() == [0, 0, 1, 0, 0]


def test_precision_and_recall_are_those_that_were_asked_for() -> None:
    benches = (np.random.default_rng(1).random((4000, PRODUCTS + CLUTTER)) < 0.4).astype(np.float32)
    _, sensible = Sensible(precision=1.0, recall=1.0)(jnp.asarray(benches))
    _, said = Sensible(precision=0.6, recall=0.7)(jnp.asarray(benches))
    said, sensible = np.asarray(said), np.asarray(sensible)
    made = benches[:, :PRODUCTS] > 0.5
    by_hand = np.array([[not row[k] and (n < 0 or bool(row[n])) for k, n in enumerate(NEEDS)] for row in made])
    assert np.array_equal(sensible[:, :PRODUCTS], by_hand)
    assert not sensible[:, PRODUCTS:].any()
    assert (said & sensible).sum() / sensible.sum() == pytest.approx(0.7, abs=0.02)
    assert (said & sensible).sum() / said.sum() == pytest.approx(0.6, abs=0.02)


def test_a_caption_pays_by_its_similarity_above_the_threshold() -> None:
    signal = Suggested(threshold=0.7)
    state = signal.init(KEY, 3, 1, 1)
    now, one, both = jnp.zeros((1, 3)), jnp.array([[1.0, 0, 0]]), jnp.array([[1.0, 1.0, 0]])

    def paid(after: jax.Array, state: Any = state, signal: Suggested = signal) -> float:
        moment = Moment(now=now, after=after, done=now, weight=jnp.ones(1), surprise=jnp.ones(1))
        return float(signal.bonus(KEY, state, moment)[0])

    assert paid(one) == pytest.approx(1.0)
    assert paid(both) == pytest.approx(0.5**0.5)
    assert paid(both, signal=Suggested(threshold=0.8)) == 0.0
    with pytest.raises(ValueError, match="threshold=0"):
        Suggested(threshold=0.0).init(KEY, 3, 1, 1)
    umwelt.check.curiosity(Suggested(threshold=0.5), depth="shapes").raise_if_broken()
