"""Lives that earlier versions saved still open."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from umwelt.behaviours import SAC, Curious, Dyna, RandomAgent, Rolls
from umwelt.core import Objective, part
from umwelt.curiosity import Counts
from umwelt.life.api import fingerprints, life_of, resume
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.folder import expression
from umwelt.life.folder.folder import Folder
from umwelt.life.rhythm import Rhythm
from umwelt.life.saves.checkpoint import NotAlike
from umwelt.life.saves.saver import Saver
from umwelt.memory import Ring
from umwelt.models import Losse
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum
from umwelt.worlds.adapters import gymnasium

SAVED = Path(__file__).parent / "saved"


@part
class Local:
    """A part of another package."""

    size: int = 3


def test_a_life_of_the_first_stable_names_opens(tmp_path: Path) -> None:
    with zipfile.ZipFile(SAVED / "first.zip") as archive:
        archive.extractall(tmp_path)
    folder = Folder.read("first", lives=tmp_path)
    life = life_of(folder)
    assert life.world == Pendulum(time_limit=20)
    assert life.rhythm.chunk == 20
    with Chronicle.read(folder.chronicle) as chronicle:
        assert chronicle.last_clock() == 60


def test_a_life_of_the_second_edition_resumes(tmp_path: Path) -> None:
    with zipfile.ZipFile(SAVED / "second.zip") as archive:
        archive.extractall(tmp_path)
    before = fingerprints("second", lives=tmp_path)
    resume("second", steps=80, lives=tmp_path)
    after = fingerprints("second", lives=tmp_path)
    assert (before["clock"], after["clock"]) == (60, 80)
    assert before["value"] != after["value"]


def test_a_save_of_another_form_is_refused_with_the_leaf_and_the_mend(tmp_path: Path) -> None:
    life = Life(world=Pendulum(), agent=RandomAgent(), teacher=Blocks())
    engine = Engine(life)
    Saver(tmp_path, engine).save(3, engine.begin())
    assert Saver(tmp_path, engine).load().clock == 3
    wider = Engine(replace(life, world=Pendulum(batch=2)))
    said = (
        r"checkpoint .*000000000003 does not fit the life as it would be made now, .*: leaf .* was saved as .*\[1.*, where .*\[2"
    )
    with pytest.raises(NotAlike, match=said + ".*; resume with the recipe and the versions that recipe.json names, or begin"):
        Saver(tmp_path, wider).load()


@pytest.mark.parametrize(
    "path", ["umwelt.core.rhythm:Rhythm", "umwelt.core:Rhythm", "umwelt.life.rhythm:Rhythm", "umwelt.life:Rhythm"]
)
def test_a_part_is_found_by_every_name_that_it_had(path: str) -> None:
    assert expression.find(path) is Rhythm


def test_a_part_that_was_split_is_read_as_the_parts_that_it_is_now() -> None:
    ring = expression.write(Ring(bytes=5))
    fields = {"model": expression.write(Losse()), "learner": expression.write(SAC()), "memory": ring, "dreams": ring}
    fields |= {"batch": 7, "horizon": 3, "begin": 10, "finish": 20, "caution": 0.5}
    dyna = Dyna(model=Losse(), learner=SAC(), memory=Ring(bytes=5), dreamed=Ring(bytes=5), batch=7)
    dyna = replace(dyna, dreams=Rolls(horizon=3, begin=10, finish=20), objective=Objective(doubt=-0.5))
    old = {"agent": {"part": "umwelt.behaviours.dyna:Dyna", "fields": fields}, "bonus": 0.5, "scale": 10.0}
    curious = Curious(
        agent=dyna, curiosity=Counts(of="bits", episodic=True), weight=0.5, scale=10.0, tells=True, normalised=False
    )
    assert expression.read({"part": "umwelt.behaviours.counted:Counted", "fields": old}) == curious
    assert expression.read(expression.write(curious)) == curious
    cart = {"id": "CartPole-v1", "options": "{}", "titles": "", "batch": 3, "repeat": 2, "subprocesses": True, "pictures": False}
    world = gymnasium(id="CartPole-v1", batch=3, repeat=2, subprocesses=True)
    assert expression.read({"part": "umwelt.worlds.adapters.gymnasium:Gymnasium", "fields": cart}) == world
    assert expression.read(expression.write(world)) == world


def test_a_part_of_the_package_is_named_by_its_room_and_others_by_their_module() -> None:
    assert expression.write(Pendulum())["part"] == "umwelt.worlds:Pendulum"
    assert expression.write(Local())["part"] == f"{__name__}:Local"
    assert expression.read(expression.write(Local(size=4))) == Local(size=4)
