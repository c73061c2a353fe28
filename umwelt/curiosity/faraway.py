"""Goals that are far from what is known, in decisions: those of "TLDR" (CoRL 2024), for `Autotelic`."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Info, Metric, part, struct
from umwelt.networks.optimise import where_any
from umwelt.networks.temporal import Temporal, TemporalState, length, neighbours

APART = Metric(name="apart", unit="decisions", meaning="mean distance of random pairs of remembered moments")


@struct
class FarawayState:
    """temporal: the representation's state. pool: float32 [K, G], goals to set out for. known: float32 [M, S], remembered
    moments, represented."""

    temporal: TemporalState
    pool: jax.Array
    known: jax.Array


@part
class Faraway:
    """Sets out for the remembered moments with the most distant neighbours, and pays for decisions that come nearer.

    >>> signal = Faraway(temporal=Temporal(units=8, size=2), pool=2, straight=True)
    >>> state = signal.init(jax.random.key(0), width=1, actions=1)

    >>> line = jnp.array([0.0, 0.1, 0.2, 0.9])[:, None, None]
    >>> stretches = jnp.concatenate([line, line], axis=1)

    >>> state, _ = signal.learn(jax.random.key(0), state, stretches, jnp.zeros((4, 1, 1)), jnp.ones((4, 1), bool))
    >>> round(float(state.pool[0, 0]), 1)  # the moment that lies by itself
    0.9
    """

    temporal: Temporal = Temporal()
    """The representation."""
    pool: int = 32
    """Goals to choose from."""
    known: int = 256
    """Remembered moments that neighbours are sought among."""
    nearest: int = 12
    """Neighbours whose distance is averaged."""
    reach: float = 1.0
    """The distance at which a goal is reached, in decisions; straight, in half widths of the observation."""
    straight: bool = False
    """Take the straight line for the distance."""

    metrics = (APART,)
    ends = False
    cites = ("tldr_2024",)

    def init(self, key: jax.Array, width: int, actions: int) -> FarawayState:
        """Begin with goals anywhere in the unit box."""
        temporal = self.temporal.init(key, width)
        pool = jax.random.uniform(key, (self.pool, width), minval=-1.0, maxval=1.0)
        known = jnp.resize(self._embed(temporal, pool), (self.known, self._embed(temporal, pool).shape[1]))
        return FarawayState(temporal=temporal, pool=pool, known=known)

    def choose(self, key: jax.Array, state: FarawayState, seen: jax.Array) -> jax.Array:
        """Draw goals [B, 1, G] from the pool."""
        chosen = jax.random.randint(key, seen.shape[:1], 0, state.pool.shape[0])
        return state.pool[chosen][:, None]

    def near(self, state: FarawayState, now: jax.Array, after: jax.Array, goal: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Pay for the decisions that were gained: float32 [N], and bool [N]."""
        here, then, there = (self._embed(state.temporal, each) for each in (now, after, goal))
        left = length(then - there)
        return length(here - there) - left, left <= self.reach

    def bonus(self, state: FarawayState, after: jax.Array) -> jax.Array:
        """Pay for moments with distant neighbours: float32 [N]."""
        return jnp.log1p(neighbours(self._embed(state.temporal, after), state.known, self.nearest))

    def learn(
        self, key: jax.Array, state: FarawayState, seen: jax.Array, done: jax.Array, valid: jax.Array
    ) -> tuple[FarawayState, Info]:
        """Update the distances, and refill the pool from the first moments of the stretches."""
        now, weight = seen[:, 0], valid[:, 0].astype(jnp.float32)
        temporal, info = self.temporal.learn(state.temporal, now, seen[:, 1], jnp.roll(now, 1, axis=0), weight)
        known = self._embed(temporal, now)
        lonely = jnp.where(weight > 0, neighbours(known, known, self.nearest), -1.0)
        _, best = jax.lax.top_k(lonely, min(self.pool, now.shape[0]))
        filled = FarawayState(
            temporal=temporal, pool=jnp.resize(now[best], state.pool.shape), known=jnp.resize(known, state.known.shape)
        )
        return where_any(weight, filled, state), {"apart": info["apart"]}

    def _embed(self, state: TemporalState, features: jax.Array) -> Any:
        return features if self.straight else self.temporal.embed(state, features)
