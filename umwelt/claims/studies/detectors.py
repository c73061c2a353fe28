"""Detectors of change on streams of normal values, of which some rise."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import keys, part


@part
class Noticing:
    """How seldom a detector alarms where nothing changes, and how soon where something does.

    calm: values between two false alarms, one more alarm counted than there were. delay: the mean number of values from a
    rise of the mean to the alarm, over the streams that had not alarmed before. noticed: the share of those that alarm.
    """

    detector: Any
    """Watches one value at a time."""
    rise: float = 1.0
    """How far the mean rises, in standard deviations."""
    streams: int = 200
    """Streams beside each other."""
    calm: int = 20_000
    """Values of each that change nothing."""
    before: int = 300
    """Values before a rise."""
    late: int = 1_000
    """Values from the rise on."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Measure one seed."""
        resting, rising = keys.split(key, "calm", "rising")
        false = self._alarms(resting, self.calm, self.calm)
        found = self._alarms(rising, self.before + self.late, self.before)
        late, first = found[self.before :], ~jnp.any(found[: self.before], axis=0)
        noticed = jnp.any(late, axis=0) & first
        delay = jnp.where(noticed, jnp.argmax(late, axis=0) + 1, 0)
        return {
            "calm": false.size / (jnp.sum(false) + 1.0),
            "delay": jnp.sum(delay) / jnp.sum(noticed),
            "noticed": jnp.sum(noticed) / jnp.sum(first),
        }

    def _alarms(self, key: jax.Array, steps: int, rises: int) -> jax.Array:
        """bool [steps, streams]: where it alarms on values that rise from the step `rises` on."""

        def watch(state: Any, step: jax.Array) -> tuple[Any, jax.Array]:
            value = jax.random.normal(jax.random.fold_in(key, step), (self.streams,))
            return self.detector.watch(state, value + self.rise * (step >= rises))

        return jax.lax.scan(watch, self.detector.init((self.streams,)), jnp.arange(steps))[1]
