"""Models that learn from random acting on tasks that a teacher draws, and how well they foresee all tasks at the end."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.studies.models import gathered
from umwelt.core import Experience, Feedback, TimeStep, capability, keys, lived, part, select, spaces, struct, zeros_step
from umwelt.evaluation import study
from umwelt.memory import Ring
from umwelt.networks.inside import with_batch
from umwelt.teachers import Uniform


@struct
class Under:
    """A life under way. tally: float32 [3, B], returns, surprise and length of the present episodes."""

    world: Any
    step: TimeStep
    task: Any
    model: Any
    belief: Any
    memory: Any
    teacher: Any
    tally: jax.Array


@part
class Foreseeing:
    """One life that acts at random; a function of a key.

    error: the unexplained share of one step ahead, over tasks that were drawn evenly and never taught.
    """

    world: Any
    """A pure world that announces its task."""
    model: Any
    """Learns by replay."""
    teacher: Any
    """Draws the task of each episode."""
    within: tuple[tuple[str, float, float], ...] = ()
    """What varies in the exam; as the teacher's own."""
    ticks: int = 1500
    """Decisions of each row."""
    stretch: int = 100
    """Decisions between two reflections of the teacher."""
    batch: int = 64
    """Transitions of an update; there is one at each tick."""
    exams: int = 32
    """Tasks of the exam."""
    examined: int = 100
    """Decisions on each of them."""
    memory: Ring = Ring(bytes=4_000_000)

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live through all ticks: {measure: float32 []}."""
        beginning, living, examining = keys.split(key, "begin", "live", "exam")
        reflect = capability(self.teacher, "reflect")

        def stretch(under: Under, key: jax.Array) -> tuple[Under, None]:
            under = jax.lax.scan(self._tick, under, jax.random.split(key, self.stretch))[0]
            return (replace(under, teacher=reflect(key, under.teacher)[0]) if reflect else under), None

        stretches = jax.random.split(living, self.ticks // self.stretch)
        under = jax.lax.scan(stretch, self._begun(beginning), stretches)[0]
        return {"error": self._error(examining, under.model)}

    def _begun(self, key: jax.Array) -> Under:
        asking, opening, modelling = keys.split(key, "teacher", "world", "model")
        spec = self.world.spec
        teacher = self.teacher.init(asking, spec.task, self.world.tasks())
        teacher, task = self.teacher.ask(asking, teacher, spec.batch)
        state, step = self.world.init(opening, task)
        model = self.model.init(modelling, spec)
        action = spaces.zeros(spec.action, spec.batch)
        belief, _ = self.model.observe(modelling, model, self.model.start(model, spec.batch), action, step)
        memory = self.memory.init(lived(zeros_step(spec), action, zeros_step(spec)))
        tally = jnp.zeros((3, spec.batch))
        return Under(world=state, step=step, task=task, model=model, belief=belief, memory=memory, teacher=teacher, tally=tally)

    def _tick(self, under: Under, key: jax.Array) -> tuple[Under, None]:
        """One decision of each row, one update, and one answer to the teacher."""
        acting, asking, stepping, seeing, keeping, learning, telling = keys.split(
            key, "act", "ask", "step", "see", "keep", "learn", "tell"
        )
        spec = self.world.spec
        action = spaces.sample(acting, spec.action, spec.batch)
        teacher, next_task = self.teacher.ask(asking, under.teacher, spec.batch)
        state, step = self.world.step(stepping, under.world, action, next_task)
        belief, info = self.model.observe(seeing, under.model, under.belief, action, step)
        memory = self.memory.add(keeping, under.memory, lived(under.step, action, step))
        drawn = self.memory.sample(keeping, memory, (self.batch,))
        model, _ = self.model.learn(learning, under.model, drawn)
        new = jnp.stack([step.reward, jnp.nan_to_num(info["surprise"]), jnp.ones(spec.batch)])
        tally = jnp.where(step.first, 0.0, under.tally + new)
        task = select(step.first, next_task, under.task)
        mean = tally[1] / jnp.maximum(tally[2], 1.0)
        feedback = Feedback(finished=step.last, returns=tally[0], length=tally[2].astype(int), surprise=mean, doubt=mean)
        teacher = self.teacher.tell(telling, teacher, task, feedback)
        changed = {"world": state, "step": step, "task": task, "model": model, "belief": belief, "memory": memory}
        return replace(under, teacher=teacher, tally=tally, **changed), None

    def _error(self, key: jax.Array, model: Any) -> jax.Array:
        """Examine the model on tasks that were drawn evenly."""
        drawing, acting, foreseeing = keys.split(key, "tasks", "act", "foresee")
        even = Uniform(within=self.within)
        world = with_batch(self.world, self.exams)
        task = even.ask(drawing, even.init(drawing, world.spec.task, world.tasks()), self.exams)[1]
        data: Experience = gathered(acting, world, task, self.examined)
        windows = study.windows(data, 1)
        spec = with_batch(self.world, 1).spec
        return study.open_loop(foreseeing, self.model, model, spec.observation, windows, 0, (1,)).error[0]
