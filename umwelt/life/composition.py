"""A life: the parts that make it up."""

from typing import Any

from umwelt.core import part
from umwelt.core.contracts import Agent, Source, Teacher, World
from umwelt.life.rhythm import Rhythm


@part
class Life:
    """The parts of a life. Its value is the pair (world state, mind) that `Engine` drives."""

    world: World
    agent: Agent
    teacher: Teacher
    rhythm: Rhythm = Rhythm()
    seed: int = 0
    """The number that all randomness comes from."""
    seeds: int = 1
    """Lives at once, with seeds `seed`, `seed + 1` ...; more than one needs a pure world and a pure agent."""
    driver: str = "auto"
    """`scan` compiles the world too; `host` steps it from Python; `auto` compiles where it can."""
    keep_episodes: bool = False
    """Write every finished episode as a Minari dataset into the life's folder."""
    shown: tuple[Source, ...] = ()
    """Experience of others that the agent is shown once, before its first decision."""
    panel: tuple[str, ...] = ()
    """Names of the world's tasks that the life is examined on; empty for those that its teacher chooses."""
    voice: Any = None
    """Answers what agent and teacher ask between two stretches, by `answer(questions) -> answers`."""


class BadLife(ValueError):
    """The parts of a life do not fit together. The message names the argument and the mend."""
