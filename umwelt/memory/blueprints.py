"""Conversations that can be checked: a blueprint first, and then talk, of which only what reaches the blueprint is kept.

"APIGen-MT: agentic pipeline for multi-turn data generation via simulated agent-human interplay" (2025). A maker proposes the call
that a wish needs. An executor tries it, and reviewers vote on it; what fails goes back with what was wrong. Then an agent talks
with the customer, and the records at the end are compared with those of the blueprint. The paper's makers, reviewers and agents
are language models. Here they are rules that err with set chances.
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import FIRST, MID, SHOWN, TERMINATED, TRUNCATED, Experience, TimeStep, WorldSpec, keys, part, struct
from umwelt.memory.episodes import transitions
from umwelt.memory.pieces import lay


@struct
class Conversations:
    """seen: observations [N, T, ...]; last: the one after the end [N, ...]. actions: int32 [N, T]. counts: bool [N, T], moments
    before the end. reward: float32 [N, T]. calls: int32 [N], of the blueprints. closed, executable, accepted, kept: bool [N]."""

    seen: jax.Array
    actions: jax.Array
    counts: jax.Array
    after: jax.Array
    reward: jax.Array
    calls: jax.Array
    closed: jax.Array
    executable: jax.Array
    accepted: jax.Array
    kept: jax.Array


@part
class Verified:
    """Shows conversations at a desk with tools, those alone that were verified, each as an episode."""

    world: Any
    """The desk: `begin`, `advance` and `observe` as in every pure world; `calls` and `close`, numbers of actions; of a body:
    `wished` and `right`, the call that a wish means and the one that is right; `executable(body, call)`, `after(body, call)` and
    `records`, what there is, and what a call makes of it; `next_action(body, call)`, what leads to that call."""
    conversations: int = 2000
    """Blueprints that are begun."""
    attempts: int = 3
    """How often a maker may propose; after the first time it knows what was wrong."""
    reviewers: int = 3
    """Reviewers that vote, an odd number; 0 accepts all."""
    wrong: float = 0.1
    """The chance that a reviewer errs."""
    careless: float = 0.6
    """The chance that a maker asks for what is wished where the policy forbids it."""
    garbled: float = 0.6
    """The chance that a maker writes a call at random, of which two thirds are none at all."""
    mends: float = 0.8
    """The share of its faults that a maker avoids once it knows what was wrong."""
    noise: float = 0.15
    """The chance that the talking agent takes any action."""
    verify: bool = True
    """Drop what was not accepted, and conversations that end otherwise than their blueprint."""

    def read(self, key: jax.Array, spec: WorldSpec) -> Iterator[Experience]:
        """Yield pieces [T, spec.batch] of the conversations that are kept, laid end to end."""
        self.check(spec)
        made = jax.tree.map(np.asarray, self.made(key))
        kept = np.flatnonzero(made.kept)
        yield from lay(lambda at: self._episode(made, kept[at]), [int(made.counts[at].sum()) for at in kept], spec.batch)

    def check(self, spec: WorldSpec) -> None:
        """Raise ValueError for a life in another world than this one's desk, and for numbers that make no sense."""
        if spec.observation != self.world.spec.observation:
            raise ValueError(f"world: its desk shows {self.world.spec.observation}, where {spec.name} has {spec.observation}")
        if self.reviewers and not self.reviewers % 2:
            raise ValueError(f"reviewers={self.reviewers}: give an odd number, so that every vote is decided, or 0")
        if self.conversations < 1 or self.attempts < 1:
            raise ValueError(f"conversations={self.conversations}, attempts={self.attempts}: give at least one of each")

    def made(self, key: jax.Array) -> Conversations:
        """All conversations, also those that are dropped."""
        task = jax.tree.map(jnp.asarray, next(iter(self.world.tasks().values())))
        return jax.vmap(lambda key: self._made(key, task))(jax.random.split(key, self.conversations))

    def blueprint(self, key: jax.Array, body: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
        """A call for the wish of a body, whether it can be executed, and whether it is accepted."""
        call, works, accepted = jnp.int32(0), jnp.zeros((), bool), jnp.zeros((), bool)
        careless, garbled = jnp.float32(self.careless), jnp.float32(self.garbled)
        right, wished = self.world.right(body), self.world.wished(body)
        for attempt in range(self.attempts):
            lapsing, garbling, writing, voting = jax.random.split(jax.random.fold_in(key, attempt), 4)
            sensible = jnp.where(jax.random.bernoulli(lapsing, careless), wished, right)
            anything = jax.random.randint(writing, (), 0, 3 * self.world.calls)
            # what would be a question or the end is no call either
            anything = jnp.where(anything < self.world.calls, anything, anything + 3)
            proposed = jnp.where(jax.random.bernoulli(garbling, garbled), anything, sensible)
            can = self.world.executable(body, proposed)
            approved = self.approved(voting, proposed == right)
            call, works = (jnp.where(accepted, old, new) for old, new in ((call, proposed), (works, can)))
            accepted = accepted | (can & approved)
            fails = ~(can & approved)
            careless, garbled = (jnp.where(fails, one * (1.0 - self.mends), one) for one in (careless, garbled))
        return call, works, accepted

    def approved(self, key: jax.Array, is_right: jax.Array) -> jax.Array:
        """Whether most reviewers approve: bool []."""
        if not self.reviewers:
            return jnp.ones((), bool)
        votes = is_right ^ jax.random.bernoulli(key, self.wrong, (self.reviewers,))
        return 2 * jnp.sum(votes) > self.reviewers

    def _made(self, key: jax.Array, task: Any) -> Conversations:
        beginning, proposing, talking = keys.split(key, "begin", "propose", "talk")
        body = self.world.begin(beginning, task)
        call, works, accepted = self.blueprint(proposing, body)
        does = jnp.where(works, call, self.world.close)

        def tick(held: Any, key: jax.Array) -> tuple[Any, Any]:
            body, going = held
            straying, drawing, moving = jax.random.split(key, 3)
            anything = jax.random.randint(drawing, (), 0, self.world.spec.action.n)
            planned = self.world.next_action(body, does)
            action = jnp.where(jax.random.bernoulli(straying, self.noise), anything, planned).astype(jnp.int32)
            after, paid, ended = self.world.advance(moving, body, action, task)
            after = jax.tree.map(lambda new, old: jnp.where(going, new, old), after, body)
            return (after, going & ~ended), (self.world.observe(body, task), action, going, jnp.where(going, paid, 0.0))

        begun = (body, jnp.ones((), bool))
        (end, going), (seen, actions, counts, reward) = jax.lax.scan(
            tick, begun, jax.random.split(talking, self.world.time_limit)
        )
        wanted = jnp.stack(self.world.after(body, does))
        reached = ~going & jnp.all(jnp.stack(self.world.records(end)) == wanted)
        return Conversations(
            seen=seen,
            actions=actions,
            counts=counts,
            after=self.world.observe(end, task),
            reward=reward,
            calls=call,
            closed=~going,
            executable=works,
            accepted=accepted,
            kept=(accepted & reached) | (not self.verify),
        )

    def _episode(self, made: Conversations, at: int) -> Experience:
        """One conversation as an episode; one that was not closed is cut off."""
        number = int(made.counts[at].sum())
        seen = np.concatenate([made.seen[at, :number], made.after[at][None]])
        ends = TERMINATED if made.closed[at] else TRUNCATED
        kind = np.array([FIRST, *[MID] * (number - 1), ends], np.int8)
        reward = np.concatenate([np.zeros(1, np.float32), made.reward[at, :number]])
        return transitions(TimeStep(kind=kind, observation=seen, reward=reward), made.actions[at, :number], None, SHOWN)
