"""What cannot run is refused with a sentence before a life begins."""

from dataclasses import replace

import pytest

from umwelt.behaviours import RandomAgent
from umwelt.life.composition import BadLife, Life
from umwelt.life.engine import Engine
from umwelt.life.exams.examine import panel_of
from umwelt.life.rhythm import Rhythm
from umwelt.memory import minari
from umwelt.recipes.dqn import dqn
from umwelt.recipes.dreamer_v3 import dreamer_v3
from umwelt.recipes.tdmpc2 import tdmpc2
from umwelt.teachers import Blocks
from umwelt.worlds import BUILT_IN
from umwelt.worlds.adapters import gymnasium

PENDULUM, CARTPOLE = BUILT_IN["pendulum"](), BUILT_IN["cartpole"]()


def life(world=PENDULUM, agent=None, **options):
    return Life(world=world, agent=agent or RandomAgent(), teacher=Blocks(), **options)


@pytest.mark.parametrize(
    ("world", "hint"),
    [
        (replace(PENDULUM, batch=0), "batch=0"),
        (gymnasium(id="Pendulum-v1", batch=0), "batch"),
        (gymnasium(id="Pendulum-v1", options="g=5"), "options"),
    ],
)
def test_a_world_that_cannot_be_made_is_refused(world, hint):
    with pytest.raises(BadLife, match=hint):
        Engine(life(world))


@pytest.mark.parametrize("field", ["chunk", "learn_every", "record_every"])
def test_a_rhythm_that_stands_still_is_refused(field):
    with pytest.raises(BadLife, match=f"{field}=0 must be at least 1"):
        Engine(life(rhythm=Rhythm(**{field: 0})))
    with pytest.raises(BadLife, match="updates=-1"):
        Engine(life(rhythm=Rhythm(updates=-1)))


@pytest.mark.parametrize(
    ("world", "agent"),
    [
        (PENDULUM, replace(tdmpc2.agent, length=5)),
        (PENDULUM, replace(dreamer_v3.agent, length=4_000)),
        (CARTPOLE, replace(dqn.agent, steps=3)),
    ],
)
def test_a_memory_that_cannot_serve_its_agent_is_refused_before_the_life_begins(world, agent):
    with pytest.raises(BadLife, match=r"memory: \w+ cannot serve .*shape="):
        Engine(life(world, agent)).check()


def test_episodes_are_not_promised_where_they_cannot_be_written(monkeypatch):
    monkeypatch.setattr(minari, "missing", lambda: "needs Minari")
    with pytest.raises(BadLife, match="keep_episodes: needs Minari"):
        Engine(life(keep_episodes=True))


def test_an_unknown_task_is_met_with_the_known_ones():
    with pytest.raises(BadLife, match="none called mars; it has earth"):
        Engine(life(panel=("earth", "mars"))).check()
    with pytest.raises(BadLife, match="none called mars; it has earth"):
        panel_of(life(), ("mars",))
