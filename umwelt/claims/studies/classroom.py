"""Simulated students that begin in different places, and teachers that know earlier ones."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.studies.taught import Taught
from umwelt.core import keys, part
from umwelt.teachers.elders import Elders, Records, surveyed
from umwelt.teachers.mixture import Mixture
from umwelt.worlds.cubes import Cubes


@part
class Classroom:
    """A new student under a teacher that knows earlier ones; a function of a key. The earlier ones are always the same."""

    world: Cubes
    """Draws the first cell of each student."""
    teacher: Elders
    elders: int = 48
    """Earlier students."""
    lives: int = 10_000
    """Episodes of each of them."""
    episodes: int = 10_000
    """Episodes of the new student."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live through all episodes: {measure: float32 []}."""
        records = jax.lax.optimization_barrier(jax.vmap(self._elder)(jax.random.split(jax.random.key(71), self.elders)))
        taught = Taught(world=self.world, teacher=self.teacher, episodes=self.episodes, stretch=self._inner.every)
        student, opening = keys.split(key, "student", "teacher")
        teacher = self.teacher.begun(opening, self.world.spec.task, self.world.tasks(), records)
        _, _, curve = taught.lived(key, taught.student(student), teacher)
        return {"mastered": curve[-1], "mean_mastered": jnp.mean(curve)}

    @property
    def _inner(self) -> Mixture:
        return self.teacher.teacher

    def _elder(self, key: jax.Array) -> Records:
        """One earlier student, of which no teacher knows more than its results."""
        every = self._inner.every
        one = Taught(world=self.world, teacher=self._inner, episodes=every, stretch=every)

        def fit(held: tuple[Any, Any], key: jax.Array) -> tuple[tuple[Any, Any], Any]:
            student, teacher, curve = one.lived(key, *held)
            _, values, _ = teacher.outcomes.newest(50)
            test = surveyed(teacher.outcomes, self.teacher.cells)
            return (student, teacher), (teacher.mixture, teacher.weights, jnp.mean(values), test, curve[-1])

        living, beginning = keys.split(key, "live", "begin")
        fits = self.lives // every
        found = jax.lax.scan(fit, one.begun(beginning), jax.random.split(living, fits))[1]
        mixtures, weights, returns, tests, mastered = found
        at = self.teacher.pretest // every - 1
        return Records(tests=tests[at], scores=mastered[-1], mixtures=mixtures, weights=weights, returns=returns)
