"""Masked trajectory models: what a mask hides is not read, and what a network can rebuild is what least squares can."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours.histories import Context, Sequences
from umwelt.behaviours.masked import ACTION, RETURN, STATE, Masked, missed, shown
from umwelt.core import Box, Discrete

KEY = jax.random.key(3)
BOX = Box(shape=(2,), low=-1.0, high=1.0)
SMALL = Masked(context=3, width=16, layers=1, heads=2)
ONWARD = np.array([[0.8, 0.3], [-0.3, 0.8], [0.2, 0.0], [0.0, 0.4]], np.float32)
"""What features and actions make of the next features."""


def stretches(key: jax.Array, rows: int = 64, length: int = 3) -> Sequences:
    """A linear world without noise, in which all actions are drawn."""
    seeing, acting = jax.random.split(key)
    actions = jax.random.uniform(acting, (rows, length, 2), minval=-1.0, maxval=1.0)
    features = [jax.random.normal(seeing, (rows, 2))]
    for step in range(length - 1):
        features.append(jnp.concatenate([features[-1], actions[:, step]], axis=1) @ ONWARD)
    ones, zeros = np.ones((rows, length), bool), np.zeros((rows, length), np.float32)
    context = Context(
        features=jnp.stack(features, 1), actions=actions, rewards=zeros, wanted=zeros + actions[:, :, 0], known=ones
    )
    return Sequences(context=context, after=context.features, wanted_after=zeros, continues=zeros + 1, acted=ones, returned=ones)


def taught(part: Masked, lessons: int, length: int = 3) -> Any:
    def lesson(state: Any, key: jax.Array) -> Any:
        return part.learn(key, state, stretches(key, 64, length))

    run = jax.jit(lambda state: jax.lax.scan(lesson, state, jax.random.split(KEY, lessons)))
    return run(part.init(KEY, 2, BOX))[0]


@jax.jit
def slopes(state: Any, context: Context, visible: jax.Array, target: jax.Array) -> Context:
    """What each number of a context does to the target [3, 3], of steps and kinds."""

    def read(context: Context) -> jax.Array:
        found = SMALL.rebuilt(state.policy, context, jnp.broadcast_to(visible, (4, 3, 3)))
        return jnp.asarray(sum(jnp.sum(target[:, kind, None] * found[kind].reshape(4, 3, -1)) for kind in range(3)))

    return jax.grad(read, allow_int=True)(context)


@pytest.fixture(scope="module")
def begun() -> Any:
    return SMALL.init(KEY, 2, BOX), stretches(KEY, 4).context


@pytest.mark.parametrize("role", ["forward", "inverse", "policy", "asked"])
def test_a_role_reads_what_it_sees_and_nothing_else(role: Any, begun: Any) -> None:
    visible, target = shown(role, 3)
    step, kind = np.argwhere(target)[0]
    assert target.sum() == 1
    assert not visible[step, kind]
    slope = slopes(*begun, visible, target)
    for index, name in ((RETURN, "wanted"), (STATE, "features"), (ACTION, "actions")):
        reached = np.abs(np.asarray(getattr(slope, name)).reshape(4, 3, -1)).sum((0, 2)) > 0
        assert reached.tolist() == visible[:, index].tolist(), name


def test_masks_have_the_drawn_shares_and_may_end_in_the_middle() -> None:
    even = replace(SMALL, ratios=(0.3,), last=0.0)
    assert float(even.drawn(KEY, 4000).mean()) == pytest.approx(0.7, abs=0.02)
    cut = replace(SMALL, ratios=(0.0,), last=1.0).drawn(KEY, 9000).reshape(-1, 9)
    # all up to a random token: 1 to 9 of them, alike
    assert np.bincount(cut.sum(1)).tolist()[1:] == pytest.approx([1000] * 9, abs=120)
    assert bool(jnp.all(cut[:, :-1] | ~cut[:, 1:]))


def test_a_forward_model_is_what_least_squares_finds_and_a_hidden_stretch_is_the_mean() -> None:
    # without cut stretches more is to be learned from each lesson
    part = replace(SMALL, learning_rate=5e-3, ratios=(0.5, 1.0), last=0.0)
    state, batch = taught(part, 500), stretches(jax.random.key(9), 500)
    rebuilt = jax.jit(lambda visible: part.rebuilt(state.policy, batch.context, jnp.broadcast_to(visible, (500, 3, 3))))
    error = np.asarray(missed(state.acts, rebuilt(shown("forward", 3)[0]), batch))[:, -1, STATE].mean()
    # least squares on the step before has no error at all
    assert error < 0.1 * np.asarray(batch.context.features)[:, -1].var()
    nothing = np.asarray(rebuilt(np.zeros((3, 3), bool))[STATE])
    assert np.abs(nothing[:, 1]).max() < 0.15
    assert np.std(nothing, axis=0).max() < 1e-5
    # the return is the first entry of the action, and nothing else knows it
    asked = np.asarray(rebuilt(shown("asked", 3)[0])[ACTION])[:, -1]
    assert np.corrcoef(asked[:, 0], np.asarray(batch.context.wanted)[:, -1])[0, 1] > 0.95
    assert np.std(asked[:, 1]) < 0.3


def test_unknown_actions_change_no_update_and_padding_is_hidden() -> None:
    batch = jax.tree.map(np.asarray, stretches(KEY))
    second, first = (np.arange(3) == step for step in (1, 0))
    some = replace(batch, acted=batch.acted & ~second)
    other = replace(some, context=replace(some.context, actions=np.where(second[:, None], np.float32(7), some.context.actions)))
    state = SMALL.init(KEY, 2, BOX)
    learn, act = jax.jit(SMALL.learn), jax.jit(SMALL.act, static_argnames="mode")
    one, two = (learn(KEY, state, each)[0].policy for each in (some, other))
    jax.tree.map(np.testing.assert_array_equal, one, two)
    context = batch.context
    known = context.known & ~first
    dirty = replace(context, known=known, features=np.where(first[:, None], np.float32(5), context.features))
    clean = replace(context, known=known)
    done = [act(KEY, state, each, mode="exploit") for each in (dirty, clean)]
    np.testing.assert_array_equal(*done)
    assert done[0].shape == (64, 1, 2)


def test_it_represents_single_observations_and_draws_choices() -> None:
    state = SMALL.init(KEY, 2, Discrete(n=3))
    seen = np.float32([[0.1, 0.2], [0.3, -0.9]])
    represent = jax.jit(SMALL.represent)
    found = np.asarray(represent(state.policy, seen))
    assert found.shape == (2, 16)
    np.testing.assert_allclose(found[0], represent(state.policy, seen[:1])[0], atol=1e-5)
    assert np.abs(found[0] - found[1]).max() > 1e-3
    batch = stretches(KEY, 4)
    context = replace(batch.context, actions=np.broadcast_to(np.eye(3, dtype=np.float32)[0], (4, 3, 3)))
    open = np.broadcast_to([False, True, True], (4, 3))
    act = jax.jit(lambda key: jnp.argmax(SMALL.act(key, state, context, "explore", open)[:, 0], axis=-1))
    drawn = [int(choice) for seed in range(6) for choice in act(jax.random.key(seed))]
    assert set(drawn) == {1, 2}
    with pytest.raises(ValueError, match="context=1"):
        replace(SMALL, context=1).init(KEY, 2, BOX)
