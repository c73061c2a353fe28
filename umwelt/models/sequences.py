"""Sequences of experience as a latent model reads them: flat, time first, zero where nothing is to be learned."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Experience, struct
from umwelt.networks import policies
from umwelt.networks.form import Form


@struct
class Rows:
    """Sequences with time first. before: flat observation [N, width]; after: [L, N, width]; action: features
    [L, N, A]; reward, ended, weight: float32 [L, N]."""

    before: jax.Array
    after: jax.Array
    action: jax.Array
    reward: jax.Array
    ended: jax.Array
    weight: jax.Array


def mean(values: jax.Array, weight: jax.Array) -> jax.Array:
    """Average values by weight, of which there are as many; 0 where nothing weighs."""
    return jnp.sum(values.reshape(weight.shape) * weight) / jnp.maximum(jnp.sum(weight), 1.0)


def rows(form: Form, policy: policies.Policy, experience: Experience) -> Rows:
    """Turn experience [N, L] into rows. A sequence that holds a seam or an unknown action weighs nothing, and what it
    holds becomes zero."""
    number, length = experience.origin.shape
    whole = jnp.all(experience.acted, axis=1)
    first = jax.tree.map(lambda leaf: leaf[:, 0], experience.step.observation)

    def turned(flatten: Any, value: Any) -> jax.Array:
        flat = flatten(jax.tree.map(lambda leaf: leaf.reshape(number * length, *leaf.shape[2:]), value))
        flat = jnp.where(whole[:, None, None], flat.reshape(number, length, -1), 0.0)
        return jnp.swapaxes(flat, 0, 1)

    return Rows(
        before=jnp.where(whole[:, None], form.flat(first), 0.0),
        after=turned(form.flat, experience.next.observation),
        action=turned(lambda action: policy.features(policy.unit(action)), experience.action),
        reward=jnp.where(whole, jnp.swapaxes(experience.next.reward, 0, 1), 0.0),
        ended=jnp.swapaxes(experience.next.terminated, 0, 1).astype(jnp.float32) * whole,
        weight=jnp.broadcast_to(whole, (length, number)).astype(jnp.float32),
    )
