"""How many of the ways to do a task a policy takes: the entropy of what it does where it succeeds.

"Towards diverse behaviors: a benchmark for imitation learning with human demonstrations" (2024). A descriptor names the way
that an episode took, such as a route. An entropy of 0 is one way, and one of 1 is `ways` of them evenly.
"""

import jax
import jax.numpy as jnp


def entropy(descriptors: jax.Array, succeeded: jax.Array, ways: int, kinds: int | None = None) -> jax.Array:
    """The entropy of descriptors int [N] over episodes that succeeded, bool [N], over log `ways`: float32 []; 0 where none
    did. kinds: how many descriptors there are, where that is more than `ways`; others than 0 to kinds - 1 do not count."""
    return _entropies(_shares(descriptors, succeeded, kinds or ways), ways)


def conditional(
    descriptors: jax.Array, succeeded: jax.Array, first: jax.Array, firsts: int, ways: int, kinds: int | None = None
) -> jax.Array:
    """The same within the episodes of each first state, averaged over those in which one succeeded. first: int [N], the
    number of the first state, below `firsts`. A policy whose first state decides its way has none."""
    rows = succeeded & (first == jnp.arange(firsts)[:, None])
    each = jax.vmap(lambda within: _entropies(_shares(descriptors, within, kinds or ways), ways))(rows)
    some = jnp.any(rows, axis=1)
    return jnp.sum(jnp.where(some, each, 0.0)) / jnp.maximum(jnp.sum(some), 1)


def _shares(descriptors: jax.Array, counted: jax.Array, kinds: int) -> jax.Array:
    """The share of each descriptor, float32 [kinds]; zeros where nothing counts."""
    marks = jax.nn.one_hot(descriptors, kinds) * counted[:, None]
    return jnp.sum(marks, axis=0) / jnp.maximum(jnp.sum(marks), 1.0)


def _entropies(shares: jax.Array, ways: int) -> jax.Array:
    return -jnp.sum(jnp.where(shares > 0, shares * jnp.log(jnp.maximum(shares, 1e-12)), 0.0)) / jnp.log(float(ways))
