"""Simulated students in a cube with a wall, which later moves."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.claims.arms import Measure
from umwelt.claims.studies.taught import Taught
from umwelt.core import keys, part
from umwelt.worlds.cubes import ENOUGH, Cubes

REACHED = Measure(name="reached", unit="%", better="up")
"""Percent mastered of the cells before the wall, when the wall moves."""
RECOVERED = Measure(name="recovered", unit="%", better="up")
"""Percent mastered of the cells that the wall gave free, at the end."""
SIDE = 10


@part
class Walled:
    """One student's life before a wall, and after it has moved; a function of a key."""

    teacher: Any
    wall: int = 5
    """The column of the wall; nothing beyond it can be reached."""
    later: int = 7
    """Its column after it has moved."""
    episodes: int = 10_000
    """Episodes until the wall moves."""
    more: int = 3000
    """Episodes after that."""
    stretch: int = 50
    """Episodes between two reflections of the teacher."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live before and after: {measure: float32 []}."""
        first, second = keys.split(key, "before", "after")
        before = Taught(world=self._world(self.wall), teacher=self.teacher, episodes=self.episodes, stretch=self.stretch)
        student, teacher, _ = before.lived(first, *before.begun(key))
        reached = self._share(student.competence, 0, self.wall)
        after = replace(before, world=self._world(self.later), episodes=self.more)
        student, _, _ = after.lived(second, student, teacher)
        return {"reached": reached, "recovered": self._share(student.competence, self.wall, self.later)}

    def _world(self, column: int) -> Cubes:
        return Cubes(side=SIDE, spread="around", walls=tuple((row, column) for row in range(SIDE)))

    def _share(self, competence: jax.Array, first: int, last: int) -> jax.Array:
        """Percent of the cells in columns `first` to below `last` that are mastered."""
        columns = np.arange(SIDE * SIDE) % SIDE
        inside = (columns >= first) & (columns < last)
        return 100.0 * jnp.sum((competence[0] > ENOUGH) & inside) / inside.sum()
