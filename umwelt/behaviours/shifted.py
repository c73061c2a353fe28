"""A learner whose rewards are shifted by a constant: curious where it is negative, cautious where it is positive.

"Optimistic curiosity exploration and conservative exploitation with linear reward shaping" (NeurIPS 2022). Take episodes
without an end, and values of r + c that begin at 0. Up to a constant, they are values of r that begin at
-c / (1 - discount). So a negative shift makes what was not tried look good. This needs values that do not generalise. In
a network of several layers the optimism is gone after a few updates. Where episodes do end, a negative shift makes the
agent seek the end.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Batch, Learner
from umwelt.core import Info, Metric, keys, part, struct
from umwelt.core.contracts import Mode


@struct
class ShiftedState:
    """inner: the states of the learners, one for each shift, leaves [S, ...]. chosen: int32 [], which of them acts.
    lessons: int32 [], since the first one."""

    inner: Any
    chosen: jax.Array
    lessons: jax.Array


@part
class Shifted:
    """Learns the values of reward + shift, for one shift or for several side by side.

    With several, the learner that acts is drawn again every `hold` lessons; a probe follows the first.
    """

    learner: Learner
    """How each learns; `DQN(layers=0)` over one-hot features is the table of the theorem."""
    shifts: tuple[float, ...] = (-0.1,)
    """What is added to every reward, one number for each learner."""
    hold: int = 100
    """Lessons until another learner is drawn, about those of one episode."""

    cites = ("reward_shift_2022",)

    @property
    def inner(self) -> None:
        """None: states of several learners are no state of one."""
        return None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the learner reports; here it is the mean of all learners."""
        return self.learner.metrics

    @property
    def discount(self) -> float:
        """The learner's."""
        return self.learner.discount

    @property
    def protection(self) -> Any:
        """The learner's."""
        return self.learner.protection

    def init(self, key: jax.Array, width: int, action: Any) -> ShiftedState:
        """Begin all learners untrained."""
        if not self.shifts or self.hold < 1:
            raise ValueError(f"shifts={self.shifts}, hold={self.hold}: give at least one shift, and hold it for a lesson or more")
        ones = jax.random.split(key, len(self.shifts))
        inner = jax.vmap(lambda one: self.learner.init(one, width, action))(ones)
        return ShiftedState(inner=inner, chosen=jnp.int32(0), lessons=jnp.int32(0))

    def act(self, key: jax.Array, state: ShiftedState, features: jax.Array, mode: Mode, open: Any = None) -> Any:
        """Act as the learner that was drawn; as the first in a probe."""
        chosen = 0 if mode == "exploit" else state.chosen
        return self.learner.act(key, jax.tree.map(lambda leaf: leaf[chosen], state.inner), features, mode, open)

    def learn(self, key: jax.Array, state: ShiftedState, batch: Batch) -> tuple[ShiftedState, Info]:
        """Update every learner from the same batch, each with its own shift."""
        if batch.steps > 1:
            raise ValueError(
                f"learner: Shifted shifts single rewards, and this batch sums {batch.steps}; set steps=1 of the agent"
            )
        learning, drawing = keys.split(key, "learn", "shift")

        def learned(key: jax.Array, inner: Any, shift: jax.Array) -> tuple[Any, Info]:
            return self.learner.learn(key, inner, replace(batch, reward=batch.reward + shift))

        ones = jax.random.split(learning, len(self.shifts))
        inner, info = jax.vmap(learned)(ones, state.inner, jnp.asarray(self.shifts, jnp.float32))
        lessons = state.lessons + jnp.any(batch.weight > 0)
        drawn = jax.random.randint(drawing, (), 0, len(self.shifts))
        chosen = jnp.where((lessons > state.lessons) & (lessons % self.hold == 0), drawn, state.chosen)
        found = {name: jnp.mean(value, axis=0) for name, value in info.items()}
        return ShiftedState(inner=inner, chosen=chosen, lessons=lessons), found
