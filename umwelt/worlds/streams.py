"""Make streams of tasks by name: a world, which task comes when, and for how long.

    umwelt live --stream physics:short --recipe losse_experts

- wishes: one world, six things to do in it: the arm and its table; the wish is shown.
- maze: one world, six places to reach and to stay at, behind walls in four rooms; the place is shown.
- curious: the same maze without lessons: the teacher of the recipe chooses places, for an agent that is paid nothing.
- physics: one thing to do while the world turns into six that contradict each other; nothing is announced.
- many: sixty pendulums, each of its own gravity, length, mass and motor; the pendulum is shown.
- grids: a door and its key, a gap in lava, a gap in a wall, each on random layouts of 5 x 5; what is there is seen.
- minigrid: a door and its key, a crossing between lava, a crossing between walls (needs the minigrid extra).
- rooms: four rooms in which the goal moves; where to is not shown (needs the minigrid extra).
- metaworld: ten things to do with a robot's arm, as in Continual World (needs the metaworld extra).
"""

import json
from typing import Any

from umwelt.core import part
from umwelt.worlds.adapters import Hosted, gymnasium
from umwelt.worlds.announced import Announced
from umwelt.worlds.arm import WISHES, Arm
from umwelt.worlds.grids import KINDS, Grids
from umwelt.worlds.orders import Names, cycle
from umwelt.worlds.pendulum import Pendulum
from umwelt.worlds.point_maze import PointMaze
from umwelt.worlds.varied import Varied

PHYSICS = ("moon", "long", "heavy", "rough", "mirrored", "late")
"""Gravity, length, mass, friction, the motor's sign, and its delay."""


@part
class Stream:
    """Tasks for a whole life.

    >>> stream_named("physics:tiny").whole  # twelve lessons of twenty decisions
    240
    """

    world: Any
    """The world of the tasks; `Announced` where the task is shown."""
    names: Names
    """The task of each lesson."""
    steps: int
    """Decisions of one row in each lesson."""
    examined: bool = True
    """Whether all tasks are examined after each lesson; of many tasks that would be most of the work."""

    recipe: str = "pets"
    """The recipe that it has where none is given."""
    chosen: bool = False
    """Let the recipe's own teacher choose tasks, in place of one lesson for each name."""

    @property
    def whole(self) -> int:
        """Decisions of one row in all lessons."""
        return self.steps * len(self.names)


def wishes(size: str) -> Stream:
    """Six things to do with one arm, one after the other; the long life does them twice."""
    steps, times = _sized(size, tiny=(20, 1), short=(2000, 1), long=(4000, 2))
    world = Announced(world=Arm(time_limit=min(80, steps)))
    return Stream(world=world, names=cycle(WISHES, times), steps=steps)


PLACES = (
    ("north_east", 7.5, 1.5),
    ("south_west", 1.5, 7.5),
    ("south_east", 7.5, 7.5),
    ("east", 5.5, 3.5),
    ("south", 3.5, 5.5),
    ("low_east", 7.5, 5.5),
)
"""Where a point is wanted in the four rooms: none of them in the room where episodes begin."""


def maze(size: str) -> Stream:
    """Six places in one maze, one after the other; the long life goes there twice."""
    steps, times = _sized(size, tiny=(20, 1), short=(400, 1), long=(2000, 2))
    world = Announced(world=PointMaze(time_limit=min(40, steps), dense=True, ends=False, goals=PLACES))
    return Stream(world=world, names=cycle(tuple(name for name, _, _ in PLACES), times), steps=steps)


def curious(size: str) -> Stream:
    """Places in one maze that a teacher chooses as goals, and six named ones for exams alone."""
    steps, _ = _sized(size, tiny=(20, 1), short=(250, 1), long=(1000, 1))
    places = maze(size)
    return Stream(world=places.world, names=places.names[: len(PLACES)], steps=steps, recipe="curious_life", chosen=True)


def physics(size: str) -> Stream:
    """A pendulum whose physics become six others, each of which returns; when is not shown."""
    steps, times = _sized(size, tiny=(20, 2), short=(1000, 2), long=(2000, 6))
    return Stream(world=Pendulum(time_limit=min(200, steps)), names=cycle(PHYSICS, times), steps=steps)


