"""Episodes without a reset: one ends and the next begins where the body is, on another task."""

from dataclasses import replace
from typing import Any

import jax

from umwelt.core import TimeStep, WorldSpec, capability, part, select
from umwelt.worlds.stream import StreamState


@part
class Unreset:
    """A pure world that is not put back: what an episode leaves behind is where the next one begins.

    Only the first episode of each row begins as the world would have it. Tasks change as the teacher says.

    >>> from umwelt.worlds.point_maze import PointMaze
    >>> Unreset(world=PointMaze()).spec.name
    'point_maze'
    """

    world: Any
    """The world inside: pure, without wrappers."""

    passes = ("position", "reward", "continues", "expert", "guard", "achieved", "body", "observe", "advance", "observation_names")
    """Capabilities of the world inside that hold here too."""

    @property
    def inner(self) -> Any:
        """The world inside."""
        return self.world

    @property
    def spec(self) -> WorldSpec:
        """The inner spec."""
        if self.world.spec.hosted or capability(self.world, "observe") is None:
            raise TypeError(f"Unreset keeps bodies, and {self.world.spec.name!r} shows none; take a pure world")
        return self.world.spec

    def tasks(self) -> dict[str, Any]:
        """The inner world's."""
        return self.world.tasks()

    def init(self, key: jax.Array, task: Any) -> tuple[StreamState, TimeStep]:
        """Begin the first episode in every row."""
        return self.world.init(key, task)

    def step(self, key: jax.Array, state: StreamState, action: Any, next_task: Any) -> tuple[StreamState, TimeStep]:
        """Take one decision in every row; a row that begins keeps its body."""
        after, step = self.world.step(key, state, action, next_task)
        body = select(step.first, state.body, after.body)
        seen = jax.vmap(self.world.observe)(body, after.task)
        return replace(after, body=body), replace(step, observation=select(step.first, seen, step.observation))
