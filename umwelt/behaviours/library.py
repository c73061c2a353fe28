"""A library of past policies: weights that no optimiser is ever given, each with a card."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Learner
from umwelt.core import Discrete, part, struct
from umwelt.core.contracts import Mode


@struct
class LibraryState:
    """weights: the learner's states, leaves [K, ...]. made: int32 [K], decisions of the life when it was stored. visits:
    float32 [K, C], how often each cell was visited by it. filled: int32 []."""

    weights: Any
    made: jax.Array
    visits: jax.Array
    filled: jax.Array


@part
class Library:
    """Keeps copies of a learner as skills. A full library drops the skill whose loss costs least coverage.

    >>> from umwelt.behaviours import SAC
    >>> from umwelt.core import Box

    >>> learner, library = SAC(units=4), Library(slots=2, cells=3)
    >>> policy = learner.init(jax.random.key(0), 2, Box(shape=(1,), low=-1.0, high=1.0))
    >>> state = library.init(policy)

    >>> for visits in ([1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0]):
    ...     state = library.stored(state, policy, jnp.int32(0), jnp.array(visits))
    >>> state.visits.sum(axis=0).tolist()  # the first one adds nothing to the other two
    [1.0, 2.0, 1.0]
    """

    slots: int = 16
    """How many skills it holds."""
    cells: int = 1
    """Cells of the map that coverage is counted on."""

    @property
    def space(self) -> Discrete:
        """What names a skill."""
        return Discrete(n=self.slots)

    def init(self, policy: Any) -> LibraryState:
        """Make an empty library for states like `policy`."""
        if self.slots < 1:
            raise ValueError(f"slots={self.slots}: a library holds at least 1 skill")
        return LibraryState(
            weights=jax.tree.map(lambda leaf: jnp.zeros((self.slots, *jnp.shape(leaf)), jnp.asarray(leaf).dtype), policy),
            made=jnp.zeros(self.slots, jnp.int32),
            visits=jnp.zeros((self.slots, self.cells)),
            filled=jnp.int32(0),
        )

    def stored(self, state: LibraryState, policy: Any, made: jax.Array, visits: jax.Array) -> LibraryState:
        """Store a copy of a policy with the visits [C] that it made."""
        slot = self.dropped(state, visits)
        kept = slot < self.slots

        def put(held: jax.Array, new: Any) -> jax.Array:
            return held.at[slot].set(new, mode="drop")

        return LibraryState(
            weights=jax.tree.map(put, state.weights, policy),
            made=put(state.made, made),
            visits=put(state.visits, visits),
            filled=jnp.minimum(state.filled + kept, self.slots),
        )

    def dropped(self, state: LibraryState, visits: jax.Array) -> jax.Array:
        """The slot for a new skill, int32 []: a free one, or that of the skill without which most cells are covered; the
        number of slots where that is the new one."""
        every = jnp.concatenate([state.visits, visits[None]]) > 0
        left = jnp.sum(every, axis=0)[None] - every
        covered = jnp.sum(left > 0, axis=1)
        # among equals the oldest leaves, the new one last
        age = jnp.append(state.made, jnp.iinfo(jnp.int32).max)
        best = jnp.max(covered)
        oldest = jnp.argmin(jnp.where(covered == best, age, jnp.iinfo(jnp.int32).max))
        oldest = jnp.where(jnp.any(covered[:-1] == best), oldest, self.slots)
        return jnp.where(state.filled < self.slots, state.filled, oldest).astype(jnp.int32)

    def act(
        self, learner: Learner, key: jax.Array, state: LibraryState, skill: jax.Array, features: jax.Array, mode: Mode
    ) -> Any:
        """The actions [B, ...] of skills int32 [B] for features [B, F]."""
        every = jax.vmap(lambda policy: learner.act(key, policy, features, mode))(state.weights)
        return jax.tree.map(lambda leaf: leaf[skill, jnp.arange(skill.shape[0])], every)

    def emptied(self, state: LibraryState) -> LibraryState:
        """The library without its skills."""
        return replace(state, filled=jnp.int32(0))
