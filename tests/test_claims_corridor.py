"""The corridor of diverse tasks."""

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.claims.studies.corridor import Corridor

KEY = jax.random.key(0)


def test_a_walk_goes_on_by_one_action_and_back_to_the_start_by_the_other():
    corridor = Corridor(length=4)
    onward = jnp.array([1, 0, 1, 0, 0])
    right = jax.nn.one_hot(onward, 2)
    cells, actions, after = corridor.walked(KEY, right, onward, 0.0)
    assert cells.tolist() == [0, 1, 2, 3]
    assert actions.tolist() == onward[:4].tolist()
    assert after.tolist() == [1, 2, 3, 4]
    wrong = right.at[2].set(right[2, ::-1])
    assert corridor.walked(KEY, wrong, onward, 0.0)[2].tolist() == [1, 2, 0, 1]


def test_chance_alone_finds_a_short_end_as_often_as_coins_do():
    found = jax.jit(jax.vmap(Corridor(length=4, episodes=8, diverse=False)))(jax.random.split(KEY, 600))
    np.testing.assert_allclose(np.mean(np.asarray(found["found"])), 1 - (15 / 16) ** 8, atol=0.06)
