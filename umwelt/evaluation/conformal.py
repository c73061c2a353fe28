"""Conformal prediction: sets of answers that hold the right one with a given probability, for single answers and for runs.

"Explore until confident: efficient exploration for embodied question answering" (2024) stops when one answer is left. The
guarantee needs calibration runs that are drawn as the runs to come are; it says nothing of any one run.
"""

import math

import jax
import jax.numpy as jnp


def quantile(scores: jax.Array, miss: float) -> jax.Array:
    """float32 []: the conformal quantile of scores [N], the least number that a new one exceeds with a chance of `miss` or less.

    It is the k-th smallest score, k the least whole number not below (N + 1)(1 - miss); infinite where N is too small for it.

    >>> float(quantile(jnp.arange(1.0, 10.0), 0.2))  # the eighth of nine
    8.0
    """
    if not 0.0 < miss < 1.0:
        raise ValueError(f"miss={miss}: the share of wrong answers that is accepted lies between 0 and 1; take 0.1")
    number = scores.shape[0]
    # rounding up must not be misled by the last bit of a product
    rank = math.ceil((number + 1) * (1.0 - miss) - 1e-9)
    return jnp.sort(scores)[rank - 1] if rank <= number else jnp.float32(jnp.inf)


def worst(probability: jax.Array, truth: jax.Array, seen: jax.Array | None = None) -> jax.Array:
    """float32 [N]: the score of each run: one less the lowest probability [N, T, A] of the right answer [N] on its way.

    The worst moment counts, so that the right answer stays in the sets of all moments at once. seen: bool [N, T], moments that
    count; None for all.
    """
    right = jnp.take_along_axis(probability, truth[:, None, None], axis=2)[..., 0]
    lowest = jnp.min(right if seen is None else jnp.where(seen, right, jnp.inf), axis=1)
    return 1.0 - lowest


def answers(probability: jax.Array, threshold: jax.Array) -> jax.Array:
    """bool [..., A]: the answers whose score is within the threshold; the likeliest one is always among them."""
    inside = 1.0 - probability <= threshold
    return inside | (probability >= jnp.max(probability, axis=-1, keepdims=True))


def run_sets(probability: jax.Array, threshold: jax.Array) -> jax.Array:
    """bool [N, T, A]: the answers that no moment [N, T, A] so far has excluded."""
    inside = 1.0 - probability <= threshold
    return jax.lax.associative_scan(jnp.logical_and, inside, axis=1)


def stops(probability: jax.Array, threshold: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(moment int32 [N], answer int32 [N]): where one answer or none is left, the last moment where more are; and the likeliest
    of what is left then."""
    inside = run_sets(probability, threshold)
    return _at(probability, inside, jnp.sum(inside, axis=-1) <= 1)


def stops_above(probability: jax.Array, level: jax.Array) -> tuple[jax.Array, jax.Array]:
    """(moment int32 [N], answer int32 [N]): where the likeliest answer passes a level, without any guarantee."""
    everything = jnp.ones(probability.shape, bool)
    return _at(probability, everything, jnp.max(probability, axis=-1) >= level)


def _at(probability: jax.Array, inside: jax.Array, ready: jax.Array) -> tuple[jax.Array, jax.Array]:
    last = probability.shape[1] - 1
    moment = jnp.where(jnp.any(ready, axis=1), jnp.argmax(ready, axis=1), last)
    rows = jnp.arange(probability.shape[0])
    left, chance = inside[rows, moment], probability[rows, moment]
    chance = jnp.where(left | ~jnp.any(left, axis=-1, keepdims=True), chance, -1.0)
    return moment.astype(jnp.int32), jnp.argmax(chance, axis=-1).astype(jnp.int32)
