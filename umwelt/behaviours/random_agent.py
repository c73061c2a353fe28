"""The agent that never learns: the floor under every comparison."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.masks import admissible, drawn
from umwelt.core import Experience, Info, Metric, Prediction, TimeStep, WorldSpec, part, spaces, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks.form import Form, form


@struct
class RandomState:
    """rows: int8 [B], nothing but the batch. open: bool [B, n], the choices that are admissible now; None where all are."""

    rows: jax.Array
    open: Any
    observation_form: Form = static()
    action_form: Form = static()


@part
class RandomAgent:
    """Draws every action uniformly from the action space."""

    metrics: tuple[Metric, ...] = ()
    """The metrics that it declares."""

    def init(self, key: jax.Array, spec: WorldSpec) -> RandomState:
        """Keep the spaces."""
        forms = form(spec.observation), form(spec.action)
        open = admissible(*forms, spaces.zeros(spec.observation, spec.batch))
        return RandomState(rows=jnp.zeros(spec.batch, jnp.int8), open=open, observation_form=forms[0], action_form=forms[1])

    def see(self, key: jax.Array, state: RandomState, step: TimeStep) -> tuple[RandomState, Info]:
        """Keep which choices are open; surprise and doubt are NaN, for there is no model."""
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        open = admissible(state.observation_form, state.action_form, step.observation)
        return replace(state, open=open), {"surprise": nothing, "doubt": nothing}

    def act(self, key: jax.Array, state: RandomState, mode: Mode = "explore") -> tuple[RandomState, Any]:
        """Draw uniformly for each row, whatever the mode."""
        return state, drawn(key, state.action_form, state.rows.shape[0], state.open)

    def remember(self, key: jax.Array, state: RandomState, experience: Experience) -> tuple[RandomState, Info]:
        """Keep nothing."""
        return state, {}

    def learn(self, key: jax.Array, state: RandomState) -> tuple[RandomState, Info]:
        """Learn nothing."""
        return state, {}

    def embody(self, key: jax.Array, state: RandomState, spec: WorldSpec) -> RandomState:
        """Draw for spec.batch rows."""
        return self.init(key, spec)

    def imagine(self, key: jax.Array, state: RandomState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None
