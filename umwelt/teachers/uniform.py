"""Even sampling of a continuous space of tasks."""

from typing import Any

import jax

from umwelt.core import Feedback, part
from umwelt.teachers.cube import Cube, Range, cube_of


@part
class Uniform:
    """Draw the task of each episode evenly from the whole task space; the control of all teachers.

    >>> from umwelt.core import Box
    >>> teacher = Uniform(within=(("gravity", 2.0, 12.0),))
    >>> state = teacher.init(jax.random.key(0), {"gravity": Box(low=0.0, high=20.0)}, {"earth": {"gravity": 10.0}})
    >>> state, task = teacher.ask(jax.random.key(0), state, n=1000)
    >>> round(float(task["gravity"].mean()))
    7
    """

    within: tuple[Range, ...] = ()
    """(field of the task, lowest, highest) of what varies; empty for all fields of the task space."""

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> Cube:
        """Look at the task space; its sides need bounds."""
        return cube_of(task_space, named, self.within)

    def ask(self, key: jax.Array, state: Cube, n: int) -> tuple[Cube, Any]:
        """Draw n tasks."""
        return state, state.tasks(jax.random.uniform(key, (n, state.width)))

    def tell(self, key: jax.Array, state: Cube, tasks: Any, feedback: Feedback) -> Cube:
        """Ignore the feedback."""
        return state

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine all named tasks of the world."""
        return dict(named)
