"""What runs the loop: compiled whole where the world is pure, and a tick at a time where it is not.

Both ways take and return the same values. A life is a pair (world state, mind). A segment yields the records with
leaves [periods, every, ...], and the metrics of learning with leaves [periods, ...]. Leaves may be longer than that.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any, cast

import jax
import numpy as np

from umwelt.core import Info, host_scan, keys, scan, struct
from umwelt.core.contracts import Mode
from umwelt.core.drive import scan_some
from umwelt.evaluation.proctor import is_hosted_mind, stepper
from umwelt.life import spreading
from umwelt.life.beside import Beside
from umwelt.life.body import Body, Learn, Step, Turn, run_segment, ticking
from umwelt.life.mind import Decision, Mind, Record
from umwelt.life.rhythm import Rhythm, Segment

Ran = tuple[tuple[Any, Mind], tuple[Record | None, Info]]
"""A life after a segment, and what it wrote: records, None of lessons without decisions, and the metrics of learning."""


@struct
class Dose:
    """How much of a segment runs in a program that leaves it open, so that one program runs all its parts.

    All int32 [periods]. ticks: decisions of each period. lessons: ticks without a decision after them. updates: rounds of
    learning after those. skipped: rounds before them, which ran in an earlier part.
    """

    ticks: Any
    lessons: Any
    updates: Any
    skipped: Any


class Whole:
    """Runs a pure mind in a pure world: a segment is one compiled program, of several seeds at once if wanted.

    mesh: the devices that share the seeds; None where one runs them all.
    """

    def __init__(self, body: Body, rhythm: Rhythm, seeds: int) -> None:
        self.body, self.rhythm, self.seeds = body, rhythm, seeds
        self.mesh = spreading.mesh_of(seeds)
        self.drive: Callable[..., Any] = scan
        self.segment = cache(self._compile)
        self._reconsider = self.compiled(partial(body.reconsider, rhythm.first_mode))

    def compiled(self, function: Callable[..., Any], in_axes: Any = 0, **options: Any) -> Callable[..., Any]:
        """A function of one seed, compiled for all. in_axes: as `jax.vmap` takes it."""
        return jax.jit(function, **options) if self.seeds == 1 else spreading.compiled(function, self.mesh, in_axes, **options)

    def first(self, key: jax.Array, task: Any) -> tuple[Any, Any]:
        """The world's state and first step; pure, of one seed."""
        return self.body.world.init(keys.fold(key, "first world"), task)

    def open(self, key: jax.Array, agent: Any, teacher: Any, task: Any) -> tuple[Any, Mind]:
        """The life before its first tick, from what `Body.create` made."""
        return self.compiled(self.opened)(key, agent, teacher, task)

    def opened(self, key: jax.Array, agent: Any, teacher: Any, task: Any) -> tuple[Any, Mind]:
        """`open` of one seed, as a pure function."""
        state, step = self.first(key, task)
        return state, self.body.open(self.rhythm.first_mode, key, agent, teacher, task, step)

    def advance(self, life: tuple[Any, Mind], segment: Segment) -> Ran:
        """Run a segment."""
        life = spreading.place(life, self.mesh)  # a save, or what consulted the outside, lies on one device
        if segment.mode == "study" and not segment.updates:  # an agent that has learned from what it was shown
            state, mind = life[0], replace(life[1], clock=life[1].clock + segment.ticks)
            return (state, self._reconsider(mind) if segment.wakes else mind), (None, {})
        if segment.mode == "study":
            only = replace(segment, mode="explore", every=0)
            (state, mind), (_, infos) = self._dosed(life, only, lessons=segment.every)
            return (state, self._reconsider(mind) if segment.wakes else mind), (None, infos)
        if segment.mode == "random" and segment.updates:
            # the first updates of a life run in the program of what follows
            life, (records, _) = self._dosed(life, replace(segment, updates=0)) if segment.every else (life, (None, {}))
            life, (_, infos) = self._dosed(life, replace(segment, mode="explore", every=0))
            return life, (records, infos)
        life, (records, infos) = self._dosed(life, segment)
        return life, (records, infos if segment.updates else {})

    def program_of(self, segment: Segment) -> Segment:
        """The segment whose program runs this one: the largest of its kind, of which it is a part.

        So learning, which takes longest to compile, compiles once for all lengths. A segment that is part of none has a
        program of its own.
        """
        whole, updates = self.rhythm.whole, min(segment.updates, 1)
        if segment.mode == "random" or not whole.updates:
            whole = Segment(mode=segment.mode, periods=1, every=self.rhythm.chunk if segment.every else 0, updates=updates)
        part_of = segment.periods <= whole.periods and segment.every <= whole.every
        return whole if part_of else replace(segment, updates=updates, skipped=0)

    def dose(self, segment: Segment, lessons: int = 0) -> Dose:
        """All of a segment, for the program that runs it. lessons: ticks without a decision in each period."""
        taken = np.arange(self.program_of(segment).periods) < segment.periods
        each = {"ticks": segment.every, "lessons": lessons, "updates": segment.updates, "skipped": segment.skipped}
        return Dose(**{name: np.int32(number) * taken for name, number in each.items()})

    def _dosed(self, life: tuple[Any, Mind], segment: Segment, lessons: int = 0) -> Any:
        return self.segment(self.program_of(segment))(life, self.dose(segment, lessons))

    def _compile(self, segment: Segment) -> Any:
        """The program of a segment. It is given how often it decides and learns, as `Dose`.

        Were that a constant, the compiler would unroll the loop and draw from the memory beside what is added to it. For
        that it would copy all of the memory at each decision.
        """
        turn = partial(self.body.turn, cast(Mode, segment.mode))
        run = partial(run_dose, _pure_step(self.body), turn, self.body.learn, segment)
        return self.compiled(run, in_axes=(0, None), donate_argnums=0)


