"""Decision transformers: the order of their tokens, what each may read, and that a return that is asked for is had."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
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
    ones, zeros = jnp.ones((rows, length), bool), jnp.zeros((rows, length))
    context = Context(features=features, actions=actions, rewards=zeros, wanted=actions[..., 0], known=ones)
    return Sequences(context=context, after=features, wanted_after=zeros, continues=zeros + 1, acted=ones, returned=ones)


def outputs(part: DecisionTransformer, state: Any, context: Context) -> dict[str, jax.Array]:
    return part._outputs(state.policy, context, part._regions(state, context.actions))


def test_tokens_of_one_step_stand_side_by_side() -> None:
    made = interleaved([jnp.full((2, 3, 1), index) + 10 * jnp.arange(3)[:, None] for index in range(3)])
    assert made[0, :, 0].tolist() == [0, 1, 2, 10, 11, 12, 20, 21, 22]
    # a token of a history is that of its own step
    state, context = ALL.init(KEY, 3, BOX), stretches(KEY).context
    laid, _, places = ALL.tokens(state.policy, context, jnp.zeros((8, 4, 0)))
    by_hand = [
        context.wanted[0, 2, None] @ state.policy.read[0].weight,
        context.features[0, 2] @ state.policy.read[1].weight,
        context.actions[0, 2] @ state.policy.read[2].weight,
    ]
    np.testing.assert_allclose(laid[0, 6:9], jnp.stack(by_hand), atol=1e-5)
    assert places[0].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]


@pytest.mark.parametrize("regions", [0, 2])
def test_an_action_is_read_off_its_return_and_observation_and_nothing_later(regions: int) -> None:
    part = replace(ALL, regions=regions)
    state, context = part.init(KEY, 3, BOX), stretches(KEY).context

    def read(context: Context) -> jax.Array:
        regions = part._regions(state, stretches(KEY).context.actions)
        return part._outputs(state.policy, context, regions)["action"][0, 1].sum()

    slope = jax.grad(read, allow_int=True)(context)
    reaches = {
        name: np.asarray(jnp.abs(getattr(slope, name)).reshape(8, 4, -1).sum(-1) > 0)
        for name in ("wanted", "features", "actions")
    }
    assert reaches["wanted"][0].tolist() == [True, True, False, False]
    assert reaches["features"][0].tolist() == [True, True, False, False]
    # its own action is what it is to say
    assert reaches["actions"][0].tolist() == [True, False, False, False]
    assert not any(each[1:].any() for each in reaches.values())


def test_padding_is_not_read_and_not_learned_from() -> None:
    part, batch = ALL, stretches(KEY)
    state = part.init(KEY, 3, BOX)
    known = jnp.broadcast_to(jnp.array([False, False, True, True]), (8, 4))
    short = jax.tree.map(lambda leaf: leaf[:, 2:], batch.context)
    padded = outputs(part, state, replace(batch.context, known=known))
    for name, found in outputs(part, state, short).items():
        np.testing.assert_allclose(padded[name][:, 2:], found, atol=1e-5)
    losses = []
    for filling in (0.0, 9.0):
        context = jax.tree.map(lambda leaf: leaf.at[:, :2].set(filling) if leaf.dtype != bool else leaf, batch.context)  # noqa: B023
        some = replace(batch, context=replace(context, known=known), acted=known, returned=known)
        losses.append(part.loss(state.policy, state, some)[0])
    assert float(losses[0]) == float(losses[1])


def test_without_weight_other_tells_leave_the_gradient_of_plain_cloning() -> None:
    batch = stretches(KEY)
    silent = replace(ALL, others=0.0)
    slopes = []
    for part in (SMALL, silent, ALL):
        state = silent.init(KEY, 3, BOX)
        if part is SMALL:
            policy = replace(state.policy, heads={"action": state.policy.heads["action"]}, doubts={})
            state = replace(state, policy=policy)
        slopes.append(jax.grad(lambda policy: part.loss(policy, state, batch)[0])(state.policy))  # noqa: B023
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-7), slopes[0].body, slopes[1].body)
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-7), slopes[0].read, slopes[1].read)
    moved = jax.tree.map(lambda one, other: float(jnp.abs(one - other).max()), slopes[0].body.places, slopes[2].body.places)
    assert moved > 1e-5


def test_one_region_is_a_constant_token_and_more_are_quantiles() -> None:
    one = replace(SMALL, regions=1)
    state = one.init(KEY, 3, BOX)
    assert np.all(one._regions(state, stretches(KEY).context.actions) == 1)
    four = replace(SMALL, regions=4)
    state, info = four.init(KEY, 3, BOX), {}
    learn = jax.jit(four.learn)
    for index in range(20):
        state, info = learn(KEY, state, stretches(jax.random.fold_in(KEY, index), rows=64))
    # quarters of evenly spread actions
    np.testing.assert_allclose(state.edges, [[-0.5, -0.5], [0.0, 0.0], [0.5, 0.5]], atol=0.1)
    assert set(info) == {"action_loss", "region_loss"}
    marks = four._regions(state, jnp.array([[[-0.9, 0.9]]])).reshape(2, 4)
    assert marks.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize("part", [SMALL, replace(SMALL, tells=("action", "state", "return"), regions=4)], ids=["plain", "both"])
def test_the_return_that_is_asked_for_decides_the_action(part: DecisionTransformer) -> None:
    def lesson(state: Any, key: jax.Array) -> Any:
        return part.learn(key, state, stretches(key, rows=32))

    run = jax.jit(lambda state: jax.lax.scan(lesson, state, jax.random.split(KEY, 400)))
    state, info = run(part.init(KEY, 3, BOX))
    assert float(info["action_loss"][-20:].mean()) < 0.25
    context = stretches(jax.random.key(8), rows=64).context
    for wanted in (-0.7, 0.7):
        # what was done at the newest step is not known yet
        asked = replace(context, wanted=context.wanted.at[:, -1].set(wanted), actions=context.actions.at[:, -1].set(0.0))
        done = part.act(KEY, state, asked, "exploit")[:, 0]
        assert float(done[:, 0].mean()) == pytest.approx(wanted, abs=0.2)
        # the second entry has no part in the return
        assert abs(float(done[:, 1].mean())) < 0.6


def test_choices_are_drawn_in_life_and_regions_of_them_are_refused() -> None:
    state = SMALL.init(KEY, 3, Discrete(n=3))
    context = replace(stretches(KEY).context, actions=jax.nn.one_hot(jnp.zeros((8, 4), jnp.int32), 3))
    open = jnp.broadcast_to(jnp.array([False, True, True]), (8, 3))
    drawn = [int(jnp.argmax(SMALL.act(jax.random.key(seed), state, context, "explore", open)[0, 0])) for seed in range(20)]
    assert set(drawn) == {1, 2}
    with pytest.raises(ValueError, match="regions=2"):
        replace(SMALL, regions=2).init(KEY, 3, Discrete(n=3))
    with pytest.raises(ValueError, match='add "action"'):
        replace(SMALL, tells=("state",)).init(KEY, 3, BOX)
