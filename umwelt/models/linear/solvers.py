"""From sufficient statistics to weights, one transition at a time.

A solver is a frozen part with three methods:

    init(key, size, slots, ridge) -> memo                                        what it keeps besides the statistics
    step(statistics, memo, ridge, active, value, target) -> (statistics, memo)   add one transition
    spread(statistics, memo, ridge, active, value) -> [N]                   phi^T (A + ridge)^-1 phi of N inputs

`active` int32 [K] holds the indices that a transition touches, `value` [K] their values, `target` [M].
All of them read the same `Statistics`, so one can replace another.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import keys, part, struct
from umwelt.models.linear.sums import PRECISION, Statistics, add

ROWS_AT_ONCE = 64
"""Rows of `spread` at a time: 64 x K x K numbers."""


@struct
class Inverse:
    """P = base - fresh^T fresh = (A + ridge)^-1.

    base: [D, D]. fresh: [deferred, D], the last few rank-one changes, not yet folded into base.
    pending: int32, how many of them there are; the other rows are zero.
    """

    base: jax.Array
    fresh: jax.Array
    pending: jax.Array


@part
class Exact:
    """Follow the leader exactly: recursive least squares. Best up to about 2,000 features.

    Each transition lowers the inverse by one outer product. Several are folded in as one matrix product, because plain
    recursive least squares spends its time on writing D**2 numbers for each transition. Every step checks a few rows of
    the normal equations and solves for their rounding error. So errors cannot build up over a long life.
    """

    deferred: int = 32
    """How many rank-one changes wait before they are folded into the inverse."""
    checked: int = 4
    """Rows of the normal equations that each step checks and corrects."""

    def init(self, key: jax.Array, size: int, slots: int, ridge: float) -> Inverse:
        """Make the inverse of the ridge alone."""
        return Inverse(
            base=jnp.eye(size, dtype=PRECISION) / ridge,
            fresh=jnp.zeros((self.deferred, size), PRECISION),
            pending=jnp.zeros((), jnp.int32),
        )

    def step(
        self, statistics: Statistics, memo: Inverse, ridge: float, active: jax.Array, value: jax.Array, target: jax.Array
    ) -> tuple[Statistics, Inverse]:
        """Add one transition and move to the new leader."""
        error = target - value @ statistics.weights[active]
        image = value @ memo.base[active] - (memo.fresh[:, active] @ value) @ memo.fresh
        room = 1 + value @ image[active]
        change = (image / room)[:, None] * error[None, :]
        statistics = add(statistics, active, value, target)
        # What `add` put into the gradient, and this change of weights takes out again, leaves ridge * change.
        gradient = statistics.gradient.at[active].add(-value[:, None] * error[None, :], unique_indices=True)
        statistics = dataclasses.replace(statistics, weights=statistics.weights + change, gradient=gradient + ridge * change)
        fresh = memo.fresh.at[memo.pending].set(image / jnp.sqrt(room))
        memo = self._fold(dataclasses.replace(memo, fresh=fresh, pending=memo.pending + 1))
        return self._check(statistics, memo, ridge), memo

    def _fold(self, memo: Inverse) -> Inverse:
        """Fold the waiting changes in when they are many. A loop of no or one turn, since a `cond` would copy."""

        def fold(memo: Inverse) -> Inverse:
            return Inverse(
                base=memo.base - memo.fresh.T @ memo.fresh,
                fresh=jnp.zeros_like(memo.fresh),
                pending=jnp.zeros_like(memo.pending),
            )

        return jax.lax.while_loop(lambda memo: memo.pending >= self.deferred, fold, memo)

    def _check(self, statistics: Statistics, memo: Inverse, ridge: float) -> Statistics:
        """Correct the weights by the residual of the next few rows, in turn.

        The gradient records the residual before its correction. So the distance from the leader is a measurement, at most
        one round of D / checked steps old.
        """
        size = statistics.gram.shape[0]
        rows = min(self.checked, size)
        start = jnp.minimum((statistics.count * rows) % size, size - rows)
        read = lambda array: jax.lax.dynamic_slice_in_dim(array, start, rows)  # noqa: E731 - a local shorthand
        weights = read(statistics.weights)
        residual = read(statistics.cross) - read(statistics.gram) @ statistics.weights - ridge * weights
        parts = jax.lax.dynamic_slice_in_dim(memo.fresh, start, rows, axis=1)
        change = read(memo.base).T @ residual - memo.fresh.T @ (parts @ residual)
        gradient = jax.lax.dynamic_update_slice_in_dim(statistics.gradient, ridge * weights + residual, start, axis=0)
        return dataclasses.replace(statistics, weights=statistics.weights + change, gradient=gradient + ridge * change)

    def spread(self, statistics: Statistics, memo: Inverse, ridge: float, active: jax.Array, value: jax.Array) -> jax.Array:
        """Compute phi^T (A + ridge)^-1 phi for N inputs, active and value [N, K]."""

        def one(item: tuple[jax.Array, jax.Array]) -> jax.Array:
            indices, values = item
            corner = memo.base[indices[:, None], indices[None, :]]
            return values @ corner @ values - jnp.sum((memo.fresh[:, indices] @ values) ** 2)

        return _rows(one, active, value)


@struct
class Sets:
    """Remembered active sets, whose weights can be solved for again.

    active: int32 [capacity, K]. seen: int32, how many were offered. key: draws which ones to keep and revisit.
    """

    active: jax.Array
    seen: jax.Array
    key: jax.Array


@part
class Block:
    """Losse's own step: solve for the touched weights, and hold all others fixed.

    It is one step of block coordinate descent, so the weights are near the leader and not at it. It needs no inverse of
    size D**2, and is faster than `Exact` from about 4,000 features on. Remembered sets bring it nearer: each step solves
    for some earlier active sets again.
    """

    remembered: int = 0
    """Earlier active sets that each step solves for again."""
    capacity: int = 1024
    """How many active sets it remembers, an even sample of the whole life; unused where remembered is 0."""

    def init(self, key: jax.Array, size: int, slots: int, ridge: float) -> Sets:
        """Remember nothing. Until a set is there, the first `slots` features stand for it."""
        capacity = self.capacity if self.remembered else 0
        active = jnp.tile(jnp.arange(slots, dtype=jnp.int32), (capacity, 1))
        return Sets(active=active, seen=jnp.zeros((), jnp.int32), key=jnp.asarray(key))

    def step(
        self, statistics: Statistics, memo: Sets, ridge: float, active: jax.Array, value: jax.Array, target: jax.Array
    ) -> tuple[Statistics, Sets]:
        """Add one transition, solve for its block, then for the blocks of remembered sets."""
        statistics = _solve(add(statistics, active, value, target), ridge, active)
        if not self.remembered:
            return statistics, memo
        visit, keep = keys.split(jax.random.fold_in(memo.key, memo.seen), "visit", "keep")
        # An even sample of all sets so far (reservoir sampling); a slot beyond the end is dropped.
        drawn = jax.random.randint(keep, (), 0, memo.seen + 1)
        slot = jnp.where(memo.seen < self.capacity, memo.seen, drawn)
        kept = memo.active.at[slot].set(active, mode="drop")
        memo = Sets(active=kept, seen=memo.seen + 1, key=memo.key)
        filled = jnp.minimum(memo.seen, self.capacity)
        chosen = kept[jax.random.randint(visit, (self.remembered,), 0, filled)]
        revisit = lambda index, statistics: _solve(statistics, ridge, chosen[index])  # noqa: E731
        return jax.lax.fori_loop(0, self.remembered, revisit, statistics), memo

    def spread(self, statistics: Statistics, memo: Sets, ridge: float, active: jax.Array, value: jax.Array) -> jax.Array:
        """Compute phi_s^T (A_ss + ridge)^-1 phi_s for N inputs, over the block that each touches alone."""

        def one(item: tuple[jax.Array, jax.Array]) -> jax.Array:
            indices, values = item
            factor = _factor(statistics.gram[indices[:, None], indices[None, :]], ridge)
            half = jax.scipy.linalg.solve_triangular(factor, values, lower=True)
            return jnp.sum(half**2)

        return _rows(one, active, value)


def _solve(statistics: Statistics, ridge: float, active: jax.Array) -> Statistics:
    """Minimise over the weights of one block; the rows of A that it touches update the gradient."""
    rows = statistics.gram[active]
    slope = statistics.gradient[active] - ridge * statistics.weights[active]
    change = jax.scipy.linalg.cho_solve((_factor(rows[:, active], ridge), True), slope)
    return dataclasses.replace(
        statistics,
        weights=statistics.weights.at[active].add(change, unique_indices=True),
        gradient=statistics.gradient - rows.T @ change,
    )


def _factor(block: jax.Array, ridge: float) -> jax.Array:
    """The Cholesky factor of a block [K, K] plus the ridge."""
    return jnp.linalg.cholesky(block + ridge * jnp.eye(block.shape[0], dtype=block.dtype))


def _rows(one: Any, active: jax.Array, value: jax.Array) -> jax.Array:
    """Map a function of one row over many, a limited number at a time."""
    if active.shape[0] <= ROWS_AT_ONCE:
        return jax.vmap(one)((active, value)) if active.shape[0] > 1 else one((active[0], value[0]))[None]
    return jax.lax.map(one, (active, value), batch_size=ROWS_AT_ONCE)
