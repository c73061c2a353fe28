"""Walks without an aim through pages, named at the end by what they did, as shown experience.

"Explorer: scaling exploration-driven web trajectory synthesis" (2025). A walk refines a vague aim by what it meets: here it
fills a field that is still empty, with any value, and submits when none is. What stands on the page then is the intent that
the walk fulfils. A verifier replays each walk, and keeps it where it does fulfil the intent that it was given.
"""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import FIRST, MID, SHOWN, TERMINATED, Experience, TimeStep, WorldSpec, keys, part
from umwelt.memory.episodes import transitions
from umwelt.memory.pieces import lay


@part
class Explored:
    """Shows walks through a page world such as `umwelt.worlds.Page`, each as an episode that followed its intent.

    >>> from umwelt.worlds import Page
    >>> source = Explored(world=Page(fields=2, values=3), walks=4)
    >>> sum(int(piece.valid.sum()) for piece in source.read(jax.random.key(0), source.world.spec))  # two fields and submit
    12
    """

    world: Any
    """The pages: it has `fields`, `values`, and observations of an instruction and a page."""
    walks: int = 1000
    """How many walks."""
    wrong: float = 0.0
    """The chance that a walk is given the intent of another one."""
    verify: bool = True
    """Replay each walk and drop those that do not fulfil their intent."""

    def read(self, key: jax.Array, spec: WorldSpec) -> Iterator[Experience]:
        """Yield pieces [T, spec.batch] of whole episodes laid end to end."""
        self.check(spec)
        actions, intents = self.walked(key)
        kept = np.flatnonzero(np.asarray(self.fulfils(actions, intents)) | (not self.verify))
        actions, intents = np.asarray(actions), np.asarray(intents)
        episodes = [self._episode(actions[number], intents[number]) for number in kept]
        yield from lay(episodes.__getitem__, [len(each.origin) for each in episodes], spec.batch)

    def check(self, spec: WorldSpec) -> None:
        """Raise ValueError for a life in another world than this one's pages."""
        if spec.observation != self.world.spec.observation:
            raise ValueError(f"world: its pages are {self.world.spec.observation}, where {spec.name} has {spec.observation}")
        if self.walks < 1 or not 0.0 <= self.wrong <= 1.0:
            raise ValueError(f"walks={self.walks}, wrong={self.wrong}: give at least one walk, and a chance from 0 to 1")

    def walked(self, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Actions int32 [walks, fields + 1], the last of which submits, and the intents int32 [walks, fields]."""
        ordering, filling, mixing, choosing = keys.split(key, "order", "fill", "mix", "choose")
        fields, values = self.world.fields, self.world.values
        order = jax.vmap(lambda key: jax.random.permutation(key, fields))(jax.random.split(ordering, self.walks))
        drawn = jax.random.randint(filling, (self.walks, fields), 0, values)
        submits = jnp.full((self.walks, 1), fields * values)
        actions = jnp.concatenate([order * values + drawn, submits], axis=1).astype(jnp.int32)
        done = jnp.zeros((self.walks, fields), jnp.int32).at[jnp.arange(self.walks)[:, None], order].set(drawn)
        mistaken = jax.random.bernoulli(mixing, self.wrong, (self.walks, 1))
        other = done[jax.random.randint(choosing, (self.walks,), 0, self.walks)]
        return actions, jnp.where(mistaken, other, done)

    def fulfils(self, actions: jax.Array, intents: jax.Array) -> jax.Array:
        """Replay the walks, and say which fulfil their intents: bool [walks]."""
        return jnp.all(self.pages(actions)[:, -1] == intents, axis=-1)

    def pages(self, actions: jax.Array) -> jax.Array:
        """What stands on the page before each action of the walks: int32 [walks, fields + 1, fields], -1 where it is empty."""
        fields, values = self.world.fields, self.world.values

        def write(page: jax.Array, action: jax.Array) -> tuple[jax.Array, jax.Array]:
            place = jnp.where(action < fields * values, action // values, fields)
            return page.at[place].set(action % values, mode="drop"), page

        empty = jnp.full(fields, -1, jnp.int32)
        return jax.vmap(lambda walk: jax.lax.scan(write, empty, walk)[1])(actions)

    def _episode(self, actions: np.ndarray, intent: np.ndarray) -> Experience:
        """One walk as an episode [fields + 1] under its intent; what follows the submission is the page as it is."""
        pages = np.asarray(self.pages(jnp.asarray(actions)[None]))[0]
        pages = np.concatenate([pages, pages[-1:]])
        bits = np.eye(self.world.values, dtype=np.uint8)
        seen = {"instruction": np.repeat(bits[intent][None], len(pages), axis=0), "page": bits[pages] * (pages >= 0)[..., None]}
        seen["page"] = seen["page"].astype(np.uint8)
        kind = np.array([FIRST, *[MID] * (len(actions) - 1), TERMINATED], np.int8)
        reward = np.zeros(len(pages), np.float32)
        reward[-1] = np.float32(np.array_equal(pages[-1], intent))
        return transitions(TimeStep(kind=kind, observation=seen, reward=reward), actions.astype(np.int32), None, SHOWN)
