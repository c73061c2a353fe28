"""Show an arm one thing from nearby: where things are is seen from the thing, and the hand moves along the same axes.

A skill that sees nothing else is the same wherever the thing lies.
"""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.core import Box, TimeStep, WorldSpec, part
from umwelt.worlds.arm import HOLE, MARK, Arm, tip
from umwelt.worlds.wrapped import Wrapped

PLACES = {"puck": (slice(8, 10), MARK), "peg": (slice(10, 12), HOLE)}
"""Where in an observation of `Arm` each thing stands, and where it is to go."""


def local(world: Arm, thing: Literal["puck", "peg"]) -> Wrapped:
    """The arm as a skill for one thing sees and moves it: relative places, and the velocity of the hand."""
    return Wrapped(world=world, layer=Local(thing=thing))


@part
class Local:
    """Shows the hand and the goal as they lie from a thing, float32 [4]; takes the velocity of the hand, and the grip.

    >>> seen = jnp.zeros((1, 12)).at[0, 4:6].set(jnp.array([0.5, 0.25])).at[0, 10:12].set(0.25)
    >>> Local(thing="peg").shown(seen)[0, :2].tolist()
    [0.25, 0.0]
    """

    thing: Literal["puck", "peg"] = "peg"
    """What is looked at."""
    damping: float = 0.05
    """What keeps the joints slow where the arm is stretched."""

    keeps = ("reward",)
    """What it leaves as it is."""

    def spec(self, inner: WorldSpec) -> WorldSpec:
        """Four numbers seen, three done."""
        if self.thing not in PLACES:
            raise ValueError(f"thing={self.thing!r} of Local must be one of {', '.join(PLACES)}")
        seen = Box(shape=(4,), low=-5.0, high=5.0)
        return replace(
            inner, name=f"{inner.name} from {self.thing}", observation=seen, action=Box(shape=(3,), low=-1.0, high=1.0)
        )

    def begin(self, inner: WorldSpec, step: TimeStep) -> jax.Array:
        """Remember the joints: float32 [B, 2]."""
        return _joints(step.observation)

    def on_action(self, key: jax.Array, state: jax.Array, action: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Turn the joints so that the hand moves as it should, as well as they can."""
        speeds = jax.vmap(self._turned)(state, action[:, :2])
        return state, jnp.concatenate([speeds, action[:, 2:]], axis=-1)

    def on_step(self, state: jax.Array, step: TimeStep) -> tuple[jax.Array, TimeStep]:
        """Show the step from the thing."""
        return _joints(step.observation), replace(step, observation=self.shown(step.observation))

    def shown(self, observation: jax.Array) -> jax.Array:
        """float32 [N, 4]: the hand, then the goal, from the thing."""
        where, goal = PLACES[self.thing]
        thing = observation[:, where]
        return jnp.concatenate([observation[:, 4:6] - thing, jnp.asarray(goal) - thing], axis=-1)

    def _turned(self, joints: jax.Array, velocity: jax.Array) -> jax.Array:
        """Damped least squares: speeds of the joints float32 [2], none above 1, that keep the direction."""
        slope = jax.jacobian(tip)(joints)
        square = slope @ slope.T + self.damping**2 * jnp.eye(2)
        # the determinant by hand: a solver would cost more than the world
        inverse = jnp.array([[square[1, 1], -square[0, 1]], [-square[1, 0], square[0, 0]]])
        inverse = inverse / (square[0, 0] * square[1, 1] - square[0, 1] * square[1, 0])
        speeds = slope.T @ (inverse @ velocity)
        return speeds / jnp.maximum(jnp.max(jnp.abs(speeds)), 1.0)


def _joints(observation: Any) -> jax.Array:
    return jnp.arctan2(observation[:, 2:4], observation[:, :2])
