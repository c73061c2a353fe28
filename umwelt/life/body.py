"""The body of every life, written once: act, step, remember, learn, ask the teacher.

A life turns like a wheel. One *tick* takes the decision that is pending, lets the world answer,
and hands the answer to the mind, whose *turn* ends with the next decision. Everything in the mind
is pure, so a tick compiles whole where the world is pure; where the world is hosted, only the turn
does, and the world's step runs between two turns.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import TERMINATED, Experience, Feedback, Info, TimeStep, capability, keys, lived, part, select, spaces, struct
from umwelt.core.contracts import Agent, Mode, Teacher, World
from umwelt.core.drive import scan_some
from umwelt.life.rhythm import Segment
from umwelt.worlds.place import place_of

SHOWN = 64
"""An observation of more numbers is not written down."""


@struct
class Decision:
    """What the world needs for its next step. key: uint32 words; action, next_task: leaves [B, ...]."""

    key: jax.Array
    action: Any
    next_task: Any


@struct
class Tally:
    """Sums over the episodes under way: returns, surprise, doubt float32 [B]; length int32 [B]."""

    returns: jax.Array
    length: jax.Array
    surprise: jax.Array
    doubt: jax.Array


@struct
class Mind:
    """Everything in a life but its world. clock: int32, decisions of each row so far.

    step: the last TimeStep [B]; decision: what was chosen on it; task: the tasks [B] of the episodes
    under way.
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
    """What the chronicle hears of a turn, [B] each.

    extra: metrics of a model that learns by the stream. kept: the step before, the action and the
    task, where episodes are kept; else None. seen: float32 [1, width], what the first row observed, where that is
    not too many numbers; else None. place: float32 [1, 2 or 3], where it was, where the world has places; else None.
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
    place: Any = None


@part
class Body:
    """The three that live together. Its methods are pure."""

    world: World
    agent: Agent
    teacher: Teacher
    keep: bool = False
    """Record every step and action, for those who keep episodes."""

    @property
    def shows(self) -> bool:
        """True where an observation is few enough numbers to be written down."""
        return spaces.width(self.world.spec.observation) <= SHOWN

    def conceive(self, key: jax.Array) -> tuple[Any, Any, Any]:
        """The newborn agent, the teacher, and the tasks [B] of the first episodes."""
        for_agent, for_teacher, for_ask = keys.split(key, "agent", "teacher", "first ask")
        spec = self.world.spec
        teacher = self.teacher.init(for_teacher, spec.task, self.world.tasks())
        teacher, task = self.teacher.ask(for_ask, teacher, spec.batch)
        return self.agent.init(for_agent, spec), teacher, task

    def awaken(self, mode: Mode, key: jax.Array, agent: Any, teacher: Any, task: Any, step: TimeStep) -> Mind:
        """The mind that has seen its first step, with its first decision."""
        batch = step.kind.shape[0]
        zero = jnp.zeros(batch, jnp.float32)
        tally = Tally(returns=zero, length=jnp.zeros(batch, jnp.int32), surprise=zero, doubt=zero)
        clock = jnp.zeros((), jnp.int32)
        agent, _ = self.agent.see(keys.fold(jax.random.fold_in(key, clock), "see"), agent, step)
        decision = Decision(key=jax.random.key_data(key), action=None, next_task=None)
        mind = Mind(key=key, clock=clock, step=step, decision=decision, task=task, tally=tally, agent=agent, teacher=teacher)
        return self.decide(mind, mode)

    def turn(self, mode: Mode, mind: Mind, next: TimeStep) -> tuple[Mind, Record]:
        """Take in the world's answer and decide again."""
        mind, record = self.hear(mind, next)
        return self.decide(mind, mode), record

    def hear(self, mind: Mind, next: TimeStep) -> tuple[Mind, Record]:
        """Take in the world's answer."""
        key = jax.random.fold_in(mind.key, mind.clock + 1)
        seeing, remembering, telling = keys.split(key, "see", "remember", "tell")
        agent, info = self.agent.see(seeing, mind.agent, next)
        experience = measured(mind.step, mind.decision.action, next, mind.task, info)
        agent, learned = self.agent.remember(remembering, agent, experience)
        tally = _count(mind.tally, next, info["surprise"], info["doubt"])
        task = select(next.first, mind.decision.next_task, mind.task)
        steps = jnp.maximum(tally.length, 1).astype(jnp.float32)
        means = {"surprise": tally.surprise / steps, "doubt": tally.doubt / steps}
        achieved = capability(self.world, "achieved")
        reached = achieved and achieved(next.observation)
        feedback = Feedback(finished=next.last, returns=tally.returns, length=tally.length, reached=reached, **means)
        teacher = self.teacher.tell(telling, mind.teacher, task, feedback)
        record = Record(
            kind=next.kind,
            reward=next.reward,
            returns=tally.returns,
            length=tally.length,
            surprise=info["surprise"],
            doubt=info["doubt"],
            mean_surprise=means["surprise"],
            mean_doubt=means["doubt"],
            task=task,
            extra={name: value for name, value in {**info, **learned}.items() if name not in means},
            kept=(mind.step, mind.decision.action, mind.task) if self.keep else None,
            **self.glance(next.observation),
        )
        return replace(mind, clock=mind.clock + 1, step=next, task=task, tally=tally, agent=agent, teacher=teacher), record

    def glance(self, observation: Any) -> dict[str, Any]:
        """`seen` and `place` of the first row of observations [B, ...]."""
        first = jax.tree.map(lambda leaf: leaf[:1], observation)
        place = place_of(self.world)
        return {
            "seen": spaces.features(self.world.spec.observation, first) if self.shows else None,
            "place": None if place is None else jnp.asarray(place(first), jnp.float32),
        }

    def study(
        self, agent: Any, key: jax.Array, clock: jax.Array, updates: Any, written: Sequence[bool] = ()
    ) -> tuple[Any, dict[str, jax.Array]]:
        """`updates` rounds of learning, int32 []; the last one's metrics, zeros where there was none. Their number is
        no constant of the program: many at once and a few for each decision are the same, compiled once.

        It touches the agent alone, not the whole mind, so that the decision that is pending does not wait for it:
        a hosted world takes its step meanwhile. written: which of the agent's leaves learning writes, where that is known;
        the others are then no part of the loop."""
        key = keys.fold(jax.random.fold_in(key, clock), "learn")
        learn = jax.jit(self.agent.learn)  # so that it is traced once, for its shapes and for the loop
        shapes = jax.eval_shape(learn, key, agent)[1]
        none = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

        leaves, tree = jax.tree.flatten(agent)
        written = written or (True,) * len(leaves)

        def whole(some: list[Any]) -> Any:
            fresh = iter(some)
            return tree.unflatten([next(fresh) if one else leaf for leaf, one in zip(leaves, written, strict=True)])

        def some(agent: Any) -> list[Any]:
            return [leaf for leaf, one in zip(jax.tree.leaves(agent), written, strict=True) if one]

        def update(index: jax.Array, held: tuple[Any, Any]) -> tuple[Any, dict[str, jax.Array]]:
            agent, info = learn(jax.random.fold_in(key, index), whole(held[0]))
            return some(agent), info

        held, info = jax.lax.fori_loop(0, updates, update, (some(agent), none))
        return whole(held), info

    def decide(self, mind: Mind, mode: Mode) -> Mind:
        """Choose what to do on the step that was heard last."""
        key = jax.random.fold_in(mind.key, mind.clock)
        asking, acting, for_world = keys.split(key, "ask", "act", "world")
        teacher, next_task = self.teacher.ask(asking, mind.teacher, mind.step.kind.shape[0])
        agent, action = self.agent.act(acting, mind.agent, mode)
        decision = Decision(key=jax.random.key_data(for_world), action=action, next_task=next_task)
        return replace(mind, agent=agent, teacher=teacher, decision=decision)


