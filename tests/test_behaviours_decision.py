"""Decision transformers: the order of their tokens, what each may read, and that a return that is asked for is had."""

from dataclasses import replace
from functools import partial
from typing import Any

import jax
import numpy as np
import pytest

from umwelt.behaviours.decision import DecisionTransformer, interleaved
from umwelt.behaviours.histories import Context, Sequences
from umwelt.core import Box, Discrete

KEY = jax.random.key(2)
BOX = Box(shape=(2,), low=-1.0, high=1.0)
SMALL = DecisionTransformer(context=4, width=16, layers=1)
ALL = replace(SMALL, tells=("action", "state", "return"))


def stretches(key: jax.Array, rows: int = 8, length: int = 4) -> Sequences:
    """The return of each step is its action's first entry, and nothing else."""
    seeing, acting = jax.random.split(key)
    features = jax.random.normal(seeing, (rows, length, 3))
    actions = jax.random.uniform(acting, (rows, length, 2), minval=-1.0, maxval=1.0)
    ones, zeros = np.ones((rows, length), bool), np.zeros((rows, length), np.float32)
    context = Context(features=features, actions=actions, rewards=zeros, wanted=actions[..., 0], known=ones)
    return Sequences(context=context, after=features, wanted_after=zeros, continues=zeros + 1, acted=ones, returned=ones)


@partial(jax.jit, static_argnames="part")
def outputs(part: DecisionTransformer, state: Any, context: Context) -> dict[str, jax.Array]:
    return part._outputs(state.policy, context, part._regions(state, context.actions))


@pytest.fixture(scope="module")
def begun() -> tuple[Any, Sequences]:
    return ALL.init(KEY, 3, BOX), jax.tree.map(np.asarray, stretches(KEY))


def test_tokens_of_one_step_stand_side_by_side(begun: Any) -> None:
    made = interleaved([np.full((2, 3, 1), index) + 10 * np.arange(3)[:, None] for index in range(3)])
    assert made[0, :, 0].tolist() == [0, 1, 2, 10, 11, 12, 20, 21, 22]
    # a token of a history is that of its own step
    state, context = begun[0], begun[1].context
    laid, _, places = jax.tree.map(np.asarray, ALL.tokens(state.policy, context, np.zeros((8, 4, 0), np.float32)))
    weights = [np.asarray(read.weight) for read in state.policy.read]
    told = (context.wanted[0, 2, None], context.features[0, 2], context.actions[0, 2])
    np.testing.assert_allclose(laid[0, 6:9], [each @ weight for each, weight in zip(told, weights, strict=True)], atol=1e-5)
    assert places[0].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


@pytest.mark.parametrize("regions", [0, 2])
def test_an_action_is_read_off_its_return_and_observation_and_nothing_later(regions: int, begun: Any) -> None:
    part = replace(ALL, regions=regions)
    state, context = part.init(KEY, 3, BOX) if regions else begun[0], begun[1].context

    def read(changed: Context) -> jax.Array:
        return part._outputs(state.policy, changed, part._regions(state, context.actions))["action"][0, 1].sum()

    slope = jax.jit(jax.grad(read, allow_int=True))(context)
    reaches = {
        name: np.abs(np.asarray(getattr(slope, name)).reshape(8, 4, -1)).sum(-1) > 0 for name in ("wanted", "features", "actions")
    }
    assert reaches["wanted"][0].tolist() == [True, True, False, False]
    assert reaches["features"][0].tolist() == [True, True, False, False]
    # its own action is what it is to say
    assert reaches["actions"][0].tolist() == [True, False, False, False]
    assert not any(each[1:].any() for each in reaches.values())


def test_padding_is_not_read_and_not_learned_from(begun: Any) -> None:
    part, (state, batch) = ALL, begun
    known = np.broadcast_to([False, False, True, True], (8, 4))
    short = jax.tree.map(lambda leaf: leaf[:, 2:], batch.context)
    padded = outputs(part, state, replace(batch.context, known=known))
    for name, found in outputs(part, state, short).items():
        np.testing.assert_allclose(padded[name][:, 2:], found, atol=1e-5)
    loss, losses = jax.jit(lambda batch: part.loss(state.policy, state, batch)[0]), []
    for filling in np.float32([0.0, 9.0]):
        keep = known[..., None]
        context = replace(
            batch.context,
            features=np.where(keep, batch.context.features, filling),
            actions=np.where(keep, batch.context.actions, filling),
            rewards=np.where(known, batch.context.rewards, filling),
            wanted=np.where(known, batch.context.wanted, filling),
            known=known,
        )
        losses.append(loss(replace(batch, context=context, acted=known, returned=known)))
    assert float(losses[0]) == float(losses[1])


