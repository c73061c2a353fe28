"""Show observations in standard units, which are measured once, before a life begins.

Units that are measured during life drift: later they change what a memory holds, and an exam, which begins worlds of
its own, has other units than life.
"""

import dataclasses
from typing import Any

import jax
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, host_scan, keys, part, spaces
from umwelt.networks.inside import with_batch
from umwelt.worlds.wrapped import Wrapped

TASKS = 16
"""Named tasks that are tried, the first ones, each in a row of its own."""


def normalised(world: Any, clip: float = 100.0, decisions: int = 2000, seed: int = 0) -> Wrapped:
    """A vector observation in standard units of what `decisions` random ones show, over the world's named tasks; clipped."""
    if decisions < 2:
        raise ValueError(f"decisions={decisions} of normalised: units are measured from 2 decisions at least")
    Standard(clip=clip, mean=(), deviation=()).spec(world.spec)
    seen = random_play(world, decisions, seed)
    mean, deviation = seen.mean(axis=0), seen.std(axis=0)
    # what never moves keeps its own unit
    deviation = np.where(deviation > 1e-6 * np.maximum(np.abs(mean), 1.0), deviation, 1.0)
    mean, deviation = (tuple(float(np.float32(number)) for number in numbers) for numbers in (mean, deviation))
    return Wrapped(world=world, layer=Standard(clip=clip, mean=mean, deviation=deviation))


def random_play(world: Any, decisions: int, seed: int) -> np.ndarray:
    """Observations float64 [M, F] of so many random decisions, in all rows together."""
    tasks = list(world.tasks().values())[:TASKS]
    world = with_batch(world, len(tasks))
    hosted, space = world.spec.hosted, world.spec.action
    rows = jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *tasks)
    key = jax.random.key(seed)
    onward = world.step if hosted else jax.jit(world.step)
    draw = jax.jit(lambda index: spaces.sample(jax.random.fold_in(keys.fold(key, "act"), index), space, len(tasks)))
    state, step = world.init(keys.fold(key, "begin"), rows)
    first = np.asarray(step.observation, np.float64)

    def tick(state: Any, index: Any) -> tuple[Any, np.ndarray]:
        action = jax.tree.map(np.asarray, draw(index)) if hosted else draw(index)
        state, step = onward(jax.random.fold_in(keys.fold(key, "step"), index), state, action, rows)
        return state, np.asarray(step.observation, np.float64)

    state, later = host_scan(tick, state, np.arange(-(-decisions // len(tasks))))
    if hosted:
        world.close(state)
    return np.concatenate([first, later.reshape(-1, first.shape[-1])])


@part
class Standard:
    """Takes the mean off a vector, and divides it by the deviation.

    >>> step = TimeStep(kind=np.array([1]), observation=np.array([[7.0]]), reward=np.zeros(1))
    >>> layer = Standard(clip=5.0, mean=(1.0,), deviation=(2.0,))
    >>> float(layer.on_step((), step)[1].observation[0, 0])
    3.0
    """

    clip: float
    """Standard deviations at which an observation is clipped."""
    mean: tuple[float, ...]
    """Of each number."""
    deviation: tuple[float, ...]
    """Of each number."""

    keeps = ("action", "reward")
    """What it leaves as it is."""

    def spec(self, inner: WorldSpec) -> WorldSpec:
        """A vector within the clip."""
        if not self.clip > 0:
            raise ValueError(f"clip={self.clip} of normalised must be above 0")
        seen = inner.observation
        if not isinstance(seen, Box) or len(seen.shape) != 1:
            raise TypeError(f"normalised needs an observation that is one Box of shape (n,), and {inner.name!r} has {seen}")
        return dataclasses.replace(inner, observation=Box(shape=seen.shape, low=-self.clip, high=self.clip))

    def renamed(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The same, in other units."""
        return names

    def begin(self, inner: WorldSpec, step: TimeStep) -> tuple[()]:
        """Nothing to remember."""
        return ()

    def on_action(self, key: jax.Array, state: tuple[()], action: Any) -> tuple[tuple[()], Any]:
        """Unchanged."""
        return state, action

    def on_step(self, state: tuple[()], step: TimeStep) -> tuple[tuple[()], TimeStep]:
        """The observation in standard units."""
        mean, deviation = np.asarray(self.mean, np.float32), np.asarray(self.deviation, np.float32)
        shown = ((step.observation - mean) / deviation).clip(-self.clip, self.clip).astype(np.float32)
        return state, dataclasses.replace(step, observation=shown)
