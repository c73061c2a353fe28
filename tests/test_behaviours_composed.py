"""Skills as low-rank changes of one policy: what they reproduce, and what no lesson touches."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.behaviours.composed import Composed
from umwelt.core import Box, Discrete
from umwelt.networks import deltas, layers

KEY = jax.random.key(0)
SPACE = Box(shape=(2,), low=-1.0, high=1.0)
POLICY = Composed(units=8, rank=2, slots=3)
LEARN = jax.jit(POLICY.learn, static_argnums=1)
SEEN = jax.random.normal(KEY, (64, 3))


def taught(state: Any, trains: str, slot: int, turn: float, lessons: int = 60) -> Any:
    state = POLICY.started(state)
    for _ in range(lessons):
        state, _ = LEARN(state, trains, slot, SEEN, jnp.tanh(turn * SEEN[:, :2]))
    return state


def test_zeros_are_the_shared_policy_and_one_hot_is_one_skill():
    state = taught(taught(POLICY.init(KEY, 3, SPACE), "base", 0, 1.0), "skill", 1, -1.0)
    weights = state.weights
    base = layers.apply(weights.base, SEEN, jax.nn.relu)
    np.testing.assert_allclose(
        deltas.apply(weights.base, weights.changes, jnp.zeros((64, 3)), SEEN, jax.nn.relu), base, rtol=1e-5
    )
    one = jax.nn.one_hot(jnp.ones(64, jnp.int32), 3)
    alone = jax.tree.map(lambda leaf: leaf[1:2], weights.changes)
    by_itself = deltas.apply(weights.base, alone, jnp.ones((64, 1)), SEEN, jax.nn.relu)
    np.testing.assert_allclose(deltas.apply(weights.base, weights.changes, one, SEEN, jax.nn.relu), by_itself, atol=1e-5)
    assert float(jnp.mean(jnp.abs(by_itself - base))) > 0.1


def test_a_lesson_leaves_all_else_bit_for_bit():
    state = taught(POLICY.init(KEY, 3, SPACE), "skill", 0, 1.0)
    before = state.weights
    after = taught(state, "skill", 1, -1.0).weights
    jax.tree.map(np.testing.assert_array_equal, (after.base, after.context), (before.base, before.context))
    for one, other in zip(jax.tree.leaves(after.changes), jax.tree.leaves(before.changes), strict=True):
        np.testing.assert_array_equal(one[::2], other[::2])
        assert not np.array_equal(one[1], other[1])
    mixed = taught(state, "mixture", 2, -1.0).weights
    jax.tree.map(lambda one, other: np.testing.assert_array_equal(one[:2], other[:2]), mixed.changes, before.changes)
    assert not np.array_equal(mixed.context[0].weight, before.context[0].weight)


def test_a_mixture_holds_the_fresh_skill_at_one_and_shares_one_among_all():
    state = POLICY.init(KEY, 3, SPACE)
    mixed = POLICY.mixture(state.weights, 2, SEEN)
    np.testing.assert_array_equal(mixed[:, 2], 1.0)
    assert np.all(np.asarray(mixed[:, :2]).sum(axis=1) < 1.0)


def test_at_full_rank_a_change_of_a_linear_policy_is_least_squares():
    key_of = jax.random.split(KEY, 3)
    base = layers.stack(key_of[0], (3, 2), normed=False)
    wanted = SEEN @ jax.random.normal(key_of[1], (3, 2))
    changes = deltas.deltas(key_of[2], base, 1, 3)

    def miss(changes: Any) -> jax.Array:
        return jnp.mean((deltas.apply(base, changes, jnp.ones((64, 1)), SEEN, jax.nn.relu) - wanted) ** 2)

    step = jax.jit(lambda changes: jax.tree.map(lambda leaf, slope: leaf - 0.05 * slope, changes, jax.grad(miss)(changes)))
    for _ in range(1500):
        changes = step(changes)
    whole = base[0].weight + 2.0 * changes[0].into[0] @ changes[0].out[0]
    best = np.linalg.lstsq(np.asarray(SEEN), np.asarray(wanted - base[0].bias), rcond=None)[0]
    np.testing.assert_allclose(whole, best, atol=0.02)


def test_a_skill_has_rank_times_in_and_out_numbers():
    state = POLICY.init(KEY, 3, SPACE)
    assert deltas.numbers(state.weights.changes) == 2 * ((3 + 8) + (8 + 8) + (8 + 2))


def test_what_it_cannot_do_is_one_sentence():
    with pytest.raises(ValueError, match="one bounded Box"):
        POLICY.init(KEY, 3, Discrete(n=2))
    with pytest.raises(ValueError, match="rank=0"):
        Composed(rank=0).init(KEY, 3, SPACE)
