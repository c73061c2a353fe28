"""An agent behind a guard: what it must not do is replaced before it is sent, in life and in probes.

"Safe-to-explore state spaces" (a hierarchy of tasks, in which avoiding stands above reaching). The agent learns from what was
sent, so it may explore as it likes: nothing that it wishes can break anything.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Experience, Info, Metric, Prediction, TimeStep, WorldSpec, capability, is_hosted, part, spaces, struct
from umwelt.core.contracts import Agent, Mode, World

GUARDED = Metric(name="guarded", unit="share", meaning="share of rows whose action the guard changed")


@struct
class GuardedState:
    """inner: the agent's. observation: leaves [B, ...], the last one. changed: bool [B], the last action is the guard's."""

    inner: Any
    observation: Any
    changed: jax.Array


@part
class Guarded:
    """Sends the nearest action that the world's guard allows."""

    agent: Agent
    """What acts, and learns from what was sent; without a model that filters by its own actions."""
    world: World
    """The world, with its wrappers; its `guard` says what is allowed."""

    passes = ()

    @property
    def inner(self) -> Agent:
        """The agent inside."""
        return self.agent

    @property
    def hosted(self) -> bool:
        """Whether the inner agent is plain Python."""
        return is_hosted(self.agent)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the inner agent reports, and how often the guard acts."""
        return (*self.agent.metrics, GUARDED)

    def init(self, key: jax.Array, spec: WorldSpec) -> GuardedState:
        """Begin as the agent does."""
        capability(self.world, "guard", required="Guarded")
        if getattr(self.agent, "model", None) is not None:
            raise ValueError("agent: an agent with a model filters by its own actions; take one without, such as ModelFree")
        return self._around(self.agent.init(key, spec), spec)

    def see(self, key: jax.Array, state: GuardedState, step: TimeStep) -> tuple[GuardedState, Info]:
        """Let the agent see the step, and keep it for the guard."""
        inner, info = self.agent.see(key, state.inner, step)
        return replace(state, inner=inner, observation=step.observation), info

    def act(self, key: jax.Array, state: GuardedState, mode: Mode = "explore") -> tuple[GuardedState, Any]:
        """Act as the agent does, as far as the guard allows it."""
        inner, wish = self.agent.act(key, state.inner, mode)
        guard: Any = capability(self.world, "guard", required="Guarded")
        sent = guard(state.observation, wish)
        return replace(state, inner=inner, changed=_changed(wish, sent)), sent

    def remember(self, key: jax.Array, state: GuardedState, experience: Experience) -> tuple[GuardedState, Info]:
        """Remember what was sent and what came of it."""
        inner, info = self.agent.remember(key, state.inner, experience)
        return replace(state, inner=inner), {**info, "guarded": state.changed.astype(jnp.float32)}

    def learn(self, key: jax.Array, state: GuardedState) -> tuple[GuardedState, Info]:
        """Learn as the agent does."""
        inner, info = self.agent.learn(key, state.inner)
        return replace(state, inner=inner), info

    def embody(self, key: jax.Array, state: GuardedState, spec: WorldSpec) -> GuardedState:
        """Put the agent into spec.batch rows."""
        return self._around(self.agent.embody(key, state.inner, spec), spec)

    def imagine(self, key: jax.Array, state: GuardedState, actions: Any) -> Prediction | None:
        """Imagine as the agent does."""
        return self.agent.imagine(key, state.inner, actions)

    def _around(self, inner: Any, spec: WorldSpec) -> GuardedState:
        nothing = jnp.zeros(spec.batch, bool)
        return GuardedState(inner=inner, observation=spaces.zeros(spec.observation, spec.batch), changed=nothing)


def _changed(wish: Any, sent: Any) -> jax.Array:
    """Whether the actions of each row differ: bool [B]."""
    pairs = zip(jax.tree.leaves(wish), jax.tree.leaves(sent), strict=True)
    apart = [jnp.any((jnp.abs(one - other) > 1e-6).reshape(one.shape[0], -1), axis=1) for one, other in pairs]
    return jnp.any(jnp.stack(apart), axis=0)
