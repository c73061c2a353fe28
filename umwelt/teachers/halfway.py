"""Goals that the student sometimes reaches, found by rejection, as in "Automatic Goal Generation" (2018) without its network."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Feedback, keys, part, struct
from umwelt.teachers.cube import Cube, Range, cube_of
from umwelt.teachers.outcomes import Of, Outcomes, no_outcomes, result_of, scaled


@struct
class HalfwayState:
    """cube: where tasks lie. outcomes: finished episodes."""

    cube: Cube
    outcomes: Outcomes


@part
class Halfway:
    """Draw a recent task whose result was neither near the lowest nor near the highest, and move it a little.

    >>> from umwelt.core import Box
    >>> teacher = Halfway(even=0.0, jitter=0.0)
    >>> state = teacher.init(jax.random.key(0), Box(low=0.0, high=1.0), {"first": 0.0})

    >>> tasks = jnp.array([0.1, 0.5, 0.9])
    >>> results = jnp.array([1.0, 0.4, 0.0])
    >>> feedback = Feedback(finished=tasks > 0.0, returns=results, length=results, surprise=results, doubt=results)
    >>> float(teacher.ask(jax.random.key(0), teacher.tell(None, state, tasks, feedback), n=1)[1][0])
    0.5
    """

    low: float = 0.1
    """Results below it are too hard."""
    high: float = 0.9
    """Results above it are too easy."""
    jitter: float = 0.05
    """How far a task is moved, as a standard deviation in the unit cube."""
    even: float = 0.2
    """The share of tasks that are drawn evenly."""
    recent: int = 1000
    """Episodes that are kept."""
    scale: tuple[float, float] | None = None
    """The lowest and highest result; None for the range of those that are kept."""
    of: Of = "returns"
    """The result of an episode."""
    within: tuple[Range, ...] = ()
    """(field of the task, lowest, highest) of what varies; empty for all fields of the task space."""

    cites = ("goal_gan_2018",)

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> HalfwayState:
        """Hold no episode yet."""
        if not 0.0 <= self.low < self.high <= 1.0:
            raise ValueError(f"low={self.low}, high={self.high}: two shares of the scale, the first below the second")
        cube = cube_of(task_space, named, self.within)
        return HalfwayState(cube=cube, outcomes=no_outcomes(self.recent, cube.width))

    def ask(self, key: jax.Array, state: HalfwayState, n: int) -> tuple[HalfwayState, Any]:
        """Draw n tasks; evenly where no result lies between."""
        choosing, picking, placing, shaking = keys.split(key, "even", "pick", "place", "jitter")
        values = scaled(state.outcomes.values, state.outcomes, self.scale)
        between = (state.outcomes.numbers >= 0) & (values >= self.low) & (values <= self.high)
        picked = jax.random.categorical(picking, jnp.where(between, 0.0, -1e9), shape=(n,))
        shape = (n, state.cube.width)
        near = state.outcomes.places[picked] + self.jitter * jax.random.normal(shaking, shape)
        evenly = (jax.random.uniform(choosing, (n, 1)) < self.even) | ~jnp.any(between)
        return state, state.cube.tasks(jnp.where(evenly, jax.random.uniform(placing, shape), near))

    def tell(self, key: jax.Array, state: HalfwayState, tasks: Any, feedback: Feedback) -> HalfwayState:
        """Keep the results of the episodes that have ended."""
        values, rows = result_of(feedback, self.of)
        return replace(state, outcomes=state.outcomes.added(state.cube.places(tasks), values, rows))

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine all named tasks of the world."""
        return dict(named)
