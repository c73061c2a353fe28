"""Rows of key rooms and the agent that lives in them: what the claims of curricula and advice share."""

from typing import Any

from umwelt.behaviours import DQN, ModelFree
from umwelt.claims.arms import Computed, Measure
from umwelt.claims.studies.practised import Practised
from umwelt.memory import Ring
from umwelt.teachers import Blocks
from umwelt.worlds.key_rooms import KeyRooms, task

VALUES = ModelFree(
    learner=DQN(units=64, learning_rate=1e-3, discount=0.97, final_epsilon=0.1, epsilon_updates=1000),
    memory=Ring(bytes=3_000_000),
    batch=64,
)
"""Values of the four moves. It passes three rooms after about 40,000 decisions, and never five within 96,000."""


def whole(rooms: int) -> tuple[Any, ...]:
    """Return the panel of one task: the whole way."""
    return (task(0, 2 * rooms),)


def every_stage(rooms: int) -> tuple[Any, ...]:
    """Return the panel of all stages, the whole way first."""
    return tuple(task(0, goal) for goal in range(2 * rooms, 0, -1))


def practised(
    rooms: int, agent: Any, measures: tuple[Measure, ...], teacher: Any = None, world: Any = None, **options: Any
) -> Computed:
    """Make an arm: `agent` in `rooms` rooms, by default asked for the whole way and examined on it."""
    options = {"panel": whole(rooms), "teacher": teacher or Blocks(), "world": world or KeyRooms(rooms=rooms), **options}
    return Computed(function=Practised(agent=agent, **options), measures=measures, together=True)
