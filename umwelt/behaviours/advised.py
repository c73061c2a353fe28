"""An agent around an agent: an adviser chooses some of the actions in life, and none in a probe.

"ExploRLLM: Guiding Exploration in Reinforcement Learning with Large Language Models" (2024). All transitions go to memory,
so an agent that learns off policy outgrows an adviser that is often wrong.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Experience, Info, Metric, Prediction, TimeStep, WorldSpec, is_hosted, keys, part, select, spaces, struct
from umwelt.core.contracts import Agent, Mode

ADVISED = Metric(name="advised", unit="share", meaning="share of rows whose action is the adviser's")


@struct
class AdvisedState:
    """inner: the agent's. observation: leaves [B, ...], the last one. decisions: int32 [], in life. follows: bool [B], the last
    action is the adviser's."""

    inner: Any
    observation: Any
    decisions: jax.Array
    follows: jax.Array


@part
class Advised:
    """Takes the adviser's action with a constant or falling chance, while it explores."""

    agent: Agent
    """What acts otherwise, and learns off policy from all of it; without a model, which would expect its own actions."""
    suggest: Callable[[jax.Array, Any], Any]
    """The adviser: (key, observation [B]) -> actions [B]."""
    share: float = 0.2
    """Chance of the adviser's action, in life."""
    until: int = 0
    """Decisions of a row in the course of which the chance falls to 0; 0 keeps it."""
    examined: float = 0.0
    """Chance of the adviser's action in a probe; 1 examines the adviser alone."""

    passes = ()
    cites = ("explorllm_2024",)

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
        """What the inner agent reports, and the share of advice."""
        return (*self.agent.metrics, ADVISED)

    def init(self, key: jax.Array, spec: WorldSpec) -> AdvisedState:
        """Begin as the agent does."""
        if not (0.0 <= self.share <= 1.0 and 0.0 <= self.examined <= 1.0):
            raise ValueError(f"share={self.share}, examined={self.examined}: both are chances, from 0 to 1")
        if getattr(self.agent, "model", None) is not None:
            raise ValueError("agent: an agent with a model filters by its own actions; take one without, such as ModelFree")
        return self._around(self.agent.init(key, spec), spec)

    def see(self, key: jax.Array, state: AdvisedState, step: TimeStep) -> tuple[AdvisedState, Info]:
        """Let the agent see the step, and keep it for the adviser."""
        inner, info = self.agent.see(key, state.inner, step)
        return replace(state, inner=inner, observation=step.observation), info

    def act(self, key: jax.Array, state: AdvisedState, mode: Mode = "explore") -> tuple[AdvisedState, Any]:
        """Act as the agent does, or as the adviser suggests."""
        inner, action = self.agent.act(key, state.inner, mode)
        chance: Any = {"explore": self.share, "exploit": self.examined, "random": 0.0}[mode]
        state = replace(state, inner=inner)
        if not chance:
            return replace(state, follows=jnp.zeros_like(state.follows)), action
        if mode == "explore":
            left = jnp.maximum(1.0 - state.decisions / self.until, 0.0) if self.until else 1.0
            chance, state = chance * left, replace(state, decisions=state.decisions + 1)
        asking, drawing = keys.split(key, "adviser", "advised")
        follows = jax.random.uniform(drawing, state.follows.shape) < chance
        return replace(state, follows=follows), select(follows, self.suggest(asking, state.observation), action)

    def remember(self, key: jax.Array, state: AdvisedState, experience: Experience) -> tuple[AdvisedState, Info]:
        """Remember as the agent does, also what the adviser chose."""
        inner, info = self.agent.remember(key, state.inner, experience)
        return replace(state, inner=inner), {**info, "advised": state.follows.astype(jnp.float32)}

    def learn(self, key: jax.Array, state: AdvisedState) -> tuple[AdvisedState, Info]:
        """Learn as the agent does."""
        inner, info = self.agent.learn(key, state.inner)
        return replace(state, inner=inner), info

    def embody(self, key: jax.Array, state: AdvisedState, spec: WorldSpec) -> AdvisedState:
        """Put the agent into spec.batch rows."""
        return self._around(self.agent.embody(key, state.inner, spec), spec)

    def imagine(self, key: jax.Array, state: AdvisedState, actions: Any) -> Prediction | None:
        """Imagine as the agent does."""
        return self.agent.imagine(key, state.inner, actions)

    def _around(self, inner: Any, spec: WorldSpec) -> AdvisedState:
        return AdvisedState(
            inner=inner,
            observation=spaces.zeros(spec.observation, spec.batch),
            decisions=jnp.int32(0),
            follows=jnp.zeros(spec.batch, bool),
        )
