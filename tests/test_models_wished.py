"""A model of the world apart from the task that is announced to it."""

from dataclasses import replace
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.core import Discrete, Experience, WorldSpec, lived
from umwelt.models import Ensemble, Losse, Wished
from umwelt.models.wished import endless, worthless
from umwelt.worlds import Announced, Arm

KEY = jax.random.key(0)
WORLD = Announced(world=Arm(batch=8))
INNER = Ensemble(units=16, members=2, reward=worthless, continues=endless)
MODEL = Wished(model=INNER, world=WORLD)


class Unknowing:
    """A world without a known reward."""


@cache
def batch(wish: str) -> Experience:
    """Eight rows of one step under a wish."""
    return stepped(jax.tree.map(lambda leaf: np.broadcast_to(leaf, (8, *np.shape(leaf))), WORLD.tasks()[wish]))


@jax.jit
def stepped(task: Any) -> Experience:
    state, before = WORLD.init(KEY, task)
    action = jax.random.uniform(KEY, (8, 3), minval=-1.0)
    _, after = WORLD.step(KEY, state, action, task)
    return lived(before, action, after)


def worth(wish: str, action: Any, before: Any, after: Any) -> Any:
    """The arm's own reward of a transition under a wish."""
    task = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (8, *leaf.shape)), Arm().tasks()[wish])
    return Arm().reward(before["seen"], action, after["seen"], task)


@pytest.mark.parametrize("inner", [INNER, Ensemble(units=16, members=2), Losse(warm_up=4)], ids=["known", "learned", "stream"])
def test_the_same_is_learned_under_every_task(inner: Any) -> None:
    model = replace(MODEL, model=inner)
    learn = jax.jit(model.learn)
    state = jax.jit(lambda key: model.init(key, WORLD.spec))(KEY)
    one, other = (learn(KEY, state, batch(wish))[0] for wish in ("button", "peg"))
    jax.tree.map(np.testing.assert_array_equal, one, other)


def test_the_imagined_reward_is_that_of_the_task() -> None:
    state, some = jax.jit(lambda key: MODEL.init(key, WORLD.spec))(KEY), batch("open")
    observe, imagine = jax.jit(MODEL.observe), jax.jit(MODEL.imagine)
    belief, info = observe(KEY, state, MODEL.start(state, 8), some.action, some.step)
    assert info["surprise"].shape == (8,)
    after, prediction = imagine(KEY, state, belief, some.action)
    np.testing.assert_array_equal(prediction.observation["task"].wish, some.step.observation["task"].wish)
    expected = worth("open", some.action, some.step.observation, prediction.observation)
    np.testing.assert_allclose(prediction.reward, expected, atol=1e-6)
    _, plain = INNER.imagine(KEY, state.inner, belief.inner, some.action)
    np.testing.assert_allclose(prediction.observation["seen"], plain.observation, atol=1e-6)
    # the second step sets out from where the first one led
    _, second = imagine(KEY, state, after, some.action)
    expected = worth("open", some.action, prediction.observation, second.observation)
    np.testing.assert_allclose(second.reward, expected, atol=1e-6)


def test_wished_keeps_the_contract_of_a_model() -> None:
    umwelt.check.model(MODEL, spec=WORLD.spec, depth="shapes").raise_if_broken()


def test_a_task_that_is_not_announced_names_the_mend() -> None:
    with pytest.raises(ValueError, match="Announced"):
        MODEL.init(KEY, Arm().spec)
    with pytest.raises(ValueError, match="Announced"):
        MODEL.init(KEY, WorldSpec(name="d", observation=Discrete(n=3), action=WORLD.spec.action, task=WORLD.spec.task))
    with pytest.raises(ValueError, match="world: Unknowing has no `reward`"):
        replace(MODEL, world=Unknowing()).init(KEY, WORLD.spec)
