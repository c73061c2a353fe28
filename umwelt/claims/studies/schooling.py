"""Students that are given data by a rule or by a teacher: the study of what data to make next."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import Discrete, Feedback, capability, keys, part
from umwelt.core.contracts import Teacher
from umwelt.worlds.student import SKILLS, STYLES, Student

RIGHT = Measure(name="right", unit="%", better="up")
"""Held-out pictures that the student gets right at the end."""
CHOICES = {"digit": Discrete(n=SKILLS // len(STYLES)), "style": Discrete(n=len(STYLES))}
"""What a teacher chooses from."""


@part
class Schooling:
    """One student's episode; a function of a key."""

    world: Student
    teacher: Teacher | None = None
    """Chooses a digit and a style, and receives how well the student does there; None follows the world's expert."""
    task: str = "half_of_the_digits"
    """What the student knows before."""
    stretch: int = 20
    """Decisions between two reflections of the teacher."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Teach to the end of an episode: {measure: float32 []}."""
        beginning, teaching = keys.split(key, "begin", "teach")
        task = self.world.tasks()[self.task]
        body = self.world.begin(beginning, jax.tree.map(jnp.asarray, task))
        reflect = None if self.teacher is None else capability(self.teacher, "reflect")
        held = body, None if self.teacher is None else self.teacher.init(beginning, CHOICES, {"first": dict.fromkeys(CHOICES, 0)})

        def decision(held: Any, key: jax.Array) -> tuple[Any, None]:
            body, teacher = held
            asking, acting, telling = keys.split(key, "ask", "act", "tell")
            if self.teacher is None:
                action = self.world.expert(asking, self.world.observe(body, task)[None])[0]
                return (self.world.advance(acting, body, action, task)[0], None), None
            teacher, chosen = self.teacher.ask(asking, teacher, 1)
            skill = (chosen["digit"] * len(STYLES) + chosen["style"])[0]
            body, _, _ = self.world.advance(acting, body, skill, task)
            return (body, self.teacher.tell(telling, teacher, chosen, _feedback(1.0 - jnp.mean(body.wrong[skill])))), None

        def stretch(held: Any, key: jax.Array) -> tuple[Any, None]:
            reflecting, deciding = keys.split(key, "reflect", "decide")
            (body, teacher), _ = jax.lax.scan(decision, held, jax.random.split(deciding, self.stretch))
            return (body, reflect(reflecting, teacher)[0] if reflect else teacher), None

        rounds = jax.random.split(teaching, self.world.time_limit // self.stretch)
        (after, _), _ = jax.lax.scan(stretch, held, rounds)
        return {"right": 100.0 * after.share, "right_before": 100.0 * body.share}


def _feedback(result: jax.Array) -> Feedback:
    """What the teacher receives after a decision, which is an episode of its own to it."""
    one = jnp.ones(1)
    return Feedback(finished=one > 0, returns=one * result, length=one.astype(jnp.int32), surprise=0 * one, doubt=0 * one)
