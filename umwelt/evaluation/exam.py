"""An agent under examination: it acts as well as it can, learns nothing, and is measured.

An exam turns like a life: the world answers, then `answer` takes the answer in and decides again. The first step is
such an answer too, so that how the agent acts, which may take long to compile, stands only once in a program.
`Examiner` says how it goes; `Proctor` drives it, compiled for a pure world, and from Python for a hosted one.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import TimeStep, host_scan, keys, part, select, spaces, struct
from umwelt.core.contracts import Agent, Mode, World
from umwelt.core.drive import scan_some


@struct
class Exam:
    """An exam under way on N rows, one episode each.

    clock: int32 [], decisions that were answered; -1 before the first step is taken in, which `step` holds until then.
    agent: the examined agent's own state. alive: bool [N], the row's episode is not over.
    returns: float32 [N]; length: int32 [N]. error, change, square: float32 [N, width], sums of the
    squared one-step error, of the true changes and of their squares.
    """

    key: jax.Array
    clock: jax.Array
    agent: Any
    step: TimeStep
    action: Any
    alive: jax.Array
    returns: jax.Array
    length: jax.Array
    error: jax.Array
    change: jax.Array
    square: jax.Array


@struct
class Journey:
    """What N rows lived, T decisions each.

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
    """What N rows lived in T decisions, and what the agent had imagined of them.

    observation: leaves [T, N, ...]. reward: float32 [T, N]. inside: bool [T, N], the decision belongs to the row's one
    episode. expected: Prediction [T, N], or None where there is no model. state: the world's, [T, N, ...]; None of a
    hosted one.
    """

    observation: Any
    reward: jax.Array
    inside: jax.Array
    expected: Any
    state: Any


@part
class Examiner:
    """Examines an agent in a world of N = world.spec.batch rows."""

    world: World
    agent: Agent
    mode: Mode = "exploit"
    """`exploit` examines what the agent can do; `random`, what its model knows of actions that no agent chose."""

    def enter(self, key: jax.Array, agent_state: Any, step: TimeStep) -> Exam:
        """The agent in a new body, before it has seen its first step."""
        spec = self.world.spec
        agent = self.agent.embody(keys.fold(key, "embody"), agent_state, spec)
        action = jax.eval_shape(partial(self.agent.act, mode=self.mode), key, agent)[1]
        rows = jnp.zeros(spec.batch, jnp.float32)
        sums = jnp.zeros((spec.batch, spaces.width(spec.observation)), jnp.float32)
        return Exam(
            key=key,
            clock=jnp.full((), -1, jnp.int32),
            agent=agent,
            step=step,
            action=jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), action),
            alive=rows == 0,
            returns=rows,
            length=jnp.zeros(spec.batch, jnp.int32),
            error=sums,
            change=sums,
            square=sums,
        )

    def answer(self, exam: Exam, next: TimeStep) -> Exam:
        """Take in the world's answer, or the first step: count it where the row is alive, and act."""
        space = self.world.spec.observation
        key = jax.random.fold_in(exam.key, exam.clock + 1)
        imagining, seeing, acting = keys.split(key, "imagine", "see", "act")
        before, after = spaces.features(space, exam.step.observation), spaces.features(space, next.observation)
        expected = self.agent.imagine(imagining, exam.agent, jax.tree.map(lambda leaf: leaf[None], exam.action))
        guess = jnp.full_like(after, jnp.nan)
        if expected is not None and expected.observation is not None:
            guess = spaces.features(space, jax.tree.map(lambda leaf: leaf[0], expected.observation))
        agent, _ = self.agent.see(seeing, exam.agent, next)
        agent, action = self.agent.act(acting, agent, self.mode)
        counts = exam.alive & (exam.clock >= 0)
        return replace(
            exam,
            clock=exam.clock + 1,
            agent=agent,
            step=next,
            action=action,
            alive=exam.alive & ~next.last,
            returns=exam.returns + jnp.where(counts, next.reward, 0),
            length=exam.length + counts,
            error=exam.error + jnp.where(counts[:, None], (guess - after) ** 2, 0),
            change=exam.change + jnp.where(counts[:, None], after - before, 0),
            square=exam.square + jnp.where(counts[:, None], (after - before) ** 2, 0),
        )

    def begin(self, key: jax.Array, agent_state: Any, tasks: Any) -> tuple[Any, Exam]:
        """A world's state on `tasks` [N], and the exam in it."""
        state, step = self.world.init(keys.fold(key, "world"), tasks)
        return state, self.enter(keys.fold(key, "sit"), agent_state, step)

    def onward(self, key: jax.Array, tasks: Any, carry: tuple[Any, Exam]) -> tuple[tuple[Any, Exam], TimeStep]:
        """One tick in a pure world; the first shows the step that the exam begins with, and leaves the world as it is."""
        state, exam = carry
        answered, next = self.world.step(jax.random.fold_in(keys.fold(key, "step"), exam.clock), state, exam.action, tasks)
        state, next = select(exam.clock < 0, (state, exam.step), (answered, next))
        return (state, self.answer(exam, next)), next


