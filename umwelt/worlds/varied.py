"""Draw as many tasks as are asked for from ranges."""

from typing import Any

import jax
import numpy as np

from umwelt.core import part
from umwelt.worlds.wrapped import NEEDS


@part
class Varied:
    """A pure world whose named tasks are drawn: each field of `within` evenly between its two numbers.

    All other fields are those of the world's first task.

    >>> from umwelt.worlds.pendulum import Pendulum
    >>> tasks = Varied(world=Pendulum(), within=(("gravity", 2.0, 12.0),), number=100).tasks()
    >>> round(float(np.mean([task.gravity for task in tasks.values()])))
    7
    """

    world: Any
    """The world inside."""
    within: tuple[tuple[str, float, float], ...]
    """(field of the task, lowest, highest)."""
    number: int = 60
    """How many tasks; they are called t00, t01 ..."""
    seed: int = 0
    """Which ones are drawn."""

    passes = (*NEEDS, "observation_names")
    """Capabilities of the world inside that hold here too: all."""

    @property
    def inner(self) -> Any:
        """The world inside."""
        return self.world

    def project(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a capability of the world inside; where no task is given, it is the first one drawn."""
        return arguments | {"task": next(iter(self.tasks().values()))} if arguments.get("task", ()) is None else arguments

    @property
    def spec(self) -> Any:
        """The inner world's."""
        return self.world.spec

    def tasks(self) -> dict[str, Any]:
        """The tasks that were drawn."""
        first, random = next(iter(self.world.tasks().values())), np.random.default_rng(self.seed)
        unknown = [name for name, _, _ in self.within if name not in vars(first)]
        if unknown:
            raise ValueError(f"within: a task of {self.spec.name} has no {', '.join(unknown)}; it has {', '.join(vars(first))}")
        made = {}
        for number in range(self.number):
            drawn = {name: np.asarray(random.uniform(low, high), np.float32) for name, low, high in self.within}
            made[f"t{number:02d}"] = type(first)(**(vars(first) | drawn))
        return made

    def init(self, key: jax.Array, task: Any) -> Any:
        """Begin an episode in every row."""
        return self.world.init(key, task)

    def step(self, key: jax.Array, state: Any, action: Any, next_task: Any) -> Any:
        """Take one decision in every row."""
        return self.world.step(key, state, action, next_task)
