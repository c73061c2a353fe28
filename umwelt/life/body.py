"""The loop of every life: see, remember, tell the teacher, ask, act, step; learn by the rhythm.

A *turn* is what a mind does between two steps of its world: it takes in the world's answer and decides again. A *tick*
is one step of the world and the turn after it. Everything in a mind is pure, so a tick compiles whole where the world
is pure. Where the world is hosted, its step runs in Python between two compiled turns. `umwelt.life.programs` chooses.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Info, TimeStep, keys, part, select
from umwelt.core.contracts import Agent, Mode, Teacher, World
from umwelt.life.mind import Decision, Mind, Record, born, counted, feedback_of, measured, recorded
from umwelt.life.rhythm import Segment

Step = Callable[[Any, Decision], tuple[Any, TimeStep]]
"""Carries out a decision: (world state, decision) -> (world state, the world's answer)."""
Turn = Callable[[Mind, TimeStep], tuple[Mind, Record]]
Learn = Callable[[Any, jax.Array, jax.Array, Any, Any], tuple[Any, Info]]


@part
class Body:
    """The parts of a life, and what they do to its mind. Its methods are pure where its parts are."""

    world: World
    agent: Agent
    teacher: Teacher
    keep: bool = False
    """Record every step and action, because the life keeps its episodes."""

    def create(self, key: jax.Array) -> tuple[Any, Any, Any]:
        """The states of an agent that has learned nothing and of its teacher, and the tasks [B] of the first episodes."""
        for_agent, for_teacher, for_ask = keys.split(key, "agent", "teacher", "first ask")
        spec = self.world.spec
        teacher = self.teacher.init(for_teacher, spec.task, self.world.tasks())
        teacher, task = self.teacher.ask(for_ask, teacher, spec.batch)
        return self.agent.init(for_agent, spec), teacher, task

    def open(self, mode: Mode, key: jax.Array, agent: Any, teacher: Any, task: Any, step: TimeStep) -> Mind:
        """The mind that has seen its first step, with its first decision."""
        step = replace(step, named=None)
        seeing = keys.fold(jax.random.fold_in(key, 0), "see")
        agent, _ = self.agent.see(seeing, agent, step)
        return self.decide(born(key, agent, teacher, task, step), mode)

    def turn(self, mode: Mode, mind: Mind, next: TimeStep) -> tuple[Mind, Record]:
        """Take in the world's answer and decide again."""
        mind, record = self.receive(mind, next)
        return self.decide(mind, mode), record

    def receive(self, mind: Mind, next: TimeStep) -> tuple[Mind, Record]:
        """See the world's answer, remember how it came about, and tell the teacher."""
        named, next = next.named, replace(next, named=None)  # for the chronicle alone
        key = jax.random.fold_in(mind.key, mind.clock + 1)
        seeing, remembering, telling = keys.split(key, "see", "remember", "tell")
        agent, seen = self.agent.see(seeing, mind.agent, next)
        agent, learned = self.agent.remember(remembering, agent, measured(mind, next, seen))
        task = select(next.first, mind.decision.next_task, mind.task)
        tally = counted(mind.tally, next, seen)
        feedback = feedback_of(self.world, tally, next)
        teacher = self.teacher.tell(telling, mind.teacher, task, feedback)
        record = recorded(self.world, mind, next, task, feedback, {**learned, **seen}, self.keep, named)
        return replace(mind, clock=mind.clock + 1, step=next, task=task, tally=tally, agent=agent, teacher=teacher), record

    def decide(self, mind: Mind, mode: Mode) -> Mind:
        """Ask the teacher for the next task, and act on what was seen last."""
        asking, acting, stepping = keys.split(jax.random.fold_in(mind.key, mind.clock), "ask", "act", "world")
        teacher, next_task = self.teacher.ask(asking, mind.teacher, mind.step.kind.shape[0])
        agent, action = self.agent.act(acting, mind.agent, mode)
        decision = Decision(key=jax.random.key_data(stepping), action=action, next_task=next_task)
        return replace(mind, agent=agent, teacher=teacher, decision=decision)

    def reconsider(self, mode: Mode, mind: Mind) -> Mind:
        """See the first step again and decide again on it, after lessons that changed the agent. The task that was asked
        for stays."""
        seeing, acting = keys.split(jax.random.fold_in(mind.key, mind.clock), "see", "act")
        agent, _ = self.agent.see(seeing, mind.agent, mind.step)
        agent, action = self.agent.act(acting, agent, mode)
        return replace(mind, agent=agent, decision=replace(mind.decision, action=action))

    def learn(self, agent: Any, key: jax.Array, clock: jax.Array, updates: Any, skipped: Any) -> tuple[Any, Info]:
        """Learn `updates` times, int32 [], after `skipped` times. It touches the agent alone, so the pending decision does
        not wait for it."""
        return rounds(self.agent.learn, agent, keys.fold(jax.random.fold_in(key, clock), "learn"), updates, skipped)


def rounds(
    learn: Callable[[jax.Array, Any], tuple[Any, Info]], agent: Any, key: jax.Array, updates: Any, skipped: Any
) -> tuple[Any, Info]:
    """The agent after `updates` rounds of learning, and the metrics of the last one; zeros where there was none.

    Their number is no constant of the program, so many at once and a few for each decision compile once. `skipped` rounds
    ran before, in another program.
    """
    learn = jax.jit(learn)  # so that one trace serves for the shapes and for the loop
    shapes = jax.eval_shape(learn, key, agent)[1]
    none = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

    def once(index: Any, held: tuple[Any, Info]) -> tuple[Any, Info]:
        return learn(jax.random.fold_in(key, index), held[0])

    return jax.lax.fori_loop(skipped, skipped + updates, once, (agent, none))


def ticking(step: Step, turn: Turn) -> Callable[[tuple[Any, Mind], Any], tuple[tuple[Any, Mind], Record]]:
    """One tick of a life (world state, mind), for a driver."""

    def tick(life: tuple[Any, Mind], _: Any) -> tuple[tuple[Any, Mind], Record]:
        state, mind = life
        state, next = step(state, mind.decision)
        mind, record = turn(mind, next)
        return (state, mind), record

    return tick


def run_segment(
    step: Step, turn: Turn, learn: Learn, drive: Callable[..., Any], segment: Segment, life: tuple[Any, Mind]
) -> tuple[tuple[Any, Mind], tuple[Record, Info]]:
    """Run a life (world state, mind) through a segment: ticks, then learning, again and again.

    Returns the life, the records with leaves [periods, every, ...] and the metrics of learning, leaves [periods, ...].
    """
    tick = ticking(step, turn)

    def period(life: tuple[Any, Mind], _: Any) -> tuple[tuple[Any, Mind], tuple[Record, Info]]:
        (state, mind), records = drive(tick, life, None, segment.every)
        if not segment.updates:
            return (state, mind), (records, {})
        agent, info = learn(mind.agent, mind.key, mind.clock, segment.updates, segment.skipped)
        return (state, replace(mind, agent=agent)), (records, info)

    return drive(period, life, None, segment.periods)
