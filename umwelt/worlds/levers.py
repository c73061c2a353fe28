"""Simulate a row of levers, each of which pays around a mean of its own that only the task knows."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, struct
from umwelt.worlds import stream

NAMED = 3
"""Named tasks, whose means are drawn once."""


@struct
class ArmsTask:
    """means: float32 [arms], what each lever pays on average."""

    means: Any


@struct
class ArmsBody:
    """pulls: int32 []."""

    pulls: jax.Array


@part
class Arms:
    """Pull one of several levers (a bandit); an episode is one task, and nothing is seen but what was paid.

    >>> arms = Arms(arms=3)
    >>> task = ArmsTask(means=jnp.array([[0.1, 0.9, 0.2]]))
    >>> int(arms.expert(jax.random.key(0), jnp.zeros((1, 1)), task)[0])
    1
    """

    batch: int = 1
    """Episodes in parallel."""
    time_limit: int = 50
    """Pulls after which an episode is truncated."""
    arms: int = 5
    """Levers."""
    noise: float = 0.3
    """Deviation of what a lever pays."""
    chances: bool = False
    """A lever pays 1 with a chance of its mean, and else 0; there is no other noise."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        return WorldSpec(
            name="arms",
            observation=Box(shape=(1,), low=0.0, high=1.0),
            action=Discrete(n=self.arms),
            task=ArmsTask(means=Box(shape=(self.arms,), low=0.0, high=1.0)),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, ArmsTask]:
        """Named tasks: a few draws of means."""
        drawn = np.random.default_rng(0).uniform(size=(NAMED, self.arms))
        return {f"levers {number}": stream.numbers(ArmsTask(means=means)) for number, means in enumerate(drawn)}

    def drawn(self, key: jax.Array) -> ArmsTask:
        """Draw a task: means that are uniform between 0 and 1."""
        return ArmsTask(means=jax.random.uniform(key, (self.arms,)))

    def begin(self, key: jax.Array, task: ArmsTask) -> ArmsBody:
        """Before the first pull."""
        return ArmsBody(pulls=jnp.int32(0))

    def advance(self, key: jax.Array, body: ArmsBody, action: jax.Array, task: ArmsTask) -> tuple[ArmsBody, jax.Array, jax.Array]:
        """Pull a lever."""
        mean = jnp.asarray(task.means)[action]
        by_chance = jax.random.bernoulli(key, mean).astype(jnp.float32)
        paid = by_chance if self.chances else mean + self.noise * jax.random.normal(key)
        return ArmsBody(pulls=body.pulls + 1), paid, jnp.bool_(False)

    def observe(self, body: ArmsBody, task: ArmsTask) -> jax.Array:
        """float32 [1]: always 0."""
        return jnp.zeros(1, jnp.float32)

    def expert(self, key: jax.Array, observation: jax.Array, task: Any = None) -> jax.Array:
        """Actions [N]: the lever that pays most."""
        means = stream.default(self, task, observation.shape[0]).means
        return jnp.argmax(jnp.asarray(means), axis=-1).astype(jnp.int32)

    def init(self, key: jax.Array, task: ArmsTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: ArmsTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)