def measured(step: TimeStep, action: Any, next: TimeStep, task: Any, info: Info) -> Experience:
    """The transition [B] with its task and surprise, in a form that a program cannot learn from before it was measured.

    Otherwise the compiler may write into the model before the doubt is read, and keeps a copy of all that the model
    knows to read it from. So the doubt is asked whether it is below zero, which it never is: that would make a seam.
    """
    kind = jnp.where(info["doubt"] < 0.0, jnp.int8(TERMINATED), step.kind)
    return lived(replace(step, kind=kind), action, next, task=task, surprise=info["surprise"])


def _count(tally: Tally, next: TimeStep, surprise: jax.Array, doubt: jax.Array) -> Tally:
    """Add a step to the sums; a FIRST step begins them anew."""

    def add(total: jax.Array, value: jax.Array) -> jax.Array:
        return jnp.where(next.first, 0, total + jnp.where(jnp.isnan(value), 0, value))

    return Tally(
        returns=add(tally.returns, next.reward),
        length=jnp.where(next.first, 0, tally.length + 1),
        surprise=add(tally.surprise, surprise),
        doubt=add(tally.doubt, doubt),
    )


Turn = Callable[[Mind, TimeStep], tuple[Mind, Record]]
Study = Callable[[Any, jax.Array, jax.Array, Any], tuple[Any, dict[str, Any]]]
Both = Callable[[Mind, TimeStep, int], tuple[Mind, Record, dict[str, Any]]]


