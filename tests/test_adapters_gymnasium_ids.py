"""Environments by any name that Gymnasium knows, as objects, and several as the tasks of one world."""

import json
import sys
from pathlib import Path
from typing import Any

import adapters_worlds
import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import RescaleAction, TransformReward

import umwelt
from umwelt.behaviours import RandomAgent
from umwelt.core import BROKEN, FIRST, spaces
from umwelt.life.composition import Life
from umwelt.life.folder import expression
from umwelt.teachers import Blocks
from umwelt.worlds import Announced, of, tasks_of
from umwelt.worlds.adapters import from_name
from umwelt.worlds.adapters import gymnasium as hosted

PLANT = """
import gymnasium
from adapters_worlds import Walk

class Plant(Walk):
    def __init__(self, length=3, inner=""):
        super().__init__(length=length)
        if inner:  # knows of the module's other id, which a worker that did not import the module lacks
            gymnasium.make(inner)

gymnasium.register("Plant-v2", entry_point=lambda **options: Plant(**options))
gymnasium.register("Plant-v1", entry_point=lambda **options: Plant(**options))
gymnasium.register("plants/Other-v0", entry_point=Plant)
"""


@pytest.fixture
def plants(tmp_path: Any, monkeypatch: Any) -> Any:
    """A module in the working directory that registers ids when it is imported."""
    (tmp_path / "plants_of_mine.py").write_text(PLANT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [entry for entry in sys.path if entry])
    yield
    sys.modules.pop("plants_of_mine", None)
    for id in ("Plant-v2", "Plant-v1", "plants/Other-v0"):
        gymnasium.registry.pop(id, None)


def kinds(world: Any, steps: int, index: int = 0) -> list[int]:
    """The kinds of the steps of one row on a task."""
    task = Announced(world=world).tasks()[list(world.tasks())[index]]
    rows = type(task)(index=np.full(world.batch, task.index))
    state, step = world.init(np.zeros(2, np.uint32), rows)
    seen = [int(step.kind[0])]
    for number in range(steps):
        action = np.zeros((world.batch, *world.spec.action.shape), world.spec.action.dtype)
        state, step = world.step(np.array([0, number], np.uint32), state, action, rows)
        seen.append(int(step.kind[0]))
    world.close(state)
    return seen


@pytest.mark.parametrize("subprocesses", [False, True])
def test_the_module_of_an_id_is_imported_and_by_workers_too(plants: Any, subprocesses: bool) -> None:
    world = from_name("gymnasium:plants_of_mine:Plant-v2")
    assert kinds(world, 3) == [0, 1, 1, 3]
    options = json.dumps({"length": 2, "inner": "Plant-v1"})
    inside = hosted(id="plants_of_mine:Plant-v2", options=options, subprocesses=subprocesses)
    assert kinds(inside, 3) == [0, 1, 3, 0]
    assert kinds(from_name("plants_of_mine:plants/Other-v0"), 3) == [0, 1, 1, 3]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Taxi-v3", "^id 'Taxi-v3' does not exist: use 'Taxi-v4'$"),
        ("Pendulum", "^id 'Pendulum' does not exist: use 'Pendulum-v1'$"),
        ("plants_of_mine:Plant-v0", "^id 'plants_of_mine:Plant-v0' does not exist: use 'plants_of_mine:Plant-v2'$"),
        ("plants_of_mine:Plont-v2", r"names no Gymnasium environment; the nearest are .*Plant-v2"),
    ],
)
def test_an_id_that_is_gone_names_its_successor(plants: Any, name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        from_name(f"gymnasium:{name}")


def test_a_module_that_is_missing_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match="there is no module 'no_such_module'; install its package"):
        from_name("gymnasium:no_such_module:Thing-v0")


def test_what_a_simulator_raised_is_told_with_its_place_step_and_action() -> None:
    world = hosted(id="adapters_worlds:Faulty", options='{"at": 2}')
    task = world.tasks()["adapters_worlds:Faulty"]
    rows = type(task)(index=np.zeros(1, np.int32))
    state, _ = world.init(np.zeros(2, np.uint32), rows)
    for number in range(2):
        state, step = world.step(np.array([0, number], np.uint32), state, np.full((1, 1), 0.25, np.float32), rows)
    assert int(step.kind[0]) == BROKEN
    (event,) = world.drain(state)
    source = Path(adapters_worlds.__file__).read_text().splitlines()
    line = 1 + next(number for number, text in enumerate(source) if "the motor fell off" in text)
    assert event.message == (
        f"step raised ZeroDivisionError: the motor fell off, in step 2 with action [0.25] (adapters_worlds.py:{line} in step)"
    )


class Deep(adapters_worlds.Walk):
    """Raises a long text of many lines, from far inside."""

    def step(self, action: Any) -> Any:
        return self.further(6)

    def further(self, left: int) -> Any:
        if not left:
            raise RuntimeError("the plant\nsays " + "no " * 500)
        return self.further(left - 1)


