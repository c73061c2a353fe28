"""The agent that never learns: the floor under every comparison."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.masks import admissible, drawn
from umwelt.core import Experience, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part, select, spaces, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks.form import Form, form


@struct
class RandomState:
    """rows: int8 [B], nothing but the batch. open: bool [B, n], the choices that are admissible now; None where all are.
    held: the last action, leaves [B, ...], and fresh: bool [B], no action is held yet; both None where none is held."""

    rows: jax.Array
    open: Any
    held: Any = None
    fresh: Any = None
    observation_form: Form = static()
    action_form: Form = static()


@part
class RandomAgent:
    """Draws every action uniformly from the action space, and may hold it for some time."""

    hold: float = 1.0
    """Decisions that an action lasts on average, in a geometric law; 1 draws at every decision."""
    metrics: tuple[Metric, ...] = ()
    """The metrics that it declares."""

    def init(self, key: jax.Array, spec: WorldSpec) -> RandomState:
        """Keep the spaces."""
        if self.hold < 1.0:
            raise ValueError(f"hold={self.hold}: an action lasts at least 1 decision")
        forms = form(spec.observation), form(spec.action)
        open = admissible(*forms, spaces.zeros(spec.observation, spec.batch))
        holds = self.hold > 1.0
        return RandomState(
            rows=jnp.zeros(spec.batch, jnp.int8),
            open=open,
            held=spaces.zeros(spec.action, spec.batch) if holds else None,
            fresh=jnp.ones(spec.batch, bool) if holds else None,
            observation_form=forms[0],
            action_form=forms[1],
        )

    def see(self, key: jax.Array, state: RandomState, step: TimeStep) -> tuple[RandomState, Info]:
        """Keep which choices are open; surprise and doubt are NaN, for there is no model."""
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        open = admissible(state.observation_form, state.action_form, step.observation)
        fresh = None if state.fresh is None else state.fresh | step.first
        return replace(state, open=open, fresh=fresh), {"surprise": nothing, "doubt": nothing}

    def act(self, key: jax.Array, state: RandomState, mode: Mode = "explore") -> tuple[RandomState, Any]:
        """Draw uniformly for each row, whatever the mode; hold the last action where it is still open."""
        rows = state.rows.shape[0]
        action = drawn(key, state.action_form, rows, state.open)
        if state.held is None:
            return state, action
        again = state.fresh | (jax.random.uniform(keys.fold(key, "hold"), (rows,)) < 1.0 / self.hold)
        if state.open is not None:
            again |= ~state.open[jnp.arange(rows), state.held]
        action = select(again, action, state.held)
        return replace(state, held=action, fresh=jnp.zeros(rows, bool)), action

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
