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
from umwelt.core import WATCHED, Box, Discrete, WorldSpec
from umwelt.models import Ensemble

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
    report = umwelt.check.model(instance, **{"spec": BOXES, "steps": 40} | arguments)
    for fault in report.faults:
        assert len(fault.sentence) > 40
        assert "raised" not in fault.sentence, fault
    return {fault.rule.removesuffix(" with choices"): fault.sentence for fault in report.faults}


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


def test_check_passes_models_of_every_diet() -> None:
    umwelt.check.model(SOUND, steps=60).raise_if_broken()
    umwelt.check.model(Ensemble(members=2, layers=1, units=32, learning_rate=1e-2), steps=100).raise_if_broken()


def test_check_passes_structured_observations_and_sequences() -> None:
    spec = WorldSpec(
        name="rich",
        observation={"eye": Box(shape=(2, 2), low=-1.0, high=1.0), "door": Discrete(n=2)},
        action={"go": Box(shape=(1,), low=-1.0, high=1.0), "open": Discrete(n=2)},
        task=Box(),
        batch=1,
    )
    umwelt.check.model(Ensemble(members=2, layers=1, units=16), spec=spec, steps=40, length=4).raise_if_broken()


def test_check_of_shapes_compiles_nothing() -> None:
    """No number is computed: a model whose values are all NaN has the right shapes."""
    nan = {name: lambda p: p.reward * jnp.nan for name in ("reward", "doubt", "continues")}
    assert not broken(Spoiled(imagine=imagining(**nan)), depth="shapes")
    with pytest.raises(ValueError, match="depth='deep'"):
        umwelt.check.model(SOUND, depth="deep")


def test_check_names_parameters_diet_and_metrics() -> None:
    def imagine(key: Any, state: Any, belief: Any, act: Any) -> Any:
        return SOUND.imagine(key, state, belief, act)

    assert list(broken(Spoiled(imagine=imagine))) == ["parameter names"]
    assert list(broken(Spoiled(diet="snacks", metrics=SOUND.metrics[:1]))) == ["diet", "metrics"]
    assert "more than once" in broken(Spoiled(metrics=SOUND.metrics + SOUND.metrics[:1]))["metrics"]


def test_check_names_the_method_that_raises() -> None:
    def learn(key: Any, state: Any, experience: Any) -> Any:
        raise KeyError("weights")

    report = umwelt.check.model(Spoiled(learn=learn), depth="shapes")
    assert [fault.sentence for fault in report.faults] == ["in `learn` it raised KeyError: 'weights'"] * 2


@pytest.mark.parametrize(
    ("fields", "depth", "word"),
    [
        ({"doubt": lambda p: p.doubt - 2}, "values", "negative"),
        ({"continues": lambda p: p.continues + 0.5}, "values", "probability"),
        ({"doubt": lambda p: p.doubt * jnp.nan}, "values", "not finite"),
        ({"reward": lambda p: p.reward[:, None]}, "shapes", "one for each row"),
        ({"observation": lambda p: p.observation[:, :1]}, "shapes", "form"),
    ],
)
def test_check_names_a_prediction_that_breaks_its_form(fields: Any, depth: Any, word: str) -> None:
    found = broken(Spoiled(imagine=imagining(**fields)), depth=depth)
    assert word in found["predicted values" if depth == "values" else "predictions"]


def test_check_names_faults_of_observe() -> None:
    def remembers(belief: Any, step: Any, after: Any, info: Any) -> Any:
        return 0.5 * after + 0.5 * belief, info | {"surprise": jnp.nan_to_num(info["surprise"])}

    def half(belief: Any, step: Any, after: Any, info: Any) -> Any:
        return after.astype(jnp.float16), info

    def undeclared(belief: Any, step: Any, after: Any, info: Any) -> Any:
        return after, info | {"mood": jnp.ones(len(belief))}

    found = broken(Spoiled(observe=observing(remembers)))
    assert set(found) == {"seams", "the first step"}
    assert "NaN" in found["seams"]
    assert "float16" in broken(Spoiled(observe=observing(half)), depth="shapes")["beliefs keep their form"]
    assert "mood" in broken(Spoiled(observe=observing(undeclared)), depth="shapes")["surprise and doubt"]


def test_check_names_rows_that_mix() -> None:
    found = broken(Spoiled(imagine=imagining(reward=lambda p: p.reward - p.reward.mean())))
    assert set(found) == {"rows do not mix"}


def test_check_names_python_state_and_weak_types() -> None:
    moods = itertools.count()

    def moody(key: Any, spec: Any) -> Any:
        state = SOUND.init(key, spec)
        return dataclasses.replace(state, error=state.error + np.float32(next(moods)))

    def weak(key: Any, spec: Any) -> Any:
        return dataclasses.replace(SOUND.init(key, spec), count=jnp.asarray(0.0))

    def weaker(key: Any, state: Any, experience: Any) -> Any:
        after, info = SOUND.learn(key, state, experience)
        return dataclasses.replace(after, count=jnp.where(after.count > 0, 1.0, 0.0)), info

    noisy = imagining(reward=lambda p: p.reward + np.float32(next(moods)))
    for spoiled in (Spoiled(init=moody), Spoiled(imagine=noisy)):
        assert set(broken(spoiled, depth="shapes")) == {"same key"}
    for spoiled in (Spoiled(init=weak), Spoiled(learn=weaker)):
        found = broken(spoiled, depth="shapes")
        assert set(found) == {"compiles once"}
        assert ".count changed its type" in found["compiles once"]


