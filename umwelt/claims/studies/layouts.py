"""An agent that plans for bonuses in grids whose layout is always the same, one of ten, or a new one in each episode."""

from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import keys, part, struct

ONE = Measure(name="one", unit="share of episodes", better="up")
"""Episodes of the second half that find the goal, where layout and goal are always the same."""
ONE_RETURN = Measure(name="one_return", unit="return", better="up")
"""The discounted return of those episodes."""
TEN = Measure(name="ten", unit="share of episodes", better="up")
"""Episodes that find the goal, where each takes place in one of ten layouts."""
NEW = Measure(name="new", unit="share of episodes", better="up")
"""The same, where each episode draws a layout and a goal."""
SIDES = ((-1, 0), (1, 0), (0, -1), (0, 1))


@struct
class Found:
    """Of each place [size, size], over the life: met, how often it was met; paid, the sum of rewards there."""

    met: jax.Array
    paid: jax.Array


@part
class Planned:
    """Value iteration over the layout that is seen, on the bonus of each place and its mean reward; a function of a key.

    Places are counted over all layouts, as an agent counts that is not shown which layout it is in.
    """

    bonus: Literal["global", "episodic", "product"] = "product"
    """One over the root of the count in the life, in the episode, or both."""
    size: int = 8
    """Places of a side; an episode begins in a corner."""
    walls: float = 0.2
    """Share of places that are walls."""
    limit: int = 40
    """Decisions of an episode."""
    episodes: int = 200
    """Episodes of a life."""
    discount: float = 0.95
    """Worth of the next step in units of this one (gamma)."""
    sweeps: int = 25
    """Sweeps of value iteration at each decision."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live once in each kind of world: {measure: float32 []}."""
        returned = {name: self.life(keys.fold(key, name), number) for name, number in (("one", 1), ("ten", 10), ("new", 0))}
        found = {name: jnp.mean((each > 0).astype(jnp.float32)) for name, each in returned.items()}
        return {**found, "one_return": jnp.mean(returned["one"])}

    def life(self, key: jax.Array, layouts: int) -> jax.Array:
        """The discounted returns of later episodes; `layouts` are drawn once, or in each episode where it is 0."""
        zeros = jnp.zeros((self.size, self.size))

        def episode(found: Found, key: jax.Array) -> tuple[Found, jax.Array]:
            drawing, picking, living = keys.split(key, "draw", "pick", "live")
            kept = jax.random.fold_in(keys.fold(origin, "layout"), jax.random.randint(picking, (), 0, max(layouts, 1)))
            free, goal = self.drawn(kept if layouts else drawing)
            return self.episode(living, found, free, goal)

        origin, living = jax.random.split(key)
        _, returned = jax.lax.scan(episode, Found(met=zeros, paid=zeros), jax.random.split(living, self.episodes))
        return returned[self.episodes // 2 :]

    def drawn(self, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Free places bool [size, size], and the goal, one of those that can be reached from the corner, as bool."""
        walling, placing = keys.split(key, "walls", "goal")
        free = jax.random.bernoulli(walling, 1.0 - self.walls, (self.size, self.size)).at[0, 0].set(True)

        def spread(_: Any, reached: jax.Array) -> jax.Array:
            return free & (reached | jnp.any(self.beside(reached, False), axis=0))

        begun = jnp.zeros_like(free).at[0, 0].set(True)
        reached = jax.lax.fori_loop(0, self.size**2, spread, begun).at[0, 0].set(False)
        # in the rare case that the corner is walled in, the corner itself is the goal
        odds = jnp.where(jnp.any(reached), reached, begun).ravel()
        goal = jax.random.categorical(placing, jnp.where(odds, 0.0, -jnp.inf))
        return free, (jnp.arange(self.size**2) == goal).reshape(free.shape)

    def episode(self, key: jax.Array, found: Found, free: jax.Array, goal: jax.Array) -> tuple[Found, jax.Array]:
        """One episode: what is known after it, and its discounted return, for the goal alone."""

        def decide(held: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            found, met, at, done = held
            values = self.values(found, met, free, done)
            ways = self.beside(values, -jnp.inf)[:, at[0], at[1]]
            open = self.beside(free, False)[:, at[0], at[1]]
            ways = jnp.where(open, ways, values[at[0], at[1]]) + 1e-6 * jax.random.normal(key, (4,))
            move = jnp.argmax(ways)
            there = jnp.where(open[move], at + jnp.asarray(SIDES)[move], at)
            place = (there[0], there[1])
            reward = (goal[place] & ~done).astype(jnp.float32)
            found = Found(met=found.met.at[place].add(1.0), paid=found.paid.at[place].add(reward))
            return (found, met.at[place].add(1.0), there, done | goal[place]), reward

        met = jnp.zeros_like(found.met).at[0, 0].set(1.0)
        begun = (found, met, jnp.zeros(2, jnp.int32), goal[0, 0])
        (found, *_), rewards = jax.lax.scan(decide, begun, jax.random.split(key, self.limit))
        return found, jnp.sum(rewards * self.discount ** jnp.arange(self.limit))

    def values(self, found: Found, met: jax.Array, free: jax.Array, done: jax.Array) -> jax.Array:
        """What it is worth to arrive at each place: float32 [size, size]. The goal is paid once in an episode."""
        over_life, in_episode = jax.lax.rsqrt(1.0 + found.met), jax.lax.rsqrt(1.0 + met)
        bonus = {"global": over_life, "episodic": in_episode, "product": over_life * in_episode}[self.bonus]
        pays = bonus + jnp.where(done, 0.0, found.paid / jnp.maximum(found.met, 1.0))

        def sweep(_: Any, values: jax.Array) -> jax.Array:
            best = jnp.max(self.beside(values, -jnp.inf), axis=0)
            # a wall lets one stay where one is
            following = jnp.maximum(best, values)
            return jnp.where(free, pays + self.discount * following, -jnp.inf)

        return jax.lax.fori_loop(0, self.sweeps, sweep, jnp.where(free, 0.0, -jnp.inf))

    def beside(self, places: jax.Array, outside: Any) -> jax.Array:
        """What lies up, down, left and right of each place: [4, size, size]."""
        padded = jnp.pad(places, 1, constant_values=outside)
        ends = self.size + 1
        return jnp.stack([padded[1 + down : ends + down, 1 + right : ends + right] for down, right in SIDES])
