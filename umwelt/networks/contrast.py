"""Tell what belongs together from what does not: the softmax form of contrastive learning (InfoNCE)."""

import jax
import jax.numpy as jnp


def similarities(ours: jax.Array, theirs: jax.Array) -> jax.Array:
    """Inner products of representations [N, K] and [M, K]: float32 [N, M]."""
    return ours @ theirs.T


def contrast(logits: jax.Array, weight: jax.Array, penalty: float = 0.01) -> jax.Array:
    """The cross entropy of logits [N, N] whose row belongs to the column of its number, float32 []; `penalty` times the
    square of the normaliser keeps logits of one size. Rows of weight [N] 0 count neither as rows nor as columns.

    At the optimum, logits are the log ratio of joint and marginal density, up to a constant for each row.
    """
    shown = jnp.where(weight > 0, logits, -1e9)
    normaliser = jax.nn.logsumexp(shown, axis=1)
    loss = normaliser - jnp.diagonal(shown) + penalty * normaliser**2
    weighs = weight > 0
    return jnp.sum(jnp.where(weighs, loss, 0.0)) / jnp.maximum(jnp.sum(weighs), 1.0)


def told_apart(logits: jax.Array, weight: jax.Array) -> jax.Array:
    """The share of rows whose own column has the highest of logits [N, N]: float32 []."""
    shown = jnp.where(weight > 0, logits, -1e9)
    right = (jnp.argmax(shown, axis=1) == jnp.arange(logits.shape[0])) & (weight > 0)
    return jnp.sum(right) / jnp.maximum(jnp.sum(weight > 0), 1.0)
