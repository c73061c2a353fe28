"""The agent that never learns: the floor under every comparison."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Experience, Info, Metric, Prediction, TimeStep, WorldSpec, part, spaces, static, struct
from umwelt.core.contracts import Mode


@struct
class RandomState:
    """rows: int8 [B], nothing but the batch. action_space: a space."""

    rows: jax.Array
    action_space: Any = static()


@part
class RandomAgent:
    """Draws every action uniformly from the action space."""

    metrics: tuple[Metric, ...] = ()
    """The metrics that it declares."""

    def init(self, key: jax.Array, spec: WorldSpec) -> RandomState:
        """Keep the action space."""
        return RandomState(rows=jnp.zeros(spec.batch, jnp.int8), action_space=spec.action)

    def see(self, key: jax.Array, state: RandomState, step: TimeStep) -> tuple[RandomState, Info]:
        """It predicts nothing, so nothing surprises it."""
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        return state, {"surprise": nothing, "doubt": nothing}

    def act(self, key: jax.Array, state: RandomState, mode: Mode = "explore") -> tuple[RandomState, Any]:
        """A uniform draw for each row, whatever the mode."""
        return state, spaces.sample(key, state.action_space, state.rows.shape[0])

    def remember(self, key: jax.Array, state: RandomState, experience: Experience) -> tuple[RandomState, Info]:
        """It keeps nothing."""
        return state, {}

    def learn(self, key: jax.Array, state: RandomState) -> tuple[RandomState, Info]:
        """It learns nothing."""
        return state, {}

    def embody(self, key: jax.Array, state: RandomState, spec: WorldSpec) -> RandomState:
        """The same draws, for spec.batch rows."""
        return self.init(key, spec)

    def imagine(self, key: jax.Array, state: RandomState, actions: Any) -> Prediction | None:
        """It has no model."""
        return None
