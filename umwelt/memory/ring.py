"""A ring of transitions: the newest that fit into the budget, drawn uniformly."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import TRUNCATED, Experience, part, struct
from umwelt.memory import sizes
from umwelt.memory.conform import conform


@struct
class RingState:
    """rows: Experience [capacity]. head: int32, where the next row goes. filled: int32, rows held."""

    rows: Experience
    head: jax.Array
    filled: jax.Array


@part
class Ring:
    """Keeps whole transitions, each with both of its steps; the oldest leaves first.

    In a compiled program, add before you sample. Otherwise XLA copies the whole ring, so that the versions before and
    after the `add` both exist.

    >>> from umwelt.core import lived, spaces, zeros_step
    >>> from umwelt.worlds import Pendulum

    >>> spec = Pendulum().spec
    >>> moment = lived(zeros_step(spec), spaces.zeros(spec.action, 1), zeros_step(spec))

    >>> memory = Ring(bytes=150)
    >>> state, add = memory.init(moment), jax.jit(memory.add)
    >>> for _ in range(4):
    ...     state = add(jax.random.key(0), state, moment)
    >>> int(memory.count(state))  # four came, and three fit
    3
    """

    bytes: int = 64_000_000
    """How much memory the transitions may take."""

    def init(self, example: Experience) -> RingState:
        """Make an empty ring for experience [B] like `example`. Only shapes and dtypes are read."""
        rows = sizes.capacity(self.bytes, sizes.row_bytes(example), 1, "transitions")
        empty = jax.tree.map(lambda leaf: jnp.zeros((rows, *leaf.shape[1:]), leaf.dtype), sizes.forms(example))
        return RingState(rows=empty, head=jnp.int32(0), filled=jnp.int32(0))

    def add(self, key: jax.Array, state: RingState, experience: Experience) -> RingState:
        """Keep the valid rows of experience [B]. In place where the state is donated."""
        del key
        capacity = state.rows.origin.shape[0]
        rows = conform(experience, state.rows)
        rank = jnp.cumsum(rows.valid, dtype=jnp.int32) - 1
        total = rank[-1] + 1
        # Where more rows arrive than fit, two would share a slot and the winner would be undefined.
        kept = rows.valid & (rank >= total - capacity)
        slots = jnp.where(kept, (state.head + rank) % capacity, capacity)

        def put(held: jax.Array, row: Any) -> jax.Array:
            return held.at[slots].set(row, mode="drop")

        return RingState(
            rows=jax.tree.map(put, state.rows, rows),
            head=(state.head + total) % capacity,
            filled=jnp.minimum(state.filled + total, capacity),
        )

    def sample(self, key: jax.Array, state: RingState, shape: tuple[int, ...]) -> Experience:
        """Draw transitions [N], uniformly and with replacement. Rows drawn from an empty ring are not `valid`."""
        if len(shape) != 1:
            raise ValueError(f"shape={shape}: a Ring holds single transitions, so ask for (N,); Trajectories serves (N, L)")
        drawn = jax.random.randint(key, shape, 0, jnp.maximum(state.filled, 1))
        found = jax.tree.map(lambda leaf: leaf[drawn], state.rows)
        kind = jnp.where(state.filled > 0, found.step.kind, jnp.int8(TRUNCATED))
        return replace(found, step=replace(found.step, kind=kind))

    def held(self, state: RingState) -> jax.Array:
        """Count the transitions held, int32."""
        return state.filled

    def count(self, state: RingState) -> jax.Array:
        """Count the transitions held, int32."""
        return state.filled
