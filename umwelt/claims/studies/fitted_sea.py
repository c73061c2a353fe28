"""Tables for the deep sea that are fitted after each episode, row by row from the bottom, with or without noise."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import keys, part, struct
from umwelt.networks.noisy_steps import Langevin
from umwelt.worlds import DeepSea

SOLVED = Measure(name="solved", unit="share of seeds", better="up")
"""1 where the mean return of the last tenth of all episodes is above one half, else 0."""
FOUND = Measure(name="found", unit="episodes", better="down")
"""The first episode that finds the treasure; the number of all where none does."""


@struct
class Tables:
    """Of each cell and action [size, size, 2]: values, how often it was taken, what it paid, and the column after it."""

    values: jax.Array
    counts: jax.Array
    rewards: jax.Array
    after: jax.Array


@part
class FittedSea:
    """Least-squares value iteration whose gradient steps are noisy, or whose actions are; a function of a key."""

    size: int = 10
    """Rows and columns of the sea; the meaning of the actions is drawn for each cell."""
    episodes: int = 600
    """Episodes of a life."""
    optimiser: Langevin = Langevin(noise=0.02, drift=0.0, decay=1.0)
    """Gradient steps on half of the sum of squared errors and of squared values."""
    rate: float = 0.4
    """Step size, times how often each action was taken in each cell and once more."""
    steps: int = 20
    """Gradient steps of each row after each episode."""
    epsilon: float = 0.0
    """Share of random actions."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live: {measure: float32 []}."""
        drawing, living = keys.split(key, "task", "live")
        sea = DeepSea(size=self.size)
        task, zeros = sea.drawn(drawing), jnp.zeros((self.size, self.size, 2))
        tables = Tables(values=zeros, counts=zeros, rewards=zeros, after=zeros.astype(jnp.int32))

        def episode(tables: Tables, key: jax.Array) -> tuple[Tables, jax.Array]:
            diving, fitting = keys.split(key, "dive", "fit")
            tables, returned = self.dive(diving, tables, sea, task)
            return self.fitted(fitting, tables), returned

        _, returned = jax.lax.scan(episode, tables, jax.random.split(living, self.episodes))
        found = returned > 0.5
        late = jnp.mean(returned[-(self.episodes // 10) :])
        return {
            "solved": (late > 0.5).astype(jnp.float32),
            "found": jnp.where(jnp.any(found), jnp.argmax(found), self.episodes).astype(jnp.float32),
        }

    def dive(self, key: jax.Array, tables: Tables, sea: DeepSea, task: Any) -> tuple[Tables, jax.Array]:
        """One episode of the best actions, and its return."""

        def decide(held: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            tables, body = held
            whether, which = keys.split(key, "whether", "which")
            best = jnp.argmax(tables.values[body.row, body.column])
            action = jnp.where(jax.random.uniform(whether) < self.epsilon, jax.random.randint(which, (), 0, 2), best)
            after, reward, _ = sea.advance(key, body, action, task)
            at = (body.row, body.column, action)
            tables = Tables(
                values=tables.values,
                counts=tables.counts.at[at].add(1.0),
                rewards=tables.rewards.at[at].set(reward),
                after=tables.after.at[at].set(after.column),
            )
            return (tables, after), reward

        (tables, _), rewards = jax.lax.scan(decide, (tables, sea.begin(key, task)), jax.random.split(key, self.size))
        return tables, jnp.sum(rewards)

    def fitted(self, key: jax.Array, tables: Tables) -> Tables:
        """Fit the values of each row to what it paid and to the row below, the lowest first; they begin where they were."""

        def row(below: jax.Array, given: Any) -> tuple[jax.Array, jax.Array]:
            key, old = given
            # no episode returns more than the treasure
            wanted = jnp.clip(old.rewards + jnp.max(below, axis=-1)[old.after], -1.0, 1.0)
            chain = self.optimiser(self.rate / (old.counts + 1.0), key)

            def step(held: Any, _: None) -> tuple[Any, None]:
                values, state = held
                moved, state = chain.update(old.counts * (values - wanted), state, values)
                return (values + moved, state), None

            (values, _), _ = jax.lax.scan(step, (old.values, chain.init(old.values)), None, length=self.steps)
            return values, values

        rows = (jax.random.split(key, self.size), tables)
        _, values = jax.lax.scan(row, jnp.zeros((self.size, 2)), rows, reverse=True)
        return Tables(values=values, counts=tables.counts, rewards=tables.rewards, after=tables.after)
