"""Novelty search: keep what does other things than all before, whatever it earns.

"Abandoning objectives: evolution through the search for novelty alone" (Evolutionary Computation 2011), with the sizes of
"Sparse reward exploration via novelty search and emitters" (GECCO 2021). The novelty of a genome is the mean distance of
its trait to the nearest ones among population, children and archive. Traits are compared as a `descriptor` shows them.
"""

from dataclasses import replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.core import keys, part, struct

FAR = 1e9
"""The distance of a slot that holds nothing."""


class Descriptor(Protocol):
    """Shows traits [n, Z] as points [n, C] whose distances count."""

    def init(self, key: jax.Array, traits: int) -> Any:
        """A descriptor that has seen nothing of traits of so many numbers."""
        ...

    def points(self, state: Any, traits: jax.Array) -> jax.Array:
        """float32 [n, C]."""
        ...

    def errors(self, state: Any, traits: jax.Array) -> jax.Array:
        """float32 [n], how badly each trait is known; zeros where nothing is learned."""
        ...

    def learn(self, key: jax.Array, state: Any, traits: jax.Array, weight: jax.Array) -> Any:
        """Learn from traits [n, Z] of weight [n]."""
        ...


@part
class Plain:
    """Traits as they are.

    >>> Plain().points((), jnp.ones((2, 3))).shape
    (2, 3)
    """

    def init(self, key: jax.Array, traits: int) -> tuple[()]:
        """Keep nothing."""
        return ()

    def points(self, state: tuple[()], traits: jax.Array) -> jax.Array:
        """Return the traits."""
        return traits

    def errors(self, state: tuple[()], traits: jax.Array) -> jax.Array:
        """Return zeros."""
        return jnp.zeros(traits.shape[0], jnp.float32)

    def learn(self, key: jax.Array, state: tuple[()], traits: jax.Array, weight: jax.Array) -> tuple[()]:
        """Learn nothing."""
        return state


@struct
class Kept:
    """Individuals in slots. genomes: float32 [P, D]. traits: float32 [P, Z]. returns: float32 [P]. weight: float32 [P],
    0 where a slot is empty."""

    genomes: jax.Array
    traits: jax.Array
    returns: jax.Array
    weight: jax.Array


@struct
class NoveltyState:
    """population, archive: individuals. descriptor: the state of the part. generations: int32 [].
    champion: float32 [D], the genome of the highest return, and that return, float32 []."""

    population: Kept
    archive: Kept
    descriptor: Any
    generations: jax.Array
    champion: jax.Array
    champion_return: jax.Array


@part
class Novelty:
    """Lets those live whose traits are far from all others.

    >>> search, key = Novelty(population=4, slots=8), jax.random.key(0)

    >>> state, genomes = search.ask(key, search.init(key, size=3, traits=2), 6)
    >>> state = search.tell(key, state, genomes, jnp.zeros(6), genomes[:, :2])
    >>> int(state.population.weight.sum()), int(state.archive.weight.sum())
    (4, 5)
    """

    population: int = 100
    """Individuals that have children; the most novel of them and of their children live on."""
    neighbours: int = 15
    """The nearest ones that novelty is the mean distance to."""
    archived: int = 5
    """Children of each generation that enter the archive, drawn at random."""
    slots: int = 1000
    """Slots of the archive; when it is full, new ones take the place of random ones."""
    deviation: float = 0.5
    """Deviation of a mutation, of each number of a genome."""
    limit: float = 5.0
    """Genomes begin evenly in, and stay in, [-limit, limit]."""
    descriptor: Descriptor = Plain()
    """What distances are taken in."""
    surprise: bool = False
    """Select every other generation by how badly the descriptor knows a trait, in place of novelty."""
    blind: bool = False
    """Select by return alone: evolution without curiosity, a control."""

    cites = ("novelty_search_2011",)

    def init(self, key: jax.Array, size: int, traits: int) -> NoveltyState:
        """Begin without any: the first genomes are drawn evenly."""
        for name in ("population", "neighbours", "archived", "slots"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} of Novelty must be at least 1")
        return NoveltyState(
            population=none_kept(self.population, size, traits),
            archive=none_kept(self.slots, size, traits),
            descriptor=self.descriptor.init(key, traits),
            generations=jnp.int32(0),
            champion=jnp.zeros(size, jnp.float32),
            champion_return=jnp.float32(-jnp.inf),
        )

    def ask(self, key: jax.Array, state: NoveltyState, n: int) -> tuple[NoveltyState, jax.Array]:
        """Mutate each member of the population in turn; draw evenly where there is none yet."""
        drawing, mutating = keys.split(key, "draw", "mutate")
        parents = jnp.arange(n) % self.population
        shape = (n, state.champion.shape[0])
        fresh = jax.random.uniform(drawing, shape, minval=-self.limit, maxval=self.limit)
        children = state.population.genomes[parents] + self.deviation * jax.random.normal(mutating, shape)
        children = jnp.where(state.population.weight[parents, None] > 0, children, fresh)
        return state, jnp.clip(children, -self.limit, self.limit)

    def tell(
        self, key: jax.Array, state: NoveltyState, genomes: jax.Array, returns: jax.Array, traits: jax.Array
    ) -> NoveltyState:
        """Let the most novel live on, and keep some children for good."""
        return self.take(key, state, genomes, returns, traits, none_kept(1, *_sizes(genomes, traits)))

    def take(
        self, key: jax.Array, state: NoveltyState, genomes: jax.Array, returns: jax.Array, traits: jax.Array, beside: Kept
    ) -> NoveltyState:
        """Do as `tell`, where the individuals `beside` count as known too."""
        archiving, learning, choosing = keys.split(key, "archive", "learn", "choose")
        children = Kept(genomes=genomes, traits=traits, returns=returns, weight=jnp.ones_like(returns))
        everyone = joined(state.population, children)
        _, fittest = jax.lax.top_k(self._scores(choosing, state, everyone, beside), self.population)
        drawn = jax.random.permutation(archiving, genomes.shape[0])[: self.archived]
        archive = added(archiving, state.archive, rows_of(children, drawn))
        best = jnp.argmax(returns)
        better = returns[best] > state.champion_return
        state = replace(
            state,
            population=rows_of(everyone, fittest),
            archive=archive,
            generations=state.generations + 1,
            champion=jnp.where(better, genomes[best], state.champion),
            champion_return=jnp.maximum(returns[best], state.champion_return),
        )
        known = joined(state.population, state.archive)
        return replace(state, descriptor=self.descriptor.learn(learning, state.descriptor, known.traits, known.weight))

    def novelties(self, state: NoveltyState, traits: jax.Array, known: Kept) -> jax.Array:
        """Compute the novelty float32 [n] of traits [n, Z] against those of `known`, among which they are not."""
        points = self.descriptor.points(state.descriptor, traits)
        return novelty(points, self.descriptor.points(state.descriptor, known.traits), known.weight, self.neighbours)

    def best(self, state: NoveltyState) -> jax.Array:
        """Return the genome of the highest return so far: float32 [D]."""
        return state.champion

    def _scores(self, key: jax.Array, state: NoveltyState, everyone: Kept, beside: Kept) -> jax.Array:
        """What selection looks at, float32 [P + n]; the lowest in empty slots."""
        if self.blind:  # among equals, chance decides
            scores = everyone.returns + 1e-6 * jax.random.uniform(key, everyone.returns.shape)
        else:
            known = joined(joined(everyone, state.archive), beside)
            points = self.descriptor.points(state.descriptor, known.traits)
            rows = everyone.weight.shape[0]
            scores = novelty(points[:rows], points, known.weight, self.neighbours, itself=True)
        if self.surprise:
            errors = self.descriptor.errors(state.descriptor, everyone.traits)
            scores = jnp.where(state.generations % 2 == 1, errors, scores)
        return jnp.where(everyone.weight > 0, scores, -jnp.inf)


