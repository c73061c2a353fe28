"""Hide numbers from a policy and show them to its teacher, and push a body now and then."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, TimeStep, WorldSpec, part, select, struct
from umwelt.worlds.wrapped import Wrapped

SEEN, HIDDEN = "seen", "hidden"
"""The leaves of an observation: what a policy may read, and what only its teacher may."""


def partly(world: Any, hidden: tuple[int, ...] = (), past: int = 6) -> Wrapped:
    """Show the last `past` moments without the numbers `hidden` of one Box, and those apart.

    The observation is `{"seen": ..., "hidden": ...}`, without `hidden` where nothing is hidden. A moment holds what is left of
    an observation, and the action before it.

    >>> from umwelt.worlds.pendulum import Pendulum
    >>> spaces = partly(Pendulum(), hidden=(2,), past=4).spec.observation
    >>> spaces["seen"].shape, spaces["hidden"].shape
    ((12,), (1,))
    """
    return Wrapped(world=world, layer=Partly(hidden=hidden, past=past))


def with_past(world: Any) -> Any:
    """The world with its last six moments shown. One that shows them already, and one of another kind, stays as it is."""
    seen, acts = world.spec.observation, world.spec.action
    return partly(world) if isinstance(seen, Box) and len(seen.shape) == 1 and isinstance(acts, Box) else world


def pushed(world: Any, chance: float = 0.05, force: float = 0.5) -> Wrapped:
    """Now and then, add a random push to the action that was sent: at most `force` half-ranges of its Box.

    >>> from umwelt.worlds.pendulum import Pendulum
    >>> pushed(Pendulum(), chance=0.1).layer
    Pushed(chance=0.1, force=0.5)
    """
    return Wrapped(world=world, layer=Pushed(chance=chance, force=force))


@struct
class Moments:
    """frames: float32 [B, past, V + A], the newest last. action: float32 [B, A], the last one."""

    frames: Any
    action: Any


@part
class Partly:
    """Shows a short past of some numbers, and the others under a name of their own."""

    hidden: tuple[int, ...] = ()
    """Which numbers of the observation are hidden."""
    past: int = 6
    """Moments that are shown, the present one among them."""

    keeps = ("action", "reward")
    """What it leaves as it is."""

    def spec(self, inner: WorldSpec) -> WorldSpec:
        """Two boxes, or one."""
        space = inner.observation
        if not isinstance(space, Box) or len(space.shape) != 1 or not isinstance(inner.action, Box):
            raise TypeError(
                f"partly needs one vector to observe and a Box of actions, and {inner.name!r} has {space}, {inner.action}"
            )
        if self.past < 1 or not all(0 <= number < space.shape[0] for number in self.hidden):
            raise ValueError(f"hidden={self.hidden}, past={self.past}: {inner.name} has numbers 0 to {space.shape[0] - 1}")
        (low, high), action = space.bounds, [np.ravel(edge) for edge in inner.action.bounds]
        left = self._left(space.shape[0])
        edges = [np.tile(np.concatenate([edge[left], bound]), self.past) for edge, bound in zip((low, high), action, strict=True)]
        found = {SEEN: _box(*edges)}
        if self.hidden:
            found[HIDDEN] = _box(low[list(self.hidden)], high[list(self.hidden)])
        return dataclasses.replace(inner, observation=found)

    def begin(self, inner: WorldSpec, step: TimeStep) -> Moments:
        """The first observation, as if nothing had ever moved."""
        action = jnp.zeros((inner.batch, int(np.prod(inner.action.shape))), jnp.float32)
        return Moments(frames=self._repeated(step, action), action=action)

    def on_action(self, key: jax.Array, state: Moments, action: Any) -> tuple[Moments, Any]:
        """Keep the action, which is shown beside the next observation."""
        return dataclasses.replace(state, action=jnp.asarray(action, jnp.float32).reshape(state.action.shape)), action

    def on_step(self, state: Moments, step: TimeStep) -> tuple[Moments, TimeStep]:
        """The oldest moment leaves, the newest comes last."""
        first = jnp.asarray(step.first)
        action = jnp.where(first[:, None], 0.0, state.action)
        again = self._repeated(step, action)
        frames = select(first, again, jnp.concatenate([state.frames[:, 1:], again[:, -1:]], axis=1))
        shown = {SEEN: frames.reshape(frames.shape[0], -1)}
        if self.hidden:
            shown[HIDDEN] = jnp.asarray(step.observation, jnp.float32)[:, np.array(self.hidden)]
        return Moments(frames=frames, action=action), dataclasses.replace(step, observation=shown)

    def _repeated(self, step: TimeStep, action: jax.Array) -> jax.Array:
        """The present moment, as often as moments are shown: float32 [B, past, V + A]."""
        seen = jnp.asarray(step.observation, jnp.float32)
        newest = jnp.concatenate([seen[:, self._left(seen.shape[1])], action], axis=1)
        return jnp.repeat(newest[:, None], self.past, axis=1)

    def _left(self, width: int) -> np.ndarray:
        """The numbers that are not hidden."""
        return np.setdiff1d(np.arange(width), np.array(self.hidden, int))


@part
class Pushed:
    """Adds random pushes to actions."""

    chance: float = 0.05
    """How often."""
    force: float = 0.5
    """The largest push, in half-ranges."""

    keeps = ("observation", "reward")
    """What it leaves as it is."""

    def spec(self, inner: WorldSpec) -> WorldSpec:
        """Unchanged."""
        if not 0 <= self.chance <= 1:
            raise ValueError(f"chance={self.chance} of pushed: a probability lies in 0 .. 1")
        if not isinstance(inner.action, Box) or not inner.action.bounded:
            raise TypeError(f"pushed needs a bounded Box of actions, and {inner.name!r} has {inner.action}")
        return inner

    def begin(self, inner: WorldSpec, step: TimeStep) -> tuple[jax.Array, jax.Array]:
        """The bounds of actions, for each row."""
        low, high = (np.broadcast_to(edge, (inner.batch, *edge.shape)) for edge in inner.action.bounds)
        return jnp.asarray(low), jnp.asarray(high)

    def on_action(self, key: jax.Array, state: tuple[jax.Array, jax.Array], action: Any) -> tuple[Any, Any]:
        """The action, at times with a push."""
        low, high = state
        whether, which = jax.random.split(key)
        push = self.force * (high - low) / 2 * jax.random.uniform(which, low.shape, minval=-1.0)
        some = jax.random.uniform(whether, low.shape[:1]) < self.chance
        return state, jnp.clip(select(some, action + push, jnp.asarray(action)), low, high)

    def on_step(self, state: Any, step: TimeStep) -> tuple[Any, TimeStep]:
        """Unchanged."""
        return state, step


def _box(low: np.ndarray, high: np.ndarray) -> Box:
    return Box(shape=low.shape, low=tuple(map(float, low)), high=tuple(map(float, high)))
