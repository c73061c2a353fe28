"""What comes before the features: standard units, and the queue of the warm-up."""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import struct

WIDEST_BOX = 1e6
"""A box wider than this is a placeholder for "unbounded", and has no scale."""


@struct
class Standard:
    """Standard units: (x - centre) / scale, for inputs [width] and targets [M], float32."""

    input_centre: jax.Array
    input_scale: jax.Array
    target_centre: jax.Array
    target_scale: jax.Array

    def inputs(self, flat: jax.Array) -> jax.Array:
        """Bring inputs [N, width] to standard units, in their own dtype."""
        return (flat - self.input_centre) / self.input_scale

    def targets(self, flat: jax.Array) -> jax.Array:
        """Bring targets [N, M] to standard units, in their own dtype."""
        return (flat - self.target_centre) / self.target_scale


@struct
class Queue:
    """The transitions of the warm-up in order, float32 [capacity, width] and [capacity, M].

    arrived, learned: int32, how many were added and how many are learned. After the warm-up it holds the one transition
    that is learned next.
    """

    inputs: jax.Array
    targets: jax.Array
    arrived: jax.Array
    learned: jax.Array

    @property
    def capacity(self) -> int:
        """How many transitions the warm-up takes."""
        return self.inputs.shape[0]

    def push(self, inputs: jax.Array, targets: jax.Array, valid: jax.Array) -> "Queue":
        """Append one transition ([width], [M]) where `valid`."""
        slot = jnp.where(valid, self.arrived % self.capacity, self.capacity)
        return dataclasses.replace(
            self,
            inputs=self.inputs.at[slot].set(inputs, mode="drop"),
            targets=self.targets.at[slot].set(targets, mode="drop"),
            arrived=self.arrived + valid.astype(jnp.int32),
        )


def measure(queue: Queue, known: tuple[np.ndarray, np.ndarray], centred: np.ndarray) -> Standard:
    """Measure the standard units of the transitions in the queue so far.

    known: (low, high) of the inputs. The bounds standardise a bounded input, as if it were uniform between them. So a
    warm-up in one corner of the world does not mistake that corner for all of it.
    centred: bool [M], targets relative to their mean; 0 of the others means "no change".
    """
    low, high = known
    with np.errstate(over="ignore"):
        bounded = np.isfinite(low) & np.isfinite(high) & (high - low < WIDEST_BOX) & (high > low)
    middle = np.where(bounded, (np.where(bounded, low, 0) + np.where(bounded, high, 0)) / 2, 0).astype(np.float32)
    width = np.where(bounded, np.where(bounded, high, 1) - np.where(bounded, low, 0), 1) / math.sqrt(12)
    present = (jnp.arange(queue.capacity) < queue.arrived)[:, None]
    count = jnp.maximum(queue.arrived, 1).astype(jnp.float32)

    def moments(values: jax.Array, moved: Any) -> tuple[jax.Array, jax.Array]:
        centre = jnp.sum(jnp.where(present, values, 0), 0) / count * moved
        spread = jnp.sqrt(jnp.sum(jnp.where(present, values - centre, 0) ** 2, 0) / count)
        # An entry that never varied has no scale of its own yet, only rounding.
        return centre, jnp.where(spread > 1e-6 * (1 + jnp.abs(centre)), spread, 1)

    input_centre, input_scale = moments(queue.inputs, np.float32(1))
    target_centre, target_scale = moments(queue.targets, centred.astype(np.float32))
    return Standard(
        input_centre=jnp.where(bounded, middle, input_centre),
        input_scale=jnp.where(bounded, width.astype(np.float32), input_scale),
        target_centre=target_centre,
        target_scale=target_scale,
    )
