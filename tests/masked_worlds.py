"""A pure world whose observation says which choices are admissible."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Discrete, WorldSpec, part
from umwelt.worlds import stream

CHOICES = 4


@part
class Locks:
    """Four doors, of which some are open. The lowest open one pays 1, another open one 0, a shut one -1.

    shut: the share of steps on which no door is open at all, which breaks the contract.
    """

    batch: int = 1
    time_limit: int = 10
    shut: float = 0.0

    @property
    def spec(self) -> WorldSpec:
        seen = {"open": Box(shape=(CHOICES,), low=0, high=1, dtype="uint8")}
        return WorldSpec(name="locks", observation=seen, action=Discrete(n=CHOICES), task=Box(), batch=self.batch)

    def tasks(self) -> dict[str, Any]:
        return {"only": np.float32(0.0)}

    def begin(self, key: jax.Array, task: Any) -> jax.Array:
        first, second, third = jax.random.split(key, 3)
        doors = jax.random.bernoulli(first, 0.5, (CHOICES,)).at[jax.random.randint(second, (), 0, CHOICES)].set(True)
        return doors & ~jax.random.bernoulli(third, self.shut)

    def advance(self, key: jax.Array, body: jax.Array, action: jax.Array, task: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
        paid = jnp.where(body[action], (action == jnp.argmax(body)).astype(jnp.float32), -1.0)
        return self.begin(key, task), paid, jnp.bool_(False)

    def observe(self, body: jax.Array, task: Any) -> dict[str, jax.Array]:
        return {"open": body.astype(jnp.uint8)}

    def body(self, observation: dict[str, jax.Array], task: Any = None) -> jax.Array:
        return observation["open"] > 0

    def init(self, key: jax.Array, task: Any) -> Any:
        return stream.init(self, key, task)

    def step(self, key: jax.Array, state: Any, action: Any, next_task: Any) -> Any:
        return stream.step(self, key, state, action, next_task)
