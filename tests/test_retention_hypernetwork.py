"""One network that makes the networks of two worlds that contradict each other, met one after the other."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from turning_worlds import KEY, SPEC, error, predicted, taught, turned

import umwelt.check
from umwelt.check.plant import BOXES
from umwelt.core import TERMINATED
from umwelt.models import Ensemble, Losse
from umwelt.networks import known_tasks
from umwelt.retention import Hypernetwork

INNER = Ensemble(units=16, layers=1, members=2, share=1.0, beta=1.0, noisy=False, propagation="mean")
MODEL = Hypernetwork(model=INNER, most=3)


def after_both(strength: float) -> tuple[Any, Any, Any]:
    """The model, its state after the first world, and its state after both."""
    model = replace(MODEL, strength=strength)
    first = taught(model, jax.jit(lambda key: model.init(key, SPEC))(KEY), 0.6, 400)
    return model, first, taught(model, first, -0.6, 400)


def test_answers_to_the_first_task_are_kept_after_the_second() -> None:
    model, first, both = after_both(10.0)
    learned = error(model, first, 0.6)
    assert learned < 0.02
    assert error(model, both, 0.6) < 2.0 * learned
    assert error(model, both, -0.6) < 0.02
    assert int(both.known.count) == 2
    # rows of both worlds at once are each answered by their own model
    rows = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), turned(0.6, 5, 3), turned(-0.6, 5, 4))
    apart = [predicted(model, both, jax.tree.map(lambda leaf, cut=cut: leaf[cut], rows)) for cut in (slice(5), slice(5, None))]
    np.testing.assert_allclose(predicted(model, both, rows), np.concatenate(apart), atol=1e-5)


def test_answers_without_a_penalty_are_forgotten() -> None:
    model, first, both = after_both(0.0)
    assert error(model, both, 0.6) > 20.0 * error(model, first, 0.6)
    assert error(model, both, -0.6) < 0.1


def test_hypernetwork_keeps_the_contract_of_a_model() -> None:
    """Where no task is announced there is one; and in the world of tasks."""
    umwelt.check.model(MODEL, spec=BOXES, depth="shapes").raise_if_broken()
    umwelt.check.model(replace(MODEL, most=2), spec=SPEC, steps=40).raise_if_broken()


def test_an_update_is_about_the_task_of_most_of_its_rows() -> None:
    """Rows of another task teach as much as seams: nothing."""
    state = jax.jit(lambda key: MODEL.init(key, SPEC))(KEY)
    rows = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), turned(0.6, 7, 1), turned(-0.6, 9, 2))
    seams = replace(rows, step=replace(rows.step, kind=rows.step.kind.at[:7].set(TERMINATED)))
    learn = jax.jit(MODEL.learn)
    both, alone = (learn(KEY, state, given)[0] for given in (rows, seams))
    assert both.known.announced[0].tolist() == [np.float32(-0.6)]
    jax.tree.map(np.testing.assert_array_equal, both.inner.weights, alone.inner.weights)


def test_hypernetwork_refuses_what_it_cannot_make() -> None:
    with pytest.raises(ValueError, match="Losse has no `loss_of`"):
        Hypernetwork(model=Losse()).init(KEY, SPEC)
    with pytest.raises(ValueError, match="early_stop"):
        Hypernetwork(model=replace(INNER, early_stop=0.1)).init(KEY, SPEC)


def test_tasks_are_numbered_as_they_are_met_and_later_ones_share_the_last_place() -> None:
    known, found = known_tasks.none_known(2, 1), []
    for task in (0.5, -0.5, 0.5, 3.0):
        known, number = known_tasks.meet(known, jnp.array([task]), jnp.array(True))
        found.append(int(number))
    assert found == [0, 1, 0, 1]
    _, number = known_tasks.meet(known, jnp.array([9.0]), jnp.array(False))
    assert known.announced.tolist() == [[0.5], [3.0]]
    assert known_tasks.nearest(known, jnp.array([[0.1], [2.0]])).tolist() == [0, 1]
