"""Constraints that a demonstration satisfies, against lists by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours.workflows import CONSTRAINTS, Workflows

KEY = jax.random.key(2)
WORKFLOWS = Workflows()
# two fields of two values; the shown page wrote value 1 into field 1, value 0 into field 0, and was submitted
SHOWN = WORKFLOWS.init(jnp.array([3, 0, 4]), fields=2, values=2)
ASKED = jnp.array([[1, 0]])


def test_actions_that_satisfy_each_constraint_are_those_listed_by_hand():
    by_hand = {
        "anything": [0, 1, 2, 3, 4],
        "any field": [0, 1, 2, 3],
        "this field": [2, 3],
        "as instructed": [1, 2],
        "this field as instructed": [2],
        "submit": [4],
    }
    found = np.asarray(WORKFLOWS.satisfying(SHOWN, jnp.int32(0), ASKED))[0]
    assert {name: np.flatnonzero(row).tolist() for name, row in zip(CONSTRAINTS, found, strict=True)} == by_hand


def test_the_shown_action_satisfies_every_constraint_of_its_step():
    instruction = jnp.array([[0, 1]])
    for step, action in enumerate((3, 0, 4)):
        allows = WORKFLOWS.satisfying(SHOWN, jnp.int32(step), instruction)[0, :, action]
        assert np.all(np.asarray(allows)[np.asarray(SHOWN.allowed[step])])


def test_even_scores_draw_actions_with_the_counted_chances():
    chosen, actions = WORKFLOWS.act(KEY, SHOWN, jnp.int32(0), jnp.repeat(ASKED, 40_000, axis=0))
    # the mean of the five constraints' even choices: 2 satisfies all of them
    wanted = np.array([1 / 5 + 1 / 4, 1 / 5 + 1 / 4 + 1 / 2, 1 / 5 + 1 / 4 + 1 / 2 + 1 / 2 + 1, 1 / 5 + 1 / 4 + 1 / 2, 1 / 5]) / 5
    np.testing.assert_allclose(np.bincount(actions, minlength=5) / 40_000, wanted, atol=0.01)
    assert set(np.asarray(chosen).tolist()) == {0, 1, 2, 3, 4}


def test_success_raises_what_was_chosen_and_equal_success_nothing():
    chosen = jnp.array([[4, 4, 5], [0, 0, 0]])
    after = WORKFLOWS.learn(SHOWN, chosen, jnp.array([True, False]))
    assert float(after.scores[0, 4]) > 0 > float(after.scores[0, 1])
    assert float(after.success) == pytest.approx(0.5 * WORKFLOWS.forgets)
    nothing = WORKFLOWS.learn(SHOWN, chosen, jnp.array([False, False]))
    np.testing.assert_allclose(nothing.scores, 0.0)
