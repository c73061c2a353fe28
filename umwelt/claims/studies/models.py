"""Models on data that were made by acting at random in a pure world: lesson after lesson, or all at once."""

import math
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Experience, TimeStep, WorldSpec, keys, lived, part, spaces
from umwelt.evaluation import study
from umwelt.networks.inside import with_batch

Data = tuple[Experience, Experience]
"""Lessons [K, T], and their exams [K, N, L]."""
FAR = (-math.inf, math.inf)


def gathered(key: jax.Array, world: Any, task: Any, steps: int, hold: int = 1) -> Experience:
    """Act at random in a pure world on tasks [B], one for each of its rows: experience [steps, B].

    Each action is drawn for `hold` decisions, so that a body comes farther than by a new draw at each.
    """
    rows = world.spec.batch
    begin, acting = keys.split(key, "begin", "act")
    # not folded into constants: a first step that announces its task in other roundings would be of a task of its own
    task = jax.lax.optimization_barrier(jax.tree.map(jnp.asarray, task))
    start = world.init(begin, task)

    def tick(carry: tuple[Any, Any], index: jax.Array) -> tuple[tuple[Any, Any], Experience]:
        state, step = carry
        action = spaces.sample(jax.random.fold_in(acting, index // hold), world.spec.action, rows)
        state, after = world.step(jax.random.fold_in(begin, index), state, action, task)
        return (state, after), lived(step, action, after)

    return jax.lax.scan(tick, start, jnp.arange(steps))[1]


@part
class ByTask:
    """One lesson for each of some tasks of a world."""

    world: Any
    """A pure world."""
    tasks: tuple[str, ...]
    """Names of its tasks, in the order of the lessons."""
    steps: int = 600
    """Decisions of a lesson."""
    exam: int = 400
    """Decisions of the data on which a model is examined."""
    hold: int = 4
    """Decisions for which a random action is held."""

    @property
    def spec(self) -> WorldSpec:
        """What a model of the world is made for."""
        return with_batch(self.world, 1).spec

    def __call__(self, key: jax.Array, length: int) -> Data:
        """Make lessons [K, T], and exams [K, N, length]."""
        world = with_batch(self.world, len(self.tasks))
        task = jax.tree.map(
            lambda *each: jnp.stack([jnp.asarray(leaf) for leaf in each]), *(world.tasks()[n] for n in self.tasks)
        )
        lesson, exam = (
            gathered(each, world, task, steps, self.hold)
            for each, steps in zip(keys.split(key, "lesson", "exam"), (self.steps, self.exam), strict=True)
        )
        rows = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), (lesson, exam))
        cut = jax.vmap(lambda each: study.windows(jax.tree.map(lambda leaf: leaf[:, None], each), length))
        return rows[0], cut(rows[1])


@part
class BySide:
    """One world whose transitions come sorted: one lesson for each of some regions of the angle of a pendulum."""

    world: Any
    """A pendulum, whose observation begins with cosine and sine of its angle."""
    regions: int = 6
    """How many lessons."""
    steps: int = 1000
    """Transitions of a lesson."""
    exam: int = 200
    """Transitions of each region on which a model is examined."""
    hold: int = 4
    """Decisions for which a random action is held."""

    @property
    def spec(self) -> WorldSpec:
        """What a model of the world is made for."""
        return with_batch(self.world, 1).spec

    def __call__(self, key: jax.Array, length: int) -> Data:
        """Make lessons [K, T], and exams [K, N, 1]. Each region holds equally many transitions, in no order."""
        if length != 1:
            raise ValueError(f"length={length}: transitions that are sorted by place are no sequences")
        rows = 10
        world = with_batch(self.world, rows)
        task = jax.tree.map(lambda leaf: jnp.repeat(jnp.asarray(leaf)[None], rows), next(iter(world.tasks().values())))

        def sorted_data(each: jax.Array, steps: int) -> Experience:
            making, mixing = keys.split(each, "make", "mix")
            # seams are left out: a few more decisions than are kept
            made = gathered(making, world, task, (self.regions * steps * 11 // 10) // rows, self.hold)
            flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), made)
            at = flat.step.observation
            place = jnp.where(flat.acted, jnp.arctan2(at[:, 1], at[:, 0]), jnp.inf)
            kept = jnp.argsort(~flat.acted, stable=True)[: self.regions * steps]
            order = kept[jnp.argsort(place[kept])].reshape(self.regions, steps)
            order = jax.vmap(jax.random.permutation)(jax.random.split(mixing, self.regions), order)
            return jax.tree.map(lambda leaf: leaf[order], flat)

        lesson, exam = keys.split(key, "lesson", "exam")
        return sorted_data(lesson, self.steps), jax.tree.map(lambda leaf: leaf[:, :, None], sorted_data(exam, self.exam))


