"""Critics: values of actions in a state, several side by side, for learners of every kind of policy."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.networks import layers, policies
from umwelt.networks.layers import Bundle


def critics(key: jax.Array, width: int, acts: policies.Policy, units: int, count: int, normed: bool = False) -> Bundle:
    """Make `count` critics of two hidden layers over `width` features. Over choices each values them all; over a Box it
    reads the action beside the features. Weights begin small and even: critics that begin larger learn more slowly what
    the observations mean."""
    choices = isinstance(acts, policies.Choice)
    into, out = (width, acts.width) if choices else (width + acts.size, 1)
    return layers.even(key, layers.bundle(key, into + normed, (units, units), (out,) * count, normed=normed))


def apart(critics: Bundle, inputs: jax.Array, normed: bool = False) -> list[jax.Array]:
    """Apply every critic to inputs [N, in]: float32 [N, out] each."""
    return layers.apart(critics, layers.with_one(inputs) if normed else inputs, jax.nn.relu)


def values(critics: Bundle, acts: policies.Policy, features: jax.Array, unit: Any, normed: bool = False) -> jax.Array:
    """Value unit actions [N, ...] at features [N, F] by each critic: float32 [M, N]."""
    if isinstance(acts, policies.Choice):
        return jnp.stack([jnp.take_along_axis(each, unit[:, None], axis=1)[:, 0] for each in apart(critics, features, normed)])
    return jnp.stack([each[:, 0] for each in apart(critics, jnp.concatenate([features, unit], axis=-1), normed)])


def lowest(values: jax.Array) -> jax.Array:
    """Take the lowest of values [M, N] by several critics: float32 [N].

    The slope of `jnp.min` divides by how many entries equal the minimum. A compiler may compute the entries a second time
    for that, and round them otherwise; then none is equal, and the slope is NaN.
    """
    found = values[0]
    for each in values[1:]:
        found = jnp.where(each < found, each, found)
    return found
