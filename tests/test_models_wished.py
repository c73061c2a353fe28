"""A model of the world beside the wish that it is shown."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.core import Discrete, Experience, WorldSpec, lived
from umwelt.models import Ensemble, Losse, Wished
from umwelt.models.wished import endless, worthless
from umwelt.worlds import Announced, Arm

KEY = jax.random.key(0)
WORLD = Announced(world=Arm(batch=8))
INNER = Ensemble(units=16, members=2, reward=worthless, continues=endless)
MODEL = Wished(model=INNER, entries=6, world=Arm())


def meal(wish: str) -> Experience:
    """Eight rows of one step under a wish."""
    task = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (8, *leaf.shape)), WORLD.tasks()[wish])
    state, before = WORLD.init(KEY, task)
    action = jax.random.uniform(KEY, (8, 3), minval=-1.0)
    _, after = WORLD.step(KEY, state, action, task)
    return lived(before, action, after)


@pytest.mark.parametrize("inner", [INNER, Ensemble(units=16, members=2), Losse(warm_up=4)], ids=["known", "learned", "stream"])
def test_what_is_learned_is_the_same_under_every_wish(inner) -> None:
    model = replace(MODEL, model=inner)
    learn = jax.jit(model.learn)
    one, other = (learn(KEY, model.init(KEY, WORLD.spec), meal(wish))[0] for wish in ("button", "peg"))
    jax.tree.map(np.testing.assert_array_equal, one, other)


def test_what_is_imagined_is_worth_what_is_wished() -> None:
    state, some = MODEL.init(KEY, WORLD.spec), meal("open")
    belief, info = MODEL.observe(KEY, state, MODEL.start(state, 8), some.action, some.step)
    assert info["surprise"].shape == (8,)
    after, prediction = jax.jit(MODEL.imagine)(KEY, state, belief, some.action)
    np.testing.assert_array_equal(prediction.observation[:, 12:], some.step.observation[:, 12:])
    np.testing.assert_allclose(
        prediction.reward, Arm().reward(some.step.observation, some.action, prediction.observation), atol=1e-6
    )
    _, plain = INNER.imagine(KEY, state.inner, belief.inner, some.action)
    np.testing.assert_allclose(prediction.observation[:, :12], plain.observation, atol=1e-6)
    # the second step sets out from where the first one led
    _, second = MODEL.imagine(KEY, state, after, some.action)
    expected = Arm().reward(prediction.observation, some.action, second.observation)
    np.testing.assert_allclose(second.reward, expected, atol=1e-6)


def test_a_wish_that_is_not_shown_names_the_mend() -> None:
    with pytest.raises(ValueError, match="entries=12"):
        replace(MODEL, entries=12).init(KEY, Arm().spec)
    with pytest.raises(ValueError, match="Announced"):
        MODEL.init(KEY, WorldSpec(name="d", observation=Discrete(n=3), action=WORLD.spec.action, task=WORLD.spec.task))
