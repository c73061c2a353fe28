"""Simulate a workshop: things to combine, a few of which make something, and most of which make clutter.

A verb and two things make a choice. Fourteen choices of 256 make a product; most products need another one first, so they
form a tree. Every other choice makes one of many kinds of clutter, which is new and of no use.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, struct
from umwelt.networks.cells import mixed
from umwelt.worlds import stream

NEEDS = (-1, -1, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9)
"""The product that each of the fourteen needs first; -1 for none."""
CLUTTER = 28
"""Kinds of clutter."""


@struct
class WorkshopTask:
    """goal: int32, the product that pays 1 and ends the episode, counted from 1; 0 where nothing pays."""

    goal: Any


@struct
class WorkshopBody:
    """made: bool [products]. clutter: bool [kinds], what lies about."""

    made: jax.Array
    clutter: jax.Array


@part
class Workshop:
    """Combine things by verbs: few combinations make a product, and the others clutter.

    >>> world = Workshop(batch=1)
    >>> sorted(world.depths().tolist())
    [1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4]
    """

    batch: int = 16
    """Episodes in parallel."""
    time_limit: int = 40
    """Decisions after which an episode is truncated."""
    things: int = 8
    """Things that can be combined, in pairs."""
    verbs: int = 4
    """What can be done with a pair."""
    recipes: int = 0
    """The number of the book of recipes: which choices make the products."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        return WorldSpec(
            name="workshop",
            observation=Box(shape=(len(NEEDS) + CLUTTER,), low=0, high=1, dtype="uint8"),
            action=Discrete(n=self.verbs * self.things**2),
            task=WorkshopTask(goal=Discrete(n=len(NEEDS) + 1)),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, WorkshopTask]:
        """Named tasks: nothing pays, then each product."""
        products = {f"product_{goal}": WorkshopTask(goal=np.int32(goal)) for goal in range(1, len(NEEDS) + 1)}
        return {"play": WorkshopTask(goal=np.int32(0)), **products}

    def depths(self) -> np.ndarray:
        """How many products the way to each takes, itself included: int [products]."""
        depths: list[int] = []
        for needed in NEEDS:
            depths.append(1 if needed < 0 else depths[needed] + 1)
        return np.array(depths)

    def book(self) -> np.ndarray:
        """The choice that makes each product: int [products], all different."""
        choices = self.verbs * self.things**2
        if choices <= len(NEEDS):
            raise ValueError(f"things={self.things}, verbs={self.verbs}: more choices than {len(NEEDS)} products are needed")
        return np.random.default_rng(self.recipes).permutation(choices)[: len(NEEDS)]

    def begin(self, key: jax.Array, task: WorkshopTask) -> WorkshopBody:
        """Begin with an empty bench."""
        return WorkshopBody(made=jnp.zeros(len(NEEDS), bool), clutter=jnp.zeros(CLUTTER, bool))

    def advance(
        self, key: jax.Array, body: WorkshopBody, action: jax.Array, task: WorkshopTask
    ) -> tuple[WorkshopBody, jax.Array, jax.Array]:
        """Combine. A product whose need is not there is not made, and nothing else is."""
        hit = jnp.asarray(self.book(), jnp.int32) == action
        made = body.made | (hit & possible(body.made))
        kind = (action * 5 + action // CLUTTER) % CLUTTER
        clutter = body.clutter | ((jnp.arange(CLUTTER) == kind) & ~jnp.any(hit))
        paid = jnp.any(made & (jnp.arange(1, len(NEEDS) + 1) == task.goal))
        return WorkshopBody(made=made, clutter=clutter), paid.astype(jnp.float32), paid

    def observe(self, body: WorkshopBody, task: WorkshopTask) -> jax.Array:
        """uint8 [42]: what was made, and the clutter."""
        return jnp.concatenate([body.made, body.clutter]).astype(jnp.uint8)

    def achieved(self, observation: jax.Array) -> jax.Array:
        """How many products were made, int32 [N]."""
        return jnp.sum(observation[:, : len(NEEDS)], axis=1, dtype=jnp.int32)

    def init(self, key: jax.Array, task: WorkshopTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: WorkshopTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


def possible(made: jax.Array) -> jax.Array:
    """Which products can be made beside those [..., products] that were: bool, also of those that are there."""
    needs = jnp.asarray(NEEDS)
    return (needs < 0) | made[..., needs]


@part
class Sensible:
    """Suggests what makes sense on the bench now, in the place of a language model: it overlooks some, and errs at times.

    A goal is one product, or one kind of clutter. What it says of a bench is always the same.

    >>> goals, open = Sensible(precision=1.0, recall=1.0)(jnp.zeros((1, 42)))
    >>> jnp.flatnonzero(open[0]).tolist()  # two products need no other
    [0, 1]
    """

    precision: float = 0.8
    """Share of its suggestions that make sense."""
    recall: float = 0.8
    """Share of what makes sense that it suggests."""

    def __call__(self, features: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Suggest for benches [N, F]: all goals as captions [K, F], and which of them now, bool [N, K]."""
        bench = features > 0.5
        made = bench[:, : len(NEEDS)]
        sensible = possible(made) & ~made
        drawn = _uniform(bench)
        hits = sensible & (drawn[:, : len(NEEDS)] < self.recall)
        expected = self.recall * jnp.sum(sensible, axis=1, keepdims=True)
        rate = expected * (1.0 - self.precision) / (self.precision * CLUTTER)
        return jnp.eye(len(NEEDS) + CLUTTER), jnp.concatenate([hits, drawn[:, len(NEEDS) :] < rate], axis=1)


def _uniform(bench: jax.Array) -> jax.Array:
    """A number from 0 to 1 for each goal of each bench, bool [N, F]: float32 [N, F], the same for the same bench."""
    width = bench.shape[1]
    odds = np.random.default_rng(1).integers(0, 2**32, width, dtype=np.uint32) | 1
    salts = np.random.default_rng(2).integers(0, 2**32, width, dtype=np.uint32)
    sums = mixed(jnp.sum(bench.astype(jnp.uint32) * odds, axis=1, dtype=jnp.uint32)[:, None] ^ salts)
    return ((sums ^ (sums >> 15)) * jnp.uint32(0x85EBCA6B) >> 8).astype(jnp.float32) / 2**24
