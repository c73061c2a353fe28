"""An agent under examination: it acts as well as it can, learns nothing, and is measured.

An exam runs like a life: the world answers, then `answer` takes the answer in and decides again. The first step is such
an answer too. So what the agent does, which may take long to compile, stands only once in a program. `Examiner` says how
an exam goes; `umwelt.evaluation.proctor` drives it.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import BROKEN, Discrete, Metric, TimeStep, keys, part, select, spaces, struct
from umwelt.core.contracts import Agent, Mode, World

MODEL_ERROR = Metric(
    name="model_error",
    unit="unexplained share",
    meaning="share of the variance of the next change that the model leaves unexplained, under random actions: 0 is perfect,"
    " 1 as good as always guessing the mean change",
    better="down",
)
"""The one scale of a model's error, whatever the model; its own training loss is another metric, `model_loss`."""


@struct
class Exam:
    """An exam in progress on N rows, one episode each.

    clock: int32 [], decisions that were answered; -1 before the first step is taken in, which `step` holds until then.
    agent: the examined agent's own state. action: the next action. alive: bool [N], the row's episode is not over.
    broken: bool [N], it ended because the world failed. returns: float32 [N]; length: int32 [N]. error, change, square:
    float32 [N, width], sums of the squared one-step error, of the true changes and of their squares. named: {name: float32
    [N]}, the last value in the episode of each number that the world names; None where it names none.
    """

    key: jax.Array
    clock: jax.Array
    agent: Any
    step: TimeStep
    action: Any
    alive: jax.Array
    broken: jax.Array
    returns: jax.Array
    length: jax.Array
    error: jax.Array
    change: jax.Array
    square: jax.Array
    named: Any = None


@part
class Examiner:
    """Examines an agent in a world of N = world.spec.batch rows."""

    world: World
    agent: Agent
    mode: Mode = "exploit"
    """`exploit` examines what the agent can do; `random`, what its model knows of actions that no agent chose."""
    noise: float = 0.0
    """Disturbs each action before it is taken: normal noise in units of half a bounded action's range; of a choice, the
    probability of a uniform draw instead. The agent's own belief follows the action that it chose."""

    def enter(self, key: jax.Array, agent_state: Any, step: TimeStep) -> Exam:
        """The agent in a new body, before it has seen its first step."""
        spec = self.world.spec
        rows = jnp.zeros(spec.batch, jnp.float32)
        sums = jnp.zeros((spec.batch, spaces.width(spec.observation)), jnp.float32)
        return Exam(
            key=key,
            clock=jnp.full((), -1, jnp.int32),
            agent=self.agent.embody(keys.fold(key, "embody"), agent_state, spec),
            step=step,
            action=spaces.zeros(spec.action, spec.batch),
            alive=rows == 0,
            broken=rows != 0,
            returns=rows,
            length=jnp.zeros(spec.batch, jnp.int32),
            error=sums,
            change=sums,
            square=sums,
            named=step.named,
        )

    def answer(self, exam: Exam, next: TimeStep) -> Exam:
        """Take in the world's answer, or the first step: count it where the row is alive, and act."""
        space = self.world.spec.observation
        key = jax.random.fold_in(exam.key, exam.clock + 1)
        imagining, seeing, acting, disturbing = keys.split(key, "imagine", "see", "act", "noise")
        before, after = spaces.features(space, exam.step.observation), spaces.features(space, next.observation)
        expected = self.agent.imagine(imagining, exam.agent, jax.tree.map(lambda leaf: leaf[None], exam.action))
        guess = jnp.full_like(after, jnp.nan)
        if expected is not None and expected.observation is not None:
            guess = spaces.features(space, jax.tree.map(lambda leaf: leaf[0], expected.observation))
        agent, _ = self.agent.see(seeing, exam.agent, replace(next, named=None))
        agent, action = self.agent.act(acting, agent, self.mode)
        counts = exam.alive & (exam.clock >= 0)
        return replace(
            exam,
            clock=exam.clock + 1,
            agent=agent,
            step=next,
            action=disturbed(disturbing, self.world.spec.action, action, self.noise) if self.noise else action,
            alive=exam.alive & ~next.last,
            broken=exam.broken | (exam.alive & (next.kind == BROKEN)),
            returns=exam.returns + jnp.where(counts, next.reward, 0),
            length=exam.length + counts,
            error=exam.error + jnp.where(counts[:, None], (guess - after) ** 2, 0),
            change=exam.change + jnp.where(counts[:, None], after - before, 0),
            square=exam.square + jnp.where(counts[:, None], (after - before) ** 2, 0),
            named=select(counts, next.named, exam.named),
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


def disturbed(key: jax.Array, space: Any, action: Any, noise: float) -> Any:
    """Actions [N] of a space under `Examiner.noise`, clipped to their bounds."""

    def disturb(number: int, leaf: Any, value: jax.Array) -> jax.Array:
        drawing, choosing = keys.split(jax.random.fold_in(key, number), "draw", "choose")
        if isinstance(leaf, Discrete):
            drawn = jax.random.randint(drawing, value.shape, 0, leaf.n, value.dtype)
            return jnp.where(jax.random.uniform(choosing, value.shape) < noise, drawn, value)
        low, high = leaf.bounds
        half = np.where(np.isfinite(high) & np.isfinite(low), (high - low) / 2, 1.0)
        return jnp.clip(value + noise * half * jax.random.normal(drawing, value.shape, value.dtype), low, high)

    leaves, values = spaces.leaves(space), jax.tree.leaves(action)
    made = [disturb(number, *pair) for number, pair in enumerate(zip(leaves, values, strict=True))]
    return jax.tree.unflatten(jax.tree.structure(action), made)


def model_error(exam: Exam, tasks: int) -> np.ndarray:
    """`MODEL_ERROR` of each task, [tasks], from N = tasks x episodes rows.

    It is the mean over dimensions of squared error / variance of the change. Dimensions that never change do not count. NaN
    where none changes, or without a model that predicts observations.
    """

    def pool(leaf: Any) -> np.ndarray:
        return np.asarray(leaf, np.float64).reshape(tasks, -1, np.shape(leaf)[-1]).sum(axis=1)

    count = np.asarray(exam.length, np.float64).reshape(tasks, -1).sum(axis=1)[:, None]
    spread = pool(exam.square) - pool(exam.change) ** 2 / np.maximum(count, 1)
    moving = spread > 1e-9 * np.maximum(count, 1)
    share = np.where(moving, pool(exam.error) / np.where(moving, spread, 1), 0)
    count_moving = moving.sum(axis=1)
    return np.where(count_moving > 0, share.sum(axis=1) / np.maximum(count_moving, 1), np.nan)
