"""Inputs that identify the weights of a linear system: a pendulum whose speed is shaken, and what is known of it."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Computed, Measure
from umwelt.core import MID, Objective, TimeStep, keys, lived, part
from umwelt.core.contracts import Planner, Prospect
from umwelt.models import Linear
from umwelt.models.wished import worthless
from umwelt.planners import Informative
from umwelt.worlds import Pendulum

EARLY = Measure(name="error_at_50", unit="1/s^2", better="down")
LATE = Measure(name="error_at_100", unit="1/s^2", better="down")
"""The length of the error of the weights of the speed, over the time that a decision lasts."""


def terms(observation: jax.Array, action: jax.Array) -> jax.Array:
    """Cosine, sine, speed and torque [N, 4]: the equation of motion of a pendulum is linear in them."""
    return jnp.concatenate([observation, action], axis=-1)


@part
class Identified:
    """The error of a pendulum's weights after 50 and 100 inputs, from its rest; a function of a key."""

    planner: Planner | None = Informative()
    """What chooses the inputs; None draws them."""
    signs: bool = False
    """Draw inputs of full size and random sign, rather than evenly."""
    world: Pendulum = Pendulum(max_torque=0.5)
    noise: float = 0.05
    """Deviation of what shakes the speed in each decision, in radians per second."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Choose a hundred inputs: {measure: float32 []}."""
        beginning, living = keys.split(key, "begin", "live")
        model, task = Linear(features=terms, reward=worthless), self.world.tasks()["earth"]
        known = model.init(beginning, self.world.spec)
        planned = None if self.planner is None else self.planner.init(beginning, self.world.spec)
        body = self.world.begin(beginning, task)
        body = type(body)(angle=jnp.full_like(body.angle, jnp.pi), speed=0.0 * body.speed, torque=body.torque)
        truth = jnp.array([0.0, 1.5 * task.gravity / task.length, 0.0, 3.0 / (task.mass * task.length**2)])

        def tick(life: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            body, known, planned = life
            choosing, moving, shaking = keys.split(key, "choose", "move", "shake")
            seen = self.world.observe(body, task)[None]
            action, planned = self._chosen(choosing, model, known, planned, seen)
            after, _, _ = self.world.advance(moving, body, action[0], task)
            shake = self.noise * jax.random.normal(shaking)
            after = type(after)(angle=after.angle + shake * self.world.dt, speed=after.speed + shake, torque=after.torque)
            step, next = (_step(self.world.observe(each, task)[None]) for each in (body, after))
            known, _ = model.learn(key, known, lived(step, action, next))
            return (after, known, planned), jnp.linalg.norm(known.weights[:, 2] / self.world.dt - truth)

        _, errors = jax.lax.scan(tick, (body, known, planned), jax.random.split(living, 100))
        return {"error_at_50": errors[49], "error_at_100": errors[99]}

    def _chosen(self, key: jax.Array, model: Linear, known: Any, planned: Any, seen: jax.Array) -> tuple[jax.Array, Any]:
        """The action [1, 1], and the planner's state."""
        if self.planner is None:
            unit = jax.random.uniform(key, (1, 1), minval=-1.0)
            return self.world.max_torque * (jnp.sign(unit) if self.signs else unit), planned

        def imagine(key: jax.Array, belief: Any, action: Any) -> Any:
            return model.imagine(key, known, belief, action)

        prospect = Prospect(imagine=imagine, objective=Objective(reward=0.0, doubt=1.0))
        planned, action = self.planner.plan(key, planned, seen, prospect)
        return action, planned


def _step(seen: jax.Array) -> TimeStep:
    return TimeStep(kind=jnp.full(1, MID, jnp.int8), observation=seen, reward=jnp.zeros(1, jnp.float32))


TOLD = Computed(function=Identified(), measures=(EARLY, LATE), together=True)
"""A hundred inputs of a weak motor, each the most informative one."""
