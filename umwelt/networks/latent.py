"""A conditional variational autoencoder of vectors: how likely a vector is, given features.

The encoder reads features and vector, and says a normal over a latent; the decoder reads features and latent, and says the
vector. Squared error plus beta times the divergence of the latent from a unit normal bounds a negative log-likelihood.
"""

import jax
import jax.numpy as jnp

from umwelt.core import keys, struct
from umwelt.networks import layers
from umwelt.networks.layers import Stack

LOWEST, HIGHEST = -4.0, 15.0
"""Bounds of a log deviation."""


@struct
class Latent:
    """encoder: [F + A] -> [2 Z]. decoder: [F + Z] -> [A], before tanh."""

    encoder: Stack
    decoder: Stack


def latent(key: jax.Array, width: int, size: int, units: int, latents: int) -> Latent:
    """Make an autoencoder of vectors [A] in (-1, 1), given features [F], with a latent [Z]."""
    for_encoder, for_decoder = keys.split(key, "encoder", "decoder")
    encoder = layers.stack(for_encoder, (width + size, units, units, 2 * latents), normed=False)
    decoder = layers.stack(for_decoder, (width + latents, units, units, size), normed=False)
    return Latent(encoder=layers.even(for_encoder, encoder), decoder=layers.even(for_decoder, decoder))


def loss(key: jax.Array, model: Latent, features: jax.Array, vector: jax.Array, beta: float) -> jax.Array:
    """Bound the negative log-likelihood of vectors [N, A] up to scale and a constant: float32 [N], by one latent each."""
    mean, deviation = encoded(model, features, vector)
    drawn = mean + jnp.exp(deviation) * jax.random.normal(key, mean.shape)
    error = jnp.mean((decoded(model, features, drawn) - vector) ** 2, axis=-1)
    return error + beta * jnp.mean(divergence(mean, deviation), axis=-1)


def encoded(model: Latent, features: jax.Array, vector: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Mean and log deviation [N, Z] of the latent."""
    mean, deviation = jnp.split(
        layers.apply(model.encoder, jnp.concatenate([features, vector], axis=-1), jax.nn.relu), 2, axis=-1
    )
    return mean, jnp.clip(deviation, LOWEST, HIGHEST)


def decoded(model: Latent, features: jax.Array, drawn: jax.Array) -> jax.Array:
    """Vectors [N, A] of latents [N, Z]."""
    return jnp.tanh(layers.apply(model.decoder, jnp.concatenate([features, drawn], axis=-1), jax.nn.relu))


def divergence(mean: jax.Array, deviation: jax.Array) -> jax.Array:
    """The divergence [N, Z], in nats, of normals with this mean and log deviation from a unit normal."""
    return 0.5 * (mean**2 + jnp.exp(2.0 * deviation) - 1.0) - deviation
