"""Simulate the choice of a set, one item after the other, whose worth is spread over the whole."""

import itertools
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream


@struct
class SetsTask:
    """scale: float32 [], of all energies."""

    scale: Any


@struct
class SetsBody:
    """chosen: float32 [n], 1 for what is in the set."""

    chosen: jax.Array


@part
class Sets:
    """Choose `size` of `items`. A step pays what the energy falls by, so that a return is minus the energy of the set.

    Every item has an energy, and every pair of items one more. `open` in the observation shows what is not chosen yet.

    >>> Sets(items=4, size=2).objects().shape  # all sets of two
    (6, 4)
    """

    batch: int = 1
    """Episodes in parallel."""
    items: int = 10
    size: int = 5
    seed: int = 0
    """What the energies are drawn by."""

    @property
    def time_limit(self) -> int:
        """An episode ends with its last item."""
        return self.size + 1

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        chosen, open = Box(shape=(self.items,), low=0.0, high=1.0), Box(shape=(self.items,), low=0, high=1, dtype="uint8")
        return WorldSpec(
            name="sets",
            observation={"chosen": chosen, "open": open},
            action=Discrete(n=self.items),
            task=SetsTask(scale=Box(low=0.0, high=4.0)),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, SetsTask]:
        """Named tasks: energies as they are, and half of them."""
        return {name: stream.numbers(SetsTask(scale=scale)) for name, scale in (("whole", 1.0), ("half", 0.5))}

    @cached_property
    def energies(self) -> tuple[np.ndarray, np.ndarray]:
        """Of items float32 [n], and of pairs [n, n], symmetric with a diagonal of zeros."""
        random = np.random.default_rng(self.seed)
        pairs = np.triu(random.normal(size=(self.items, self.items)) * 0.5, 1)
        return random.normal(size=self.items).astype(np.float32), (pairs + pairs.T).astype(np.float32)

    def energy(self, chosen: Any) -> Any:
        """float32 [...] of sets [..., n], in the first task."""
        alone, pairs = self.energies
        return chosen @ alone + 0.5 * (chosen * (chosen @ pairs)).sum(-1)

    def objects(self) -> np.ndarray:
        """Every set that can be chosen, float32 [K, n]."""
        rows = list(itertools.combinations(range(self.items), self.size))
        return np.eye(self.items, dtype=np.float32)[np.array(rows)].sum(axis=1)

    def begin(self, key: jax.Array, task: SetsTask) -> SetsBody:
        """The empty set."""
        return SetsBody(chosen=jnp.zeros(self.items, jnp.float32))

    def advance(self, key: jax.Array, body: SetsBody, action: jax.Array, task: SetsTask) -> tuple[SetsBody, jax.Array, jax.Array]:
        """Add the item; one that is there already changes nothing."""
        chosen = jnp.maximum(body.chosen, jax.nn.one_hot(action, self.items))
        fall = self.energy(body.chosen) - self.energy(chosen)
        return SetsBody(chosen=chosen), jnp.asarray(task.scale) * fall, jnp.sum(chosen) >= self.size

    def observe(self, body: SetsBody, task: SetsTask) -> dict[str, jax.Array]:
        """chosen: float32 [n], open: uint8 [n]."""
        return {"chosen": body.chosen, "open": (1.0 - body.chosen).astype(jnp.uint8)}

    def body(self, observation: dict[str, jax.Array], task: Any = None) -> SetsBody:
        """The body that one observation shows."""
        return SetsBody(chosen=observation["chosen"])

    def reward(self, observation: Any, action: jax.Array, next_observation: Any, task: Any = None) -> jax.Array:
        """The reward float32 [N] of a transition of rows [N]; `task` is the default where it is None."""
        scale = stream.default(self, task, action.shape[0]).scale
        return scale * (self.energy(observation["chosen"]) - self.energy(next_observation["chosen"]))

    def continues(self, observation: Any, action: jax.Array, next_observation: Any, task: Any = None) -> jax.Array:
        """The probability float32 [N] that the episode continues: 1 until the set is full."""
        return (jnp.sum(next_observation["chosen"], axis=-1) < self.size).astype(jnp.float32)

    def init(self, key: jax.Array, task: SetsTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: SetsTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)
