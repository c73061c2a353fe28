"""Stein variational gradient descent: particles that move together until they are spread as a density says.

"Stein Variational Gradient Descent: A General Purpose Bayesian Inference Algorithm" (2016).
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp


def direction(particles: jax.Array, slopes: jax.Array) -> jax.Array:
    """Where each of the particles [N, D] goes: float32 [N, D]. slopes: [N, D], gradients of the log density at each.

    The kernel is exp(-d^2 / h), and h is the squared median distance over log N. It draws each particle along the slopes
    of its neighbours and pushes it away from them.
    """
    number = particles.shape[0]
    apart = particles[:, None] - particles[None]
    square = jnp.sum(apart**2, axis=-1)
    width = jnp.maximum(jnp.median(square) / jnp.log(number + 1.0), 1e-8)
    near = jnp.exp(-square / width)
    pushed = jnp.sum(near[:, :, None] * apart, axis=1) * 2.0 / width
    return (near @ slopes + pushed) / number


def moved(particles: jax.Array, log_density: Callable[[jax.Array], jax.Array], step: float, rounds: int) -> jax.Array:
    """The particles [N, D] after `rounds` steps up a log density of one place [D] -> []."""
    slope = jax.vmap(jax.grad(log_density))

    def once(particles: jax.Array, _: None) -> tuple[jax.Array, None]:
        return particles + step * direction(particles, slope(particles)), None

    return jax.lax.scan(once, particles, None, length=rounds)[0]
