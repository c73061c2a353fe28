"""The checker of world models: good models pass, and every fault is named with its mend."""

import dataclasses
import importlib.util
import itertools
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.check.plant import BOXES, altered, random_life
from umwelt.core import Box, Discrete, WorldSpec
from umwelt.models.ensemble import Ensemble
from umwelt.models.linear.encoder import Encoder
from umwelt.models.losse import Losse

METHODS = ("init", "start", "observe", "imagine", "learn")


def example_model() -> Any:
    path = Path(__file__).parents[1] / "examples" / "my_model.py"
    found = importlib.util.spec_from_file_location("my_model", path)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module.Linear()


SOUND = example_model()


class Spoiled:
    """The sound model with some of its promises broken."""

    def __init__(self, **changes: Any) -> None:
        self.diet, self.metrics = SOUND.diet, SOUND.metrics
        for name in METHODS:
            setattr(self, name, getattr(SOUND, name))
        for name, value in changes.items():
            setattr(self, name, value)


def broken(instance: Any, **arguments: Any) -> dict[str, str]:
    report = umwelt.check.model(instance, **arguments)
    for fault in report.faults:
        assert len(fault.sentence) > 40
        assert "raised" not in fault.sentence, fault
    return {fault.rule.partition(",")[0]: fault.sentence for fault in report.faults}


def imagining(**fields: Any) -> Any:
    """`imagine` with the given fields of its prediction made by functions of the prediction."""

    def imagine(key: Any, state: Any, belief: Any, action: Any) -> Any:
        belief, prediction = SOUND.imagine(key, state, belief, action)
        return belief, dataclasses.replace(prediction, **{name: make(prediction) for name, make in fields.items()})

    return imagine


def observing(change: Any) -> Any:
    """`observe` with its belief and Info changed."""

    def observe(key: Any, state: Any, belief: Any, action: Any, step: Any) -> Any:
        after, info = SOUND.observe(key, state, belief, action, step)
        return change(belief, step, after, info)

    return observe


@pytest.mark.parametrize("length", [None, 4])
def test_a_small_ensemble_passes(length):
    model = Ensemble(members=2, layers=1, units=32, learning_rate=1e-2)
    if length is None:
        umwelt.check.model(model, steps=200).raise_if_broken()
    else:
        umwelt.check.model(model, spec=BOXES, steps=40, length=length, quick=True).raise_if_broken()


def test_losse_and_the_example_pass():
    umwelt.check.model(SOUND, steps=100).raise_if_broken()
    umwelt.check.model(Losse(encoder=Encoder(grids=8)), steps=200, quick=True).raise_if_broken()


def test_structured_observations_pass():
    spec = WorldSpec(
        name="rich",
        observation={"eye": Box(shape=(2, 2), low=-1.0, high=1.0), "door": Discrete(n=2)},
        action={"go": Box(shape=(1,), low=-1.0, high=1.0), "open": Discrete(n=2)},
        task=Box(),
        batch=1,
    )
    umwelt.check.model(Ensemble(members=2, layers=1, units=16), spec=spec, steps=40, quick=True).raise_if_broken()


def test_names_diet_and_metrics():
    def imagine(key: Any, state: Any, belief: Any, act: Any) -> Any:
        return SOUND.imagine(key, state, belief, act)

    assert list(broken(Spoiled(imagine=imagine))) == ["parameter names"]
    assert list(broken(Spoiled(diet="snacks", metrics=SOUND.metrics[:1]))) == ["diet", "metrics"]
    assert "more than once" in broken(Spoiled(metrics=SOUND.metrics + SOUND.metrics[:1]))["metrics"]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"doubt": lambda p: p.doubt - 2}, "negative"),
        ({"continues": lambda p: p.continues + 0.5}, "probability"),
        ({"reward": lambda p: p.reward[:, None]}, "one for each row"),
        ({"observation": lambda p: p.observation[:, :1]}, "form"),
        ({"doubt": lambda p: p.doubt * jnp.nan}, "not finite"),
    ],
)
def test_a_prediction_that_breaks_its_form(fields, word):
    found = broken(Spoiled(imagine=imagining(**fields)), spec=BOXES, steps=40)
    assert word in found["predictions"]


def test_faults_that_show_at_beginnings():
    def remembers(belief: Any, step: Any, after: Any, info: Any) -> Any:
        return 0.5 * after + 0.5 * belief, info | {"surprise": jnp.nan_to_num(info["surprise"])}

    def undeclared(belief: Any, step: Any, after: Any, info: Any) -> Any:
        return after.astype(jnp.float16), info | {"mood": jnp.ones(len(belief))}

    found = broken(Spoiled(observe=observing(remembers)), spec=BOXES, steps=40)
    assert set(found) == {"surprise and doubt", "the first step"}
    assert "NaN" in found["surprise and doubt"]
    found = broken(Spoiled(observe=observing(undeclared)), spec=BOXES, steps=40)
    assert "float16" in found["beliefs keep their form"]
    assert "mood" in found["surprise and doubt"]


