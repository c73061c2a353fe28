"""What a decision costs, part by part: against parts whose cost is known."""

import time
from dataclasses import replace
from typing import Any

import pytest
from adapters_worlds import Walk

from umwelt.behaviours import ModelPredictive
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.exams import cost as dissecting
from umwelt.life.exams.cost import dissect
from umwelt.life.rhythm import Rhythm
from umwelt.models import Losse
from umwelt.models.linear import Encoder
from umwelt.planners import ICEM
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum
from umwelt.worlds.adapters import gymnasium

NAP = 0.004
ENDED = []


class Sleeper(Walk):
    """A simulator of which one step takes NAP seconds."""

    def step(self, action: Any) -> Any:
        time.sleep(NAP)
        return super().step(action)

    def close(self) -> None:
        ENDED.append(self)


def life_of(world: Any, samples: int = 8) -> Life:
    planner = ICEM(samples=samples, horizon=10, iterations=2, elites=4)
    agent = ModelPredictive(model=Losse(encoder=Encoder(grids=4, axes=2)), planner=planner)
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=0))


def test_a_planner_that_imagines_much_costs_more_than_all_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dissecting, "SECONDS", 0.05)
    life = life_of(Pendulum(), samples=256)
    cost = dissect(life, Engine(life).begin()[1])
    assert list(cost) == ["acting", "planning", "learning", "world"]
    assert all(seconds > 0 for seconds in cost.values())
    assert cost["planning"] > 3 * max(cost["acting"], cost["world"]), "five thousand imagined steps against a real one"


def test_a_simulator_is_timed_by_its_own_clock_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dissecting, "SECONDS", 0.05)
    life = life_of(gymnasium(id=f"{__name__}:Sleeper"))
    engine = Engine(life)
    value = engine.begin()
    life.world.close(value[0])
    before = len(ENDED)
    assert NAP <= dissect(life, value[1])["world"] < 20 * NAP
    assert len(ENDED) == before + 1


def test_updates_are_counted_as_often_as_they_fall_upon_a_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    life = life_of(Pendulum())
    life = replace(life, rhythm=Rhythm(updates=3, learn_every=4))
    mind = Engine(life).begin()[1]
    told = iter([0.25, 1.0, 5.0, 0.5, 2.0])  # the world, to act at random, to choose, to remember, one update
    monkeypatch.setattr(dissecting, "_timed", lambda turn, state: (state, next(told)))
    assert dissect(life, mind) == {"acting": 1.0, "planning": 4.0, "learning": 0.5 + 0.75 * 2.0, "world": 0.25}
