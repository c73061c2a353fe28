"""Every recipe at its own size: two seeds live at once, and a save changes nothing of what becomes of them."""

from pathlib import Path

import numpy as np
import pytest

from umwelt.core.rhythm import Rhythm
from umwelt.life.digest import digest
from umwelt.life.life import Engine, Life
from umwelt.life.saving import Saver
from umwelt.recipes import ALL
from umwelt.teachers import Blocks
from umwelt.worlds import Cartpole, Pendulum

CHOICES = ("dqn", "losse_dyna")
"""Recipes that need a world of choices."""
RHYTHM = Rhythm(random=40, learn_every=10, updates=1, first_updates=1, chunk=40)


@pytest.mark.parametrize("name", sorted(ALL))
def test_seeds_live_at_once_and_a_save_changes_nothing(name: str, tmp_path: Path) -> None:
    recipe = ALL[name]
    world = Cartpole() if name in CHOICES else Pendulum(time_limit=20)
    life = Life(world=world, agent=recipe.agent, teacher=Blocks(), rhythm=RHYTHM, seeds=2)
    engine = Engine(life)
    first, second = RHYTHM.segment(0, 60), RHYTHM.segment(40, 60)
    value, _ = engine.advance(engine.begin(), first)
    Saver(tmp_path, engine).save(first.ticks, value)
    ended, (_, learned) = engine.advance(value, second)
    whole = digest(ended)
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
