"""Searches against pure evaluations: the study of claims about populations."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.genomes import Reacting
from umwelt.claims.arms import Measure
from umwelt.core import keys, part
from umwelt.evaluation.quality_diversity import Cells, coverage
from umwelt.networks import policies
from umwelt.worlds.reach import Reach, places
from umwelt.worlds.trap import EDGE, WALL, Trap, TrapBody

COVERAGE = Measure(name="coverage", unit="cells", better="up")
"""Cells of a grid of 50 by 50 over the ends of the arm into which an individual came."""
BOTH = Measure(name="both", unit="share", better="up")
"""1 where the arm came to within half a percent of its length of the middles of both discs."""
DEEPEST = Measure(name="deepest", unit="return", better="up")
"""The highest return in each disc, mean of the two."""
REACHED = (COVERAGE, BOTH, DEEPEST)


@part
class Evenly:
    """Genomes that are drawn evenly, whatever became of others: the control without a search."""

    limit: float = 5.0
    """Genomes lie in [-limit, limit]."""

    def init(self, key: jax.Array, size: int, traits: int) -> jax.Array:
        """The size of a genome, as zeros."""
        return jnp.zeros(size)

    def ask(self, key: jax.Array, state: jax.Array, n: int) -> tuple[jax.Array, jax.Array]:
        """Draw."""
        return state, jax.random.uniform(key, (n, state.shape[0]), minval=-self.limit, maxval=self.limit)

    def tell(self, key: jax.Array, state: jax.Array, genomes: jax.Array, returns: jax.Array, traits: jax.Array) -> jax.Array:
        """Learn nothing."""
        return state


@part
class Reaching:
    """Evaluates genomes by bending the arm of `Reach` once, and covers a grid by its end. A function of a key."""

    search: Any
    """A `Search`."""
    children: int = 96
    """Genomes of one generation."""
    rounds: int = 313
    """Generations."""
    limit: float = 5.0
    """A number of a genome at the limit is half a turn of a joint."""
    seen: str = "end"
    """What a trait is: the `end` of the arm, or the places of all `joints` beside numbers of noise."""
    noise: int = 20
    """Numbers of noise beside the joints, of the deviation of a disc's radius."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Search through all generations: {measure: float32 []}."""
        world, cells = Reach(), Cells()
        beginning, living = keys.split(key, "begin", "live")
        traits = 2 if self.seen == "end" else 2 * world.joints + self.noise
        begun = (self.search.init(beginning, world.joints, traits), cells.init(), jnp.zeros(2))

        def generation(life: Any, key: jax.Array) -> tuple[Any, None]:
            search, elites, deepest = life
            asking, looking, telling = keys.split(key, "ask", "look", "tell")
            search, genomes = self.search.ask(asking, search, self.children)
            ends = places(genomes * (jnp.pi / self.limit))
            depth = jax.vmap(world.depths)(ends[:, -1])
            returns = jnp.sum(depth, axis=-1)
            trait = ends[:, -1]
            if self.seen == "joints":
                noise = world.radius * jax.random.normal(looking, (self.children, self.noise))
                trait = jnp.concatenate([ends.reshape(self.children, -1), noise], axis=-1)
            search = self.search.tell(telling, search, genomes, returns, trait)
            elites = cells.add(elites, ends[:, -1], returns)
            return (search, elites, jnp.maximum(deepest, jnp.max(depth, axis=0))), None

        (_, elites, deepest), _ = jax.lax.scan(generation, begun, jax.random.split(living, self.rounds))
        near = deepest >= 1.0 - 0.005 / world.radius
        return {
            "coverage": coverage(elites) * elites.best.shape[0],
            "both": jnp.all(near).astype(jnp.float32),
            "deepest": jnp.mean(deepest),
        }


PASSES = Measure(name="passes", unit="share", better="up")
"""1 where the best member stands behind the wall after most of its episodes."""
NEAR = Measure(name="near", unit="return", better="up")
"""The mean reward of a decision of the best member: minus its distance to the goal."""
WALKED = (PASSES, NEAR)


