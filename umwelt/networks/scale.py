"""Running means and standard deviations, which bring inputs and targets into one unit."""

import jax
import jax.numpy as jnp

from umwelt.core import struct


@struct
class Scale:
    """mean, variance: float32 [F]. count: float32 [], how many rows they rest on, at most the horizon."""

    mean: jax.Array
    variance: jax.Array
    count: jax.Array

    @property
    def deviation(self) -> jax.Array:
        """float32 [F]; 1 for a feature that has not varied yet, so that its first change is no explosion."""
        deviation = jnp.sqrt(self.variance)
        # Rounding makes a large constant look as if it varied by about a millionth of itself.
        return jnp.where(deviation > 1e-6 * (1.0 + jnp.abs(self.mean)), deviation, 1.0)


def unit(width: int) -> Scale:
    """Make the scale before any row: mean 0, deviation 1."""
    return Scale(mean=jnp.zeros(width), variance=jnp.ones(width), count=jnp.zeros(()))


def standard(scale: Scale, rows: jax.Array, clip: float) -> jax.Array:
    """Bring rows [N, F] to mean 0 and deviation 1, clipped at `clip` deviations."""
    return jnp.clip((rows - scale.mean) / scale.deviation, -clip, clip)


def update(scale: Scale, rows: jax.Array, weight: jax.Array, horizon: float) -> Scale:
    """Add rows [N, F] where weight [N] is 1. The moments are exact up to `horizon` rows. From there on they are a moving
    average over about that many, which forgets as the memory behind it does."""
    number = jnp.sum(weight)
    share = weight[:, None] / jnp.maximum(number, 1.0)
    mean = jnp.sum(share * rows, axis=0)
    variance = jnp.sum(share * (rows - mean) ** 2, axis=0)
    count = jnp.minimum(scale.count + number, jnp.maximum(horizon, number))
    rate = number / jnp.maximum(count, 1.0)
    gap = mean - scale.mean
    return Scale(
        mean=scale.mean + rate * gap,
        variance=(1.0 - rate) * (scale.variance + rate * gap**2) + rate * variance,
        count=count,
    )
