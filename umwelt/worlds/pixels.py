"""Make pictures smaller, or grey, without another library: layers for worlds that show pictures [H, W, C] of bytes."""

import dataclasses
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, part
from umwelt.worlds.wrapped import Wrapped

LUMA = (0.299, 0.587, 0.114)
"""How bright red, green and blue look (ITU-R BT.601)."""


def resized(world: Any, side: int = 64) -> Wrapped:
    """Pictures of `side` x `side` pixels, whatever their size was.

    >>> from umwelt.worlds.pendulum import Pendulum
    >>> from umwelt.worlds.wrappers import pictured
    >>> resized(pictured(Pendulum()), 16).spec.observation.shape
    (16, 16, 1)
    """
    return Wrapped(world=world, layer=Resized(side=side))


def grey(world: Any) -> Wrapped:
    """Pictures of one channel, as bright as their colours look; of several pictures side by side, one channel each.

    >>> red = np.zeros((1, 1, 1, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    >>> step = TimeStep(kind=np.zeros(1, np.int8), observation=red, reward=np.zeros(1))
    >>> int(Grey().on_step((), step)[1].observation[0, 0, 0, 0])
    76
    """
    return Wrapped(world=world, layer=Grey())


@part
class Resized:
    """Makes pictures larger or smaller."""

    side: int = 64
    """Pixels of both edges."""

    keeps = ("action", "reward")
    """What it leaves as it is."""

    def spec(self, inner: WorldSpec) -> WorldSpec:
        """The same channels on another square."""
        if self.side < 1:
            raise ValueError(f"side={self.side} of resized: a picture has at least 1 pixel")
        channels = _picture(inner, "resized").shape[-1]
        return dataclasses.replace(inner, observation=_bytes((self.side, self.side, channels)))

    def begin(self, inner: WorldSpec, step: TimeStep) -> tuple[()]:
        """Nothing to remember."""
        return ()

    def on_action(self, key: jax.Array, state: tuple[()], action: Any) -> tuple[tuple[()], Any]:
        """Unchanged."""
        return state, action

    def on_step(self, state: tuple[()], step: TimeStep) -> tuple[tuple[()], TimeStep]:
        """The picture, interpolated between its pixels; where it shrinks, all of them count."""
        seen = jnp.asarray(step.observation, jnp.float32)
        down, across = weights(seen.shape[1], self.side), weights(seen.shape[2], self.side)
        made = jnp.einsum("ih,bhwc,jw->bijc", down, seen, across)
        return state, dataclasses.replace(step, observation=_rounded(made))


@part
class Grey:
    """Makes pictures grey."""

    keeps = ("action", "reward")
    """What it leaves as it is."""

    def spec(self, inner: WorldSpec) -> WorldSpec:
        """One channel in place of three."""
        height, width, channels = _picture(inner, "grey").shape
        if channels % 3:
            raise ValueError(f"grey: the pictures of {inner.name!r} have {channels} channels; it takes red, green and blue")
        return dataclasses.replace(inner, observation=_bytes((height, width, channels // 3)))

    def begin(self, inner: WorldSpec, step: TimeStep) -> tuple[()]:
        """Nothing to remember."""
        return ()

    def on_action(self, key: jax.Array, state: tuple[()], action: Any) -> tuple[tuple[()], Any]:
        """Unchanged."""
        return state, action

    def on_step(self, state: tuple[()], step: TimeStep) -> tuple[tuple[()], TimeStep]:
        """The brightness of each pixel."""
        seen = jnp.asarray(step.observation, jnp.float32)
        bright = seen.reshape(*seen.shape[:-1], -1, 3) @ jnp.array(LUMA, jnp.float32)
        return state, dataclasses.replace(step, observation=_rounded(bright))


@lru_cache(maxsize=32)
def weights(size: int, side: int) -> np.ndarray:
    """How much each of `size` pixels in a row counts for each of `side` new ones: float32 [side, size]."""
    with jax.ensure_compile_time_eval():
        return np.asarray(jax.image.resize(jnp.eye(size), (side, size), "linear"))


def _picture(inner: WorldSpec, name: str) -> Box:
    seen = inner.observation
    if not isinstance(seen, Box) or len(seen.shape) != 3 or seen.dtype != "uint8":
        raise TypeError(f"{name} needs pictures, one Box [H, W, C] of uint8, and {inner.name!r} shows {seen}")
    return seen


def _bytes(shape: tuple[int, ...]) -> Box:
    return Box(shape=shape, low=0, high=255, dtype="uint8")


def _rounded(values: jax.Array) -> jax.Array:
    return jnp.clip(jnp.round(values), 0, 255).astype(jnp.uint8)
