"""Skills of a point beside a puck: how many of them move the puck."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import SAC
from umwelt.behaviours.skilful import Skilful
from umwelt.claims.arms import Computed, Measure
from umwelt.claims.studies.lives import lived_through
from umwelt.core import keys, part
from umwelt.curiosity.directions import Directions
from umwelt.life.body import Body
from umwelt.memory import Ring
from umwelt.teachers import Blocks
from umwelt.worlds import with_batch
from umwelt.worlds.crate import Crate
from umwelt.worlds.stream import rows

DISPLACED = Measure(name="displaced", unit="share", better="up")
"""Of 64 directions, those whose deterministic skill moves the puck by more than a tenth."""
CRATE = Crate(batch=32, ends=False)
FAR = 0.1
"""A puck that has moved less counts as unmoved."""


@part
class Discovered:
    """A life without reward that discovers skills; a function of a key."""

    by: Directions
    ticks: int = 2500
    """Decisions of each of the 32 rows."""
    updates: int = 12
    """Updates after each. The skills move on to the puck late: with two of them, hardly any has."""
    scale: float = 100.0
    """What the pay of a skill is multiplied by. It is small beside the entropy of a policy, of which a nat pays 1 at first."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live, and try every direction: {measure: float32 []}."""
        living, trying = keys.split(key, "live", "try")
        learner = SAC(units=64, learning_rate=1e-3, discount=0.97, ema_rate=0.01)
        agent = Skilful(learner=learner, by=self.by, memory=Ring(bytes=12_000_000), scale=self.scale)
        body = Body(world=CRATE, agent=agent, teacher=Blocks())
        _, mind = lived_through(body, living, self.ticks, updates=self.updates, random=50)
        return {"displaced": self._displaced(trying, agent, mind.agent)}

    def _displaced(self, key: jax.Array, agent: Skilful, state: Any) -> jax.Array:
        """The share of 64 directions that move the puck."""
        angle = 2 * jnp.pi * jnp.arange(64) / 64
        skill = jnp.stack([jnp.cos(angle), jnp.sin(angle)], axis=1)
        world = with_batch(CRATE, 64)
        task = rows(next(iter(world.tasks().values())), 64)
        begun, step = world.init(key, task)

        def tick(held: Any, key: jax.Array) -> tuple[Any, None]:
            state_of_world, seen = held
            action = agent.called(key, state, skill, seen, "exploit")
            state_of_world, step = world.step(key, state_of_world, action, task)
            return (state_of_world, step.observation), None

        # one step less, so that no episode is over
        (ended, _), _ = jax.lax.scan(tick, (begun, step.observation), jax.random.split(key, CRATE.time_limit - 1))
        moved = jnp.sqrt(jnp.sum((ended.body.puck - begun.body.puck) ** 2, axis=-1))
        return jnp.mean((moved > FAR).astype(jnp.float32))


def arm(**settings: Any) -> Computed:
    """Make an arm of the study."""
    return Computed(function=Discovered(by=Directions(**settings)), measures=(DISPLACED,), together=True)
