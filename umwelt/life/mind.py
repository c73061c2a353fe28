"""The mind of a life: everything in it but its world; and what the chronicle records of each turn."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import TERMINATED, Experience, Feedback, Info, TimeStep, capability, lived, spaces, struct
from umwelt.core.contracts import World
from umwelt.worlds.position import position_of

MOST_NUMBERS = 64
"""Numbers of the largest observation that is written down."""


@struct
class Decision:
    """What the world needs for its next step. key: uint32 words. action, next_task: leaves [B, ...]."""

    key: jax.Array
    action: Any
    next_task: Any


@struct
class Tally:
    """Sums over the present episodes: returns, surprise, doubt float32 [B]; length int32 [B]."""

    returns: jax.Array
    length: jax.Array
    surprise: jax.Array
    doubt: jax.Array


@struct
class Mind:
    """Everything in a life but its world.

    clock: int32, ticks so far: decisions of each row, and lessons without one. step: the last TimeStep [B]. decision:
    what was chosen on it. task: the tasks [B] of the present episodes. agent, teacher: the states of the two.
    """

    key: jax.Array
    clock: jax.Array
    step: TimeStep
    decision: Decision
    task: Any
    tally: Tally
    agent: Any
    teacher: Any


@struct
class Record:
    """What the chronicle receives of a turn, [B] each.

    extra: the other metrics of seeing and remembering. kept: the step before, the action and the task, where episodes
    are kept; else None. seen: float32 [1, width], what the first row observed, where that is few numbers; else None.
    position: float32 [1, 2 or 3], where the first row was, where the world has positions; else None. named: {name: float32
    [B]}, what the world named; else None.
    """

    kind: jax.Array
    reward: jax.Array
    returns: jax.Array
    length: jax.Array
    surprise: jax.Array
    doubt: jax.Array
    mean_surprise: jax.Array
    mean_doubt: jax.Array
    task: Any
    extra: dict[str, jax.Array]
    kept: Any = None
    seen: Any = None
    position: Any = None
    named: Any = None


def born(key: jax.Array, agent: Any, teacher: Any, task: Any, step: TimeStep) -> Mind:
    """The mind at the first step of its world, without a decision."""
    zero = jnp.zeros(step.kind.shape, jnp.float32)
    return Mind(
        key=key,
        clock=jnp.zeros((), jnp.int32),
        step=step,
        decision=Decision(key=jax.random.key_data(key), action=None, next_task=None),
        task=task,
        tally=Tally(returns=zero, length=jnp.zeros(step.kind.shape, jnp.int32), surprise=zero, doubt=zero),
        agent=agent,
        teacher=teacher,
    )


def measured(mind: Mind, next: TimeStep, info: Info) -> Experience:
    """The transition [B] to `next` with its task and surprise, in a form that a program cannot learn from before it
    was measured.

    Otherwise the compiler may write into the model before the doubt is read. It then keeps a copy of all that the model
    knows, to read the doubt from. So the form asks whether the doubt is below zero, which it never is.
    """
    kind = jnp.where(info["doubt"] < 0.0, jnp.int8(TERMINATED), mind.step.kind)
    return lived(replace(mind.step, kind=kind), mind.decision.action, next, task=mind.task, surprise=info["surprise"])


def counted(tally: Tally, next: TimeStep, info: Info) -> Tally:
    """Add a step to the sums; a FIRST step resets them."""

    def add(total: jax.Array, value: jax.Array) -> jax.Array:
        return jnp.where(next.first, 0, total + jnp.where(jnp.isnan(value), 0, value))

    return Tally(
        returns=add(tally.returns, next.reward),
        length=jnp.where(next.first, 0, tally.length + 1),
        surprise=add(tally.surprise, info["surprise"]),
        doubt=add(tally.doubt, info["doubt"]),
    )


def feedback_of(world: World, tally: Tally, next: TimeStep) -> Feedback:
    """What the teacher learns of a step."""
    achieved, steps = capability(world, "achieved"), jnp.maximum(tally.length, 1).astype(jnp.float32)
    return Feedback(
        finished=next.last,
        returns=tally.returns,
        length=tally.length,
        surprise=tally.surprise / steps,
        doubt=tally.doubt / steps,
        reached=achieved(next.observation) if achieved else None,
    )


def recorded(
    world: World, before: Mind, next: TimeStep, task: Any, feedback: Feedback, info: Info, keep: bool, named: Any
) -> Record:
    """What the chronicle receives of a step."""
    return Record(
        kind=next.kind,
        reward=next.reward,
        returns=feedback.returns,
        length=feedback.length,
        surprise=info["surprise"],
        doubt=info["doubt"],
        mean_surprise=feedback.surprise,
        mean_doubt=feedback.doubt,
        task=task,
        extra={name: value for name, value in info.items() if name not in ("surprise", "doubt")},
        kept=(before.step, before.decision.action, before.task) if keep else None,
        named=named,
        **glance(world, next.observation),
    )


def is_short(world: World) -> bool:
    """True where an observation is few enough numbers to be written down."""
    return spaces.width(world.spec.observation) <= MOST_NUMBERS


def glance(world: World, observation: Any) -> dict[str, Any]:
    """`seen` and `position` of the first row of observations [B, ...]."""
    first, position = jax.tree.map(lambda leaf: leaf[:1], observation), position_of(world)
    return {
        "seen": spaces.features(world.spec.observation, first) if is_short(world) else None,
        "position": None if position is None else jnp.asarray(position(first), jnp.float32),
    }
