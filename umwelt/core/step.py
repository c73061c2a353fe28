"""What passes between a world and an agent, and what memory keeps of it.

The stream convention: a world answers every action with a `TimeStep`. After a TERMINATED, TRUNCATED
or BROKEN step the next call of `World.step` ignores its action and returns a FIRST step. So every
observation appears exactly once, and a pair (LAST, FIRST) is a *seam*, never a transition.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import spaces
from umwelt.core.spec import WorldSpec
from umwelt.core.struct import struct

FIRST, MID, TERMINATED, TRUNCATED, BROKEN = 0, 1, 2, 3, 4
KINDS = ("first", "mid", "terminated", "truncated", "broken")

LIVED, IMAGINED, SHOWN, WATCHED = 0, 1, 2, 3
ORIGINS = ("lived", "imagined", "shown", "watched")
"""Where experience comes from: this life, a model, another agent, or another agent whose actions are unknown."""

Info = dict[str, Any]
"""Diagnostics of one call: metric name -> array. Every name is declared as a `Metric`."""


@struct
class TimeStep:
    """One step of B parallel episodes.

    kind: int8 [B], one of FIRST, MID, TERMINATED, TRUNCATED, BROKEN. observation: pytree of arrays [B, ...]; on BROKEN the
    last one seen, because the world returned none. reward: float32 [B], the reward for the action that led here; 0 on
    FIRST and BROKEN. named: {name: float32 [B]}, the last value in this episode of each number that a life records, NaN
    where there is none; no agent sees it. None where the world names nothing.
    """

    kind: Any
    observation: Any
    reward: Any
    named: Any = None

    @property
    def first(self) -> Any:
        """bool [B]: an episode begins here."""
        return self.kind == FIRST

    @property
    def last(self) -> Any:
        """bool [B]: an episode ends here, by its own end, by a limit or because the world failed."""
        return self.kind >= TERMINATED

    @property
    def terminated(self) -> Any:
        """bool [B]: the episode ended by its own end; nothing follows, so nothing is bootstrapped."""
        return self.kind == TERMINATED

    @property
    def opening(self) -> "TimeStep":
        """The same step as FIRST: a filter that starts here knows nothing of what came before."""
        return replace(self, kind=jnp.full_like(self.kind, FIRST))


@struct
class Experience:
    """Transitions with any leading axes: [B] lived, [N] sampled, [N, L] as sequences.

    step: the TimeStep before. action: the action taken; zeros where origin is WATCHED. next: the TimeStep after.
    origin: int8, one of LIVED, IMAGINED, SHOWN, WATCHED. task: the task of the episode, or None where it is unknown.
    surprise: float32, NaN on a FIRST step, or None where it was not measured. to_come: float32, the rewards from here to the
    end of the episode, or None where it is not known. born: int32, decisions of its row before this one, or None.
    """

    step: TimeStep
    action: Any
    next: TimeStep
    origin: Any
    task: Any = None
    surprise: Any = None
    to_come: Any = None
    born: Any = None

    @property
    def valid(self) -> Any:
        """bool, leading axes: False on the seam between two episodes, and where the world reported no result."""
        return (self.step.kind < TERMINATED) & (self.next.kind != BROKEN)

    @property
    def acted(self) -> Any:
        """bool, leading axes: valid, and the action is known."""
        return self.valid & (self.origin != WATCHED)


def zeros_step(spec: WorldSpec) -> TimeStep:
    """A FIRST step of zeros [B], for shapes and dtypes."""
    zeros = jnp.zeros(spec.batch, jnp.float32)
    return TimeStep(kind=zeros.astype(jnp.int8), observation=spaces.zeros(spec.observation, spec.batch), reward=zeros)


def lived(step: TimeStep, action: Any, next: TimeStep, task: Any = None, surprise: Any = None) -> Experience:
    """One step of a life as experience [B]."""
    origin = jnp.full(step.kind.shape, LIVED, jnp.int8)
    return Experience(step=step, action=action, next=next, origin=origin, task=task, surprise=surprise)


@struct
class Prediction:
    """What a model expects of the next moment, for N beliefs.

    observation: [N, ...], or None where the model has no decoder. reward: float32 [N]. continues: float32 [N], the probability
    that the episode goes on. doubt: float32 [N], epistemic, >= 0: about 1 where the model knows no more than the spread of the
    data, near 0 where it is sure. bonus: float32 [N], what a curiosity inside the model pays, or None.
    """

    observation: Any
    reward: Any
    continues: Any
    doubt: Any
    bonus: Any = None


@struct
class Feedback:
    """What the teacher receives after each step, for B parallel episodes.

    finished: bool [B], the episode ended with this step. returns: float32 [B], its return so far. length: int32 [B], its length
    so far. surprise, doubt: float32 [B], means over the episode. reached: what the present observation achieves, leaves
    [B, ...] in the shape of the task's goal, from the world's `achieved`; None where the world has none.
    """

    finished: Any
    returns: Any
    length: Any
    surprise: Any
    doubt: Any
    reached: Any = None


@struct
class Moment:
    """Transitions as numbers, from any origin: what a curiosity reads.

    now, after: float32 [N, F], observations or beliefs. done: float32 [N, A], actions in units. weight: float32 [N], 0
    where nothing is to be learned. surprise: float32 [N] of `after`, NaN where it was not measured.
    """

    now: Any
    after: Any
    done: Any
    weight: Any
    surprise: Any


def select(condition: jax.Array, then: Any, otherwise: Any) -> Any:
    """Row-wise choice between two pytrees whose leaves have the leading axis of `condition` [B]; of all where it is []."""

    def choose(a: Any, b: Any) -> Any:
        return jnp.where(condition.reshape(condition.shape + (1,) * (jnp.ndim(a) - condition.ndim)), a, b)

    return jax.tree.map(choose, then, otherwise)
