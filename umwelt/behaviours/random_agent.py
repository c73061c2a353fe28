"""The agent that never learns: the floor under every comparison."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Info, Metric, Prediction, TimeStep, WorldSpec, part, spaces, static, struct
from umwelt.core.contracts import Mode


@struct
class RandomState:
    """It remembers only what it may do. action_space: a space."""

    action_space: Any = static()


@part
class RandomAgent:
    """Draws every action uniformly from the action space."""

    metrics: tuple[Metric, ...] = ()
    """What it reports."""

    def init(self, key: jax.Array, spec: WorldSpec) -> RandomState:
        """A newborn in the world of `spec`."""
        return RandomState(action_space=spec.action)

    def act(self, key: jax.Array, state: RandomState, step: TimeStep, mode: Mode = "explore") -> tuple[RandomState, Any]:
        """A uniform draw for each row, whatever the mode."""
        return state, spaces.sample(key, state.action_space, step.kind.shape[0])

    def remember(
        self, key: jax.Array, state: RandomState, step: TimeStep, action: Any, next: TimeStep
    ) -> tuple[RandomState, Info]:
        """It expects nothing, so nothing surprises it."""
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        return state, {"surprise": nothing, "doubt": nothing}

    def learn(self, key: jax.Array, state: RandomState) -> tuple[RandomState, Info]:
        """It learns nothing."""
        return state, {}

    def embody(self, key: jax.Array, state: RandomState, spec: WorldSpec) -> RandomState:
        """The same dice."""
        return state

    def imagine(self, key: jax.Array, state: RandomState, actions: Any) -> Prediction | None:
        """It has no model."""
        return None
