"""Settings that no part can work with are refused; all that the library itself sets are not."""

from dataclasses import replace
from typing import ClassVar

import pytest

from umwelt.claims import Lived, claims
from umwelt.core import part
from umwelt.life.composition import BadLife
from umwelt.life.engine import Engine
from umwelt.life.ranges import outside
from umwelt.recipes import ALL, varied
from umwelt.recipes.recipe import lacking
from umwelt.worlds import Cartpole, Pendulum

PETS = ALL["pets"](Pendulum())


@pytest.mark.parametrize("name", ALL)
def test_no_recipe_is_outside(name: str) -> None:
    recipe = ALL[name]
    for size in recipe.sizes or (None,):
        for world in (Pendulum(), Cartpole()):
            if not lacking(recipe, life := recipe(world, size=size)):
                assert not outside(life.agent, "agent")
                assert not outside(life.teacher, "teacher")


def test_no_claim_is_outside() -> None:
    for claim in claims().values():
        for arm in claim.arms.values():
            if isinstance(arm, Lived):
                assert not outside(arm.life.agent, claim.name)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("agent.model.learning_rate", -1.0, "agent.model.learning_rate=-1: Ensemble needs a number above 0"),
        ("agent.model.learning_rate", float("nan"), "agent.model.learning_rate=nan: Ensemble needs a number above 0"),
        ("agent.planner.samples", 0, "agent.planner.samples=0: CEM needs a number at least 1"),
        ("agent.planner.momentum", 1.5, "agent.planner.momentum=1.5: CEM needs a number from 0 to 1"),
    ],
)
def test_what_no_part_can_work_with_is_refused(path: str, value: float, said: str) -> None:
    with pytest.raises(BadLife) as refused:
        Engine(varied(PETS, {path: value})).check()
    assert str(refused.value) == said


def test_a_part_may_have_a_range_of_its_own() -> None:
    @part
    class Odd:
        samples: int = -3
        inner: tuple[object, ...] = ()
        ranges: ClassVar = {"samples": (-5.0, -1.0)}

    assert not outside(Odd(), "odd")
    assert outside(Odd(samples=0), "odd") == "odd.samples=0: Odd needs a number from -5 to -1"
    assert outside(Odd(inner=(Odd(samples=2),)), "odd") == "odd.inner.samples=2: Odd needs a number from -5 to -1"
    assert outside(replace(PETS.agent, batch=0), "agent").startswith("agent.batch=0")  # type: ignore[type-var]
