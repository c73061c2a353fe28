"""Sinkhorn's iteration: even codes for scores, so that no code takes all rows."""

import jax
import jax.numpy as jnp


def plan(scores: jax.Array, sharpness: float = 0.05, rounds: int = 3) -> jax.Array:
    """Share a mass of 1 between rows and codes, the more the higher their score [B, K]: float32 [B, K].

    Codes get 1 / K each, and then rows 1 / B each, in so many rounds; so rows are exact and codes nearly so. sharpness: the
    difference of scores that counts e times.
    """
    found = jax.nn.softmax((scores / sharpness).reshape(-1)).reshape(scores.shape)
    rows, codes = scores.shape
    for _ in range(rounds):
        found = found / (codes * jnp.maximum(jnp.sum(found, axis=0, keepdims=True), 1e-12))
        found = found / (rows * jnp.maximum(jnp.sum(found, axis=1, keepdims=True), 1e-12))
    return found
