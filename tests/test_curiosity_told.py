"""Signals that tell what they depend on, and neighbours, against closed forms and NumPy."""

import itertools
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies
from scipy.special import digamma

from umwelt import check
from umwelt.behaviours import DQN, Rewarded
from umwelt.behaviours.batch import Batch
from umwelt.core import Discrete, Moment
from umwelt.curiosity import Counts, Elliptic, Neighbours
from umwelt.curiosity.neighbours import smallest

KEY = jax.random.key(4)
TABLE = Counts(of="index", episodic=True, lifelong=False, tells="table")
ELLIPSE = Elliptic(ridge=0.5)
ROWS, WIDTH = 40, 3


def moment(now: Any, after: Any, weight: Any = None) -> Moment:
    now, after = jnp.asarray(now, jnp.float32), jnp.asarray(after, jnp.float32)
    rows = after.shape[0]
    weight = jnp.ones(rows) if weight is None else jnp.asarray(weight, jnp.float32)
    return Moment(now=now, after=after, done=jnp.zeros((rows, 1)), weight=weight, surprise=jnp.full(rows, jnp.nan))


@partial(jax.jit, static_argnums=0)
def turn(signal: Any, state: Any, step: Moment) -> tuple[Any, jax.Array, jax.Array]:
    """Learn a moment: the state, the bonus, and what it showed before, which could be read with it."""
    opened = signal._with_openings(state, step)
    return signal.learn(KEY, state, step)[0], signal.bonus(KEY, state, step), signal.told(opened)


def walk(signal: Any, state: Any, cells: list[int], width: int = 4) -> tuple[Any, list[float], list[np.ndarray]]:
    paid, told = [], []
    for now, after in itertools.pairwise(np.eye(width)[cells]):
        state, bonus, said = turn(signal, state, moment([now], [after]))
        paid.append(float(bonus[0]))
        told.append(np.asarray(said[0]))
    return state, paid, told


@pytest.mark.parametrize("signal", [ELLIPSE, Neighbours(k=2)], ids=repr)
def test_the_signals_keep_the_contract(signal: Any) -> None:
    check.curiosity(signal).raise_if_broken()


@pytest.mark.parametrize("signal", [TABLE, replace(ELLIPSE, whole=True)], ids=repr)
def test_what_they_tell_has_one_row_for_each_episode(signal: Any) -> None:
    check.curiosity(signal, depth="shapes").raise_if_broken()


