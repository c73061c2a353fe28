"""Gaussian heads with learned bounds, and the mixture of an ensemble of them.

Arrays are laid out as in `umwelt.networks.members`: [members, targets, rows].
"""

import math

import jax
import jax.numpy as jnp

LOG_TAU = math.log(2 * math.pi)


def bounded(raw: jax.Array, lowest: jax.Array, highest: jax.Array) -> jax.Array:
    """Press log variances softly from above and then from below (the PETS paper, 2018, appendix A.1)."""
    raw = highest - jax.nn.softplus(highest - raw)
    return lowest + jax.nn.softplus(raw - lowest)


def nats(target: jax.Array, mean: jax.Array, log_variance: jax.Array) -> jax.Array:
    """Compute the negative log-likelihood of each entry."""
    return 0.5 * ((target - mean) ** 2 * jnp.exp(-log_variance) + log_variance + LOG_TAU)


def mixture_nats(target: jax.Array, mean: jax.Array, log_variance: jax.Array) -> jax.Array:
    """Compute the nats [N] of target [1 or E, T, N] under the even mixture of the members: -log(mean over members of the
    product over T). This is a density, which matched moments are not."""
    per_member = jnp.sum(nats(target, mean, log_variance), axis=1)
    return math.log(mean.shape[0]) - jax.nn.logsumexp(-per_member, axis=0)


def disagreement(mean: jax.Array) -> jax.Array:
    """Compute the standard deviation over the members of mean [E, T, N], root mean square over T: float32 [N]."""
    return jnp.sqrt(jnp.mean(jnp.var(mean, axis=0), axis=0))
