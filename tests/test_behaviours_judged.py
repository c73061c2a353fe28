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


def batch(seen, shown=None):
    seen = np.asarray(seen, np.float32)
    ones = np.ones(len(seen), np.float32)
    action = np.zeros((len(seen), 1), np.float32)
    return Batch(now=seen, action=action, reward=0 * ones, continues=ones, after=seen, weight=ones, shown=shown)


@part
class Chances:
    """Prefers one of five states on a line by the logistic of the difference of their worths."""

    def __call__(self, key, one, other):
        gap = (other - one) @ jnp.asarray(WORTH)
        return jax.random.bernoulli(key, jax.nn.sigmoid(gap)).astype(jnp.int32)


def test_answers_by_chance_give_back_the_worths_up_to_a_shift():
    judge = Preferred(ask=Chances(), pairs=8000, each=64, units=8, learning_rate=5e-3)
    places = np.random.default_rng(0).integers(0, 5, (500, 64))

    def update(state, lesson):
        key, place = lesson
        return judge.learn(key, state, dataclasses.replace(alike, after=jax.nn.one_hot(place, 5)), ACTS)[0], None

    alike = batch(np.zeros((64, 5)))
    lessons = jax.random.split(KEY, 500), places
    state = jax.jit(lambda state: jax.lax.scan(update, state, lessons)[0])(judge.init(KEY, 5, ACTS))
    found = np.asarray(judge.score(state, batch(np.eye(5)), ACTS))
    assert int(state.asked) == 8000
    np.testing.assert_allclose(found - found.mean(), WORTH - WORTH.mean(), atol=0.2)


def test_a_rule_errs_as_often_as_it_says_and_swapping_a_pair_flips_its_answer():
    one, other = np.zeros((4000, 1), np.float32), np.ones((4000, 1), np.float32)
    ask = Compares(wrong=0.15)
    answers, flipped = (np.asarray(ask(KEY, *pair)) for pair in ((one, other), (other, one)))
    assert answers.mean() == pytest.approx(0.85, abs=0.02)
    np.testing.assert_array_equal(answers, 1 - flipped)
    assert set(np.asarray(ask(KEY, one, one + np.float32(0.1))).tolist()) == {SILENT}


def test_the_judge_asks_about_no_more_pairs_than_it_may_and_about_none_of_an_empty_batch():
    judge = Preferred(ask=Compares(), pairs=20, each=16)
    state = judge.init(KEY, 1, ACTS)
    learn = jax.jit(lambda state, rows: judge.learn(KEY, state, rows, ACTS)[0])
    empty = dataclasses.replace(batch(np.ones((8, 1))), weight=np.zeros(8, np.float32))
    assert int(learn(state, empty).asked) == 0
    for expected in (16, 20, 20):
        state = learn(state, batch(np.arange(8.0)[:, None]))
        assert int(state.asked) == expected


JUDGE = Discriminator(units=16, learning_rate=1e-2)
SHOWN = np.arange(128) < 64
SIDE = np.where(SHOWN, 1.0, -1.0)[:, None]


@jax.jit
def judged(state, lessons, penalty):
    """A hundred lessons of the discriminator; one program for all penalties."""

    def lesson(state, told):
        key, seen = told
        rows = dataclasses.replace(like, now=seen, after=seen)
        return dataclasses.replace(JUDGE, penalty=penalty).learn(key, state, rows, ACTS)

    like = batch(SIDE, SHOWN)
    return jax.lax.scan(lesson, state, lessons)


def taught(penalty, draw, hundreds):
    """The state after so many hundred updates, and what the last one says."""
    random, state, info = np.random.default_rng(0), JUDGE.init(KEY, 1, ACTS), {}
    for keys in jax.random.split(KEY, (hundreds, 100)):
        seen = np.stack([draw(random) for _ in range(100)]).astype(np.float32)
        state, info = judged(state, (keys, seen), penalty)
    return state, {name: float(value[-1]) for name, value in info.items()}


def test_a_discriminator_without_a_penalty_learns_the_log_ratio_of_two_normals():
    # shown rows of N(1, 1), and lived rows of N(-1, 1)
    state, _ = taught(0.0, lambda random: SIDE + random.normal(size=(128, 1)), 3)
    points = np.array([[-1.0], [0.0], [1.0]])
    # of N(1, 1) against N(-1, 1) the log ratio is 2x, and the judge pays its softplus
    np.testing.assert_allclose(JUDGE.score(state, batch(points), ACTS), np.log1p(np.exp(2 * points[:, 0])), atol=0.45)


def test_a_penalty_keeps_the_slope_of_the_reward_near_one():
    steep = {}
    for penalty in (0.0, 10.0):
        _, info = taught(penalty, lambda random: 0.1 * SIDE, 2)
        steep[penalty] = info["reward_slope"]
    assert steep[10.0] < 1.6
    assert steep[0.0] > 5 * steep[10.0]


def test_a_judged_learner_reads_no_reward_of_the_world():
    learner = Judged(learner=SAC(units=8), judge=Preferred(ask=Compares(), pairs=20))
    state = learner.init(KEY, 1, BOX)
    rows = batch(np.arange(8.0)[:, None])
    paid = dataclasses.replace(rows, reward=np.full(8, 100.0, np.float32))
    learn = jax.jit(learner.learn)
    one, other = (learn(KEY, state, each)[0] for each in (rows, paid))
    jax.tree.map(np.testing.assert_array_equal, one, other)
    with pytest.raises(ValueError, match="steps=1"):
        learner.learn(KEY, state, dataclasses.replace(rows, steps=3))
