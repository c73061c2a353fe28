"""One network that makes the networks of two worlds that contradict each other, met one after the other."""

from dataclasses import replace
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from turning_worlds import KEY, SPEC, predicted, turned

import umwelt.check
from umwelt.check.plant import BOXES
from umwelt.core import TERMINATED
from umwelt.models import Ensemble, Losse
from umwelt.networks import known_tasks
from umwelt.retention import Hypernetwork

INNER = Ensemble(units=16, layers=1, members=2, share=1.0, beta=1.0, noisy=False, propagation="mean")
MODEL = Hypernetwork(model=INNER, most=3)


@jax.jit
def lessons(state: Any, strength: float, rows: Any) -> Any:
    """The state after an update on each of rows [N, 64], compiled once for all strengths and worlds."""
    model = replace(MODEL, strength=strength)
    return jax.lax.scan(lambda held, some: (model.learn(KEY, held, some)[0], None), state, rows)[0]


@jax.jit
def answers(state: Any, rows: Any) -> jax.Array:
    return predicted(MODEL, state, rows)


def missed(state: Any, turn: float) -> float:
    """The share of the change that the model does not predict."""
    rows = turned(turn, 200, 7)
    before, after = (flat(step.observation) for step in (rows.step, rows.next))
    return float(np.sum((np.asarray(answers(state, rows)) - after) ** 2) / np.sum((after - before) ** 2))


def flat(observation: dict[str, Any]) -> np.ndarray:
    return np.column_stack([observation["seen"], observation["task"]])


@cache
def born() -> Any:
    return jax.jit(lambda key: MODEL.init(key, SPEC))(KEY)


def after_both(strength: float) -> tuple[Any, Any]:
    """The state after the first world, and after both."""
    rows = [turned(turn, 64 * 400, 1) for turn in (0.6, -0.6)]
    worlds = [jax.tree.map(lambda leaf: leaf.reshape(400, 64, *leaf.shape[1:]), each) for each in rows]
    first = lessons(born(), strength, worlds[0])
    return first, lessons(first, strength, worlds[1])


def test_answers_to_the_first_task_are_kept_after_the_second() -> None:
    first, both = after_both(10.0)
    learned = missed(first, 0.6)
    assert learned < 0.02
    assert missed(both, 0.6) < 2.0 * learned
    assert missed(both, -0.6) < 0.02
    assert int(both.known.count) == 2
    # rows of both worlds at once are each answered by their own model
    rows = jax.tree.map(lambda *leaves: np.concatenate(leaves), turned(0.6, 5, 3), turned(-0.6, 5, 4))
    apart = [answers(both, jax.tree.map(lambda leaf, cut=cut: leaf[cut], rows)) for cut in (slice(5), slice(5, None))]
    np.testing.assert_allclose(answers(both, rows), np.concatenate(apart), atol=1e-5)


def test_answers_without_a_penalty_are_forgotten() -> None:
    first, both = after_both(0.0)
    assert missed(both, 0.6) > 20.0 * missed(first, 0.6)
    assert missed(both, -0.6) < 0.1


def test_hypernetwork_keeps_the_contract_of_a_model() -> None:
    """Where no task is announced there is one; and in the world of tasks."""
    umwelt.check.model(MODEL, spec=BOXES, depth="shapes").raise_if_broken()
    umwelt.check.model(replace(MODEL, most=2), spec=SPEC, steps=40).raise_if_broken()


def test_an_update_is_about_the_task_of_most_of_its_rows() -> None:
    """Rows of another task teach as much as seams: nothing."""
    rows = jax.tree.map(lambda *leaves: np.concatenate(leaves), turned(0.6, 7, 1), turned(-0.6, 9, 2))
    kind = np.where(np.arange(16) < 7, np.int8(TERMINATED), rows.step.kind)
    seams = replace(rows, step=replace(rows.step, kind=kind))
    learn = jax.jit(MODEL.learn)
    both, alone = (learn(KEY, born(), given)[0] for given in (rows, seams))
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
