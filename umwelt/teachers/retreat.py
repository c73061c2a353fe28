"""Begin near the end of a demonstration, and step back as success comes: the backward algorithm.

Phase two of "Go-Explore: a new approach for hard-exploration problems" (2019), where it makes a policy of what was found.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Discrete, Feedback, part, struct
from umwelt.teachers.fields import default_of, field_of, rows_of, with_field
from umwelt.teachers.returning import FIELD


@struct
class RetreatState:
    """starts: int32 [K], the demonstration from its end to its beginning, padded with 0. at: int32 [], where episodes begin
    now. tried, won: float32 [], recent episodes from there, and those with success. task: the default task."""

    starts: jax.Array
    at: jax.Array
    tried: jax.Array
    won: jax.Array
    task: Any


@part
class Retreat:
    """Asks for starts along a demonstration, from its end backwards, as soon as enough episodes succeed.

    >>> task_space, named = {"start": Discrete(n=9)}, {"home": {"start": jnp.int32(0)}}
    >>> teacher = Retreat(starts=(8, 5, 3), episodes=1)
    >>> state = teacher.init(jax.random.key(0), task_space, named)

    >>> ended = Feedback(finished=jnp.ones(1, bool), returns=jnp.ones(1), length=jnp.ones(1), surprise=0, doubt=0)

    >>> state = teacher.tell(jax.random.key(0), state, teacher.ask(jax.random.key(0), state, 1)[1], ended)
    >>> int(teacher.ask(jax.random.key(0), state, 1)[1]["start"][0])
    5
    """

    starts: tuple[int, ...] = ()
    """Starts from the demonstration's end to its beginning; after the last one episodes begin as usual."""
    success: float = 0.2
    """The share of episodes that must succeed before the start steps back."""
    back: int = 1
    """How many starts it steps back at a time."""
    episodes: int = 20
    """How many episodes from one start are counted, at least."""
    least: float = 0.0
    """An episode succeeds where its return lies above this."""

    cites = ("go_explore_2019",)

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> RetreatState:
        """Begin at the end of the demonstration."""
        if not isinstance(field_of(task_space, FIELD), Discrete):
            raise ValueError(f"task_space: Retreat sets a choice called {FIELD!r}; put the world into Restarted")
        if self.back < 1:
            raise ValueError(f"back={self.back}: at least 1, or the start never moves")
        # the usual beginning comes last, and stays
        starts = jnp.asarray((*self.starts, 0), jnp.int32)
        none = jnp.float32(0.0)
        return RetreatState(starts=starts, at=jnp.int32(0), tried=none, won=none, task=default_of(task_space, named))

    def ask(self, key: jax.Array, state: RetreatState, n: int) -> tuple[RetreatState, Any]:
        """Return the present start for all n rows."""
        start = jnp.broadcast_to(state.starts[state.at], (n,))
        return state, with_field(rows_of(state.task, n), FIELD, start)

    def tell(self, key: jax.Array, state: RetreatState, tasks: Any, feedback: Feedback) -> RetreatState:
        """Count the episodes that ended from the present start; step back where enough of them succeeded."""
        mine = feedback.finished & (field_of(tasks, FIELD) == state.starts[state.at])
        tried = state.tried + jnp.sum(mine)
        won = state.won + jnp.sum(mine & (feedback.returns > self.least))
        full = tried >= self.episodes
        step = full & (won >= self.success * tried)
        at = jnp.where(step, jnp.minimum(state.at + self.back, state.starts.shape[0] - 1), state.at)
        return replace(state, at=at, tried=jnp.where(full, 0.0, tried), won=jnp.where(full, 0.0, won))

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine the world's default task, from its usual beginning."""
        return {}
