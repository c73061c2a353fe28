"""Tasks that turn smoothly into each other."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Feedback, part
from umwelt.teachers.blocks import Blocks, BlocksState, named_panel


@part
class Drift:
    """Every episode's task lies on the straight way from one named task to the next; the last one stays.

    Tasks of numbers only: each leaf is mixed by itself. With `earth moon` and 1,000 steps, an episode that begins
    after 250 decisions has three quarters of the earth's gravity and a quarter of the moon's.

    >>> teacher = Drift(names=("earth", "moon"), steps=2)
    >>> state, asked = teacher.init(None, None, {"earth": 10.0, "moon": 2.0}), []
    >>> for _ in range(4):
    ...     state, gravity = teacher.ask(None, state, n=1)
    ...     asked.append(float(gravity[0]))
    >>> asked
    [10.0, 6.0, 2.0, 2.0]
    """

    names: tuple[str, ...] = ()
    """The world's named tasks in their order; empty means its default task."""
    steps: int = 1000
    """Decisions of one row from each task to the next."""

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> BlocksState:
        """Look up the names among the world's tasks."""
        state = Blocks(names=self.names, steps=self.steps).init(key, task_space, named)
        whole = [leaf.dtype for leaf in jax.tree.leaves(state.tasks) if not jnp.issubdtype(leaf.dtype, jnp.floating)]
        if whole:
            raise ValueError(f"names: Drift mixes tasks of numbers, and these tasks hold {whole[0]}; use Blocks")
        return state

    def ask(self, key: jax.Array, state: BlocksState, n: int) -> tuple[BlocksState, Any]:
        """Return the mixture of the present moment, for all n rows."""
        last = jax.tree.leaves(state.tasks)[0].shape[0] - 1
        way = jnp.minimum(state.asked / self.steps, last)
        before = jnp.floor(way).astype(jnp.int32)
        after, share = jnp.minimum(before + 1, last), way - before

        def mixed(leaf: jax.Array) -> jax.Array:
            now = ((1.0 - share) * leaf[before] + share * leaf[after]).astype(leaf.dtype)
            return jnp.broadcast_to(now, (n, *leaf.shape[1:]))

        return BlocksState(tasks=state.tasks, asked=state.asked + 1), jax.tree.map(mixed, state.tasks)

    def tell(self, key: jax.Array, state: BlocksState, tasks: Any, feedback: Feedback) -> BlocksState:
        """Ignore the feedback: the way is fixed."""
        return state

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine each task that the way passes through once, in order; the mixtures between them have no names."""
        return named_panel(self.names, named)
