"""Novelty search that stops to climb: where reward turns up, small local searches, called emitters, begin.

"Sparse reward exploration via novelty search and emitters" (GECCO 2021). Chunks of evaluations alternate between novelty
search and emitters. A rewarded individual is a candidate. A candidate that improves in a trial becomes an emitter. Those
run that are best in novelty or in improvement, until their reward stagnates. Here some run side by side.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from umwelt.core import keys, part, struct
from umwelt.curiosity.novelty import FAR, Kept, Novelty, NoveltyState, added, distances, joined, none_kept, rows_of

EMPTY, CANDIDATE, EMITTER = 0, 1, 2
"""What a slot holds."""


@struct
class Emitters:
    """Local searches in E slots, each with a population of p. kind: int32 [E]. members: float32 [E, p, D], the best first.
    worth: float32 [E, p], their returns, -inf where there is none. deviation: float32 [E], of its mutations. trait:
    float32 [E, Z], of its founder. improvement: float32 [E]. history: float32 [E, W], mean returns, the newest last. rounds:
    int32 [E], generations so far. running: bool [E]."""

    kind: jax.Array
    members: jax.Array
    worth: jax.Array
    deviation: jax.Array
    trait: jax.Array
    improvement: jax.Array
    history: jax.Array
    rounds: jax.Array
    running: jax.Array


@struct
class SereneState:
    """search: novelty search. rewarded: the archive of rewards. emitters: slots. climbs: bool [], this chunk is of emitters.
    spent: int32 [], evaluations of this chunk. phase: int32 [], 0 before the trials, 1 in them, 2 after."""

    search: NoveltyState
    rewarded: Kept
    emitters: Emitters
    climbs: jax.Array
    spent: jax.Array
    phase: jax.Array


@part
class Serene:
    """Alternates between novelty search and emitters that climb what it found, chunk by chunk.

    >>> search, key = Serene(search=Novelty(population=4, slots=8), chunk=6), jax.random.key(0)

    >>> state, genomes = search.ask(key, search.init(key, size=3, traits=2), 6)
    >>> state = search.tell(key, state, genomes, jnp.ones(6), genomes[:, :2])
    >>> int((state.emitters.kind == CANDIDATE).sum()), bool(state.climbs)
    (6, True)
    """

    search: Novelty = Novelty()
    """What finds reward."""
    slots: int = 24
    """Candidates and emitters that are kept at a time."""
    emitters: int = 8
    """Emitters, or candidates on trial, that run side by side and share an ask."""
    population: int = 6
    """Individuals of an emitter."""
    chunk: int = 1000
    """Evaluations before novelty search and emitters change over."""
    trial: int = 6
    """Generations after which a candidate is judged: the last half of them against the first."""
    window: int = 0
    """Generations over which reward may stagnate; 0 takes 120 and 20 more for six numbers of a genome."""
    rewards: int = 500
    """Slots of the archive of rewards."""

    cites = ("serene_2021",)

    def init(self, key: jax.Array, size: int, traits: int) -> SereneState:
        """Begin with novelty search, and no emitter."""
        if self.trial < 2 or self.trial % 2:
            raise ValueError(f"trial={self.trial} of Serene must be even, at least 2: its halves are compared")
        if not 1 <= self.emitters <= self.slots:
            raise ValueError(f"emitters={self.emitters} of Serene must be from 1 to slots={self.slots}")
        window = max(self.window or 120 + 20 * size // 6, self.trial)
        slots, zeros = self.slots, jnp.zeros(self.slots, jnp.float32)
        return SereneState(
            search=self.search.init(key, size, traits),
            rewarded=none_kept(self.rewards, size, traits),
            emitters=Emitters(
                kind=jnp.zeros(slots, jnp.int32),
                members=jnp.zeros((slots, self.population, size), jnp.float32),
                worth=jnp.full((slots, self.population), -jnp.inf),
                deviation=zeros,
                trait=jnp.zeros((slots, traits), jnp.float32),
                improvement=zeros,
                history=jnp.zeros((slots, window), jnp.float32),
                rounds=jnp.zeros(slots, jnp.int32),
                running=zeros > 0,
            ),
            climbs=jnp.bool_(False),
            spent=jnp.int32(0),
            phase=jnp.int32(0),
        )

    def ask(self, key: jax.Array, state: SereneState, n: int) -> tuple[SereneState, jax.Array]:
        """Ask novelty search, or the emitters that run, in turn."""
        choosing, mutating, searching = keys.split(key, "choose", "mutate", "search")
        state = replace(state, emitters=self._chosen(choosing, state))
        search, explored = self.search.ask(searching, state.search, n)
        held, runners, slot = state.emitters, jnp.sum(state.emitters.running), self._slots(state, n)
        member = (jnp.arange(n) // jnp.maximum(runners, 1)) % self.population
        # an emitter of which only the founder is known has children of the founder alone
        member = jnp.where(jnp.isfinite(held.worth[slot, member]), member, 0)
        noise = jax.random.normal(mutating, explored.shape)
        climbed = held.members[slot, member] + held.deviation[slot, None] * noise
        genomes = jnp.where(runners > 0, jnp.clip(climbed, -self.search.limit, self.search.limit), explored)
        return replace(state, search=search), genomes

    def tell(self, key: jax.Array, state: SereneState, genomes: jax.Array, returns: jax.Array, traits: jax.Array) -> SereneState:
        """Take in a generation of novelty search or of emitters, and change over where the chunk is spent."""
        searching, keeping = keys.split(key, "search", "keep")
        climbing = jnp.any(state.emitters.running)
        children = Kept(genomes=genomes, traits=traits, returns=returns, weight=(returns > 0).astype(jnp.float32))
        explored = self._explored(searching, state, children)
        climbed = self._climbed(keeping, state, children)
        after = jax.tree.map(lambda one, other: jnp.where(climbing, one, other), climbed, explored)
        spent = state.spent + returns.shape[0]
        over, some = spent >= self.chunk, jnp.any(after.emitters.kind != EMPTY)
        # with nothing to climb, novelty search goes on
        climbs = jnp.where(over, ~state.climbs & some, state.climbs & some)
        changed = over | (state.climbs & ~some)
        emitters = replace(after.emitters, running=after.emitters.running & ~changed)
        return replace(
            after,
            emitters=emitters,
            climbs=climbs,
            spent=jnp.where(changed, 0, spent),
            phase=jnp.where(changed | ~climbs, 0, after.phase),
        )

    def best(self, state: SereneState) -> jax.Array:
        """Return the genome of the highest return so far: float32 [D]."""
        return self.search.best(state.search)

    def _slots(self, state: SereneState, n: int) -> jax.Array:
        """The slot int32 [n] whose emitter each genome of an ask belongs to: those that run, in turn."""
        running = state.emitters.running
        _, order = jax.lax.top_k(running.astype(jnp.int32), self.slots)
        return order[jnp.arange(n) % jnp.maximum(jnp.sum(running), 1)]

    def _chosen(self, key: jax.Array, state: SereneState) -> Emitters:
        """Say which run: in a chunk of emitters first the candidates on trial, then emitters, most of the Pareto front."""
        held = state.emitters
        free = state.climbs & ~jnp.any(held.running)
        beside = self._novelties(state, held.trait)
        candidate, emitter = held.kind == CANDIDATE, held.kind == EMITTER
        tries = (state.phase == 0) & jnp.any(candidate) | ~jnp.any(emitter)
        chance = jax.random.uniform(key, candidate.shape)
        drawn = jnp.where(front(beside, held.improvement, emitter), 1.0 + chance, chance)
        score = jnp.where(tries, jnp.where(candidate, beside, -jnp.inf), jnp.where(emitter, drawn, -jnp.inf))
        best, rows = jax.lax.top_k(score, self.emitters)
        running = jnp.zeros_like(held.running).at[rows].set(jnp.isfinite(best) & free)
        return replace(held, running=held.running | running)

    def _novelties(self, state: SereneState, traits: jax.Array) -> jax.Array:
        """Novelty against the archive of rewards, float32 [n]."""
        return self.search.novelties(state.search, traits, state.rewarded)

    def _explored(self, key: jax.Array, state: SereneState, children: Kept) -> SereneState:
        """One generation of novelty search, whose rewarded children become candidates, the most novel first."""
        searching, placing = keys.split(key, "search", "place")
        beside = self._novelties(state, children.traits)
        everyone = joined(state.search.population, replace(children, weight=jnp.ones_like(children.weight)))
        rank = jnp.where(children.weight > 0, beside, -jnp.inf)
        best, rows = jax.lax.top_k(rank, min(self.emitters, rank.shape[0]))
        new = rows_of(children, rows)
        apart = jnp.where(everyone.weight > 0, distances(new.genomes, everyone.genomes), FAR)
        # the nearest is itself; a mutation leads as far as a third of the way to the next one
        nearest = -jax.lax.top_k(-apart, 2)[0][:, 1]
        deviation = nearest / (3.0 * new.genomes.shape[1] ** 0.5)
        held = state.emitters
        # empty slots first, then candidates; an emitter stays
        turn = held.kind + jax.random.uniform(placing, held.kind.shape)
        _, order = jax.lax.top_k(-turn, rows.shape[0])
        into = jnp.where(jnp.isfinite(best) & (held.kind[order] != EMITTER), order, self.slots)
        founded = Emitters(
            kind=jnp.full(rows.shape, CANDIDATE, jnp.int32),
            members=jnp.zeros((rows.shape[0], *held.members.shape[1:])).at[:, 0].set(new.genomes),
            worth=jnp.full((rows.shape[0], self.population), -jnp.inf).at[:, 0].set(new.returns),
            deviation=deviation,
            trait=new.traits,
            improvement=jnp.zeros(rows.shape, jnp.float32),
            history=jnp.zeros((rows.shape[0], held.history.shape[1]), jnp.float32),
            rounds=jnp.zeros(rows.shape, jnp.int32),
            running=jnp.zeros(rows.shape, bool),
        )
        search = self.search.take(searching, state.search, children.genomes, children.returns, children.traits, state.rewarded)
        emitters = jax.tree.map(lambda old, leaf: old.at[into].set(leaf, mode="drop"), held, founded)
        return replace(state, search=search, emitters=emitters)

    def _climbed(self, key: jax.Array, state: SereneState, children: Kept) -> SereneState:
        """One generation of each emitter that runs: its best live on, and what beats its founder enters the archive."""
        held, slot = state.emitters, self._slots(state, children.weight.shape[0])
        mine = (jnp.arange(self.slots)[:, None] == slot) & held.running[:, None]
        worth = jnp.concatenate([held.worth, jnp.where(mine, children.returns, -jnp.inf)], axis=1)
        best, rows = jax.lax.top_k(worth, self.population)
        wide = jnp.broadcast_to(children.genomes, (self.slots, *children.genomes.shape))
        members = jnp.take_along_axis(jnp.concatenate([held.members, wide], axis=1), rows[..., None], axis=1)
        mean = jnp.sum(jnp.where(mine, children.returns, 0.0), axis=1) / jnp.maximum(jnp.sum(mine, axis=1), 1)
        runs = held.running
        history = jnp.where(runs[:, None], jnp.roll(held.history, -1, axis=1).at[:, -1].set(mean), held.history)
        held = replace(
            held,
            members=jnp.where(runs[:, None, None], members, held.members),
            worth=jnp.where(runs[:, None], best, held.worth),
            history=history,
            rounds=held.rounds + runs,
        )
        good = (children.returns > 0) & (children.returns >= state.emitters.worth[slot, 0])
        order = jnp.argsort(~good)[: self.search.archived]
        new = replace(rows_of(children, order), weight=good[order].astype(jnp.float32))
        best_row = jnp.argmax(children.returns)
        better = children.returns[best_row] > state.search.champion_return
        search = replace(
            state.search,
            champion=jnp.where(better, children.genomes[best_row], state.search.champion),
            champion_return=jnp.maximum(state.search.champion_return, children.returns[best_row]),
        )
        held, tried = self._judged(held)
        phase = jnp.where(tried, 2, jnp.maximum(state.phase, 1))
        return replace(state, search=search, emitters=held, rewarded=added(key, state.rewarded, new), phase=phase)

    def _judged(self, held: Emitters) -> tuple[Emitters, jax.Array]:
        """End trials that are over, and emitters whose reward stagnates; also whether a trial has ended."""
        half, window = self.trial // 2, held.history.shape[1]
        last = jnp.mean(held.history[:, -half:], axis=1)
        gained = last - jnp.mean(held.history[:, -self.trial : -half], axis=1)
        tried = held.running & (held.kind == CANDIDATE) & (held.rounds >= self.trial)
        fifth = max(1, window // 5)
        newer, older = jnp.median(held.history[:, -fifth:], axis=1), jnp.median(held.history[:, :fifth], axis=1)
        stagnates = held.running & (held.kind == EMITTER) & (held.rounds >= window) & (newer <= older)
        kind = jnp.where(tried, jnp.where(gained > 0, EMITTER, EMPTY), jnp.where(stagnates, EMPTY, held.kind))
        improvement = jnp.where(held.running & (held.rounds >= self.trial), gained, held.improvement)
        running = held.running & ~tried & ~stagnates
        return replace(held, kind=kind, improvement=improvement, running=running), jnp.any(tried)


def front(one: jax.Array, other: jax.Array, among: jax.Array) -> jax.Array:
    """Mark the Pareto front, bool [n]: those of `among` that no other of `among` beats in one and equals in the other."""
    no_worse = (one[None] >= one[:, None]) & (other[None] >= other[:, None])
    better = (one[None] > one[:, None]) | (other[None] > other[:, None])
    return among & ~jnp.any(no_worse & better & among[None], axis=1)
