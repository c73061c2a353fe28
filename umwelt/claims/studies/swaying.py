"""How a clone's return sways from one save to the next, while its error hardly moves: the study of noise in updates."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Learner
from umwelt.claims.arms import Measure
from umwelt.claims.studies.offline import normalised, rows, studied
from umwelt.core import keys, part
from umwelt.memory.played import Played
from umwelt.networks import policies
from umwelt.networks.form import form

SWAY = Measure(name="sway", unit="of the expert's return above chance", better="down")
"""The standard deviation of the return over the last saves, all in the same episodes."""
MISSED = Measure(name="missed", unit="squared units", better="down")
"""The squared error of the probed action on the data, mean of the last saves."""


@part
class Swaying:
    """A learner that studies a data set, and is examined at each of its last saves. A function of a key."""

    data: Played
    """How the data are played."""
    learner: Learner
    updates: int = 5000
    """Updates before the first of the saves."""
    saves: int = 20
    """Saves that are examined."""
    every: int = 100
    """Updates between two of them."""
    batch: int = 128
    """Rows of an update."""
    probes: int = 30
    """Episodes of an exam."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Study, and be examined again and again: {measure: float32 []}."""
        playing, beginning, studying, going_on, probing = keys.split(key, "play", "begin", "study", "go on", "probe")
        world, data = self.data.world, rows(self.data, playing)
        space = world.spec
        acts, unit = policies.over(space.action), policies.over(space.action).unit(data.action)
        state = self.learner.init(beginning, form(space.observation).width, space.action)
        state = studied(self.learner, state, data, studying, self.updates, self.batch)

        def save(state: Any, key: jax.Array) -> tuple[Any, tuple[jax.Array, jax.Array]]:
            state = studied(self.learner, state, data, key, self.every, self.batch)
            does = acts.unit(self.learner.act(key, state, data.now, "exploit"))
            missed = jnp.mean((does - unit) ** 2)
            return state, (normalised(world, self.learner, state, probing, self.probes), missed)

        _, (returns, missed) = jax.lax.scan(save, state, jax.random.split(going_on, self.saves))
        return {"sway": jnp.std(returns, ddof=1), "missed": jnp.mean(missed), "normalised": jnp.mean(returns)}
