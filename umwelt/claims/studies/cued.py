"""Q-learning with a table over cells and beliefs, in a corridor whose cue is far from its doors."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.cashing import Tabled
from umwelt.claims.arms import Measure
from umwelt.core import keys, part
from umwelt.worlds import Corridor
from umwelt.worlds.corridor import CorridorTask

KNOWS = Measure(name="knows", unit="share of seeds", better="up")
"""1 where the greedy policy at the end returns 95 % of what is possible, mean of both sides, else 0."""
LEARNED_AFTER = Measure(name="learned_after", unit="episodes", better="down")
"""Episodes after which it first does; the number of all where it never does."""


@part
class Cued:
    """One life of tabular Q-learning; a function of a key."""

    length: int = 12
    """Cells of the corridor."""
    limit: int = 60
    """Decisions of an episode, at most."""
    weight: float = 1.0
    """What the rise of the worth of the belief is multiplied by; 0 pays the door alone."""
    episodes: int = 3000
    """Episodes of a life."""
    look: int = 25
    """Episodes between two looks at the greedy policy."""
    rate: float = 0.2
    """Share of the error that a visit corrects."""
    epsilon: float = 0.1
    """Share of random actions."""
    discount: float = 0.95
    """Worth of the next step in units of this one (gamma)."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live: {measure: float32 []}."""
        best = self.discount ** (self.length // 2 + self.length - 1)
        start = jnp.zeros((self.length, 3, 4))

        def stretch(table: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
            table, _ = jax.lax.scan(self.learned, table, jax.random.split(key, self.look))
            return table, jnp.mean(jnp.stack([self.returned(table, side) for side in (0.0, 1.0)])) >= 0.95 * best

        _, good = jax.lax.scan(stretch, start, jax.random.split(keys.fold(key, "live"), self.episodes // self.look))
        after = jnp.where(jnp.any(good), (jnp.argmax(good) + 1) * self.look, self.episodes)
        return {"knows": good[-1].astype(jnp.float32), "learned_after": after.astype(jnp.float32)}

    def learned(self, table: jax.Array, key: jax.Array) -> tuple[jax.Array, None]:
        """The table [cells, beliefs, 4] after one episode on a side that is drawn."""
        drawing, living = keys.split(key, "side", "live")
        task = CorridorTask(side=jax.random.bernoulli(drawing).astype(jnp.float32))

        def decide(held: Any, key: jax.Array) -> tuple[Any, None]:
            table, body, belief, over = held
            whether, which, breaking = keys.split(key, "whether", "which", "ties")
            at = (body.cell, _index(belief))
            random = jax.random.uniform(whether) < self.epsilon
            best = jnp.argmax(table[at] + 1e-6 * jax.random.normal(breaking, (4,)))
            action = jnp.where(random, jax.random.randint(which, (), 0, 4), best)
            after, reward, ended, later, rise = self.moved(body, belief, action, task)
            follows = jnp.where(ended, 0.0, jnp.max(table[after.cell, _index(later)]))
            wanted = reward + self.weight * rise + self.discount * follows
            share = jnp.where(over, 0.0, self.rate)
            table = table.at[(*at, action)].add(share * (wanted - table[(*at, action)]))
            return (table, after, later, over | ended), None

        begun = (table, self.world.begin(key, task), jnp.full(2, 0.5), jnp.bool_(False))
        (table, *_), _ = jax.lax.scan(decide, begun, jax.random.split(living, self.limit))
        return table, None

    def returned(self, table: jax.Array, side: float) -> jax.Array:
        """The discounted return of the greedy policy: float32 []."""
        task = CorridorTask(side=jnp.float32(side))

        def decide(held: Any, _: None) -> tuple[Any, jax.Array]:
            body, belief, worth = held
            action = jnp.argmax(table[body.cell, _index(belief)])
            after, reward, ended, later, _rise = self.moved(body, belief, action, task)
            return (after, later, jnp.where(ended, 0.0, self.discount * worth)), worth * reward

        begun = (self.world.begin(jax.random.key(0), task), jnp.full(2, 0.5), jnp.float32(1.0))
        return jnp.sum(jax.lax.scan(decide, begun, None, length=self.limit)[1])

    def moved(self, body: Any, belief: jax.Array, action: jax.Array, task: Any) -> tuple[Any, ...]:
        """The body, reward and end after an action, the belief, and the rise of its worth."""
        after, reward, ended = self.world.advance(jax.random.key(0), body, action, task)
        now, then = (self.world.observe(each, task)[None] for each in (body, after))
        raw = belief * self.knowledge.likelihood(now, action[None], then)[0]
        later = raw / jnp.maximum(jnp.sum(raw), 1e-9)
        worth = jnp.where(ended, 0.0, self.knowledge.worth(then, later[None])[0])
        return after, reward, ended, later, self.discount * worth - self.knowledge.worth(now, belief[None])[0]

    @property
    def world(self) -> Corridor:
        """The corridor."""
        return Corridor(length=self.length, time_limit=self.limit)

    @property
    def knowledge(self) -> Tabled:
        """What is known of both sides."""
        return Tabled(world=self.world, discount=self.discount)


def _index(belief: jax.Array) -> jax.Array:
    """0 where nothing is known, else 1 or 2."""
    return jnp.where(jnp.max(belief) > 0.9, 1 + jnp.argmax(belief), 0)