@struct
class Dose:
    """How much of a segment is lived by a program that leaves it open, so that one program lives all its parts.
    ticks: int32 [periods], decisions of each period; updates: int32 [periods], rounds of learning after each."""

    ticks: jax.Array
    updates: jax.Array


def live_segment(
    world: World,
    turn: Turn,
    study: Study,
    drive: Callable[..., Any],
    segment: Segment,
    life: tuple[Any, Mind],
    dose: Dose | None = None,
    both: Both | None = None,
) -> tuple[tuple[Any, Mind], tuple[Record, dict[str, Any]]]:
    """Drive a life (world state, mind) through a segment, or through as much of it as `dose` says. both: a turn and the
    lessons that follow it, at once, for a segment that learns after each of its decisions.

    Returns the life, the records with leaves [periods, every, ...] and the metrics of learning,
    leaves [periods, ...]; zeros where nothing was lived.
    """
    hosted = world.spec.hosted

    def answer(state: Any, decision: Decision) -> tuple[Any, TimeStep]:
        key = decision.key if hosted else jax.random.wrap_key_data(decision.key)
        return world.step(key, state, decision.action, decision.next_task)

    def tick(life: tuple[Any, Mind], _: None) -> tuple[tuple[Any, Mind], Record]:
        state, mind = life
        state, next = answer(state, mind.decision)
        mind, record = turn(mind, next)
        return (state, mind), record

    def period(life: tuple[Any, Mind], dose: Dose | None) -> tuple[tuple[Any, Mind], tuple[Record, dict[str, Any]]]:
        if both is not None:
            state, mind = life
            state, next = answer(state, mind.decision)
            mind, record, info = both(mind, next, segment.updates)
            return (state, mind), (jax.tree.map(lambda leaf: np.asarray(leaf)[None], record), info)
        if dose is None:
            (state, mind), records = drive(tick, life, None, segment.every)
        else:
            (state, mind), records = scan_some(tick, life, dose.ticks, segment.every)
        if not segment.updates:
            return (state, mind), (records, {})
        agent, info = study(mind.agent, mind.key, mind.clock, segment.updates if dose is None else dose.updates)
        return (state, replace(mind, agent=agent)), (records, info)

    return drive(period, life, dose, segment.periods)
