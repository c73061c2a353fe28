"""A corridor with a trapdoor at each step, explored by nothing but chance actions: the study of diverse tasks."""

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import part

FOUND = Measure(name="found", unit="share", better="up")
"""Whether the best actions lead to the far end, after all episodes."""
EPISODES = Measure(name="episodes", unit="episodes", better="down")
"""Episodes until the far end is first reached; all of them where it never is."""


@part
class Corridor:
    """Cells 0 .. length; one action leads on, the other back to the start. A function of a key.

    Values of every cell, action and goal are tables. Each episode has a task: to reach one cell. Its policy is the best
    action, or with `chance` any. All tasks learn from all episodes.
    """

    length: int = 14
    """Steps to the far end; an episode has as many."""
    episodes: int = 2000
    diverse: bool = True
    """Tasks are all cells, drawn evenly; else the far end alone."""
    chance: float = 0.05
    """The share of random actions (epsilon)."""
    discount: float = 0.95

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Live all episodes: {measure: float32 []}."""
        goals = jnp.arange(1, self.length + 1) if self.diverse else jnp.array([self.length])
        # which action leads on differs from cell to cell, so that no habit does it
        onward = jax.random.bernoulli(jax.random.fold_in(key, 0), shape=(self.length + 1,)).astype(jnp.int32)

        def episode(values: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
            asking, acting = jax.random.split(key)
            task = jax.random.randint(asking, (), 0, goals.shape[0])
            cells, actions, after = self.walked(acting, values[task], onward, self.chance)

            def learn(values: jax.Array, at: jax.Array) -> tuple[jax.Array, None]:
                reached = after[at] == goals
                ahead = self.discount * jnp.max(values[:, after[at]], axis=-1)
                return values.at[:, cells[at], actions[at]].set(jnp.where(reached, 1.0, ahead)), None

            # from the last step to the first, so that a reward reaches the start at once
            values, _ = jax.lax.scan(learn, values, jnp.arange(self.length - 1, -1, -1))
            return values, jnp.any(after == self.length)

        values = jnp.zeros((goals.shape[0], self.length + 1, 2))
        values, hits = jax.lax.scan(episode, values, jax.random.split(jax.random.fold_in(key, 1), self.episodes))
        _, _, after = self.walked(key, values[-1], onward, 0.0)
        first = jnp.where(jnp.any(hits), jnp.argmax(hits) + 1, self.episodes)
        known = jnp.max(values[-1, 0]) > 0
        return {"found": (jnp.any(after == self.length) & known).astype(jnp.float32), "episodes": first.astype(jnp.float32)}

    def walked(
        self, key: jax.Array, values: jax.Array, onward: jax.Array, chance: float
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """One episode by values [cells, 2]: cells, actions and the cells after them, int32 [length] each."""

        def tick(cell: jax.Array, key: jax.Array) -> tuple[jax.Array, tuple[jax.Array, ...]]:
            whether, which = jax.random.split(key)
            equal = values[cell, 0] == values[cell, 1]
            anything = (jax.random.uniform(whether) < chance) | equal
            action = jnp.where(anything, jax.random.randint(which, (), 0, 2), jnp.argmax(values[cell])).astype(jnp.int32)
            after = jnp.where(action == onward[cell], jnp.minimum(cell + 1, self.length), 0)
            return after, (cell, action, after)

        cells, actions, after = jax.lax.scan(tick, jnp.int32(0), jax.random.split(key, self.length))[1]
        return cells, actions, after
