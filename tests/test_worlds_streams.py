"""Streams of tasks by name, and tasks drawn from ranges."""

import jax
import numpy as np
import pytest

import umwelt.check
from umwelt.cli.live import read
from umwelt.cli.options import UsageError
from umwelt.core import spaces
from umwelt.teachers import Blocks
from umwelt.worlds import Arm, Pendulum, Varied, stream_named
from umwelt.worlds.point_maze import FOUR_ROOMS
from umwelt.worlds.streams import PURE

KEY = jax.random.key(0)


@pytest.mark.parametrize("size", ["tiny", "short", "long"])
@pytest.mark.parametrize("name", PURE)
def test_every_stream_is_a_whole_life_of_known_tasks(name: str, size: str) -> None:
    stream = stream_named(f"{name}:{size}")
    assert len(set(stream.names)) >= (3 if name == "grids" else 6)
    assert stream.whole == len(stream.names) * stream.steps
    assert stream.whole <= {"tiny": 300, "short": 15_000, "long": 80_000}[size]
    teacher = Blocks(names=stream.names, steps=stream.steps)
    state = teacher.init(KEY, stream.world.spec.task, stream.world.tasks())
    _, task = teacher.ask(KEY, state, stream.world.spec.batch)
    _, step = stream.world.init(KEY, task)
    assert spaces.contains(stream.world.spec.observation, step.observation) == ""


def test_the_physics_come_twice_and_contradict_each_other() -> None:
    stream = stream_named("physics")
    assert stream.names[:6] == stream.names[6:]
    state, _ = stream.world.init(KEY, _row(stream.world.tasks()["mirrored"]))
    speeds = {}
    for name in stream.names[:6]:
        after, _ = stream.world.step(
            KEY,
            state.__class__(**(vars(state) | {"task": _row(stream.world.tasks()[name])})),
            np.ones((1, 1), np.float32),
            state.task,
        )
        speeds[name] = float(after.body.speed[0])
    assert len({round(speed, 3) for speed in speeds.values()}) >= 5, "the same torque does something else"


def test_the_places_of_the_maze_lie_behind_walls_in_three_rooms_and_are_shown() -> None:
    world, rooms, shown = stream_named("maze").world, set(), set()
    for task in world.tasks().values():
        x, y = task.goal
        assert FOUR_ROOMS[int(y)][int(x)] == "."
        rooms.add((x > 4.5, y > 4.5))
        _, step = world.init(KEY, _row(task))
        shown.add(tuple(np.asarray(step.observation["task"].goal[0]).tolist()))
    assert rooms == {(True, False), (False, True), (True, True)}, "and episodes begin in the fourth"
    assert len(shown) == 6


def test_a_stream_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(ValueError, match="known: wishes, maze, curious, physics, many"):
        stream_named("dreams")
    with pytest.raises(ValueError, match="known: tiny, short, long"):
        stream_named("physics:huge")


def test_the_command_line_runs_a_stream_to_its_end() -> None:
    def steps(*words: str) -> int:
        return read(["--stream", "physics:tiny", "--recipe", "losse_mpc", *words])[1].steps

    assert steps() == 240
    assert steps("--seeds", "5") == 1200, "five lives at once, each of the whole stream"
    assert steps("--world.batch", "2") == 480
    assert steps("--steps", "50") == 50
    assert read(["--stream", "physics:tiny"])[0].rhythm.probe_every == 20
    assert read(["--stream", "many:tiny"])[0].rhythm.probe_every == 0
    with pytest.raises(UsageError, match="did you mean physics"):
        read(["--stream", "physcs"])
    with pytest.raises(UsageError, match="not both"):
        read(["--stream", "physics", "--world", "pendulum"])


def test_drawn_tasks_lie_in_their_ranges_and_are_the_same_again() -> None:
    world = Varied(world=Pendulum(), within=(("gravity", 2.0, 4.0), ("mass", 0.5, 1.5)), number=20)
    tasks = world.tasks()
    gravity = np.array([task.gravity for task in tasks.values()])
    assert list(tasks)[:2] == ["t00", "t01"]
    assert len(np.unique(gravity)) == 20
    assert gravity.min() >= 2.0
    assert gravity.max() <= 4.0
    assert all(task.length == 1.0 for task in tasks.values()), "what is not drawn is as ever"
    again = Varied(world=Pendulum(), within=world.within, number=20).tasks()
    np.testing.assert_array_equal(gravity, [task.gravity for task in again.values()])
    other = Varied(world=Pendulum(), within=world.within, number=20, seed=1).tasks()
    assert other["t00"].gravity != tasks["t00"].gravity


def test_a_world_of_drawn_tasks_keeps_the_contract() -> None:
    world = Varied(world=Pendulum(batch=2), within=(("gravity", 2.0, 4.0),), number=3)
    umwelt.check.world(world, depth="shapes").raise_if_broken()


def test_a_field_that_no_task_has_is_refused() -> None:
    with pytest.raises(ValueError, match="no gravity; it has wish"):
        Varied(world=Arm(), within=(("gravity", 2.0, 4.0),)).tasks()


def _row(task: object) -> object:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[None], task)
