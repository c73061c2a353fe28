"""Simulated students under a teacher: the study of all claims about teachers of continuous tasks."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import Feedback, capability, keys, part
from umwelt.worlds.cubes import Cubes, CubesState

MASTERED = Measure(name="mastered", unit="%", better="up")
"""Percent of cells that the student masters at the end."""
MEAN_MASTERED = Measure(name="mean_mastered", unit="%", better="up")
"""The same, as a mean over the whole life: the area under the curve."""


@part
class Taught:
    """One student's life under a teacher; a function of a key."""

    world: Cubes
    teacher: Any
    episodes: int = 20_000
    """Episodes of a whole life."""
    stretch: int = 250
    """Episodes between two reflections of the teacher."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live through all episodes: {measure: float32 []}."""
        _, _, curve = self.lived(key, *self.begun(key))
        return {"mastered": curve[-1], "mean_mastered": jnp.mean(curve)}

    def begun(self, key: jax.Array) -> tuple[CubesState, Any]:
        """A student that knows nothing, and a teacher that has seen no episode."""
        world, teacher = keys.split(key, "student", "teacher")
        return self.student(world), self.teacher.init(teacher, self.world.spec.task, self.world.tasks())

    def student(self, key: jax.Array) -> CubesState:
        """A student that knows nothing."""
        task = next(iter(self.world.tasks().values()))
        return replace(self.world, batch=1).init(key, jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], task))[0]

    def lived(self, key: jax.Array, student: CubesState, teacher: Any) -> tuple[CubesState, Any, jax.Array]:
        """Live on: the student and the teacher at the end, and the percent mastered after each stretch."""
        reflect = capability(self.teacher, "reflect")
        world = replace(self.world, batch=1)

        def stretch(held: tuple[CubesState, Any], key: jax.Array) -> tuple[tuple[CubesState, Any], jax.Array]:
            living, thinking = keys.split(key, "live", "reflect")
            (student, teacher), _ = jax.lax.scan(self.episode, held, jax.random.split(living, self.stretch))
            teacher = reflect(thinking, teacher)[0] if reflect else teacher
            return (student, teacher), world.mastered(student)[0]

        stretches = jax.random.split(keys.fold(key, "stretches"), self.episodes // self.stretch)
        (student, teacher), curve = jax.lax.scan(stretch, (student, teacher), stretches)
        return student, teacher, curve

    def episode(self, held: tuple[CubesState, Any], key: jax.Array) -> tuple[tuple[CubesState, Any], None]:
        """Ask for one task, practise it, and give the result to the teacher."""
        student, teacher = held
        asking, telling = keys.split(key, "ask", "tell")
        teacher, task = self.teacher.ask(asking, teacher, 1)
        after, result = self.world.practise(student.competence[0], student.start[0], task.place[0])
        feedback = Feedback(
            finished=jnp.ones(1, bool),
            returns=result[None],
            length=jnp.ones(1, jnp.int32),
            surprise=jnp.full(1, jnp.nan),
            doubt=jnp.full(1, jnp.nan),
        )
        teacher = self.teacher.tell(telling, teacher, task, feedback)
        return (replace(student, competence=after[None]), teacher), None
