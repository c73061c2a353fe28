"""A zoo of small models, for worlds that contradict each other."""

from dataclasses import replace
from functools import cache
from typing import Any

import jax
import numpy as np
import pytest
from turning_worlds import KEY, SPEC, turned

import umwelt.check
from umwelt.check.plant import BOXES
from umwelt.core import Experience
from umwelt.models import Ensemble, Losse
from umwelt.networks.form import form
from umwelt.retention import Zoo

SMALL = Ensemble(units=16, layers=1, members=2, share=1.0, beta=1.0, noisy=False, propagation="mean", learning_rate=3e-3)
MODEL = Zoo(model=SMALL, most=3)


def mixed(*parts: Experience) -> Experience:
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *parts)


@jax.jit
def learn(old: int, state: Any, rows: Experience) -> tuple[Any, Any]:
    """One program for every number of old tasks. All batches here have 64 rows."""
    return replace(MODEL, old=old).learn(KEY, state, rows)


def taught(old: int, state: Any, turn: float, updates: int) -> Any:
    """The state after so many updates on 64 rows of one world."""
    rows = jax.tree.map(np.asarray, turned(turn, 64 * updates, 1))
    for update in range(updates):
        state, _ = learn(old, state, jax.tree.map(lambda leaf, at=64 * update: leaf[at : at + 64], rows))
    return state


@cache
def untrained() -> Any:
    return jax.jit(lambda key: MODEL.init(key, SPEC))(KEY)


@pytest.fixture(scope="module")
def first() -> Any:
    """A zoo that knows one task."""
    return taught(0, untrained(), 0.6, 300)


@jax.jit
def predict(state: Any, rows: Experience) -> jax.Array:
    number = rows.origin.shape[0]
    belief, _ = MODEL.observe(KEY, state, MODEL.start(state, number), rows.action, rows.step.opening)
    return form(SPEC.observation).flat(MODEL.imagine(KEY, state, belief, rows.action)[1].observation)


def predicted(state: Any, rows: Experience) -> np.ndarray:
    """The predicted next observations of 200 rows, flat: [200, 3]."""
    return np.asarray(predict(state, rows))


def error(state: Any, turn: float) -> float:
    """The share of the change that the zoo does not predict."""
    rows = turned(turn, 200, 7)
    before, after = (np.asarray(form(SPEC.observation).flat(each.observation)) for each in (rows.step, rows.next))
    return float(np.sum((predicted(state, rows) - after) ** 2) / np.sum((after - before) ** 2))


def test_a_new_task_takes_nothing_from_an_old_one(first: Any) -> None:
    both = taught(0, first, -0.6, 300)
    assert int(both.known.count) == 2
    rows = turned(0.6, 200, 3)
    np.testing.assert_array_equal(predicted(both, rows), predicted(first, rows))
    assert error(first, 0.6) < 0.05
    assert error(first, -0.6) > 1.0
    assert error(both, -0.6) < 0.05


def test_a_new_model_learns_the_worst_old_task_too_and_the_prediction_is_the_mean(first: Any) -> None:
    """The second task was hardly learned. The third's model learns it too; the first task is left to its own model."""
    state = taught(1, first, 1.8, 2)
    assert state.learned.tolist() == [[True, False, False], [False, True, False], [False] * 3], "no rows of the first were there"
    batch = mixed(turned(0.6, 22, 1), turned(1.8, 21, 2), turned(-0.6, 21, 3))
    after, info = learn(1, state, batch)
    assert after.learned.tolist() == [[True, False, False], [False, True, False], [False, True, True]]
    assert float(info["models"]) == 3.0
    rows, learned = turned(1.8, 200, 5), np.asarray(after.learned)
    alone = []
    for other in (2, 1):
        silent = learned.copy()
        silent[other, 1] = False
        alone.append(predicted(replace(after, learned=silent), rows))
    np.testing.assert_allclose(predicted(after, rows), np.mean(alone, axis=0), atol=1e-5)
    assert np.abs(alone[0] - alone[1]).max() > 0.1
    before = error(after, 1.8)
    for _ in range(100):
        after, _ = learn(1, after, batch)
    assert error(after, 1.8) < 0.7 * before
    kept = [jax.tree.map(lambda leaf: np.asarray(leaf)[:2], each.inner) for each in (state, after)]
    jax.tree.map(np.testing.assert_array_equal, *kept)


def test_rows_of_other_tasks_teach_a_model_nothing() -> None:
    """The last of three models reads rows of a task of another model, or of one for which there is no room."""
    state = untrained()
    for turn in (0.6, 1.8, -0.6):
        state = taught(0, state, turn, 2)
    one, other = (learn(0, state, mixed(turned(-0.6, 32, 1), turned(turn, 32, 2)))[0].inner for turn in (0.6, 2.5))
    jax.tree.map(np.testing.assert_array_equal, one, other)


def test_zoo_keeps_the_contract_of_a_model() -> None:
    """Where no task is announced there is one; and in the world of tasks."""
    umwelt.check.model(MODEL, spec=BOXES, depth="shapes").raise_if_broken()
    umwelt.check.model(Zoo(model=SMALL, most=2), spec=SPEC, steps=40).raise_if_broken()


def test_what_cannot_be_in_a_zoo_is_refused() -> None:
    with pytest.raises(ValueError, match="Losse learns from a stream"):
        Zoo(model=Losse()).init(KEY, SPEC)
    with pytest.raises(ValueError, match="old=3"):
        replace(MODEL, old=3).init(KEY, SPEC)
