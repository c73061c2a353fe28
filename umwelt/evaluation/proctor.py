"""Runs exams: compiled where world and agent are pure, and from Python where one of them is hosted."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import TimeStep, host_scan, is_hosted, keys, layers, struct
from umwelt.core.contracts import Agent, HostedWorld, Mode, World
from umwelt.core.drive import scan_some
from umwelt.evaluation.exam import Exam, Examiner

LIMIT = 10_000
"""Decisions of the longest episode in an exam."""
STRETCH = 200
"""Decisions between two looks at whether all episodes have ended, where steps are recorded."""
SECONDS, FIRST = 4.0, 10
"""Of one program of an exam, about; and its decisions while it is not known how long they take."""


Show = Callable[[Exam, TimeStep, Any], Any]
"""What a walk keeps of a tick: (the exam before it, the world's answer, the world's state after it) -> a pytree."""


@struct
class Journey:
    """What N rows went through in T decisions each.

    belief: leaves [T + 1, N, ...]; observation: leaves [T + 1, N, ...]. action: leaves [T, N, ...].
    reward: float32 [T, N]. inside: bool [T, N], the decision belongs to the row's one episode.
    """

    belief: Any
    observation: Any
    action: Any
    reward: jax.Array
    inside: jax.Array


@struct
class Film:
    """What N rows went through in T decisions, and what the agent had imagined of them.

    observation: leaves [T, N, ...]. reward: float32 [T, N]. inside: bool [T, N], the decision belongs to the row's one
    episode. expected: Prediction [T, N], or None where there is no model. state: the world's, [T, N, ...]; None of a
    hosted one.
    """

    observation: Any
    reward: jax.Array
    inside: jax.Array
    expected: Any
    state: Any


class Proctor:
    """Runs exams. It holds compiled functions, and never the learner's state.

    world_of: how to make the world with a given number of rows.
    """

    def __init__(self, agent: Agent, world_of: Callable[[int], World]) -> None:
        self.agent, self.world_of = agent, world_of
        self._hosted_mind = is_hosted_mind(agent)
        self._made: dict[Any, Any] = {}
        self._seconds: dict[Any, float] = {}  # of a decision in an exam

    def examine(self, key: jax.Array, agent_state: Any, tasks: Any, mode: Mode = "exploit", limit: int = LIMIT) -> Exam:
        """One episode in each row on `tasks` (leaves [N, ...]), of `limit` decisions at most."""
        examiner = self._examiner(tasks, mode)
        state, exam = self._begin(examiner, key, agent_state, tasks)
        if self._compiles(examiner.world):
            return self._sit_whole(examiner, limit, key, tasks, (state, exam))
        answer, step = self._answer(examiner), self._step(examiner.world)
        words = np.asarray(_step_words(key, 0, limit))
        alive, exam = np.ones(len(exam.alive), bool), answer(exam, exam.step)
        for clock in range(limit):
            state, next = step(words[clock], state, exam.action, tasks)
            alive &= ~np.asarray(next.last)
            exam = answer(exam, next)
            if not alive.any():
                break
        close(examiner.world, state)
        return exam

    def _sit_whole(self, examiner: Examiner, limit: int, key: jax.Array, tasks: Any, carry: tuple[Any, Exam]) -> Exam:
        """A whole exam in a pure world, in programs that end after a few seconds, so that signals are heard."""
        name, clock = ("exam", *_name(examiner)), -1
        run = self._cached(name, lambda: jax.jit(partial(_sit, examiner)))
        while clock < limit and np.any(carry[1].alive):
            ticks = max(1, int(SECONDS / self._seconds[name])) if name in self._seconds else FIRST
            began, before = time.perf_counter(), clock
            carry = run(key, tasks, carry, min(clock + ticks, limit))
            clock = int(carry[1].clock)
            self._seconds[name] = (time.perf_counter() - began) / (clock - before)
        return carry[1]

    def film(self, key: jax.Array, agent_state: Any, tasks: Any, warm: int, ticks: int) -> Film:
        """Film `ticks` decisions after `warm` ones, and what the agent imagined of them before."""
        walk, carry = self._walk(self._examiner(tasks, "exploit"), key, agent_state, tasks, max(warm + 1, ticks), _show_film)
        carry, _ = walk(carry, -1, warm + 1)
        before = carry[1]
        (state, _), (observation, reward, inside, action, bodies) = walk(carry, warm, ticks)
        close(self._examiner(tasks, "exploit").world, state)
        imagine = self._cached(("imagine", ticks), lambda: self._pure(self.agent.imagine))
        expected = imagine(keys.fold(key, "imagine"), before.agent, jax.tree.map(jnp.asarray, action))
        return Film(observation=observation, reward=reward, inside=inside, expected=expected, state=bodies)

    def journey(self, key: jax.Array, agent_state: Any, tasks: Any, ticks: int) -> Journey:
        """What N rows go through in `ticks` decisions of an agent that acts as well as it can, beliefs included."""
        examiner = self._examiner(tasks, "exploit")
        if with_model(self.agent, agent_state) is None:
            raise ValueError(f"agent: {type(self.agent).__name__} has no world model, so it has no beliefs to follow")
        show = self._cached("journey", lambda: partial(_show_journey, self.agent))
        walk, carry = self._walk(examiner, key, agent_state, tasks, max(1, ticks), show)
        carry, _ = walk(carry, -1, 1)
        (state, after), shown = walk(carry, 0, ticks)
        close(examiner.world, state)
        belief, observation, action, reward, inside = jax.tree.map(jnp.asarray, shown)
        last = (_belief(self.agent, after.agent), after.step.observation)
        belief, observation = jax.tree.map(lambda path, end: jnp.concatenate([path, end[None]]), (belief, observation), last)
        return Journey(belief=belief, observation=observation, action=action, reward=reward, inside=inside)

    def steps(
        self, key: jax.Array, agent_state: Any, tasks: Any, mode: Mode = "exploit", noise: float = 0.0, limit: int = LIMIT
    ) -> tuple[TimeStep, Any]:
        """One whole episode in each row: its steps [T + 1, N] and actions [T, N, ...].

        They go on until all episodes have ended, or after `limit` decisions; after its end a row is of no use.
        """
        examiner = self._examiner(tasks, mode, noise)
        walk, carry = self._walk(examiner, key, agent_state, tasks, STRETCH, _show_steps)
        carry, _ = walk(carry, -1, 1)
        opening, pieces, clock = carry[1].step, [], 0
        while clock < limit and np.any(carry[1].alive):
            carry, shown = walk(carry, clock, min(STRETCH, limit - clock))
            pieces.append(jax.tree.map(np.asarray, shown))
            clock += STRETCH
        close(examiner.world, carry[0])
        after, action = jax.tree.map(lambda *leaves: np.concatenate(leaves), *pieces)
        return jax.tree.map(lambda first, rest: np.concatenate([np.asarray(first)[None], rest]), opening, after), action

    def _walk(
        self,
        examiner: Examiner,
        key: jax.Array,
        agent_state: Any,
        tasks: Any,
        most: int,
        show: Show,
    ) -> tuple[Callable[[Any, int, int], tuple[Any, Any]], tuple[Any, Exam]]:
        """A function (carry, clock, count) -> (carry, shown [count, ...]) that runs `count` ticks, `most` at most, from
        `clock` on, and where it begins: at clock -1."""
        carry = self._begin(examiner, key, agent_state, tasks)
        if self._compiles(examiner.world):
            made = self._cached(("walk", *_name(examiner), most, show), lambda: jax.jit(partial(_stretch, examiner, show, most)))

            def run(carry: tuple[Any, Exam], clock: int, count: int) -> tuple[Any, Any]:
                carry, shown = made(key, tasks, carry, count)
                return carry, jax.tree.map(lambda leaf: leaf[:count], shown)

            return run, carry
        answer, step = self._answer(examiner), self._step(examiner.world)

        def run_ticks(carry: tuple[Any, Exam], clock: int, count: int) -> tuple[Any, Any]:
            words = np.asarray(_step_words(key, clock, count))

            def tick(carry: tuple[Any, Exam], now: int) -> tuple[tuple[Any, Exam], Any]:
                state, exam = carry
                next = exam.step
                if now >= 0:
                    state, next = step(words[now - clock], state, exam.action, tasks)
                return (state, answer(exam, next)), show(exam, next, None)

            return host_scan(tick, carry, np.arange(clock, clock + count))

        return run_ticks, carry

    def _examiner(self, tasks: Any, mode: Mode, noise: float = 0.0) -> Examiner:
        rows = jax.tree.leaves(tasks)[0].shape[0]
        world = self._cached(("world", rows), lambda: self.world_of(rows))
        return Examiner(world=world, agent=self.agent, mode=mode, noise=noise)

    def _begin(self, examiner: Examiner, key: jax.Array, agent_state: Any, tasks: Any) -> tuple[Any, Exam]:
        """`Examiner.begin`, of which a hosted part runs in Python."""
        if self._compiles(examiner.world):
            return self._cached(("begin", *_name(examiner)), lambda: jax.jit(examiner.begin))(key, agent_state, tasks)
        world = examiner.world
        init = world.init if world.spec.hosted else self._cached(("init", world.spec.batch), lambda: jax.jit(world.init))
        state, step = init(keys.fold(key, "world"), tasks)
        enter = self._cached(("enter", *_name(examiner)), lambda: self._pure(examiner.enter))
        return state, enter(keys.fold(key, "sit"), agent_state, step)

    def _compiles(self, world: World) -> bool:
        return not world.spec.hosted and not self._hosted_mind

    def _answer(self, examiner: Examiner) -> Callable[..., Any]:
        return self._cached(("answer", *_name(examiner)), lambda: self._pure(examiner.answer))

    def _step(self, world: World) -> Callable[..., Any]:
        return self._cached(("step", world.spec.batch), lambda: stepper(world))

    def _pure(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of the agent, compiled unless the agent is hosted."""
        return function if self._hosted_mind else jax.jit(function)

    def _cached(self, name: Any, make: Callable[[], Any]) -> Any:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]


