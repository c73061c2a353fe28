"""Give much help at first, and less as success comes: warm starts, privileges, and whatever else a task grants.

"Learning to navigate the web" (2019) begins with most of a page filled in; "Learning long-horizon robot manipulation skills
via privileged action" (2025) begins with a force that no robot has.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Box, Feedback, part, struct
from umwelt.teachers.fields import default_of, field_of, rows_of, with_field


@struct
class WeaningState:
    """help: float32 [], the present value of the field. tried, won: float32 [], recent episodes with that help, and those
    with success. task: the default task."""

    help: jax.Array
    tried: jax.Array
    won: jax.Array
    task: Any


@part
class Weaning:
    """Lowers one field of the task from 1 to 0, a step whenever enough of the last episodes succeeded.

    >>> task_space, named = {"aid": Box(low=0.0, high=1.0)}, {"alone": {"aid": jnp.float32(0.0)}}
    >>> teacher = Weaning(field="aid", episodes=1)
    >>> state = teacher.init(jax.random.key(0), task_space, named)

    >>> ended = Feedback(finished=jnp.ones(1, bool), returns=jnp.ones(1), length=jnp.ones(1), surprise=0, doubt=0)

    >>> state = teacher.tell(jax.random.key(0), state, teacher.ask(jax.random.key(0), state, 1)[1], ended)
    >>> round(float(teacher.ask(jax.random.key(0), state, 1)[1]["aid"][0]), 1)
    0.9
    """

    field: str
    """The field of the task, a number: 1 for all the help, 0 for none."""
    success: float = 0.7
    """The share of episodes that must succeed before the help falls."""
    step: float = 0.1
    """By how much it falls."""
    episodes: int = 20
    """How many episodes with the same help are counted, at least."""
    least: float = 0.5
    """An episode succeeds where its return lies above this."""

    cites = ("qweb_2019", "privileged_action_2025")

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> WeaningState:
        """Begin with all the help."""
        space = field_of(task_space, self.field)
        if not isinstance(space, Box) or space.shape != ():
            raise ValueError(f"field={self.field!r}: the task has no number of this name; give a field such as 'done' or 'aid'")
        if not 0.0 < self.step <= 1.0:
            raise ValueError(f"step={self.step}: the help falls by a share between 0 and 1; take 0.1")
        none = jnp.float32(0.0)
        return WeaningState(help=jnp.float32(1.0), tried=none, won=none, task=default_of(task_space, named))

    def ask(self, key: jax.Array, state: WeaningState, n: int) -> tuple[WeaningState, Any]:
        """Return the default task with the present help, for all n rows."""
        return state, with_field(rows_of(state.task, n), self.field, jnp.full(n, state.help))

    def tell(self, key: jax.Array, state: WeaningState, tasks: Any, feedback: Feedback) -> WeaningState:
        """Count the episodes that ended with the present help; lower it where enough of them succeeded."""
        mine = feedback.finished & (jnp.abs(field_of(tasks, self.field) - state.help) < 1e-6)
        tried = state.tried + jnp.sum(mine)
        won = state.won + jnp.sum(mine & (feedback.returns > self.least))
        full = tried >= self.episodes
        falls = full & (won >= self.success * tried)
        help = jnp.where(falls, jnp.maximum(state.help - self.step, 0.0), state.help)
        return replace(state, help=help, tried=jnp.where(full, 0.0, tried), won=jnp.where(full, 0.0, won))

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine the world's default task, which gives no help."""
        return {}
