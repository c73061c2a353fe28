"""Let the arm feel what it touches: five numbers beside what it sees."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Box, TimeStep, WorldSpec, part, select
from umwelt.worlds.arm import DOOR, Arm
from umwelt.worlds.wrapped import Wrapped

EDGE = -0.8
"""Where the table ends below its base, along y: the tip meets its edge there."""
SEEN, FELT = tuple(range(12)), tuple(range(12, 17))
"""Entries of an observation that are seen, and those that are felt."""


def touching(world: Arm) -> Wrapped:
    """The arm with five more numbers in what it observes: how far the tip presses button, door, puck, peg and edge.

    >>> touching(Arm()).spec.observation.shape
    (17,)
    """
    return Wrapped(world=world, layer=Touching())


@part
class Touching:
    """Appends to an observation of the arm what the tip moved in the last decision, in metres."""

    keeps = ("action", "reward")
    """What it leaves as it is."""

    def spec(self, inner: WorldSpec) -> WorldSpec:
        """Five more numbers."""
        known = inner.observation
        if not isinstance(known, Box) or known.shape != (len(SEEN),):
            raise TypeError(f"touching needs the world arm, and {inner.name!r} shows {known}")
        low, high = (tuple(edge.tolist()) for edge in known.bounds)
        both = Box(shape=(len(SEEN) + len(FELT),), low=(*low, *(0.0,) * len(FELT)), high=(*high, *(2.0,) * len(FELT)))
        return dataclasses.replace(inner, observation=both)

    def renamed(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The names of the arm, and of what it feels."""
        return (*names, "button felt", "door felt", "puck felt", "peg felt", "edge felt")

    def begin(self, inner: WorldSpec, step: TimeStep) -> jax.Array:
        """What was seen last, [B, 12]."""
        return jnp.asarray(step.observation)

    def on_action(self, key: jax.Array, state: jax.Array, action: Any) -> tuple[jax.Array, Any]:
        """Unchanged."""
        return state, action

    def on_step(self, state: jax.Array, step: TimeStep) -> tuple[jax.Array, TimeStep]:
        """The observation, and what is felt; nothing where an episode begins."""
        now = jnp.asarray(step.observation)
        touch = select(jnp.asarray(step.first), jnp.zeros((now.shape[0], len(FELT)), now.dtype), felt(state, now))
        return now, dataclasses.replace(step, observation=jnp.concatenate([now, touch], axis=-1))


def felt(before: jax.Array, after: jax.Array) -> jax.Array:
    """What the tip pressed between two observations [B, 12]: float32 [B, 5], metres."""
    # a button that is let go comes up by half in each decision
    button = jnp.where(after[:, 6] > 0.5 * before[:, 6] + 1e-5, after[:, 6], 0.0)
    door = DOOR * jnp.abs(after[:, 7] - before[:, 7])
    puck, peg = (jnp.linalg.norm(after[:, at] - before[:, at], axis=-1) for at in (slice(8, 10), slice(10, 12)))
    edge = jnp.maximum(EDGE - after[:, 5], 0.0)
    return jnp.stack([button, door, puck, peg, edge], axis=-1)
