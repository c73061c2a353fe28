"""Logs in which some were lucky: two levers, and a lake of ice; and what a learner of them takes luck for."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Batch, Learner
from umwelt.claims.arms import Measure
from umwelt.claims.studies.offline import mean_return, rows, studied
from umwelt.core import Discrete, keys, part
from umwelt.memory.played import Played
from umwelt.networks.form import form
from umwelt.networks.inside import with_batch

PAID = Measure(name="paid", unit="reward", better="up")
"""The mean return of an episode."""


@part
class Levers:
    """A learner of a log in which the better of two levers is rarely pulled; a function of a key."""

    learner: Learner
    means: tuple[float, float] = (0.6, 0.4)
    rarely: float = 0.1
    """How often the first lever is pulled in the log."""
    moments: int = 5000
    """Of the log."""
    updates: int = 3000
    batch: int = 128
    probes: int = 2000

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Pull, study and be examined: {measure: float32 []}."""
        taking, paying, beginning, studying, probing = keys.split(key, "take", "pay", "begin", "study", "probe")
        means = jnp.array(self.means)
        action = jax.random.bernoulli(taking, 1.0 - self.rarely, (self.moments,)).astype(jnp.int32)
        paid = jax.random.bernoulli(paying, means[action]).astype(jnp.float32)
        seen, ones = jnp.zeros((self.moments, 1)), jnp.ones(self.moments)
        log = Batch(now=seen, action=action, reward=paid, continues=0.0 * ones, after=seen, weight=ones, to_come=paid)
        state = self.learner.init(beginning, 1, Discrete(n=2))
        state = studied(self.learner, state, log, studying, self.updates, self.batch)
        done = self.learner.act(probing, state, jnp.zeros((self.probes, 1)), "explore")
        return {"paid": jnp.mean(means[done])}


@part
class Walked:
    """A learner of episodes that were played in a world of chance; a function of a key."""

    learner: Learner
    data: Played
    updates: int = 6000
    batch: int = 128
    probes: int = 300

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Play, study and be examined: {measure: float32 []}."""
        playing, beginning, studying, probing = keys.split(key, "play", "begin", "study", "probe")
        world, log = self.data.world, rows(self.data, playing)
        seen = form(world.spec.observation)
        state: Any = self.learner.init(beginning, seen.width, world.spec.action)
        state = studied(self.learner, state, log, studying, self.updates, self.batch)
        act = lambda key, observation: self.learner.act(key, state, seen.flat(observation), "explore")  # noqa: E731
        return {"paid": mean_return(with_batch(world, self.probes), probing, act)}