@part
class Distracted:
    """Data whose observations carry noise beside what matters: numbers that wander by themselves and mean nothing."""

    data: Any
    """Makes lessons and exams; its observation is one vector."""
    entries: int = 32
    """How many numbers of noise, each of unit variance."""
    memory: float = 0.9
    """The share of each that stays from one moment to the next."""

    @property
    def spec(self) -> WorldSpec:
        """What a model of the data is made for."""
        spec = self.data.spec
        low, high = (
            np.concatenate([edge, np.full(self.entries, far)]) for edge, far in zip(spec.observation.bounds, FAR, strict=True)
        )
        box = Box(shape=low.shape, low=tuple(low.tolist()), high=tuple(high.tolist()))
        return replace(spec, observation=box)

    def __call__(self, key: jax.Array, length: int) -> Data:
        """Make lessons [K, T], and exams [K, N, length]."""
        making, *noises = keys.split(key, "make", "lesson", "exam")
        lessons, exams = self.data(making, length)
        return self._added(noises[0], lessons), self._added(noises[1], exams)

    def _added(self, key: jax.Array, experience: Experience) -> Experience:
        """Add noise to experience [..., T]."""
        *lead, steps = experience.origin.shape
        fresh = jax.random.normal(key, (steps + 1, *lead, self.entries))

        def wander(now: jax.Array, new: jax.Array) -> tuple[jax.Array, jax.Array]:
            after = self.memory * now + math.sqrt(1.0 - self.memory**2) * new
            return after, after

        later = jax.lax.scan(wander, fresh[0], fresh[1:])[1]
        noise = jnp.moveaxis(jnp.concatenate([fresh[:1], later]), 0, -2)

        def beside(step: TimeStep, own: jax.Array) -> TimeStep:
            return replace(step, observation=jnp.concatenate([step.observation, own], axis=-1))

        step, next = beside(experience.step, noise[..., :-1, :]), beside(experience.next, noise[..., 1:, :])
        return replace(experience, step=step, next=next)


@part
class Once:
    """Teach a model the data of all lessons at once, and examine it on all exams together.

    error, far_error: the unexplained share at the first and at the last horizon. reward_error: that of the reward at the last.
    doubt_rank: the rank correlation of the first step's doubt with its error.
    """

    data: Any
    """Makes lessons and exams, such as `ByTask`."""
    model: Any
    """The model."""
    updates: int = 1000
    """Updates, of a model that replays."""
    batch: int = 64
    """Draws of an update."""
    length: int = 0
    """Transitions of a sequence that is drawn; 0 for single transitions."""
    context: int = 0
    """Transitions that a model observes in an exam before it imagines."""
    horizons: tuple[int, ...] = (1,)
    """Steps that it then imagines."""

    def __call__(self, key: Any) -> dict[str, jax.Array]:
        """Measure one seed, from its key or its number."""
        return _taught(self, jax.random.key(key) if isinstance(key, int) else key)

    def measured(self, key: jax.Array) -> dict[str, jax.Array]:
        """Return the measures of one seed."""
        making, beginning, learning, examining = keys.split(key, "data", "model", "learn", "exam")
        lessons, exams = self.data(making, self.context + self.horizons[-1])
        spec = self.data.spec
        data = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), lessons)
        state = self.model.init(beginning, spec)
        state = study.study(learning, self.model, state, data, self.updates, self.batch, self.length)
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), exams)
        found = study.open_loop(examining, self.model, state, spec.observation, flat, self.context, self.horizons)
        return {
            "error": found.error[0],
            "far_error": found.error[-1],
            "reward_error": found.reward_error[-1],
            "doubt_rank": found.doubt_rank,
        }


