"""Every recipe at its own size: two seeds live at once, and a save changes nothing of what becomes of them."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.rhythm import Rhythm
from umwelt.life.saves.digest import digest
from umwelt.life.saves.saver import Saver
from umwelt.recipes import ALL
from umwelt.teachers import Blocks
from umwelt.worlds import Cartpole, CartpoleSwingup, Pendulum

CHOICES = ("dqn", "losse_dyna")
"""Recipes that need a world of choices."""
RHYTHM = Rhythm(random=40, learn_every=10, updates=1, first_updates=1, chunk=40)


def learned_by(value: Any) -> list[str]:
    """Fingerprints of an agent's models, policies and learners."""
    agent = value[1].agent
    return [digest(getattr(agent, part)) for part in ("model", "policy", "learner") if hasattr(agent, part)]


@pytest.mark.parametrize(
    ("name", "size", "million"),
    [
        ("dreamer_v3", "0.5M", 0.5),
        ("dreamer_v3", "2M", 2.0),
        ("dreamer_v3", "12M", 12.0),
        ("dreamer_v3", "25M", 25.0),
        ("tdmpc2", "1M", 1.0),
        ("tdmpc2", "5M", 5.0),
    ],
)
def test_a_size_has_as_many_weights_as_it_says(name: str, size: str, million: float) -> None:
    state = jax.eval_shape(lambda key: ALL[name].sizes[size].init(key, CartpoleSwingup().spec), jax.random.key(0))
    # the dreamers' own count the guessers of their doubt; the published count of tdmpc2 has none, nor a model of ends
    dreams = name == "dreamer_v3"
    held = (state.model.inner.weights, state.model.network, state.policy.actor, state.policy.critic) if dreams else None
    weights = sum(leaf.size for leaf in jax.tree.leaves(held or state.model.inner.weights))
    assert weights / 1e6 == pytest.approx(million, rel=0.05 if dreams else 0.2)


@pytest.mark.parametrize("name", sorted(ALL))
def test_nothing_of_a_newborn_is_weakly_typed(name: str) -> None:
    """What is weak at birth is strong after the first lesson, and all that reads it would be compiled once more."""
    world = Cartpole() if name in CHOICES else Pendulum()
    newborn = jax.eval_shape(lambda key: ALL[name].agent.init(key, world.spec), jax.random.key(0))
    weak = [jax.tree_util.keystr(path) for path, leaf in jax.tree.leaves_with_path(newborn) if leaf.weak_type]
    assert not weak


@pytest.mark.parametrize("name", sorted(ALL))
def test_seeds_live_at_once_and_a_save_changes_nothing(name: str, tmp_path: Path) -> None:
    recipe = ALL[name]
    world = Cartpole() if name in CHOICES else Pendulum(time_limit=20)
    life = Life(world=world, agent=recipe.agent, teacher=Blocks(), rhythm=RHYTHM, seeds=2)
    engine = Engine(life)
    first, second = RHYTHM.segment(0, 50), RHYTHM.segment(40, 50)
    value, _ = engine.advance(engine.begin(), first)
    Saver(tmp_path, engine).save(first.ticks, value)
    before = learned_by(value)
    ended, (_, learned) = engine.advance(value, second)
    whole = digest(ended)
    assert learned_by(ended) != before or name == "random", f"{name} has learned nothing"
    found = Saver(tmp_path, engine).load()
    assert found is not None
    resumed, _ = engine.advance(found.value, second)
    assert digest(resumed) == whole
    # the seeds are lives of their own, and what they learn is finite
    assert not np.array_equal(*np.asarray(ended[1].step.observation))
    for metric, values in learned.items():
        assert np.isfinite(values).all(), metric
    streams = getattr(getattr(ALL[name].agent, "model", None), "diet", "") == "stream"
    assert learned or streams or name == "random", f"{name} reports nothing of what it learns in its rounds"