class Proctor:
    """Runs exams. It holds compiled functions, and never the learner's state.

    world_of: how to make the world with a given number of rows.
    """

    def __init__(self, agent: Agent, world_of: Callable[[int], World], compiled: bool) -> None:
        self.agent, self.world_of, self.compiled = agent, world_of, compiled
        self._made: dict[Any, Any] = {}

    def examine(self, key: jax.Array, agent_state: Any, tasks: Any, mode: Mode = "exploit", limit: int = 10_000) -> Exam:
        """One episode in each row on `tasks` (leaves [N, ...]), of `limit` decisions at most."""
        rows = jax.tree.leaves(tasks)[0].shape[0]
        examiner = self._examiner(rows, mode)
        state, exam = self._begin(examiner, key, agent_state, tasks)
        if self.compiled:
            run = self._cached(("exam", rows, mode, limit), lambda: jax.jit(partial(_sit_whole, examiner, limit)))
            return run(key, tasks, (state, exam))
        answer = self._cached(("answer", rows, mode), lambda: jax.jit(examiner.answer))
        words = np.asarray(_step_words(key, limit))
        alive, exam = np.ones(rows, bool), answer(exam, exam.step)
        for clock in range(limit):
            state, next = examiner.world.step(words[clock], state, exam.action, tasks)
            alive &= ~np.asarray(next.last)
            exam = answer(exam, next)
            if not alive.any():
                break
        close(examiner.world, state)
        return exam

    def film(self, key: jax.Array, agent_state: Any, tasks: Any, warm: int, ticks: int) -> Film:
        """After `warm` decisions, film `ticks` more, and what the agent imagined beforehand of them."""
        before, (observation, reward, inside, action, state), _ = self._record(key, agent_state, tasks, warm, ticks, _show_film)
        imagine = self._cached(("imagine", ticks), lambda: jax.jit(self.agent.imagine))
        expected = imagine(keys.fold(key, "imagine"), before.agent, jax.tree.map(jnp.asarray, action))
        return Film(observation=observation, reward=reward, inside=inside, expected=expected, state=state)

    def journey(self, key: jax.Array, agent_state: Any, tasks: Any, ticks: int) -> Journey:
        """What N rows live in `ticks` decisions of an agent that acts as well as it can, beliefs included."""
        _, shown, after = self._record(key, agent_state, tasks, 0, ticks, _show_journey)
        belief, observation, action, reward, inside = jax.tree.map(jnp.asarray, shown)
        last = (after.agent.belief, after.step.observation)
        belief, observation = jax.tree.map(lambda path, end: jnp.concatenate([path, end[None]]), (belief, observation), last)
        return Journey(belief=belief, observation=observation, action=action, reward=reward, inside=inside)

    def _record(
        self, key: jax.Array, agent_state: Any, tasks: Any, warm: int, ticks: int, show: Callable[[Exam, TimeStep, Any], Any]
    ) -> tuple[Exam, Any, Exam]:
        """The exam after `warm` decisions, `show` of each of `ticks` more [ticks, ...], and the exam after those."""
        rows = jax.tree.leaves(tasks)[0].shape[0]
        examiner = self._examiner(rows, "exploit")
        carry = self._begin(examiner, key, agent_state, tasks)
        if self.compiled:
            most = max(warm + 1, ticks)
            stretch = self._cached(("record", rows, most, show), lambda: jax.jit(partial(_stretch, examiner, show, most)))
            carry, _ = stretch(key, tasks, carry, warm + 1)
            (_, after), shown = stretch(key, tasks, carry, ticks)
            return carry[1], jax.tree.map(lambda leaf: leaf[:ticks], shown), after
        answer = self._cached(("answer", rows, "exploit"), lambda: jax.jit(examiner.answer))
        world = examiner.world

        def tick(carry: tuple[Any, Exam], words: Any) -> tuple[tuple[Any, Exam], Any]:
            state, exam = carry
            state, next = world.step(words, state, exam.action, tasks)
            return (state, answer(exam, next)), show(exam, next, None)

        words = np.asarray(_step_words(key, warm + ticks))
        carry, _ = host_scan(tick, (carry[0], answer(carry[1], carry[1].step)), words[:warm])
        (state, after), shown = host_scan(tick, carry, words[warm:])
        close(world, state)
        return carry[1], shown, after

    def _examiner(self, rows: int, mode: Mode) -> Examiner:
        return self._cached(("examiner", rows, mode), lambda: Examiner(world=self.world_of(rows), agent=self.agent, mode=mode))

    def _begin(self, examiner: Examiner, key: jax.Array, agent_state: Any, tasks: Any) -> tuple[Any, Exam]:
        """`Examiner.begin`, of which a hosted world does its part in Python."""
        name = (examiner.world.spec.batch, examiner.mode)
        if self.compiled:
            return self._cached(("begin", *name), lambda: jax.jit(examiner.begin))(key, agent_state, tasks)
        state, step = examiner.world.init(keys.fold(key, "world"), tasks)
        return state, self._cached(("enter", *name), lambda: jax.jit(examiner.enter))(keys.fold(key, "sit"), agent_state, step)

    def _cached(self, name: Any, make: Callable[[], Any]) -> Any:
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]