def test_rows_that_mix_and_numbers_from_elsewhere():
    moods = itertools.count()
    found = broken(Spoiled(imagine=imagining(reward=lambda p: p.reward - p.reward.mean())), spec=BOXES, steps=40)
    assert set(found) == {"rows do not mix"}
    noisy = imagining(reward=lambda p: p.reward + np.float32(next(moods)))
    assert "jit" in broken(Spoiled(imagine=noisy), spec=BOXES, steps=40)


def test_births_that_differ_and_types_that_are_weak_at_times():
    moods = itertools.count()

    def moody(key: Any, spec: Any) -> Any:
        state = SOUND.init(key, spec)
        return dataclasses.replace(state, error=state.error + np.float32(next(moods)))

    def weak(key: Any, spec: Any) -> Any:
        return dataclasses.replace(SOUND.init(key, spec), count=jnp.asarray(0.0))

    def weaker(key: Any, state: Any, experience: Any) -> Any:
        after, info = SOUND.learn(key, state, experience)
        return dataclasses.replace(after, count=jnp.where(after.count > 0, 1.0, 0.0)), info

    assert set(broken(Spoiled(init=moody), spec=BOXES, steps=40, quick=True)) == {"same key"}
    for spoiled in (Spoiled(init=weak), Spoiled(learn=weaker)):
        found = broken(spoiled, spec=BOXES, steps=40, quick=True)
        assert set(found) == {"learn compiles once"}
        assert "2 times" in found["learn compiles once"]


def test_what_stands_elsewhere_is_put_in_a_row_be_it_numbers_or_keys():
    draws = jax.random.split(jax.random.key(0), 3)
    numbers, found = altered((jnp.array([[1, 2], [3, 4]]), draws), 0, 1, shift=5)
    assert numbers.tolist() == [[8, 9], [3, 4]]
    assert jax.random.key_data(found).tolist() == np.asarray(jax.random.key_data(draws))[[1, 1, 2]].tolist()


def test_what_learn_may_not_do():
    def greedy(key: Any, state: Any, experience: Any) -> Any:
        """Learns from seams, and reports what nobody declared."""
        step = dataclasses.replace(experience.step, kind=jnp.ones_like(experience.step.kind))
        state, info = SOUND.learn(key, state, dataclasses.replace(experience, step=step))
        return state, info | {"appetite": jnp.float32(1)}

    def gullible(key: Any, state: Any, experience: Any) -> Any:
        """Learns from what broke."""
        kind = jnp.minimum(experience.next.kind, 1)
        return SOUND.learn(key, state, dataclasses.replace(experience, next=dataclasses.replace(experience.next, kind=kind)))

    def growing(key: Any, state: Any, experience: Any) -> Any:
        state, info = SOUND.learn(key, state, experience)
        return dataclasses.replace(state, count=state.count[None]), info

    found = broken(Spoiled(learn=greedy), spec=BOXES, steps=40)
    assert set(found) == {"seams teach nothing", "reports"}
    assert "appetite" in found["reports"]
    found = broken(Spoiled(learn=gullible), spec=BOXES, steps=40)
    assert set(found) == {"seams teach nothing"}
    assert "a transition into BROKEN" in found["seams teach nothing"]
    found = broken(Spoiled(learn=growing), spec=BOXES, steps=40)
    assert set(found) == {"learn keeps the form"}
    assert ".count changed from float32[] to float32[1]" in found["learn keeps the form"]


def test_a_model_that_learns_nothing_and_doubts_nothing():
    def lazy(key: Any, state: Any, experience: Any) -> Any:
        return state, {}

    found = broken(Spoiled(learn=lazy, imagine=imagining()), steps=40)
    assert {"it learns", "surprise falls"} <= set(found)

    def certain(belief: Any, step: Any, after: Any, info: Any) -> Any:
        return after, info | {"doubt": jnp.where(step.first, jnp.nan, 0.5)}

    assert set(broken(Spoiled(observe=observing(certain)), steps=60)) == {"doubt far away"}


def test_a_life_of_random_values_follows_the_stream_convention():
    life = random_life(3, BOXES, 60)
    ended = np.asarray(life.step.kind) >= 2
    np.testing.assert_array_equal(np.asarray(life.next.kind) == 0, ended)
    assert ended.any()
    np.testing.assert_array_equal(np.asarray(life.next.reward)[ended], 0)
    same = jax.tree.map(lambda a, b: np.array_equal(a[1:], b[:-1]), life.step, life.next)
    assert all(jax.tree.leaves(same))
