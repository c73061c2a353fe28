"""Actors: policies whose spread does not depend on what is seen.

Over a Box an actor is a normal around a mean that tanh keeps inside the bounds; its log deviations are weights of their
own. Draws are cut at the bounds only on the way into the world. So the likelihood of an action at the very edge is
finite, as it is not for a squashed normal. Over choices an actor is a categorical. Where it has no deviations of its own,
its outputs are all that its distribution reads.
"""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import struct
from umwelt.networks import layers, policies
from umwelt.networks.beta import Beta
from umwelt.networks.layers import Stack

Acts = policies.Policy | Beta
LOWEST, HIGHEST = -5.0, 2.0
"""Bounds of a log deviation."""


@struct
class Actor:
    """network: [F] -> means [A], or all outputs of a distribution. deviation: float32 [A], log deviations; None for a
    categorical and a Beta."""

    network: Stack
    deviation: Any = None


def actor(key: jax.Array, width: int, acts: Acts, units: int, layers_: int = 2) -> Actor:
    """Begin in the middle of the space with a deviation of 1, or with nearly even choices."""
    whole = isinstance(acts, policies.Choice | Beta)
    made = layers.stack(key, (width, *(units,) * layers_, acts.width if whole else acts.size), normed=False)
    return Actor(network=layers.even(key, made), deviation=None if whole else jnp.zeros(acts.size, jnp.float32))


def outputs(actor: Actor, features: jax.Array, open: jax.Array | None = None) -> jax.Array:
    """Compute mean unit actions [N, A]; or outputs [N, M] of a distribution, in which closed choices are closed."""
    found = layers.apply(actor.network, features, jax.nn.relu)
    return policies.masked(found, open) if actor.deviation is None else jnp.tanh(found)


def log_prob(actor: Actor, acts: Acts, features: jax.Array, unit: Any, open: jax.Array | None = None) -> jax.Array:
    """Compute the log likelihood [N] of unit actions [N, ...]."""
    found = outputs(actor, features, open)
    if actor.deviation is None:
        return acts.log_prob(found, unit)
    deviation = spread(actor)
    return jnp.sum(-0.5 * ((unit - found) * jnp.exp(-deviation)) ** 2 - deviation - policies.HALF_LOG, axis=-1)


def best(actor: Actor, acts: Acts, features: jax.Array, open: jax.Array | None = None) -> jax.Array:
    """Take the mean unit action [N, A], or the likeliest choice [N]."""
    found = outputs(actor, features, open)
    return acts.best(found) if actor.deviation is None else found


def draw(key: jax.Array, actor: Actor, acts: Acts, features: jax.Array, open: jax.Array | None = None) -> jax.Array:
    """Draw unit actions [N, A], some outside (-1, 1), or choices [N]."""
    found = outputs(actor, features, open)
    if actor.deviation is None:
        return acts.draw(key, found)[0]
    return found + jnp.exp(spread(actor)) * jax.random.normal(key, found.shape)


def spread(actor: Actor) -> jax.Array:
    """Compute log deviations [A], inside their bounds."""
    return jnp.clip(actor.deviation, LOWEST, HIGHEST)


def action(acts: Acts, unit: jax.Array) -> jax.Array:
    """Bring unit actions to the world's, cut to its bounds."""
    return acts.action(unit if isinstance(acts, policies.Choice) else jnp.clip(unit, -1.0, 1.0))


def entropy(actor: Actor, acts: Acts, features: jax.Array, open: jax.Array | None = None) -> jax.Array:
    """Compute the entropy [N], exactly."""
    if actor.deviation is None:
        return acts.entropy(jax.random.key(0), outputs(actor, features, open))
    each = jnp.clip(actor.deviation, LOWEST, HIGHEST) + 0.5 + policies.HALF_LOG
    return jnp.broadcast_to(jnp.sum(each), features.shape[:1])


def divergence(actor: Actor, other: Actor, acts: Acts, features: jax.Array, open: jax.Array | None = None) -> jax.Array:
    """Compute the divergence [N], in nats, of the actor's actions from another one's."""
    mine, theirs = outputs(actor, features, open), outputs(other, features, open)
    if isinstance(acts, Beta):
        return acts.divergence(mine, theirs)
    if isinstance(acts, policies.Choice):
        mine, theirs = acts.logits(mine), acts.logits(theirs)
        return jnp.sum(jnp.exp(mine) * (mine - theirs), axis=-1)
    one, two = (jnp.clip(each.deviation, LOWEST, HIGHEST) for each in (actor, other))
    square = (jnp.exp(2.0 * one) + (mine - theirs) ** 2) / (2.0 * jnp.exp(2.0 * two))
    return jnp.sum(two - one + square - 0.5, axis=-1)
