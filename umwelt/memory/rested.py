"""A schedule of rehearsal: a card returns rarely, and is then met several times at once."""

from dataclasses import replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.core import TRUNCATED, Experience, keys, part
from umwelt.memory.conform import joined
from umwelt.memory.lifelong import Lifelong, LifelongState


class Scheduled(Protocol):
    """A memory whose draws follow a schedule: an optional ability, which agents look for."""

    def draw(self, key: jax.Array, state: Any, lesson: jax.Array, shape: tuple[int, ...]) -> Experience:
        """Draw transitions [N] for the update number `lesson`, int32."""
        ...


@part
class Rested:
    """Draws every transition that a memory holds once before any returns, each `views` times in a row.

    "Do your best and get enough rest for continual learning" (2025): with as many rows as ever in a batch, a sample
    returns after `views` times as long. The order is drawn again for each pass. While the memory still fills, a pass
    changes its length, and a slot may be missed or met twice.

    >>> from umwelt.core import lived, spaces, zeros_step
    >>> from umwelt.worlds import Pendulum

    >>> spec = Pendulum().spec
    >>> moment = lived(zeros_step(spec), spaces.zeros(spec.action, 1), zeros_step(spec))

    >>> memory = Rested(memory=Lifelong(bytes=1000), views=2)
    >>> state, add = memory.init(moment), jax.jit(memory.add)
    >>> for number in range(3):
    ...     state = add(jax.random.key(0), state, replace(moment, action=moment.action + number))

    >>> drawn = jax.jit(memory.draw, static_argnums=3)(jax.random.key(0), state, 0, (6,))
    >>> [int(drawn.action[row, 0]) for row in range(6)]
    [1, 1, 2, 2, 0, 0]
    """

    memory: Lifelong = Lifelong()
    """The memory that is drawn from, of chunks of one transition."""
    views: int = 4
    """Rows in a row that hold the same transition."""
    seed: int = 0
    """The number that the orders are drawn from."""

    cites = ("view_batch_2025",)

    @property
    def bytes(self) -> int:
        """The bytes of the memory inside."""
        return self.memory.bytes

    def init(self, example: Experience) -> LifelongState:
        """Make an empty memory for experience [B] like `example`."""
        if self.memory.length != 1:
            raise ValueError(
                f"memory: Rested schedules single transitions, and its chunks have {self.memory.length}; take length=1"
            )
        return self.memory.init(example)

    def add(self, key: jax.Array, state: LifelongState, experience: Experience) -> LifelongState:
        """Keep experience [B], as the memory inside does."""
        return self.memory.add(key, state, experience)

    def sample(self, key: jax.Array, state: LifelongState, shape: tuple[int, ...]) -> Experience:
        """Draw without a schedule, as the memory inside does."""
        return self.memory.sample(key, state, shape)

    def draw(self, key: jax.Array, state: LifelongState, lesson: jax.Array, shape: tuple[int, ...]) -> Experience:
        """Draw transitions [N] for the update number `lesson`; N is a multiple of `views`."""
        if len(shape) != 1 or shape[0] % self.views:
            raise ValueError(f"shape={shape}: ask for (N,), where N is a multiple of views={self.views}")
        number = shape[0] // self.views
        slots, held = state.steps.kind.shape[0], jnp.maximum(state.filled, 1)
        place = lesson * number + jnp.arange(number)

        def slot(place: jax.Array) -> jax.Array:
            """The slot at a place of the endless order of all passes."""
            lots = jax.random.uniform(jax.random.fold_in(keys.fold(jax.random.key(self.seed), "pass"), place // held), (slots,))
            # what is not held comes last
            order = jnp.argsort(jnp.where(jnp.arange(slots) < held, lots, 2.0))
            return order[place % held]

        chosen = jnp.repeat(jax.vmap(slot)(place), self.views)
        steps, links = jax.tree.map(lambda leaf: leaf[chosen], (state.steps, state.links))
        found = jax.tree.map(lambda leaf: leaf[:, 0], joined(steps, links, axis=1))
        kind = jnp.where(state.filled > 0, found.step.kind, jnp.int8(TRUNCATED))
        return replace(found, step=replace(found.step, kind=kind))

    def held(self, state: LifelongState) -> jax.Array:
        """Count the transitions held, int32."""
        return self.memory.held(state)

    def count(self, state: LifelongState) -> jax.Array:
        """Count the transitions held, int32."""
        return self.memory.count(state)