def test_altered_puts_one_row_of_numbers_or_keys_into_another() -> None:
    draws = jax.random.split(jax.random.key(0), 3)
    numbers, found = altered((jnp.array([[1, 2], [3, 4]]), draws), 0, 1, shift=5)
    assert numbers.tolist() == [[8, 9], [3, 4]]
    assert jax.random.key_data(found).tolist() == np.asarray(jax.random.key_data(draws))[[1, 1, 2]].tolist()


def test_check_names_what_learn_may_not_do() -> None:
    def greedy(key: Any, state: Any, experience: Any) -> Any:
        """Learns from seams, and reports a metric that is not declared."""
        step = dataclasses.replace(experience.step, kind=jnp.ones_like(experience.step.kind))
        state, info = SOUND.learn(key, state, dataclasses.replace(experience, step=step))
        return state, info | {"appetite": jnp.float32(1)}

    def gullible(key: Any, state: Any, experience: Any) -> Any:
        """Learns from what broke."""
        kind = jnp.minimum(experience.next.kind, 1)
        return SOUND.learn(key, state, dataclasses.replace(experience, next=dataclasses.replace(experience.next, kind=kind)))

    def voyeur(key: Any, state: Any, experience: Any) -> Any:
        """Reads actions that are unknown."""
        origin = jnp.where(experience.origin == WATCHED, 0, experience.origin)
        return SOUND.learn(key, state, dataclasses.replace(experience, origin=origin))

    def growing(key: Any, state: Any, experience: Any) -> Any:
        state, info = SOUND.learn(key, state, experience)
        return dataclasses.replace(state, count=state.count[None]), info

    found = broken(Spoiled(learn=greedy))
    assert set(found) == {"seams teach nothing", "reports"}
    assert "appetite" in found["reports"]
    found = broken(Spoiled(learn=gullible))
    assert set(found) == {"seams teach nothing"}
    assert "a transition into BROKEN" in found["seams teach nothing"]
    found = broken(Spoiled(learn=voyeur))
    assert set(found) == {"watched actions"}
    assert "`acted`" in found["watched actions"]
    found = broken(Spoiled(learn=growing), depth="shapes")
    assert set(found) == {"learn keeps the form"}
    assert ".count changed from float32[] to float32[1]" in found["learn keeps the form"]


def test_check_names_capabilities_of_another_form() -> None:
    def value(state: Any, belief: Any) -> Any:
        return belief

    def recall(key: Any, state: Any, experience: Any) -> Any:
        """Takes the observations that follow, and forgets the opening."""
        return jnp.swapaxes(experience.next.observation, 0, 1)

    found = broken(Spoiled(diet="replay", value=value), depth="shapes")
    assert "`value` returned float32[4, 3]" in found["capabilities"]
    found = broken(Spoiled(diet="replay", recall=recall), depth="shapes")
    assert "[3, 4, 3] to float32[2, 4, 3]" in found["capabilities"]


def test_check_names_a_recall_that_differs_from_observing() -> None:
    def late(key: Any, state: Any, experience: Any) -> Any:
        """Puts the last observation of an episode where the next one begins."""
        seen = jnp.concatenate([experience.step.observation, experience.next.observation[:, -1:]], axis=1)
        return jnp.swapaxes(jnp.where(jnp.arange(seen.shape[1])[:, None] == 5, 0.0, seen), 0, 1)

    found = broken(Spoiled(recall=late))
    assert set(found) == {"recall"}
    assert "step by step" in found["recall"]


def test_check_names_a_model_that_learns_or_doubts_nothing() -> None:
    def lazy(key: Any, state: Any, experience: Any) -> Any:
        return state, {}

    def certain(belief: Any, step: Any, after: Any, info: Any) -> Any:
        return after, info | {"doubt": jnp.where(step.first, jnp.nan, 0.5)}

    assert {"it learns", "surprise falls"} <= set(broken(Spoiled(learn=lazy, imagine=imagining()), spec=None))
    assert set(broken(Spoiled(observe=observing(certain)), spec=None, steps=60)) == {"doubt far away"}


def test_random_life_follows_the_stream_convention() -> None:
    life = random_life(3, BOXES, 60)
    ended = np.asarray(life.step.kind) >= 2
    np.testing.assert_array_equal(np.asarray(life.next.kind) == 0, ended)
    assert ended.any()
    np.testing.assert_array_equal(np.asarray(life.next.reward)[ended], 0)
    same = jax.tree.map(lambda a, b: np.array_equal(a[1:], b[:-1]), life.step, life.next)
    assert all(jax.tree.leaves(same))
