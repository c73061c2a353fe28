"""Searches over policies in pure worlds: how many of them end with a policy that reaches the goal, and after how long."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import Reacting
from umwelt.claims.arms import Measure
from umwelt.core import keys, part
from umwelt.networks import policies
from umwelt.networks.form import form
from umwelt.networks.inside import with_batch
from umwelt.worlds.stream import rows

SOLVED = Measure(name="solved", unit="share of seeds", better="up")
"""1 where the policy of the end reaches the goal in half of its episodes, else 0."""
EPISODES = Measure(name="episodes", unit="episodes", better="down")
"""Episodes of the search until its policy first does so; all of them where it never does."""


@part
class Climbed:
    """Evaluate genomes by whole episodes, generation by generation; a function of a key."""

    search: Any
    """A `Search`."""
    world: Any
    task: str
    scale: tuple[float, ...]
    """What the numbers of an observation are divided by before a genome reads them."""
    middle: tuple[float, ...]
    """What is taken off them first."""
    policy: Reacting = Reacting()
    population: int = 32
    rounds: int = 60
    probes: int = 8
    looks: int = 4
    """Moments of an episode whose observations are its traits."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Search: {measure: float32 []}."""
        beginning, living = keys.split(key, "begin", "live")
        width, acts = form(self.world.spec.observation).width, policies.over(self.world.spec.action)
        search = self.search.init(beginning, self.policy.size(width, acts), self.looks * width)

        def generation(search: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            asking, evaluating, telling, probing = keys.split(key, "ask", "evaluate", "tell", "probe")
            search, genomes = self.search.ask(asking, search, self.population)
            returns, traits, _ = self.evaluated(evaluating, genomes)
            search = self.search.tell(telling, search, genomes, returns, traits)
            best = jnp.broadcast_to(self.search.best(search), (self.probes, genomes.shape[1]))
            return search, jnp.mean(self.evaluated(probing, best)[2])

        _, reached = jax.lax.scan(generation, search, jax.random.split(living, self.rounds))
        enough = reached >= 0.5
        first = jnp.where(jnp.any(enough), jnp.argmax(enough) + 1, self.rounds)
        return {"solved": enough[-1].astype(jnp.float32), "episodes": (self.population * first).astype(jnp.float32)}

    def evaluated(self, key: jax.Array, genomes: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Returns [P], traits [P, Z], and whether the goal was reached, float32 [P], of an episode of each genome."""
        room, acts = with_batch(self.world, genomes.shape[0]), policies.over(self.world.spec.action)
        task = rows(self.world.tasks()[self.task], genomes.shape[0])
        middle, scale = jnp.array(self.middle), jnp.array(self.scale)

        def tick(held: Any, key: jax.Array) -> tuple[Any, jax.Array]:
            state, step, earned, going, reached = held
            seen = (step.observation - middle) / scale
            unit = jnp.clip(self.policy.outputs(genomes, seen, acts), -1.0, 1.0)
            state, next = room.step(key, state, acts.action(unit), task)
            earned = earned + jnp.where(going, next.reward, 0.0)
            reached = reached | (going & next.terminated)
            going = going & ~next.last
            return (state, next, earned, going, reached), jnp.where(going[:, None], seen, jnp.nan)

        none = jnp.zeros(genomes.shape[0], bool)
        begun = (*room.init(keys.fold(key, "init"), task), jnp.zeros(genomes.shape[0]), ~none, none)
        (_, _, earned, _, reached), seen = jax.lax.scan(tick, begun, jax.random.split(key, self.world.time_limit))
        every = self.world.time_limit // self.looks
        # an episode that is over shows nothing more
        traits = jnp.nan_to_num(seen[every - 1 :: every][: self.looks]).swapaxes(0, 1).reshape(genomes.shape[0], -1)
        return earned, traits, reached.astype(jnp.float32)