def novelty(points: jax.Array, known: jax.Array, weight: jax.Array, neighbours: int, itself: bool = False) -> jax.Array:
    """Compute the mean distance float32 [n] of points [n, C] to the nearest of known [M, C] with weight [M] above 0.

    itself: each point is among the known ones, and does not count there. Fewer than `neighbours` count where there are
    no more; with none, novelty is 0.
    """
    away = jnp.where(weight > 0, distances(points, known), FAR)
    more = jnp.minimum(neighbours + itself, jnp.sum(weight > 0))

    def nearer(found: Any, _: None) -> tuple[Any, jax.Array]:
        away, left, total = found
        nearest = jnp.min(away, axis=-1)
        same = away <= nearest[:, None]
        taken = jnp.minimum(jnp.sum(same, axis=-1), left)
        return (jnp.where(same, FAR, away), left - taken, total + taken * nearest), nearest

    # `jax.lax.top_k` sorts all of them, which takes fifteen times as long on a processor
    begun = (away, jnp.full(points.shape[0], more), jnp.zeros(points.shape[0], away.dtype))
    (_, _, total), nearest = jax.lax.scan(nearer, begun, None, length=min(neighbours + itself, known.shape[0]))
    own = nearest[0] if itself else 0.0
    return (total - own) / jnp.maximum(more - itself, 1)


def distances(one: jax.Array, other: jax.Array) -> jax.Array:
    """Compute Euclidean distances float32 [n, M] between points [n, C] and [M, C]."""
    if one.shape[-1] <= 16:  # exact, where a matrix of differences is small
        return jnp.sqrt(sum((one[:, None, axis] - other[None, :, axis]) ** 2 for axis in range(one.shape[-1])))
    square = jnp.sum(one**2, -1)[:, None] + jnp.sum(other**2, -1)[None] - 2.0 * one @ other.T
    return jnp.sqrt(jnp.maximum(square, 0.0))


def none_kept(slots: int, size: int, traits: int) -> Kept:
    """Make empty slots."""
    genomes, seen = jnp.zeros((slots, size), jnp.float32), jnp.zeros((slots, traits), jnp.float32)
    return Kept(genomes=genomes, traits=seen, returns=jnp.zeros(slots, jnp.float32), weight=jnp.zeros(slots, jnp.float32))


def joined(one: Kept, other: Kept) -> Kept:
    """Lay two sets of individuals side by side."""
    return jax.tree.map(lambda a, b: jnp.concatenate([a, b]), one, other)


def rows_of(kept: Kept, rows: jax.Array) -> Kept:
    """Take the individuals numbered `rows`."""
    return jax.tree.map(lambda leaf: leaf[rows], kept)


def added(key: jax.Array, kept: Kept, new: Kept) -> Kept:
    """Put those of weight above 0 into empty slots first, then in place of random ones; no more than there are slots."""
    slots = kept.weight.shape[0]
    new = rows_of(new, jnp.arange(min(new.weight.shape[0], slots)))
    _, order = jax.lax.top_k(-(jax.random.uniform(key, (slots,)) + (kept.weight > 0)), new.weight.shape[0])
    into = jnp.where(new.weight > 0, order, slots)
    return jax.tree.map(lambda old, leaf: old.at[into].set(leaf, mode="drop"), kept, new)


def _sizes(genomes: jax.Array, traits: jax.Array) -> tuple[int, int]:
    return genomes.shape[-1], traits.shape[-1]
