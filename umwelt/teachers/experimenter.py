"""A teacher that does what an experimenter does: looks at the curve of a skill, says when it is learned, proposes the next.

"Game On: Towards Language Models as RL Experimenters" (2024). There a language model judges the curves and proposes the
tasks. Here a robust slope judges, and a ladder of the world's named tasks is what is proposed.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Feedback, part, struct
from umwelt.teachers.blocks import known_names, named_panel
from umwelt.teachers.fields import rows_of, same_rows


def slope(curve: jax.Array) -> jax.Array:
    """The median of the slopes between all pairs of points of a curve [W] (Theil and Sen): float32 []."""
    first, second = np.triu_indices(curve.shape[0], 1)
    return jnp.median((curve[second] - curve[first]) / jnp.asarray(second - first, jnp.float32))


@part
class Settled:
    """Judges that a skill is learned: its success is high, and rises no more.

    >>> [bool(Settled(level=0.7)(jnp.full(6, height))) for height in (0.2, 0.9)]  # flat and low, flat and high
    [False, True]
    """

    level: float = 0.7
    """The least median success."""
    flat: float = 0.05
    """The steepest rise from one point to the next that counts as none."""

    def __call__(self, curve: jax.Array) -> jax.Array:
        """Judge a curve [W] of success: bool []."""
        return (jnp.median(curve) >= self.level) & (slope(curve) <= self.flat)


@struct
class ExperimenterState:
    """tasks: of the ladder, leaves [K, ...]. rung: int32, the present one. curve: float32 [W], success in the newest points.
    points: int32, how many there were on this rung. wins, plays: float32, of the point under way."""

    tasks: Any
    rung: jax.Array
    curve: jax.Array
    points: jax.Array
    wins: jax.Array
    plays: jax.Array


@part
class Experimenter:
    """Climbs a ladder of named tasks: the next one when the curve of the present one is judged to have settled.

    >>> teacher = Experimenter(names=("earth", "moon"))
    >>> state = teacher.init(None, None, {"earth": 10.0, "moon": 2.0})
    >>> float(teacher.ask(None, state, n=1)[1][0])
    10.0
    """

    names: tuple[str, ...] = ()
    """The world's named tasks, the easiest first; empty for its default task."""
    judge: Callable[[jax.Array], jax.Array] = Settled()
    """Says of the newest points of a curve [window] whether the skill is learned: bool []."""
    window: int = 4
    """Points that the judge sees."""
    episodes: int = 16
    """Episodes of one point of the curve."""
    patience: int = 0
    """Points after which a skill is given up and the next one tried; 0 never gives up."""
    pays: float = 0.0
    """An episode succeeds where its return is above this."""

    cites = ("game_on_2024",)

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> ExperimenterState:
        """Stand on the first rung."""
        if self.window < 2 or self.episodes < 1:
            raise ValueError(f"window={self.window}, episodes={self.episodes}: a slope needs two points, and a point an episode")
        chosen = [named[name] for name in known_names(self.names, named)]
        zero = jnp.float32(0.0)
        return ExperimenterState(
            tasks=jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *chosen),
            rung=jnp.int32(0),
            curve=jnp.zeros(self.window, jnp.float32),
            points=jnp.int32(0),
            wins=zero,
            plays=zero,
        )

    def ask(self, key: jax.Array, state: ExperimenterState, n: int) -> tuple[ExperimenterState, Any]:
        """Return the task of the present rung, for all n rows."""
        return state, rows_of(self._present(state), n)

    def tell(self, key: jax.Array, state: ExperimenterState, tasks: Any, feedback: Feedback) -> ExperimenterState:
        """Count the episodes of the present rung that end now. With a whole point, look at the curve and judge."""
        counts = feedback.finished & same_rows(tasks, self._present(state))
        wins = state.wins + jnp.sum(counts & (feedback.returns > self.pays))
        plays = state.plays + jnp.sum(counts)
        whole = plays >= self.episodes
        moved = jnp.append(state.curve[1:], wins / jnp.maximum(plays, 1.0))
        curve, points = jnp.where(whole, moved, state.curve), state.points + whole
        climbs = whole & self.climbs(curve, points)
        last = jax.tree.leaves(state.tasks)[0].shape[0] - 1
        return replace(
            state,
            rung=jnp.minimum(state.rung + climbs, last),
            curve=jnp.where(climbs, 0.0, curve),
            points=jnp.where(climbs, 0, points),
            wins=jnp.where(whole, 0.0, wins),
            plays=jnp.where(whole, 0.0, plays),
        )

    def climbs(self, curve: jax.Array, points: jax.Array) -> jax.Array:
        """Whether the next rung is due, after so many points: bool []."""
        learned = (points >= self.window) & self.judge(curve)
        return learned | (points >= self.patience) if self.patience else learned

    def _present(self, state: ExperimenterState) -> Any:
        """The task of the present rung."""
        return jax.tree.map(lambda leaf: leaf[state.rung], state.tasks)

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine each task of the ladder."""
        return named_panel(self.names, named)
