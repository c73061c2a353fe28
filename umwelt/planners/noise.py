"""Coloured noise: standard normal numbers whose power falls as frequency ** -beta along time."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np


def coloured(white: jax.Array, beta: float) -> jax.Array:
    """Give white noise [H, ...] the spectrum frequency ** -beta along its first axis; variance stays 1.

    beta 0 is white, 1 pink, 2 red (a random walk). As in iCEM (2020), the lowest
    frequency but zero sets the power at zero, and the noise is periodic in H.
    """
    if beta == 0 or white.shape[0] == 1:
        return white
    return jnp.tensordot(_filter(white.shape[0], float(beta)), white, axes=1)


@lru_cache
def _filter(horizon: int, beta: float) -> np.ndarray:
    """float32 [H, H]: the circulant matrix that gives white noise its colour. At a planner's
    horizons one small product is cheaper than two Fourier transforms."""
    frequency = np.fft.rfftfreq(horizon)
    frequency[0] = frequency[1]
    response = np.fft.irfft(frequency ** (-beta / 2), horizon)
    response /= np.linalg.norm(response)
    lag = (np.arange(horizon)[:, None] - np.arange(horizon)) % horizon
    return response[lag].astype(np.float32)