def close(world: World, state: Any) -> None:
    """Let a hosted world end its simulators."""
    if world.spec.hosted:
        world.close(state)  # type: ignore[attr-defined]


def model_error(exam: Exam, tasks: int) -> np.ndarray:
    """The share of the true change that a one-step prediction leaves unexplained, for each task.

    [tasks] from N = tasks x episodes rows: mean over dimensions of squared error / variance of the
    change. 0 is perfect, 1 is as good as always guessing the mean change; NaN without a model.
    """

    def pool(leaf: Any) -> np.ndarray:
        return np.asarray(leaf, np.float64).reshape(tasks, -1, np.shape(leaf)[-1]).sum(axis=1)

    count = np.asarray(exam.length, np.float64).reshape(tasks, -1).sum(axis=1)[:, None]
    spread = pool(exam.square) - pool(exam.change) ** 2 / np.maximum(count, 1)
    moving = spread > 1e-9 * np.maximum(count, 1)
    share = np.where(moving, pool(exam.error) / np.where(moving, spread, 1), 0)
    return share.sum(axis=1) / np.maximum(moving.sum(axis=1), 1)


def _sit_whole(examiner: Examiner, limit: int, key: jax.Array, tasks: Any, carry: tuple[Any, Exam]) -> Exam:
    """A whole exam in a pure world."""

    def going(carry: tuple[Any, Exam]) -> jax.Array:
        return jnp.any(carry[1].alive) & (carry[1].clock < limit)

    return jax.lax.while_loop(going, lambda carry: examiner.onward(key, tasks, carry)[0], carry)[1]


def _stretch(
    examiner: Examiner, show: Any, most: int, key: jax.Array, tasks: Any, carry: tuple[Any, Exam], count: jax.Array
) -> tuple[tuple[Any, Exam], Any]:
    """`count` ticks in a pure world, and `show` of each [most, ...]."""

    def tick(carry: tuple[Any, Exam], _: None) -> tuple[tuple[Any, Exam], Any]:
        after, next = examiner.onward(key, tasks, carry)
        return after, show(carry[1], next, after[0])

    return scan_some(tick, carry, count, most)


def _show_film(exam: Exam, next: TimeStep, state: Any) -> Any:
    return next.observation, next.reward, exam.alive, exam.action, state


def _show_journey(exam: Exam, next: TimeStep, state: Any) -> Any:
    return exam.agent.belief, exam.step.observation, exam.action, next.reward, exam.alive


def _step_words(key: jax.Array, count: int) -> jax.Array:
    """uint32 [count, words]: the keys of the world's steps, made at once because a hosted world steps singly."""
    step_keys = jax.vmap(partial(jax.random.fold_in, keys.fold(key, "step")))(jnp.arange(count))
    return jax.random.key_data(step_keys)