@part
class Trapping:
    """Evaluates genomes as networks that walk in `Trap`, and examines the best one in the end. A function of a key.

    A trait is what a network does at twenty places, which are drawn before the first generation.
    """

    search: Any
    """A `Search`."""
    world: Trap = Trap()
    """Where they walk."""
    goal: str = "behind"
    """The named task."""
    children: int = 400
    """Genomes of one generation."""
    rounds: int = 100
    """Generations."""
    units: int = 16
    """Width of the hidden layer."""
    exams: int = 9
    """Episodes of the exam."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Search through all generations, then examine: {measure: float32 []}."""
        reacting, policy = Reacting(units=self.units), policies.over(self.world.spec.action)
        beginning, placing, living, ending = keys.split(key, "begin", "place", "live", "end")
        seen = jax.random.uniform(placing, (20, 2), minval=-1.0, maxval=1.0)

        def answers(genome: jax.Array) -> jax.Array:
            wide = jnp.broadcast_to(genome, (seen.shape[0], genome.shape[0]))
            return jnp.clip(reacting.outputs(wide, seen, policy), -1.0, 1.0).reshape(-1)

        def generation(state: Any, key: jax.Array) -> tuple[Any, None]:
            asking, walking, telling = keys.split(key, "ask", "walk", "tell")
            state, genomes = self.search.ask(asking, state, self.children)
            returns, _ = self._walked(walking, genomes, reacting, policy)
            return self.search.tell(telling, state, genomes, returns, jax.vmap(answers)(genomes)), None

        begun = self.search.init(beginning, reacting.size(2, policy), 2 * seen.shape[0])
        state, _ = jax.lax.scan(generation, begun, jax.random.split(living, self.rounds))
        best = self.search.best(state)
        returns, places = self._walked(ending, jnp.broadcast_to(best, (self.exams, best.shape[0])), reacting, policy)
        passed = jnp.mean((places[:, 0] > WALL).astype(jnp.float32)) > 0.5
        return {"passes": passed.astype(jnp.float32), "near": jnp.mean(returns)}

    def _walked(self, key: jax.Array, genomes: jax.Array, reacting: Reacting, policy: Any) -> tuple[jax.Array, jax.Array]:
        """One episode of each genome [n, D]: mean rewards [n], and where it ends [n, 2]."""
        task, number = self.world.tasks()[self.goal], genomes.shape[0]

        def step(place: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
            action = jnp.clip(reacting.outputs(genomes, place / EDGE, policy), -1.0, 1.0)
            body, reward, _ = jax.vmap(lambda key, place, action: self.world.advance(key, TrapBody(place=place), action, task))(
                jax.random.split(key, number), place, action
            )
            return body.place, reward

        moments = jax.random.split(key, self.world.time_limit)
        places, rewards = jax.lax.scan(step, jnp.zeros((number, 2)), moments)
        return jnp.mean(rewards, axis=0), places


LOOPS = Measure(name="loops", unit="cells", better="up")
"""Cells of a grid over the places a quarter and half way round into which a loop came."""


@part
class Looping:
    """Evaluates genomes as loops: eight steps in headings of their own, shifted so that the last ends where the first began.

    The trait is the whole path. A function of a key.
    """

    search: Any
    """A `Search`."""
    children: int = 96
    """Genomes of one generation."""
    rounds: int = 100
    """Generations."""
    only_end: bool = False
    """The trait is where the loop ends."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Search through all generations: {measure: float32 []}."""
        cells = Cells(low=(-3.0,) * 4, high=(3.0,) * 4, number=(12,) * 4)
        beginning, living = keys.split(key, "begin", "live")

        def generation(life: Any, key: jax.Array) -> tuple[Any, None]:
            search, elites = life
            asking, telling = keys.split(key, "ask", "tell")
            search, genomes = self.search.ask(asking, search, self.children)
            steps = jnp.stack([jnp.cos(genomes), jnp.sin(genomes)], axis=-1)
            path = jnp.cumsum(steps - jnp.mean(steps, axis=1, keepdims=True), axis=1)
            path = jnp.concatenate([jnp.zeros_like(path[:, :1]), path], axis=1)
            trait = path[:, -1] if self.only_end else path.reshape(self.children, -1)
            search = self.search.tell(telling, search, genomes, jnp.zeros(self.children), trait)
            ways = jnp.concatenate([path[:, 2], path[:, 4]], axis=-1)
            return (search, cells.add(elites, ways, jnp.zeros(self.children))), None

        begun = (self.search.init(beginning, 8, 2 if self.only_end else 18), cells.init())
        (_, elites), _ = jax.lax.scan(generation, begun, jax.random.split(living, self.rounds))
        return {"loops": coverage(elites) * elites.best.shape[0]}
