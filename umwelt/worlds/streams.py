"""Streams of tasks by name: a world, which task comes when, and for how long.

    umwelt live --stream physics:short --recipe losse_experts

wishes    one world, six things to do in it: the arm and its table; the wish is shown
physics   one thing to do while the world turns into six that contradict each other; nothing is announced
many      sixty pendulums, each of its own gravity, length, mass and motor; the pendulum is shown
"""

from typing import Any

from umwelt.core import part
from umwelt.worlds.announced import Announced
from umwelt.worlds.arm import WISHES, Arm
from umwelt.worlds.orders import Names, cycle
from umwelt.worlds.pendulum import Pendulum
from umwelt.worlds.varied import Varied

PHYSICS = ("moon", "long", "heavy", "rough", "mirrored", "late")
"""Gravity, length, mass, friction, the motor's sign, and its delay."""


@part
class Stream:
    """A life's worth of tasks."""

    world: Any
    """Where they are lived; `Announced` where the task is shown."""
    names: Names
    """The task of each lesson."""
    steps: int
    """Decisions of one row in each lesson."""
    examined: bool = True
    """Whether all tasks are examined after each lesson; of many tasks that would be most of the work."""

    @property
    def whole(self) -> int:
        """Decisions of one row in all lessons."""
        return self.steps * len(self.names)


def wishes(size: str) -> Stream:
    """Six things to do with one arm, one after the other; the long life does them twice."""
    steps, times = _sized(size, tiny=(20, 1), short=(2000, 1), long=(4000, 2))
    world = Announced(world=Arm(time_limit=min(80, steps)))
    return Stream(world=world, names=cycle(WISHES, times), steps=steps)


def physics(size: str) -> Stream:
    """A pendulum whose physics become six others, each of which returns; nobody says when."""
    steps, times = _sized(size, tiny=(20, 2), short=(1000, 2), long=(2000, 6))
    return Stream(world=Pendulum(time_limit=min(200, steps)), names=cycle(PHYSICS, times), steps=steps)


def many(size: str) -> Stream:
    """Sixty pendulums, each lived once."""
    steps, number = _sized(size, tiny=(10, 12), short=(200, 60), long=(1000, 60))
    within = (("gravity", 2.0, 12.0), ("length", 0.7, 1.3), ("mass", 0.5, 1.5), ("motor", 0.7, 1.0))
    world = Varied(world=Pendulum(time_limit=min(200, steps)), within=within, number=number)
    return Stream(world=Announced(world=world), names=tuple(world.tasks()), steps=steps, examined=False)


STREAMS = {"wishes": wishes, "physics": physics, "many": many}
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