def _name(examiner: Examiner) -> tuple[Any, ...]:
    """What the programs of one proctor differ by."""
    return examiner.world.spec.batch, examiner.mode, examiner.noise


def is_hosted_mind(agent: Agent) -> bool:
    """True for an agent whose methods are plain Python, or whose model's are."""
    parts = [each for layer in layers(agent) for each in (layer, *layers(getattr(layer, "model", None)))]
    return any(is_hosted(each) for each in parts)


def with_model(agent: Agent, state: Any) -> tuple[Any, Any] | None:
    """The agent, inside its wrappers, that has a world model, and its state; None where there is none."""
    for layer in layers(agent):
        if getattr(layer, "model", None) is not None:
            return layer, state
        state = getattr(state, "inner", None)
    return None


def stepper(world: World) -> Callable[[Any, Any, Any, Any], tuple[Any, TimeStep]]:
    """`World.step` for a driver in Python, which holds a key as words: compiled where the world is pure."""
    if world.spec.hosted:
        return world.step
    return jax.jit(lambda words, *rest: world.step(jax.random.wrap_key_data(words), *rest))


def close(world: World, state: Any) -> None:
    """Let a hosted world end its simulators."""
    if world.spec.hosted:
        cast(HostedWorld, world).close(state)


def _sit(examiner: Examiner, key: jax.Array, tasks: Any, carry: tuple[Any, Exam], until: jax.Array) -> tuple[Any, Exam]:
    """An exam in a pure world until its clock shows `until`, or all episodes are over."""

    def going(carry: tuple[Any, Exam]) -> jax.Array:
        return jnp.any(carry[1].alive) & (carry[1].clock < until)

    return jax.lax.while_loop(going, lambda carry: examiner.onward(key, tasks, carry)[0], carry)