class Ticks:
    """Steps the world from Python, one tick at a time; the mind is compiled unless it is hosted too."""

    mesh = None

    def __init__(self, body: Body, rhythm: Rhythm, overlap: bool) -> None:
        self.body, self.rhythm = body, rhythm
        hosted_mind = is_hosted_mind(body.agent)
        self.compiled: Callable[..., Any] = _plain if hosted_mind else jax.jit
        self.drive: Callable[..., Any] = host_scan if hosted_mind else scan
        self.overlap = overlap and not hosted_mind
        self.step = stepper(body.world)
        self.init = body.world.init if body.world.spec.hosted else jax.jit(body.world.init)
        self.turn = cache(lambda mode: self.compiled(partial(body.turn, mode), donate_argnums=0))
        self.learn = partial(repeated_learning, body.agent) if hosted_mind else jax.jit(body.learn, donate_argnums=0)
        self.beside: Beside | None = None

    def open(self, key: jax.Array, agent: Any, teacher: Any, task: Any) -> tuple[Any, Mind]:
        """The life before its first tick, from what `Body.create` made."""
        state, step = self.init(keys.fold(key, "first world"), task)
        return state, self.compiled(partial(self.body.open, self.rhythm.first_mode))(key, agent, teacher, task, step)

    def advance(self, life: tuple[Any, Mind], segment: Segment) -> Ran:
        """Run a segment."""
        beside = self._beside_of(life[1]) if segment.updates or (segment.mode == "explore" and self.rhythm.updates) else None
        learn = beside.learn if beside else self.learn
        if segment.mode == "study":
            mind, infos = run_lessons(learn, host_scan, segment, life[1])
            if segment.wakes:
                mind = self.compiled(partial(self.body.reconsider, self.rhythm.first_mode))(mind)
            return (life[0], mind), (None, infos)
        if beside and segment.mode == "explore" and segment.every == self.rhythm.learn_every == 1:
            return beside.run(self._carry_out, segment, life)
        return run_segment(self._carry_out, self.turn(segment.mode), learn, host_scan, segment, life)

    def close(self) -> None:
        """End the thread that learns, if there is one."""
        if self.beside is not None:
            self.beside.close()

    def _carry_out(self, state: Any, decision: Decision) -> tuple[Any, Any]:
        return self.step(decision.key, state, decision.action, decision.next_task)

    def _beside_of(self, mind: Mind) -> Beside | None:
        """The programs that let this agent learn while it decides, if it can."""
        if self.beside is None and self.overlap:
            self.beside = Beside(self.body, mind)
        return self.beside if self.beside and self.beside.apart else None


def run_dose(step: Step, turn: Turn, learn: Learn, segment: Segment, life: tuple[Any, Mind], dose: Dose) -> Ran:
    """`run_segment` of as much of a segment as the dose says; records and metrics are zeros where nothing ran."""
    tick = ticking(step, turn)

    def period(life: tuple[Any, Mind], dose: Dose) -> Ran:
        (state, mind), records = scan_some(tick, life, dose.ticks, segment.every) if segment.every else (life, None)
        mind = replace(mind, clock=mind.clock + dose.lessons)
        if not segment.updates:
            return (state, mind), (records, {})
        agent, info = learn(mind.agent, mind.key, mind.clock, dose.updates, dose.skipped)
        return (state, replace(mind, agent=agent)), (records, info)

    return scan(period, life, dose)


def run_lessons(learn: Learn, drive: Callable[..., Any], segment: Segment, mind: Mind) -> tuple[Mind, Info]:
    """Run a mind through a segment of study: each tick of the clock is a lesson, and the world stands still."""

    def lesson(mind: Mind, _: Any) -> tuple[Mind, Info]:
        mind = replace(mind, clock=mind.clock + segment.every)
        if not segment.updates:
            return mind, {}
        agent, info = learn(mind.agent, mind.key, mind.clock, segment.updates, segment.skipped)
        return replace(mind, agent=agent), info

    return drive(lesson, mind, None, segment.periods)


def repeated_learning(agent: Any, state: Any, key: jax.Array, clock: jax.Array, updates: int, skipped: int) -> tuple[Any, Info]:
    """`Body.learn` of a hosted agent, in Python."""
    key, info = keys.fold(jax.random.fold_in(key, clock), "learn"), {}
    for index in range(int(skipped), int(skipped) + int(updates)):
        state, info = agent.learn(jax.random.fold_in(key, index), state)
    return state, info


def _pure_step(body: Body) -> Step:
    def step(state: Any, decision: Decision) -> tuple[Any, Any]:
        return body.world.step(jax.random.wrap_key_data(decision.key), state, decision.action, decision.next_task)

    return step


def _plain(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """In the place of `jax.jit` for a hosted mind."""
    del options
    return function
