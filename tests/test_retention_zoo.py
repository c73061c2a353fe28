"""A zoo of small models, for worlds that contradict each other."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from turning_worlds import KEY, SPEC, error, predicted, taught, turned

import umwelt.check
from umwelt.check.plant import BOXES
from umwelt.core import Experience
from umwelt.models import Ensemble, Losse
from umwelt.retention import Zoo

SMALL = Ensemble(units=16, layers=1, members=2, share=1.0, beta=1.0, noisy=False, propagation="mean", learning_rate=3e-3)
MODEL = Zoo(model=SMALL, most=3)


def mixed(*parts: Experience) -> Experience:
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *parts)


def untrained(model: Zoo) -> Any:
    return jax.jit(lambda key: model.init(key, SPEC))(KEY)


def test_a_new_task_takes_nothing_from_an_old_one() -> None:
    model = replace(MODEL, old=0)
    first = taught(model, untrained(model), 0.6, 300)
    both = taught(model, first, -0.6, 300)
    assert int(both.known.count) == 2
    np.testing.assert_array_equal(predicted(model, both, turned(0.6, 50, 3)), predicted(model, first, turned(0.6, 50, 3)))
    assert error(model, first, 0.6) < 0.05
    assert error(model, first, -0.6) > 1.0
    assert error(model, both, -0.6) < 0.05


def test_a_new_model_learns_the_worst_old_task_too_and_the_prediction_is_the_mean() -> None:
    """The second task was hardly learned. The third's model learns it too; the first task is left to its own model."""
    state = taught(MODEL, taught(replace(MODEL, old=0), untrained(MODEL), 0.6, 200), 1.8, 2)
    assert state.learned.tolist() == [[True, False, False], [False, True, False], [False] * 3], "no rows of the first were there"
    batch = mixed(turned(0.6, 32, 1), turned(1.8, 32, 2), turned(-0.6, 32, 3))
    learn = jax.jit(MODEL.learn)
    after, info = learn(KEY, state, batch)
    assert after.learned.tolist() == [[True, False, False], [False, True, False], [False, True, True]]
    assert float(info["models"]) == 3.0
    rows = turned(1.8, 20, 5)
    alone = [predicted(MODEL, replace(after, learned=after.learned.at[other, 1].set(False)), rows) for other in (2, 1)]
    np.testing.assert_allclose(predicted(MODEL, after, rows), np.mean(alone, axis=0), atol=1e-5)
    assert np.abs(alone[0] - alone[1]).max() > 0.1
    before = error(MODEL, after, 1.8)
    for _ in range(100):
        after, _ = learn(KEY, after, batch)
    assert error(MODEL, after, 1.8) < 0.7 * before
    kept = [jax.tree.map(lambda leaf: leaf[:2], each.inner) for each in (state, after)]
    jax.tree.map(np.testing.assert_array_equal, *kept)


def test_rows_of_other_tasks_teach_a_model_nothing() -> None:
    model = replace(MODEL, old=0, most=2)
    state = taught(model, taught(model, untrained(model), 0.6, 2), -0.6, 2)
    learn = jax.jit(model.learn)
    one, other = (learn(KEY, state, mixed(turned(-0.6, 8, 1), turned(turn, 8, 2)))[0].inner for turn in (0.6, 2.5))
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
