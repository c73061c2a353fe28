"""Tasks that a function draws, each by itself: a universe of tasks."""

from collections.abc import Callable
from typing import Any

import jax

from umwelt.core import Feedback, part, spaces, static, struct
from umwelt.networks.form import Form, form


def anything(key: jax.Array, n: int, space: Any) -> Any:
    """Draw n tasks evenly from the whole task space."""
    return spaces.sample(key, space, n)


@struct
class SampledState:
    """space: of the tasks."""

    space: Form = static()


@part
class Sampled:
    """Draw the task of each episode by a function, whatever the student does.

    >>> state = Sampled().init(jax.random.key(0), spaces.Discrete(n=3), {})
    >>> sorted(set(Sampled().ask(jax.random.key(0), state, n=100)[1].tolist()))
    [0, 1, 2]
    """

    draw: Callable[..., Any] = anything
    """What draws: (key, n, task space) -> tasks [n]."""

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> SampledState:
        """Keep the task space."""
        return SampledState(space=form(task_space))

    def ask(self, key: jax.Array, state: SampledState, n: int) -> tuple[SampledState, Any]:
        """Draw n tasks."""
        return state, self.draw(key, n, state.space.space)

    def tell(self, key: jax.Array, state: SampledState, tasks: Any, feedback: Feedback) -> SampledState:
        """Ignore the feedback."""
        return state

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine the world's default task."""
        return {}
