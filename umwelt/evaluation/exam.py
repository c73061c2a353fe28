"""An agent under examination: it acts as well as it can, learns nothing, and is measured.

An exam turns like a life: the world answers, then `answer` takes the answer in and decides again.
`Examiner` drives it, compiled whole for a pure world, and from Python for a hosted one.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import TimeStep, host_scan, keys, part, scan, spaces, struct
from umwelt.core.contracts import Agent, Mode, World


@struct
class Exam:
    """An exam under way on N rows, one episode each.

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

    def sit(self, key: jax.Array, agent_state: Any, step: TimeStep) -> Exam:
        """The agent in a new body, before its first step."""
        spec = self.world.spec
        embodying, acting = keys.split(key, "embody", "act")
        agent = self.agent.embody(embodying, agent_state, spec)
        agent, action = self.agent.act(acting, agent, step, self.mode)
        rows = jnp.zeros(spec.batch, jnp.float32)
        sums = jnp.zeros((spec.batch, spaces.width(spec.observation)), jnp.float32)
        return Exam(
            key=key,
            clock=jnp.zeros((), jnp.int32),
            agent=agent,
            step=step,
            action=action,
            alive=rows == 0,
            returns=rows,
            length=jnp.zeros(spec.batch, jnp.int32),
            error=sums,
            change=sums,
            square=sums,
        )

    def answer(self, exam: Exam, next: TimeStep) -> Exam:
        """Take in the world's answer: count it where the row is alive, and act again."""
        space = self.world.spec.observation
        key = jax.random.fold_in(exam.key, exam.clock)
        imagining, acting = keys.split(key, "imagine", "act")
        before, after = spaces.features(space, exam.step.observation), spaces.features(space, next.observation)
        expected = self.agent.imagine(imagining, exam.agent, jax.tree.map(lambda leaf: leaf[None], exam.action))
        guess = jnp.full_like(after, jnp.nan)
        if expected is not None and expected.observation is not None:
            guess = spaces.features(space, jax.tree.map(lambda leaf: leaf[0], expected.observation))
        agent, action = self.agent.act(acting, exam.agent, next, self.mode)
        alive = exam.alive[:, None]
        return replace(
            exam,
            clock=exam.clock + 1,
            agent=agent,
            step=next,
            action=action,
            alive=exam.alive & ~next.last,
            returns=exam.returns + jnp.where(exam.alive, next.reward, 0),
            length=exam.length + exam.alive,
            error=exam.error + jnp.where(alive, (guess - after) ** 2, 0),
            change=exam.change + jnp.where(alive, after - before, 0),
            square=exam.square + jnp.where(alive, (after - before) ** 2, 0),
        )


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
        if self.compiled:
            run = self._cached(("exam", rows, mode, limit), lambda: jax.jit(partial(_sit_whole, examiner, limit)))
            return run(key, agent_state, tasks)
        state, exam = self._enter(examiner, key, agent_state, tasks)
        answer = self._cached(("answer", rows, mode), lambda: jax.jit(examiner.answer))
        words = np.asarray(_step_words(key, limit))
        alive = np.ones(rows, bool)
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
        if self.compiled:
            whole = partial(_record, examiner, examiner.sit, examiner.answer, scan, warm, ticks, show)
            return self._cached(("record", rows, warm, ticks, show), lambda: jax.jit(whole))(key, agent_state, tasks)
        sit = self._cached(("sit", rows, "exploit"), lambda: jax.jit(examiner.sit))
        answer = self._cached(("answer", rows, "exploit"), lambda: jax.jit(examiner.answer))
        return _record(examiner, sit, answer, host_scan, warm, ticks, show, key, agent_state, tasks)

    def _examiner(self, rows: int, mode: Mode) -> Examiner:
        return self._cached(("examiner", rows, mode), lambda: Examiner(world=self.world_of(rows), agent=self.agent, mode=mode))

    def _enter(self, examiner: Examiner, key: jax.Array, agent_state: Any, tasks: Any) -> tuple[Any, Exam]:
        state, step = examiner.world.init(keys.fold(key, "world"), tasks)
        sit = self._cached(("sit", examiner.world.spec.batch, examiner.mode), lambda: jax.jit(examiner.sit))
        return state, sit(keys.fold(key, "sit"), agent_state, step)

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


def _sit_whole(examiner: Examiner, limit: int, key: jax.Array, agent_state: Any, tasks: Any) -> Exam:
    """A whole exam in a pure world."""
    world = examiner.world
    state, step = world.init(keys.fold(key, "world"), tasks)
    exam = examiner.sit(keys.fold(key, "sit"), agent_state, step)

    def going(carry: tuple[Any, Exam]) -> jax.Array:
        return jnp.any(carry[1].alive) & (carry[1].clock < limit)

    def onward(carry: tuple[Any, Exam]) -> tuple[Any, Exam]:
        state, exam = carry
        state, next = world.step(jax.random.fold_in(keys.fold(key, "step"), exam.clock), state, exam.action, tasks)
        return state, examiner.answer(exam, next)

    return jax.lax.while_loop(going, onward, (state, exam))[1]


def _show_film(exam: Exam, next: TimeStep, state: Any) -> Any:
    return next.observation, next.reward, exam.alive, exam.action, state


def _show_journey(exam: Exam, next: TimeStep, state: Any) -> Any:
    return exam.agent.belief, exam.step.observation, exam.action, next.reward, exam.alive


def _record(
    examiner: Examiner,
    sit: Any,
    answer: Any,
    drive: Any,
    warm: int,
    ticks: int,
    show: Any,
    key: jax.Array,
    agent_state: Any,
    tasks: Any,
) -> tuple[Exam, Any, Exam]:
    """`Proctor._record` under either driver."""
    world, hosted = examiner.world, examiner.world.spec.hosted
    all_words = _step_words(key, warm + ticks)
    if hosted:
        all_words = np.asarray(all_words)
    state, step = world.init(keys.fold(key, "world"), tasks)
    exam = sit(keys.fold(key, "sit"), agent_state, step)

    def tick(carry: tuple[Any, Exam], words: Any) -> tuple[tuple[Any, Exam], Any]:
        state, exam = carry
        state, next = world.step(words if hosted else jax.random.wrap_key_data(words), state, exam.action, tasks)
        return (state, answer(exam, next)), show(exam, next, None if hosted else state)

    if warm:
        (state, exam), _ = drive(tick, (state, exam), all_words[:warm])
    before = exam
    (state, after), shown = drive(tick, (state, exam), all_words[warm:])
    close(world, state)
    return before, shown, after


def _step_words(key: jax.Array, count: int) -> jax.Array:
    """uint32 [count, words]: the keys of the world's steps, made at once because a hosted world steps singly."""
    step_keys = jax.vmap(partial(jax.random.fold_in, keys.fold(key, "step")))(jnp.arange(count))
    return jax.random.key_data(step_keys)