def many(size: str) -> Stream:
    """Sixty pendulums, each for one lesson."""
    steps, number = _sized(size, tiny=(10, 12), short=(200, 60), long=(1000, 60))
    within = (("gravity", 2.0, 12.0), ("length", 0.7, 1.3), ("mass", 0.5, 1.5), ("motor", 0.7, 1.0))
    world = Varied(world=Pendulum(time_limit=min(200, steps)), within=within, number=number)
    return Stream(world=Announced(world=world), names=tuple(world.tasks()), steps=steps, examined=False)


def grids(size: str) -> Stream:
    """Three small grids, one after the other: a door and its key, a gap in lava, a gap in a wall. Rewards are sparse."""
    steps, rows = _sized(size, tiny=(20, 2), short=(250, 32), long=(1000, 32))
    return Stream(world=Grids(batch=rows, time_limit=min(30, steps)), names=KINDS, steps=steps)


CROSSINGS = ("doorkey", "lava", "simple")
"""MiniGrid's DoorKey, LavaCrossing and SimpleCrossing, in the order in which they were published as a stream."""


def minigrid(size: str) -> Stream:
    """A door and its key, a crossing between lava, a crossing between walls: sparse rewards, seen in part.

    The long life has the published levels, DoorKey-9x9, LavaCrossingS9N1 and SimpleCrossingS9N1. Episodes are cut off
    after 100 decisions, and the life has a third of the published number of decisions.
    """
    steps, door = _sized(size, tiny=(20, 5), short=(3_000, 5), long=(15_625, 9))
    limit, wide = (10, 5) if size == "tiny" else (100, 9)
    levels = [{"level": name, "size": door if name == "doorkey" else wide, "limit": limit} for name in CROSSINGS]
    return Stream(world=_grids(levels, CROSSINGS, 2 if size == "tiny" else 16), names=CROSSINGS, steps=steps)


GOALS = {"north_west": (4, 4), "north_east": (14, 4), "south_east": (14, 14), "south_west": (4, 14)}
"""The middle of each of the four rooms."""


def rooms(size: str) -> Stream:
    """Four rooms with a goal in the middle of one, and then of another; each returns, and which it is is not shown."""
    steps, times = _sized(size, tiny=(20, 1), short=(2_500, 2), long=(6_250, 4))
    levels = [{"level": "rooms", "goal": goal, "limit": 10 if size == "tiny" else 100} for goal in GOALS.values()]
    world = _grids(levels, tuple(GOALS), 2 if size == "tiny" else 16)
    return Stream(world=world, names=cycle(tuple(GOALS), times), steps=steps)


ROBOT = ("hammer", "push-wall", "faucet-close", "push-back", "stick-pull")
ROBOT += ("handle-press-side", "push", "shelf-place", "window-close", "peg-unplug-side")
"""The ten tasks of Continual World in its order, in Meta-World's third version."""


def metaworld(size: str) -> Stream:
    """Ten things to do with a robot's arm, one after the other; rewards as in `umwelt.worlds.adapters.metaworld`.

    Announce the task (`--announced`) to have them as they were published.
    """
    steps, limit = _sized(size, tiny=(12, 6), short=(2_000, 200), long=(50_000, 200))
    tasks = json.dumps([{"task": f"{name}-v3", "limit": limit} for name in ROBOT])
    return Stream(world=gymnasium(id=".metaworld:make", options=tasks, titles=",".join(ROBOT)), names=ROBOT, steps=steps)


def _grids(levels: list[dict[str, Any]], titles: Names, rows: int) -> Hosted:
    return gymnasium(id=".minigrid:make", options=json.dumps(levels), titles=",".join(titles), batch=rows)


PURE = {"wishes": wishes, "maze": maze, "curious": curious, "physics": physics, "many": many, "grids": grids}
"""Streams of the library's own worlds."""
STREAMS = {**PURE, "minigrid": minigrid, "rooms": rooms, "metaworld": metaworld}
"""Every stream by name; each takes a size."""
SIZES = ("tiny", "short", "long")
"""For seconds, minutes, and an hour."""


def stream_named(name: str) -> Stream:
    """The stream called NAME or NAME:SIZE; short where no size is given."""
    plain, _, size = name.partition(":")
    if plain not in STREAMS:
        raise ValueError(f"there is no stream called {plain!r}; known: {', '.join(STREAMS)}")
    return STREAMS[plain](size or "short")


def _sized(size: str, **sizes: tuple[int, int]) -> tuple[int, int]:
    if size not in sizes:
        raise ValueError(f"a stream has no size {size!r}; known: {', '.join(sizes)}")
    return sizes[size]