def test_an_event_is_one_short_line() -> None:
    world = of(Deep)
    rows = type(world.tasks()["Deep"])(index=np.zeros(1, np.int32))
    state, _ = world.init(np.zeros(2, np.uint32), rows)
    state, _ = world.step(np.zeros(2, np.uint32), state, np.zeros((1, 1), np.float32), rows)
    message = world.drain(state)[0].message
    assert message.count("in further") == 4
    assert "the plant says no" in message
    assert len(message) <= 450
    assert "\n" not in message


@pytest.mark.filterwarnings("ignore:.*precision lowered:UserWarning")
def test_an_environment_is_a_world_and_its_life_resumes(tmp_path: Any) -> None:
    env = RescaleAction(gymnasium.make("Pendulum-v1", g=3.0, max_episode_steps=4), -1.0, 1.0)
    world = of(env, batch=2)
    assert (world.spec.action.low, world.spec.action.high) == (-1.0, 1.0)
    assert kinds(world, 4) == [0, 1, 1, 1, 3]
    teacher, rhythm = Blocks(names=("Pendulum-v1",), steps=1000), umwelt.Rhythm(probe_episodes=0)
    life = Life(world=world, agent=RandomAgent(), teacher=teacher, rhythm=rhythm)
    assert expression.read(json.loads(json.dumps(expression.write(life)))) == life
    for name, halves in (("whole", (40,)), ("halves", (20, 40))):
        umwelt.live(life, steps=halves[0], name=name, lives=tmp_path)
        for steps in halves[1:]:
            umwelt.resume(name, steps=steps, lives=tmp_path)
    whole, halves = (umwelt.fingerprints(name, lives=tmp_path)["value"] for name in ("whole", "halves"))
    assert whole == halves


def test_its_options_arrive() -> None:
    assert kinds(of(adapters_worlds.Walk, {"length": 2}), 2) == [0, 1, 3]
    assert kinds(of("adapters_worlds:Walk", {"length": 2}), 2) == [0, 1, 3]
    assert kinds(of(gymnasium.spec("CartPole-v1"), batch=2, subprocesses=True), 1) == [0, 1]


class Unrecorded(gymnasium.Wrapper[Any, Any, Any, Any]):
    """A wrapper that does not record its arguments."""


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (adapters_worlds.Walk(), r"this Walk has no spec.*umwelt\.worlds\.of\(Walk"),
        (lambda: adapters_worlds.Walk(), "<lambda> is not at the top of its module: put it at the top of a module"),
        (type("Local", (adapters_worlds.Walk,), {}), "has no Local at its top"),
        (Unrecorded(gymnasium.make("Pendulum-v1")), "wrapper Unrecorded does not record its arguments: derive it from"),
        (
            TransformReward(gymnasium.make("Pendulum-v1"), lambda reward: reward),
            "argument func is .*cannot be written into a life",
        ),
        ((adapters_worlds.Walk, {"length": object()}), "options: length is <object"),
    ],
)
def test_what_a_life_could_not_make_again_is_refused(environment: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        tasks_of([environment])


SEVERAL = {
    "short": ("adapters_worlds:Walk", {"length": 2}),
    "long": (adapters_worlds.Walk, {"length": 4}),
    "raw": "adapters_worlds:Faulty",
}


def test_several_environments_are_tasks_of_one_world() -> None:
    world = tasks_of(SEVERAL)
    assert list(world.tasks()) == ["short", "long", "raw"]
    assert [kinds(world, 4, index) for index in range(3)] == [[0, 1, 3, 0, 1], [0, 1, 1, 1, 3], [0, 1, 1, BROKEN, FIRST]]
    same = tasks_of(["Pendulum-v1", ("Pendulum-v1", {"g": 3.0})])
    assert list(same.tasks()) == ["Pendulum-v1", "Pendulum-v1 g=3.0"]


def test_tasks_are_announced_and_taught_in_turn(tmp_path: Any) -> None:
    world = Announced(world=tasks_of(SEVERAL))
    space = world.spec.observation["task"]
    assert spaces.width(space) == 3
    teacher = Blocks(names=("short", "long"), steps=6)
    umwelt.live(Life(world=world, agent=RandomAgent(), teacher=teacher), steps=12, name="two", lives=tmp_path)
    rows = type(world.tasks()["long"])(index=np.array([1], np.int32))
    state, step = world.init(np.zeros(2, np.uint32), rows)
    assert step.observation["task"].index.tolist() == [1]
    world.close(state)


@pytest.mark.parametrize(
    ("tasks", "error", "words"),
    [
        ("Pendulum-v1", ValueError, "give a dict from names to environments"),
        ({}, ValueError, "give a dict from names to environments"),
        (["Pendulum-v1", "Pendulum-v1"], ValueError, "the same environment twice"),
        (["Pendulum-v1", "CartPole-v1"], ValueError, "variants of one world need the same spaces"),
        ({"a": 3}, TypeError, "3 is no environment"),
        ({"a": ("Pendulum-v1", "g=3")}, TypeError, "must be a dict of keyword arguments"),
    ],
)
def test_tasks_that_do_not_go_together_are_refused(tasks: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        tasks_of(tasks)
