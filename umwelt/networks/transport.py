"""Sinkhorn's iteration: even codes for scores, and optimal transport between two short sequences."""

import jax
import jax.numpy as jnp


def plan(costs: jax.Array, strength: float = 0.05, rounds: int = 50) -> jax.Array:
    """The plan [T, M] of equal shares that costs [T, M] least, smoothed by an entropy (Sinkhorn): rows sum to 1 / T.

    strength: of the entropy, as a share of the mean cost. At 0.01 and with many rounds the plan is nearly an assignment.
    """
    return shares(-costs / (strength * jnp.mean(costs) + 1e-8), rounds)


def shares(scores: jax.Array, rounds: int = 3) -> jax.Array:
    """Share a mass of 1 between rows and columns, the more the higher their score [B, K]: float32 [B, K].

    Columns get 1 / K each, and then rows 1 / B each, in so many rounds. So rows are exact and columns nearly so. A difference
    of scores of 1 counts e times.
    """
    rows, columns = scores.shape
    for_rows, for_columns = -jnp.log(float(rows)), -jnp.log(float(columns))

    def turn(lifts: tuple[jax.Array, jax.Array], _: None) -> tuple[tuple[jax.Array, jax.Array], None]:
        down = for_columns - jax.nn.logsumexp(scores + lifts[0][:, None], axis=0)
        return (for_rows - jax.nn.logsumexp(scores + down[None], axis=1), down), None

    (lift, down), _ = jax.lax.scan(turn, (jnp.zeros(rows), jnp.zeros(columns)), None, length=rounds)
    return jnp.exp(scores + lift[:, None] + down[None])


def euclidean(one: jax.Array, other: jax.Array) -> jax.Array:
    """Distances between rows [T, F] and [M, F]: float32 [T, M]."""
    return jnp.sqrt(jnp.sum((one[:, None] - other[None]) ** 2, axis=-1) + 1e-12)


def longest_rise(numbers: jax.Array, counts: jax.Array) -> jax.Array:
    """The length of the longest rising subsequence of int [T], of the entries that count, bool [T]: int32 []."""
    length = numbers.shape[0]

    def onward(best: jax.Array, at: jax.Array) -> tuple[jax.Array, None]:
        before = (jnp.arange(length) < at) & (numbers < numbers[at]) & counts
        here = jnp.where(counts[at], 1 + jnp.max(jnp.where(before, best, 0)), 0)
        return best.at[at].set(here), None

    return jnp.max(jax.lax.scan(onward, jnp.zeros(length, jnp.int32), jnp.arange(length))[0])