def test_the_walk_a_b_a_c_is_paid_by_hand() -> None:
    _, paid, told = walk(TABLE, TABLE.init(KEY, 4, 1, 1), [0, 1, 0, 2])
    np.testing.assert_allclose(paid, [1.0, 2**-0.5, 1.0], rtol=1e-6)
    np.testing.assert_allclose(told[2], [3**-0.5, 2**-0.5, 1, 1], rtol=1e-6)
    _, paid, told = walk(ELLIPSE, ELLIPSE.init(KEY, 4, 1, 1), [0, 1, 0, 2])
    # one over ridge + count
    np.testing.assert_allclose(paid, [2.0, 1 / 1.5, 2.0], rtol=1e-6)
    np.testing.assert_allclose(told[2], [0.5 / 2.5, 0.5 / 1.5, 1, 1], rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(strategies.lists(strategies.integers(0, 3), min_size=2, max_size=12))
def test_with_what_is_told_the_bonus_is_a_function_of_what_is_seen(cells: list[int]) -> None:
    _, paid, told = walk(TABLE, TABLE.init(KEY, 4, 1, 1), cells)
    np.testing.assert_allclose(paid, [said[cell] for said, cell in zip(told, cells[1:], strict=True)], rtol=1e-6)
    _, paid, told = walk(ELLIPSE, ELLIPSE.init(KEY, 4, 1, 1), cells)
    np.testing.assert_allclose(paid, [said[cell] / 0.5 for said, cell in zip(told, cells[1:], strict=True)], rtol=1e-4)


def test_without_it_the_same_step_is_paid_in_two_ways() -> None:
    _, paid, _ = walk(TABLE, TABLE.init(KEY, 4, 1, 1), [0, 1, 0, 1])
    assert paid[0] != paid[2]


def test_an_episode_begins_again_in_its_own_row() -> None:
    for signal in (TABLE, ELLIPSE):
        step = moment(np.eye(4)[[0, 1]], np.eye(4)[[1, 2]])
        state, _, _ = turn(signal, signal.init(KEY, 4, 1, 2), step)
        told = signal.told(signal.begin(state, jnp.array([False, True])))
        np.testing.assert_array_equal(told[0], signal.told(state)[0])
        np.testing.assert_allclose(told[1], np.ones(4), rtol=1e-6)


def test_the_ellipse_is_that_of_numpy() -> None:
    seen = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    signal = replace(ELLIPSE, whole=True)
    state = signal.init(KEY, 3, 1, 1)
    for now, after in itertools.pairwise(seen):
        before = state
        state, bonus, _ = turn(signal, state, moment([now], [after]))
    inverse = np.linalg.inv(0.5 * np.eye(3) + seen[:-1].T @ seen[:-1])
    assert float(bonus[0]) == pytest.approx(seen[-1] @ inverse @ seen[-1], rel=1e-4)
    np.testing.assert_allclose(signal.told(before)[0], 0.5 * inverse[np.triu_indices(3)], rtol=1e-3, atol=1e-5)


def test_an_index_has_a_slot_of_its_own() -> None:
    signal = Counts(of="index")
    state, _ = signal.learn(KEY, signal.init(KEY, 4, 1, 1), moment(np.eye(4)[[0, 0, 3]], np.eye(4)[[0, 0, 3]]))
    assert state.cells.tolist() == [2, 0, 0, 1]


def points(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.normal(size=(ROWS, WIDTH)).astype(np.float32), random.normal(size=ROWS).astype(np.float32)


def conditional(where: np.ndarray, worth: np.ndarray, k: int) -> np.ndarray:
    """The estimate of entropy given worth, row by row, as in Kraskov et al."""
    found = []
    for row in range(len(where)):
        others = np.delete(np.arange(len(where)), row)
        apart, gap = np.linalg.norm(where[others] - where[row], axis=1), np.abs(worth[others] - worth[row])
        both = np.maximum(apart, gap)
        kth = np.argsort(both)[k - 1]
        alike = (gap < both[kth]).sum()
        found.append(digamma(alike + 1) / where.shape[1] + np.log(2 * apart[kth]))
    return np.asarray(found)


def test_the_entropy_given_worth_is_that_of_numpy() -> None:
    where, worth = points(0)
    found, enough = jax.jit(Neighbours(k=4, given="worth").conditional)(
        jnp.asarray(where), jnp.asarray(worth), jnp.ones(ROWS, bool)
    )
    assert enough.all()
    np.testing.assert_allclose(found, conditional(where, worth, 4), rtol=1e-4)


def test_where_all_are_worth_the_same_it_is_the_plain_entropy_and_a_constant() -> None:
    where, _ = points(1)
    signal = Neighbours(k=4, squashed=False)
    plain = signal.bonus(KEY, signal.init(KEY, WIDTH, 1, 1), moment(where, where))
    given, _ = signal.conditional(jnp.asarray(where), jnp.ones(ROWS), jnp.ones(ROWS, bool))
    np.testing.assert_allclose(given - plain, digamma(ROWS) / WIDTH + np.log(2), rtol=1e-4)


def test_neighbours_without_weight_are_no_neighbours() -> None:
    where, _ = points(2)
    signal = Neighbours(k=3)
    state = signal.init(KEY, WIDTH, 1, 1)
    weight = np.arange(ROWS) < 30
    spoilt = np.where(weight[:, None], where, np.nan)
    some = jax.jit(signal.bonus)(KEY, state, moment(spoilt, spoilt, weight))
    np.testing.assert_allclose(some[:30], signal.bonus(KEY, state, moment(where[:30], where[:30])), rtol=1e-5)
    few = signal.bonus(KEY, state, moment(where[:3], where[:3]))
    assert few.tolist() == [0, 0, 0], "three rows have two others each"


def test_the_door_gives_the_worth_of_the_learner() -> None:
    where, _ = points(3)
    learner, action = DQN(layers=0, discount=0.0), jnp.asarray(np.arange(ROWS) % 2, jnp.int32)
    ones = jnp.ones(ROWS)
    batch = Batch(now=jnp.asarray(where), action=action, reward=0 * ones, continues=ones, after=jnp.asarray(where), weight=ones)
    around = Rewarded(learner=learner, curiosity=Neighbours(k=4, given="worth"), weight=1.0)
    state = around.init(KEY, WIDTH, Discrete(n=2))
    weight = np.random.default_rng(5).normal(size=(WIDTH, 2)).astype(np.float32)
    state = replace(state, inner=replace(state.inner, network=(replace(state.inner.network[0], weight=jnp.asarray(weight)),)))
    _, info = jax.jit(around.learn)(KEY, state, batch)
    raw = conditional(where, (where @ weight)[np.arange(ROWS), np.asarray(action)], 4)
    paid = np.tanh((raw - raw.mean()) / raw.std())
    # in units of its own deviation
    assert float(info["batch_bonus"]) == pytest.approx(paid.mean() / np.sqrt(np.mean(paid**2)), abs=1e-4)


def test_a_signal_that_needs_a_worth_says_where_it_gets_one() -> None:
    where, _ = points(4)
    signal = Neighbours(given="worth")
    with pytest.raises(ValueError, match="put the signal into"):
        signal.bonus(KEY, signal.init(KEY, WIDTH, 1, 1), moment(where, where))
    with pytest.raises(ValueError, match="k=0"):
        Neighbours(k=0).init(KEY, 1, 1, 1)
    with pytest.raises(ValueError, match="ridge=0"):
        Elliptic(ridge=0).init(KEY, 1, 1, 1)
    with pytest.raises(ValueError, match="tells='all'"):
        replace(TABLE, tells="all").init(KEY, 1, 1, 1)  # type: ignore[arg-type]


def test_the_smallest_are_those_of_a_sort_with_ties_and_without_an_end() -> None:
    drawn = np.random.default_rng(4).integers(0, 6, (9, 50)) * np.float32(0.3)
    drawn[drawn > 1.3] = np.inf
    for k in (1, 4, 9, 20):
        np.testing.assert_array_equal(smallest(jnp.asarray(drawn), k), np.sort(drawn, axis=0)[min(k, 9) - 1])
