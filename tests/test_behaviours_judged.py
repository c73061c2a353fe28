"""Judges that write rewards, against Bradley and Terry's model and a log ratio of two normals."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours import SAC, Discriminator, Judged, Preferred
from umwelt.behaviours.batch import Batch
from umwelt.behaviours.preferred import SILENT, Compares
from umwelt.core import Box, part
from umwelt.networks import policies

KEY = jax.random.key(5)
BOX = Box(shape=(1,), low=-1.0, high=1.0)
ACTS = policies.over(BOX)
WORTH = np.array([0.0, 0.5, 1.0, 1.5, 2.0], np.float32)


def batch(seen, shown=None, rows=None):
    seen = jnp.asarray(seen, jnp.float32)
    ones = jnp.ones(seen.shape[0] if rows is None else rows)
    made = Batch(now=seen, action=jnp.zeros((len(seen), 1)), reward=0 * ones, continues=ones, after=seen, weight=ones)
    return dataclasses.replace(made, shown=shown)


@part
class Chances:
    """Prefers one of five states on a line by the logistic of the difference of their worths."""

    def __call__(self, key, one, other):
        gap = (other - one) @ jnp.asarray(WORTH)
        return jax.random.bernoulli(key, jax.nn.sigmoid(gap)).astype(jnp.int32)


def taught(judge, draws, updates, width):
    def update(state, key):
        drawing, learning = jax.random.split(key)
        return judge.learn(learning, state, draws(drawing), ACTS)[0], None

    begun = judge.init(KEY, width, ACTS)
    return jax.jit(lambda state: jax.lax.scan(update, state, jax.random.split(KEY, updates))[0])(begun)


def test_answers_by_chance_give_back_the_worths_up_to_a_shift():
    judge = Preferred(ask=Chances(), pairs=8000, each=64, units=16, learning_rate=3e-3)
    state = taught(judge, lambda key: batch(jax.nn.one_hot(jax.random.randint(key, (64,), 0, 5), 5)), 900, 5)
    found = np.asarray(judge.score(state, batch(np.eye(5)), ACTS))
    assert int(state.asked) == 8000
    np.testing.assert_allclose(found - found.mean(), WORTH - WORTH.mean(), atol=0.2)


def test_a_rule_errs_as_often_as_it_says_and_swapping_a_pair_flips_its_answer():
    one, other = jnp.zeros((4000, 1)), jnp.ones((4000, 1))
    ask = Compares(wrong=0.15)
    answers, flipped = ask(KEY, one, other), ask(KEY, other, one)
    assert float(jnp.mean(answers)) == pytest.approx(0.85, abs=0.02)
    np.testing.assert_array_equal(answers, 1 - flipped)
    assert set(np.asarray(ask(KEY, one, one + 0.1)).tolist()) == {SILENT}


def test_the_judge_asks_about_no_more_pairs_than_it_may_and_about_none_of_an_empty_batch():
    judge = Preferred(ask=Compares(), pairs=20, each=16)
    state = judge.init(KEY, 1, ACTS)
    empty = dataclasses.replace(batch(np.ones((8, 1))), weight=jnp.zeros(8))
    assert int(judge.learn(KEY, state, empty, ACTS)[0].asked) == 0
    for expected in (16, 20, 20):
        state, _ = judge.learn(KEY, state, batch(np.arange(8.0)[:, None]), ACTS)
        assert int(state.asked) == expected


def normals(key):
    """Shown rows of N(1, 1), and lived rows of N(-1, 1)."""
    shown = jnp.arange(128) < 64
    return batch(jnp.where(shown, 1.0, -1.0)[:, None] + jax.random.normal(key, (128, 1)), shown)


def test_a_discriminator_without_a_penalty_learns_the_log_ratio_of_two_normals():
    judge = Discriminator(penalty=0.0, units=16, learning_rate=3e-3)
    state = taught(judge, normals, 1500, 1)
    points = np.array([[-1.0], [0.0], [1.0]])
    # of N(1, 1) against N(-1, 1) the log ratio is 2x, and the judge pays its softplus
    np.testing.assert_allclose(judge.score(state, batch(points), ACTS), np.log1p(np.exp(2 * points[:, 0])), atol=0.45)


def test_a_penalty_keeps_the_slope_of_the_reward_near_one():
    def apart(key):
        found = normals(key)
        return dataclasses.replace(found, now=jnp.where(found.shown, 1.0, -1.0)[:, None] * 0.1)

    steep = {}
    for penalty in (0.0, 10.0):
        judge = Discriminator(penalty=penalty, units=16, learning_rate=3e-3)
        state = taught(judge, apart, 400, 1)
        steep[penalty] = float(judge.learn(KEY, state, apart(KEY), ACTS)[1]["reward_slope"])
    assert steep[10.0] < 1.6
    assert steep[0.0] > 5 * steep[10.0]


def test_a_judged_learner_reads_no_reward_of_the_world():
    learner = Judged(learner=SAC(units=8), judge=Preferred(ask=Compares(), pairs=20))
    state = learner.init(KEY, 1, BOX)
    rows = batch(np.arange(8.0)[:, None])
    paid = dataclasses.replace(rows, reward=jnp.full(8, 100.0))
    one, other = learner.learn(KEY, state, rows)[0], learner.learn(KEY, state, paid)[0]
    jax.tree.map(np.testing.assert_array_equal, one, other)
    with pytest.raises(ValueError, match="steps=1"):
        learner.learn(KEY, state, dataclasses.replace(rows, steps=3))
