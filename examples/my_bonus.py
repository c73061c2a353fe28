"""A curiosity bonus of your own in one file: how far an observation is from all that was kept before.

The bonus reads transitions as numbers (`Moment`), so it fits any agent, any learner and any model. Run this file to learn
whether it keeps the contract. With `live`, an agent that this bonus alone pays runs in `lives/` first:

    python examples/my_bonus.py
    python examples/my_bonus.py live
"""

import sys
from dataclasses import replace

import jax
import jax.numpy as jnp

import umwelt
from umwelt import check
from umwelt.behaviours import DQN, Curious, ModelFree
from umwelt.core import Info, Moment, part, struct
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.teachers import Blocks
from umwelt.worlds import MountainCar


@struct
class Kept:
    """places: float32 [K, F], observations. count: int32, how many were kept so far."""

    places: jax.Array
    count: jax.Array


@part
class Far:
    """The distance to the nearest observation that is kept; the newest `slots` of them are."""

    slots: int = 512
    """Observations that are kept."""

    metrics = ()
    novelty = True

    def init(self, key: jax.Array, width: int, actions: int, batch: int) -> Kept:
        """Keep nothing yet."""
        return Kept(places=jnp.zeros((self.slots, width)), count=jnp.int32(0))

    def bonus(self, key: jax.Array, state: Kept, moment: Moment) -> jax.Array:
        """Measure the distance of each row to the nearest place: float32 [N]; 1 where none is kept."""
        apart = jnp.linalg.norm(moment.after[:, None] - state.places, axis=-1)
        kept = jnp.arange(self.slots) < state.count
        return jnp.where(state.count > 0, jnp.min(jnp.where(kept, apart, jnp.inf), axis=1), 1.0)

    def learn(self, key: jax.Array, state: Kept, moment: Moment) -> tuple[Kept, Info]:
        """Keep the rows that weigh, in place of the oldest."""
        weighs = moment.weight > 0
        slot = (state.count + jnp.cumsum(weighs) - 1) % self.slots
        places = state.places.at[jnp.where(weighs, slot, self.slots)].set(moment.after, mode="drop")
        return replace(state, places=places, count=state.count + jnp.sum(weighs)), {}


# the same bonus fits a learner, `Rewarded(learner=DQN(), curiosity=Far())`, and a model, `Wondering(model=..., curiosity=Far())`
AGENT = Curious(agent=ModelFree(learner=DQN(units=32), memory=Ring(bytes=1_000_000), batch=32), curiosity=Far(), scale=0.0)
LIFE = umwelt.Life(world=MountainCar(batch=4), agent=AGENT, teacher=Blocks(), rhythm=Rhythm(random=50))

if __name__ == "__main__":
    if "live" in sys.argv:
        umwelt.live(LIFE, steps=800)
    report = check.curiosity(Far())
    print(report)
    raise SystemExit(0 if report and check.agent(AGENT, LIFE.world.spec, depth="shapes") else 1)
