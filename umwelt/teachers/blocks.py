"""A sequence of tasks, each for a fixed number of decisions."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Feedback, part, struct


@struct
class BlocksState:
    """tasks: the named tasks in the order of the blocks, leaves [K, ...]. asked: int32, questions so far."""

    tasks: Any
    asked: jax.Array


@part
class Blocks:
    """A sequence of tasks, each for a fixed number of decisions of a row; the last one stays.

    A block that ends in the middle of an episode lets the episode finish first.

    >>> teacher = Blocks(names=("earth", "moon"), steps=2)
    >>> state, asked = teacher.init(None, None, {"earth": 10.0, "moon": 2.0}), []
    >>> for _ in range(4):
    ...     state, gravity = teacher.ask(None, state, n=1)
    ...     asked.append(float(gravity[0]))
    >>> asked
    [10.0, 10.0, 2.0, 2.0]
    """

    names: tuple[str, ...] = ()
    """The world's named tasks in their order, such as `earth moon earth`; empty means its default task."""
    steps: int = 1000
    """Decisions of one row in each block."""

    def init(self, key: jax.Array, task_space: Any, named: dict[str, Any]) -> BlocksState:
        """Look up the names among the world's tasks."""
        chosen = [named[name] for name in known_names(self.names, named)]
        stacked = jax.tree.map(lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves]), *chosen)
        return BlocksState(tasks=stacked, asked=jnp.zeros((), jnp.int32))

    def ask(self, key: jax.Array, state: BlocksState, n: int) -> tuple[BlocksState, Any]:
        """Return the task of the block that the next decision falls into, for all n rows."""
        count = max(1, len(self.names))
        block = jnp.minimum(state.asked // self.steps, count - 1)
        tasks = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf[block], (n, *leaf.shape[1:])), state.tasks)
        return BlocksState(tasks=state.tasks, asked=state.asked + 1), tasks

    def tell(self, key: jax.Array, state: BlocksState, tasks: Any, feedback: Feedback) -> BlocksState:
        """Ignore the feedback: the order is fixed."""
        return state

    def panel(self, named: dict[str, Any]) -> dict[str, Any]:
        """Examine each task of the blocks once, in the order of its first block."""
        return named_panel(self.names, named)


def known_names(names: tuple[str, ...], named: dict[str, Any]) -> tuple[str, ...]:
    """`names`, or the default task where there are none; an unknown name is an error that lists the known ones."""
    unknown = [name for name in names if name not in named]
    if unknown:
        raise ValueError(f"names: the world has no task called {', '.join(unknown)}; it has {', '.join(named)}")
    return names or (next(iter(named)),)


def named_panel(names: tuple[str, ...], named: dict[str, Any]) -> dict[str, Any]:
    """The tasks of a panel by their names, each once; empty where there are no names."""
    return {name: named[name] for name in dict.fromkeys(known_names(names, named))} if names else {}
