"""Add entries to the actions of a world that do nothing."""

import dataclasses
import math
from typing import Any

import jax

from umwelt.core import Box, TimeStep, WorldSpec, part
from umwelt.worlds.wrapped import Wrapped


def padded(world: Any, extra: int = 7) -> Wrapped:
    """A world of boxes whose actions have `extra` more entries, in [-1, 1], which do nothing.

    >>> from umwelt.worlds.pendulum import Pendulum
    >>> padded(Pendulum(), 3).spec.action.shape
    (4,)
    """
    return Wrapped(world=world, layer=Padded(extra=extra))


@part
class Padded:
    """Cuts the last entries off an action."""

    extra: int = 7
    """How many."""

    keeps = ("observation",)
    """What it leaves as it is; the reward too, but then the expert of the world inside would act with too few entries."""

    def spec(self, inner: WorldSpec) -> WorldSpec:
        """The action is a vector with more entries."""
        if self.extra < 1:
            raise ValueError(f"extra={self.extra} of padded: add at least 1 entry")
        return dataclasses.replace(inner, action=self._wide(inner))

    def begin(self, inner: WorldSpec, step: TimeStep) -> tuple[()]:
        """Nothing to remember."""
        return ()

    def on_action(self, key: jax.Array, state: tuple[()], action: Any) -> tuple[tuple[()], Any]:
        """The entries that the world knows."""
        return state, action[..., : -self.extra]

    def on_step(self, state: tuple[()], step: TimeStep) -> tuple[tuple[()], TimeStep]:
        """Unchanged."""
        return state, step

    def _wide(self, inner: WorldSpec) -> Box:
        known = inner.action
        if not isinstance(known, Box) or len(known.shape) != 1:
            raise TypeError(f"padded needs actions that are one Box [A], and {inner.name!r} has {known}")
        low, high = (tuple(edge.tolist()) for edge in known.bounds)
        return Box(
            shape=(math.prod(known.shape) + self.extra,),
            low=(*low, *(-1.0,) * self.extra),
            high=(*high, *(1.0,) * self.extra),
            dtype=known.dtype,
        )
