"""Behaviour transformers: losses by hand, whose gradients reach the true code alone, and chances that the data have."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax

from umwelt.behaviours import behaviour_transformer as transformers
from umwelt.behaviours.behaviour_transformer import BeT, focal
from umwelt.behaviours.histories import Context, Sequences, chunks
from umwelt.core import Box
from umwelt.networks.codes import KMeans, Residual

KEY = jax.random.key(1)
BOX = Box(shape=(1,), low=-1.0, high=1.0)
SMALL = BeT(codes=KMeans(number=2, restarts=2, gather=1, kept=64, iterations=3), window=3, width=16, layers=1, heads=2)


@partial(jax.jit, static_argnames=("rows", "length", "share"))
def stretches(key: jax.Array, rows: int = 16, length: int = 3, share: float = 0.25) -> Sequences:
    """Actions that are 0.8 in a share of all rows, else -0.4, whatever is seen."""
    seeing, acting = jax.random.split(key)
    high = jax.random.uniform(acting, (rows, length, 1)) < share
    ones, zeros = jnp.ones((rows, length), bool), jnp.zeros((rows, length))
    features = jax.random.normal(seeing, (rows, length, 2))
    context = Context(features=features, actions=jnp.where(high, 0.8, -0.4), rewards=zeros, wanted=zeros, known=ones)
    return Sequences(
        context=context, after=features, wanted_after=zeros, continues=zeros + 1, acted=ones, returned=ones, achieved=features
    )


@partial(jax.jit, static_argnums=0)
def done_by(part: BeT, state: transformers.BetState, context: Context) -> jax.Array:
    """What it does in a probe."""
    return part.act(KEY, state, context, "exploit")


def taught(part: BeT, lessons: int) -> transformers.BetState:
    def lesson(state: Any, key: jax.Array) -> Any:
        return part.learn(key, state, stretches(key, length=part.length))[0], None

    begun = part.init(KEY, 2, BOX)
    return jax.jit(lambda state: jax.lax.scan(lesson, state, jax.random.split(KEY, lessons))[0])(begun)


PLAIN = replace(SMALL, focus=0.0, decay=0.0)
"""The focal loss would bend the chances towards even ones."""


@pytest.fixture(scope="module")
def plain() -> transformers.BetState:
    return taught(PLAIN, 200)


def test_without_focus_the_loss_is_cross_entropy_and_with_it_what_is_known_counts_less() -> None:
    logits, true = jnp.array([[0.2, -1.0, 0.5]]), jnp.array([2])
    chance = np.exp(0.5) / np.exp([0.2, -1.0, 0.5]).sum()
    assert float(focal(logits, true, 0.0)[0]) == pytest.approx(-np.log(chance), rel=1e-5)
    assert float(focal(logits, true, 2.0)[0]) == pytest.approx(-((1 - chance) ** 2) * np.log(chance), rel=1e-5)


def test_corrections_of_codes_that_were_not_true_get_no_gradient(plain: transformers.BetState) -> None:
    part, state = SMALL, plain
    assert bool(part.codes.fitted(state.codes))
    batch = stretches(KEY, share=1.0)
    rows = batch.context.actions.reshape(-1, 1)
    true = int(part.codes.encode(state.codes, rows)[0, 0])
    slope = jax.jit(jax.grad(lambda policy: part.loss(policy, KEY, state, batch.context, rows, jnp.ones(48))[0]))(state.policy)
    # of each code a logit and one correction
    corrections = np.abs(np.asarray(slope.head.weight).reshape(16, 2, 2)[:, :, 1]).sum(axis=0)
    assert corrections[true] > 0
    assert corrections[1 - true] == 0


def test_chances_become_the_shares_of_the_data_and_actions_its_two_points(plain: transformers.BetState) -> None:
    part, state = PLAIN, plain
    batch = stretches(jax.random.key(9), rows=400)
    logits, _ = part.outputs(state.policy, batch.context)
    high = int(part.codes.encode(state.codes, jnp.array([[0.8]]))[0, 0])
    chance = softmax(np.asarray(logits)[:, :, 0], axis=-1)[..., high]
    assert chance.mean() == pytest.approx(0.25, abs=0.05)
    done = np.asarray(done_by(part, state, batch.context))[:, 0, 0]
    assert np.mean(np.minimum(np.abs(done - 0.8), np.abs(done + 0.4)) < 0.05) > 0.95
    assert np.mean(done > 0) == pytest.approx(0.25, abs=0.07)


def test_one_code_is_plain_cloning_and_means_two_habits() -> None:
    part = replace(SMALL, codes=KMeans(number=1, restarts=1, gather=1, kept=64, iterations=2))
    done = done_by(part, taught(part, 300), stretches(KEY).context)
    np.testing.assert_allclose(done, 0.25 * 0.8 - 0.75 * 0.4, atol=0.1)


def test_no_output_reads_a_later_step_or_padding() -> None:
    part = replace(SMALL, goal="future", ahead=8)
    state = part.init(KEY, 2, BOX)
    context = replace(stretches(KEY).context, goal=np.ones((16, 2), np.float32))

    def read(features: jax.Array, goal: jax.Array, known: jax.Array) -> jax.Array:
        return part.outputs(state.policy, replace(context, features=features, goal=goal, known=known))[0][0, 1].sum()

    slope = jax.jit(jax.grad(read, (0, 1)))
    slopes = [np.abs(np.asarray(each)).sum(axis=-1)[0] for each in slope(context.features, context.goal, context.known)]
    assert np.all(slopes[0][:2] > 0)
    assert slopes[0][2] == 0
    assert slopes[1] > 0
    padded = np.broadcast_to([False, True, True], context.known.shape)
    assert np.asarray(slope(context.features, context.goal, padded)[0])[0, 0].tolist() == [0.0, 0.0]


def test_chunks_hold_the_next_actions_in_order_where_all_are_known() -> None:
    batch = stretches(KEY, rows=1, length=5)
    actions = np.arange(10.0).reshape(1, 5, 2)
    acted = np.array([[False, True, True, True, True]])
    rows, known = chunks(replace(batch, context=replace(batch.context, actions=actions), acted=acted), 3)
    np.testing.assert_array_equal(rows[0], [range(6), range(2, 8), range(4, 10)])
    assert known[0].tolist() == [False, True, True]


def test_goals_come_later_and_nothing_behind_them_is_learned() -> None:
    length, first, last = 12, 3, 9
    at = np.broadcast_to(np.arange(length), (200, length))
    known = (at >= first) & (at <= last)
    batch = stretches(KEY, rows=200, length=length)
    number = np.stack([at, at], axis=-1).astype(np.float32)
    batch = replace(batch, context=replace(batch.context, features=number, known=known), acted=known, achieved=number)
    part = replace(SMALL, goal="future", chunk=2, ahead=length)
    numbered = replace(batch, context=replace(batch.context, actions=number[:, :, :1]))
    context, rows, learned = jax.tree.map(np.asarray, part._rows(KEY, numbered))
    goal, start = context.goal[:, 0], context.features[:, 0, 0]
    assert np.all(start >= first)
    assert np.all(goal >= start)
    assert set(np.unique(goal)) == set(range(first, last + 1))
    assert np.all(np.where(learned, rows[..., 1] <= goal[:, None], True))
    assert np.mean(learned) > 0.2
    # what is learned at a step is what was done there
    assert np.all(np.where(learned, rows[..., 0] == context.features[..., 0], True))


def test_a_goal_that_decides_is_followed_and_one_that_is_shuffled_is_not() -> None:
    part = replace(SMALL, goal="future", window=2, ahead=6, focus=0.0, decay=0.0)

    def lesson(state: Any, told: Any) -> Any:
        key, shuffled = told
        side = jnp.where(jax.random.bernoulli(key, 0.5, (32, 1)), 1.0, -1.0)
        batch = stretches(key, rows=32, length=6)
        shown = jnp.where(shuffled, jnp.roll(side, 1, axis=0), side)
        achieved = jnp.broadcast_to(shown[:, None], (32, 6, 2))
        actions = jnp.broadcast_to(0.5 * side[:, None], (32, 6, 1))
        batch = replace(batch, context=replace(batch.context, actions=actions), achieved=achieved)
        return part.learn(key, state, batch)[0], None

    # one program for both
    run = jax.jit(lambda state, shuffled: jax.lax.scan(lesson, state, (jax.random.split(KEY, 250), shuffled))[0])
    begun = part.init(KEY, 2, BOX)
    context = jax.tree.map(lambda leaf: leaf[:, :2], stretches(KEY, rows=400).context)
    aims = np.repeat(np.float32([-1.0, 1.0]), 200)
    context = replace(context, goal=np.column_stack([aims, aims]))
    towards = []
    for shuffled in (False, True):
        state = run(begun, np.full(250, shuffled))
        done = np.asarray(done_by(part, state, context))
        towards.append([done[aims == side].mean() for side in (-1.0, 1.0)])
    np.testing.assert_allclose(towards[0], [-0.5, 0.5], atol=0.1)
    assert abs(towards[1][1] - towards[1][0]) < 0.25


def test_residual_codes_and_sampled_corrections_learn_chunks() -> None:
    codes = Residual(levels=2, number=3, latent=8, units=16, lessons=120, decay=0.9)
    part = BeT(codes=codes, window=2, chunk=2, offsets="sampled", coarse=5.0, width=16, layers=1, heads=2)
    state = taught(part, 360)
    context = jax.tree.map(lambda leaf: leaf[:, :2], stretches(KEY, rows=400).context)
    done = np.asarray(done_by(part, state, context))
    assert done.shape == (400, 2, 1)
    near = np.minimum(np.abs(done - 0.8), np.abs(done + 0.4))
    assert float(np.mean(near < 0.15)) > 0.8