def _stretch(
    examiner: Examiner, show: Any, most: int, key: jax.Array, tasks: Any, carry: tuple[Any, Exam], count: jax.Array
) -> tuple[tuple[Any, Exam], Any]:
    """`count` ticks in a pure world, and `show` of each [most, ...]."""

    def tick(carry: tuple[Any, Exam], _: None) -> tuple[tuple[Any, Exam], Any]:
        after, next = examiner.onward(key, tasks, carry)
        return after, show(carry[1], next, after[0])

    return scan_some(tick, carry, count, most)


def _belief(agent: Agent, state: Any) -> Any:
    found = with_model(agent, state)
    return found and found[1].belief


def _show_film(exam: Exam, next: TimeStep, state: Any) -> Any:
    return next.observation, next.reward, exam.alive, exam.action, state


def _show_journey(agent: Agent, exam: Exam, next: TimeStep, state: Any) -> Any:
    return _belief(agent, exam.agent), exam.step.observation, exam.action, next.reward, exam.alive


def _show_steps(exam: Exam, next: TimeStep, state: Any) -> Any:
    return next, exam.action


def _step_words(key: jax.Array, clock: int, count: int) -> jax.Array:
    """uint32 [count, words]: the keys of the world's steps from `clock` on, made at once because they are used singly."""
    step_keys = jax.vmap(partial(jax.random.fold_in, keys.fold(key, "step")))(jnp.arange(clock, clock + count))
    return jax.random.key_data(step_keys)