def test_without_weight_other_tells_leave_the_gradient_of_plain_cloning(begun: Any) -> None:
    whole, batch = begun
    silent = replace(ALL, others=0.0)
    slopes = []
    for part in (SMALL, silent, ALL):
        state = whole
        if part is SMALL:
            policy = replace(state.policy, heads={"action": state.policy.heads["action"]}, doubts={})
            state = replace(state, policy=policy)
        slopes.append(jax.jit(jax.grad(lambda policy: part.loss(policy, state, batch)[0]))(state.policy))  # noqa: B023
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-7), slopes[0].body, slopes[1].body)
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-7), slopes[0].read, slopes[1].read)
    assert np.abs(np.asarray(slopes[0].body.places) - np.asarray(slopes[2].body.places)).max() > 1e-5


def test_one_region_is_a_constant_token_and_more_are_quantiles(begun: Any) -> None:
    one = replace(SMALL, regions=1)
    state = one.init(KEY, 3, BOX)
    assert np.all(np.asarray(one._regions(state, begun[1].context.actions)) == 1)
    four = replace(SMALL, regions=4)
    state, info = jax.jit(
        lambda state: jax.lax.scan(
            lambda state, key: four.learn(key, state, stretches(key, rows=64)), state, jax.random.split(KEY, 20)
        )
    )(four.init(KEY, 3, BOX))
    # quarters of evenly spread actions
    np.testing.assert_allclose(state.edges, [[-0.5, -0.5], [0.0, 0.0], [0.5, 0.5]], atol=0.1)
    assert set(info) == {"action_loss", "region_loss"}
    marks = np.asarray(four._regions(state, np.float32([[[-0.9, 0.9]]]))).reshape(2, 4)
    assert marks.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize("part", [SMALL, replace(SMALL, tells=("action", "state", "return"), regions=4)], ids=["plain", "both"])
def test_the_return_that_is_asked_for_decides_the_action(part: DecisionTransformer) -> None:
    def lesson(state: Any, key: jax.Array) -> Any:
        return part.learn(key, state, stretches(key, rows=32))

    run = jax.jit(lambda state: jax.lax.scan(lesson, state, jax.random.split(KEY, 400)))
    state, info = run(part.init(KEY, 3, BOX))
    assert np.asarray(info["action_loss"])[-20:].mean() < 0.25
    context, newest = jax.tree.map(np.asarray, stretches(jax.random.key(8), rows=64).context), np.arange(4) == 3
    act = jax.jit(lambda context: part.act(KEY, state, context, "exploit")[:, 0])
    for wanted in (-0.7, 0.7):
        # what was done at the newest step is not known yet
        told = np.where(newest, np.float32(wanted), context.wanted)
        done = np.asarray(act(replace(context, wanted=told, actions=np.where(newest[:, None], np.float32(0), context.actions))))
        assert done[:, 0].mean() == pytest.approx(wanted, abs=0.2)
        # the second entry has no part in the return
        assert abs(done[:, 1].mean()) < 0.6


def test_choices_are_drawn_in_life_and_regions_of_them_are_refused(begun: Any) -> None:
    state = SMALL.init(KEY, 3, Discrete(n=3))
    context = replace(begun[1].context, actions=np.broadcast_to(np.eye(3, dtype=np.float32)[0], (8, 4, 3)))
    open = np.broadcast_to([False, True, True], (8, 3))
    act = jax.jit(lambda key: SMALL.act(key, state, context, "explore", open)[0, 0])
    drawn = [int(np.argmax(act(jax.random.key(seed)))) for seed in range(20)]
    assert set(drawn) == {1, 2}
    with pytest.raises(ValueError, match="regions=2"):
        replace(SMALL, regions=2).init(KEY, 3, Discrete(n=3))
    with pytest.raises(ValueError, match='add "action"'):
        replace(SMALL, tells=("state",)).init(KEY, 3, BOX)