@part
class Lessons:
    """Teach a model lesson after lesson, and examine it on all of them after each.

    error: the unexplained share of one step, the mean of all exams at the end. growth: the error now over the one right
    after the own lesson, the geometric mean of all lessons but the last. first: the same of the first lesson. far_error
    and far_growth: at the last horizon.
    """

    data: Any
    """Makes lessons and exams: `ByTask` or `BySide`."""
    model: Any
    """The model. One that reads a stream reads each transition once, in order."""
    updates: int = 1000
    """Updates of a lesson, of a model that replays."""
    batch: int = 64
    """Transitions of an update."""
    newest: float = 1.0
    """The share of a batch that is drawn from the present lesson; the rest is drawn evenly from all lessons until then."""
    once: bool = False
    """Show each transition once, in order, in batches of `batch`, in place of drawing."""
    horizons: tuple[int, ...] = (1,)
    """Steps ahead that the exams look."""

    def __call__(self, key: Any) -> dict[str, jax.Array]:
        """Measure one seed, from its key or its number."""
        return _taught(self, jax.random.key(key) if isinstance(key, int) else key)

    def measured(self, key: jax.Array) -> dict[str, jax.Array]:
        """Return the measures of one seed."""
        errors = self.matrix(key)
        growth = jnp.log(errors[-1] / jnp.diagonal(errors).T)
        old = jnp.exp(jnp.mean(growth[:-1], axis=0))
        return {
            "error": jnp.mean(errors[-1, :, 0]),
            "growth": old[0],
            "first": jnp.exp(growth[0, 0]),
            "far_error": jnp.mean(errors[-1, :, -1]),
            "far_growth": old[-1],
        }

    def matrix(self, key: jax.Array) -> jax.Array:
        """Return the errors float32 [K, K, H]: after each lesson (first axis) those of each exam (second) at each horizon."""
        making, beginning, learning, examining = keys.split(key, "data", "model", "learn", "exam")
        lessons, exams = self.data(making, self.horizons[-1])
        spec = self.data.spec

        def lesson(state: Any, number: jax.Array) -> tuple[Any, jax.Array]:
            state = self._lesson(jax.random.fold_in(learning, number), state, lessons, number)

            def exam(experience: Experience) -> jax.Array:
                return study.open_loop(examining, self.model, state, spec.observation, experience, 0, self.horizons).error

            return state, jax.lax.map(exam, exams)

        return jax.lax.scan(lesson, self.model.init(beginning, spec), jnp.arange(lessons.origin.shape[0]))[1]

    def _lesson(self, key: jax.Array, state: Any, lessons: Experience, number: jax.Array) -> Any:
        steps = lessons.origin.shape[1]
        if self.once or self.model.diet == "stream":
            batch = self.batch if self.once else 1
            shown = jax.tree.map(lambda leaf: leaf[number].reshape(steps // batch, batch, *leaf.shape[2:]), lessons)
            return study.read(key, self.model, state, shown)

        def draw(key: jax.Array, index: jax.Array) -> Experience:
            for_share, for_lesson, for_time = keys.split(key, "share", "lesson", "time")
            new = jax.random.uniform(for_share, (self.batch,)) < self.newest
            any_of = jax.random.randint(for_lesson, (self.batch,), 0, number + 1)
            time = jax.random.randint(for_time, (self.batch,), 0, steps)
            return jax.tree.map(lambda leaf: leaf[jnp.where(new, number, any_of), time], lessons)

        return study.practise(key, self.model, state, draw, self.updates)


_taught = jax.jit(lambda lessons, key: lessons.measured(key), static_argnums=0)
