"""Choose the place to return to: those that were seen seldom, or those that a judge prefers.

"Go-Explore: a new approach for hard-exploration problems" (2019) weighs cells by how seldom they were seen. "Intelligent
Go-Explore: standing on the shoulders of giant foundation models" (2025) asks a judge in place of the counts.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Discrete, Feedback, keys, part, struct
from umwelt.teachers.fields import default_of, field_of, rows_of, with_field

FIELD = "start"
"""The field of the task that this teacher sets."""


@struct
class ReturningState:
    """seen: int32 [starts], how often each start was passed; 0 for a place that is not known. task: the default task."""

    seen: jax.Array
    task: Any


@part
class Returning:
    """Asks for a known place to begin at, with a chance that falls with how often it was seen.

    It teaches in a world such as `Restarted`: the task has a field `start`, and `achieved` says which start lies here.

    >>> task_space, named = {"start": Discrete(n=3)}, {"home": {"start": jnp.int32(0)}}
    >>> teacher = Returning()
    >>> state = teacher.init(jax.random.key(0), task_space, named)
    >>> teacher.weights(jax.random.key(0), state).tolist()  # nothing is known but the usual beginning
    [1.0, 0.0, 0.0]
    """

    power: float = 0.5
    """A place that was seen n times weighs one over (n + 1) to this power; 0 chooses evenly among those known."""
    judge: Callable[[jax.Array, jax.Array], jax.Array] | None = None
    """In place of counts: (key, starts int32 [K]) -> weights float32 [K], not negative. Places that are not known weigh
    nothing, and where no known place weighs anything the choice is even."""

    cites = ("go_explore_2019", "intelligent_go_explore_2025")

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> ReturningState:
        """Know no place."""
        start = field_of(task_space, FIELD)
        if not isinstance(start, Discrete):
            raise ValueError(f"task_space: Returning sets a choice called {FIELD!r}; put the world into Restarted")
        if self.power < 0.0:
            raise ValueError(f"power={self.power}: a power below 0 would prefer what was seen often; take 0.5")
        return ReturningState(seen=jnp.zeros(start.n, jnp.int32), task=default_of(task_space, named))

    def weights(self, key: jax.Array, state: ReturningState) -> jax.Array:
        """What each start weighs: float32 [starts]."""
        known = state.seen > 0
        # until a place is known, episodes begin as usual
        usual = jnp.zeros(state.seen.shape, jnp.float32).at[0].set(1.0)
        if self.judge is None:
            weight = (state.seen + 1.0) ** -self.power
        else:
            weight = self.judge(key, jnp.arange(state.seen.shape[0], dtype=jnp.int32))
        weight = jnp.where(known, weight, 0.0)
        weight = jnp.where(jnp.any(weight > 0), weight, known.astype(jnp.float32))
        return jnp.where(jnp.any(known), weight, usual)

    def ask(self, key: jax.Array, state: ReturningState, n: int) -> tuple[ReturningState, Any]:
        """Draw n starts by their weights."""
        judging, drawing = keys.split(key, "judge", "draw")
        weights = self.weights(judging, state)
        # one number for each row, not one for each start: there may be thousands of starts, and this is asked at every decision
        sums = jnp.cumsum(weights)
        start = jnp.searchsorted(sums, jax.random.uniform(drawing, (n,)) * sums[-1], side="right")
        last = weights.shape[0] - 1 - jnp.argmax(weights[::-1] > 0)
        start = jnp.minimum(start, last).astype(jnp.int32)
        return state, with_field(rows_of(state.task, n), FIELD, start)

    def tell(self, key: jax.Array, state: ReturningState, tasks: Any, feedback: Feedback) -> ReturningState:
        """Count where each row is; an end is no place to begin at."""
        if feedback.reached is None:
            raise ValueError("feedback: the world does not say what a moment achieves (`achieved`); put it into Restarted")
        at = jnp.where(feedback.finished, state.seen.shape[0], feedback.reached)
        return ReturningState(seen=state.seen.at[at].add(1, mode="drop"), task=state.task)

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine the world's default task, from its usual beginning."""
        return {}
