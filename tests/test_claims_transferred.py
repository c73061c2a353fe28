"""The known reward of a wish, which the second life of the study of what is worth keeping dreams of."""

import jax
import numpy as np
import pytest

from umwelt.claims.studies.transferred import WishOf
from umwelt.worlds import Arm
from umwelt.worlds.arm import WISHES
from umwelt.worlds.stream import rows


@pytest.mark.parametrize("wish", ["peg", "open"])
def test_a_wish_pays_what_the_world_pays_for_it(wish: str) -> None:
    world, key = Arm(batch=8), jax.random.key(0)
    task = rows(world.tasks()[wish], 8)
    action = jax.random.uniform(key, (8, 3), minval=-1.0)
    state, before = world.init(key, task)
    _, after = jax.jit(world.step)(key, state, action, task)
    np.testing.assert_allclose(WishOf(wish=wish)(before.observation, action, after.observation), after.reward, atol=1e-5)
    other = WishOf(wish=next(each for each in WISHES if each != wish))
    assert not np.allclose(other(before.observation, action, after.observation), after.reward, atol=1e-3)
