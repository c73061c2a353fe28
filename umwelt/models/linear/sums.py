"""The sufficient statistics of a linear model: sums over all transitions, the same in any order."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import struct

PRECISION = "float64"
"""Of all sums and of what solves with them. In float32 the rounding of A outgrows the ridge within a life
(docs/decisions/002-precision.md)."""


@struct
class Statistics:
    """Sufficient statistics of all transitions (phi, y), and the weights that follow from them.

    gram: A = sum of phi phi^T, [D, D]. cross: B = sum of phi y^T, [D, M]. weights: W [D, M].
    gradient: G = B - A W, [D, M]. At the leader (the ridge regression on all transitions) G = ridge * W. So
    max|G - ridge * W| measures the distance of the weights from it, without a product of size D**2.
    count: int32, transitions so far.
    """

    gram: jax.Array
    cross: jax.Array
    weights: jax.Array
    gradient: jax.Array
    count: jax.Array


def empty(size: int, outputs: int) -> Statistics:
    """Make the statistics of no transition. Each array is its own, so that all can be donated."""
    return Statistics(
        gram=jnp.zeros((size, size), PRECISION),
        cross=jnp.zeros((size, outputs), PRECISION),
        weights=jnp.zeros((size, outputs), PRECISION),
        gradient=jnp.zeros((size, outputs), PRECISION),
        count=jnp.zeros((), jnp.int32),
    )


def add(statistics: Statistics, active: jax.Array, value: jax.Array, target: jax.Array) -> Statistics:
    """Add one transition: indices int32 [K], their values [K], target [M]. The weights stay."""
    error = target - value @ statistics.weights[active]
    options: dict[str, Any] = {"unique_indices": True, "indices_are_sorted": True}
    return dataclasses.replace(
        statistics,
        gram=statistics.gram.at[active[:, None], active[None, :]].add(value[:, None] * value[None, :], **options),
        cross=statistics.cross.at[active].add(value[:, None] * target[None, :], **options),
        gradient=statistics.gradient.at[active].add(value[:, None] * error[None, :], **options),
        count=statistics.count + 1,
    )


def distance(statistics: Statistics, ridge: float) -> jax.Array:
    """Compute max|G - ridge * W|: the largest slope left at the weights, 0 at the leader."""
    return jnp.max(jnp.abs(statistics.gradient - ridge * statistics.weights))


def polish(statistics: Statistics, ridge: float, iterations: int) -> Statistics:
    """Move the weights to the leader by conjugate gradients, (A + ridge) W = B, all columns at once.

    The diagonal of A preconditions it; its entries span the visited and the never visited cells. It computes a fresh
    gradient too, without the rounding errors of the old one.
    """
    gram = statistics.gram
    diagonal = (jnp.diagonal(gram) + ridge)[:, None]

    def advance(_: jax.Array, carry: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        weights, residual, direction, energy = carry
        image = gram @ direction + ridge * direction
        length = _ratio(energy, jnp.sum(direction * image, 0))
        weights, residual = weights + length * direction, residual - length * image
        scaled = residual / diagonal
        fresh = jnp.sum(residual * scaled, 0)
        return weights, residual, scaled + _ratio(fresh, energy) * direction, fresh

    start = statistics.cross - gram @ statistics.weights - ridge * statistics.weights
    first = start / diagonal
    carry = (statistics.weights, start, first, jnp.sum(start * first, 0))
    weights, residual, _, _ = jax.lax.fori_loop(0, iterations, advance, carry)
    return dataclasses.replace(statistics, weights=weights, gradient=residual + ridge * weights)


def _ratio(above: jax.Array, below: jax.Array) -> jax.Array:
    """Divide; 0 for a column that has already converged."""
    return jnp.where(below > 0, above / jnp.where(below > 0, below, 1), 0)
