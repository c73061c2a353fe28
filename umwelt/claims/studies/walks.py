"""A clone of walks through pages, examined on intents that no walk had."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import Cloning
from umwelt.behaviours.batch import Batch
from umwelt.claims.arms import Measure
from umwelt.claims.studies.offline import mean_return, studied
from umwelt.core import keys, part
from umwelt.memory.walks import Explored
from umwelt.networks.form import form
from umwelt.networks.inside import with_batch
from umwelt.worlds import Page

FULFILLED = Measure(name="fulfilled", unit="share", better="up")
"""The share of new intents that the clone fulfils."""


@part
class Walks:
    """Learn from walks, and be examined; a function of a key."""

    walks: int = 1000
    how: str = "verified"
    """"verified" walks named at their end; "unverified" ones; or "fixed" intents, of which the walks that happen to succeed."""
    wrong: float = 0.2
    """The chance of a wrong name."""
    learner: Cloning = Cloning(units=128)
    world: Page = Page(fields=4, values=5)
    updates: int = 3000
    batch: int = 128
    probes: int = 200

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Walk, learn and be examined: {measure: float32 []}."""
        walking, beginning, learning, probing = keys.split(key, "walk", "begin", "learn", "probe")
        space = self.world.spec
        state = self.learner.init(beginning, form(space.observation).width, space.action)
        state = studied(self.learner, state, self.rows(walking), learning, self.updates, self.batch)
        flat = form(space.observation).flat
        act = lambda key, observation: self.learner.act(key, state, flat(observation), "exploit")  # noqa: E731
        return {"fulfilled": mean_return(with_batch(self.world, self.probes), probing, act)}

    def rows(self, key: jax.Array) -> Batch:
        """The moments [walks * (fields + 1)] of all walks; those that are dropped weigh nothing."""
        source = Explored(world=self.world, walks=self.walks, wrong=self.wrong if self.how != "fixed" else 0.0)
        actions, intents = source.walked(keys.fold(key, "walks"))
        if self.how == "fixed":
            intents = jax.random.randint(keys.fold(key, "fixed"), intents.shape, 0, self.world.values)
        weight = jnp.ones(self.walks) if self.how == "unverified" else source.fulfils(actions, intents).astype(jnp.float32)
        pages = source.pages(actions)
        steps = pages.shape[1]

        def bits(numbers: jax.Array) -> Any:
            return jax.nn.one_hot(numbers, self.world.values, dtype=jnp.uint8)

        seen = {"instruction": jnp.repeat(bits(intents)[:, None], steps, axis=1), "page": bits(pages)}
        now = form(self.world.spec.observation).flat(jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), seen))
        ones = jnp.ones(now.shape[0])
        weight = jnp.repeat(weight, steps)
        return Batch(now=now, action=actions.reshape(-1), reward=0 * ones, continues=ones, after=now, weight=weight)
