"""Keep the places and the results of finished episodes: what teachers of continuous tasks learn from."""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.core import Feedback, struct

Of = Literal["returns", "surprise", "doubt"]
"""What counts as the result of an episode: its return, or what the student's model made of it."""


@struct
class Outcomes:
    """places: float32 [S, D]. values: float32 [S]. count: int32, episodes so far; the newest replace the oldest."""

    places: jax.Array
    values: jax.Array
    count: jax.Array

    @property
    def slots(self) -> int:
        """S, the episodes that are kept."""
        return self.values.shape[0]

    @property
    def numbers(self) -> jax.Array:
        """int32 [S]: which episode each slot holds, counted from 0; negative where it holds none."""
        last = self.count - 1
        return last - (last - jnp.arange(self.slots)) % self.slots

    def added(self, places: jax.Array, values: jax.Array, rows: jax.Array) -> "Outcomes":
        """Add places [B, D] and values [B] of the rows bool [B], in the order of the rows."""
        at = (self.count + jnp.cumsum(rows) - 1) % self.slots
        at = jnp.where(rows, at, self.slots)  # what lies outside is dropped
        return Outcomes(
            places=self.places.at[at].set(places, mode="drop"),
            values=self.values.at[at].set(values, mode="drop"),
            count=self.count + jnp.sum(rows),
        )

    def newest(self, number: int) -> tuple[jax.Array, jax.Array, jax.Array]:
        """The last episodes in order: places [number, D], values [number], and their numbers; negative for none."""
        numbers = self.count - number + jnp.arange(number)
        at = numbers % self.slots
        return self.places[at], self.values[at], numbers


def no_outcomes(slots: int, width: int) -> Outcomes:
    """Hold no episode yet."""
    return Outcomes(places=jnp.zeros((slots, width)), values=jnp.zeros(slots), count=jnp.int32(0))


def result_of(feedback: Feedback, of: Of) -> tuple[jax.Array, jax.Array]:
    """The results float32 [B] of the present episodes, and in which rows bool [B] one has just become known."""
    values: Any = {"returns": feedback.returns, "surprise": feedback.surprise, "doubt": feedback.doubt}[of]
    values = jnp.asarray(values, jnp.float32)
    return values, feedback.finished & jnp.isfinite(values)


def nearest_change(outcomes: Outcomes, number: int, least: int = 5) -> jax.Array:
    """How far each of the last `number` results is from that of the nearest earlier place: float32 [number].

    It is 0 for the first `least` episodes. Of places at the same distance the newest one counts.
    """
    places, values, numbers = outcomes.newest(number)
    known = outcomes.numbers
    # each side as a row of its own, one place after the other: all distances at once would not fit into a cache
    sides = tuple(outcomes.places.T)

    def newest_of_nearest(given: tuple[jax.Array, jax.Array]) -> jax.Array:
        place, number = given
        apart = sum((side - at) ** 2 for side, at in zip(sides, place, strict=True))
        apart = jnp.where((known >= 0) & (known < number), apart, jnp.inf)
        return jnp.max(jnp.where(apart <= jnp.min(apart), known, -1))

    newest = jax.lax.map(newest_of_nearest, (places, numbers)) % outcomes.slots
    return jnp.where(numbers > least, jnp.abs(values - outcomes.values[newest]), 0.0)


def scaled(values: jax.Array, outcomes: Outcomes, scale: tuple[float, float] | None) -> jax.Array:
    """Values in the unit of `scale` (lowest, highest), or of the range of what is kept where it is None."""
    if scale is not None:
        return (values - scale[0]) / (scale[1] - scale[0])
    held = outcomes.numbers >= 0
    low = jnp.min(jnp.where(held, outcomes.values, jnp.inf))
    high = jnp.max(jnp.where(held, outcomes.values, -jnp.inf))
    return jnp.where(jnp.any(held), (values - low) / jnp.maximum(high - low, 1e-6), 0.0)


def rescaled(outcomes: Outcomes, scale: tuple[float, float] | None) -> Outcomes:
    """The same episodes with values in the unit of `scale`."""
    return replace(outcomes, values=scaled(outcomes.values, outcomes, scale))
