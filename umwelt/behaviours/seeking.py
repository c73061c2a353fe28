"""Pay an agent in life for what its own model doubted.

The doubt is that of the step just seen, as the model expected it before. So the same ensemble can be sought in life and
shunned in dreams, as in "COPlanner: plan to roll out conservatively but to explore optimistically for model-based RL"
(ICLR 2024): `Seeking(agent=Dyna(..., objective=Objective(doubt=-1.0)), weight=1.0)`.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Experience, Info, Metric, Prediction, TimeStep, WorldSpec, is_hosted, part, struct
from umwelt.core.contracts import Agent, Mode

SOUGHT = Metric(name="sought", unit="reward", meaning="what the model's doubt added to the reward of the transition")


@struct
class SeekingState:
    """inner: the agent's. doubt: float32 [B], of the step that was seen last; 0 where there was none."""

    inner: Any
    doubt: jax.Array

    @property
    def model(self) -> Any:
        """The state of the world model."""
        return self.inner.model

    @property
    def belief(self) -> Any:
        """The beliefs [B]."""
        return self.inner.belief


@part
class Seeking:
    """An agent with a model, whose memory holds reward + `weight` x doubt."""

    agent: Agent
    """What acts and learns, and reports a doubt when it sees."""
    weight: float = 1.0
    """What a doubt of 1 is worth."""

    cites = ("plan2explore_2020",)

    @property
    def inner(self) -> Agent:
        """The agent inside."""
        return self.agent

    @property
    def hosted(self) -> bool:
        """Whether the agent inside is plain Python."""
        return is_hosted(self.agent)

    @property
    def model(self) -> Any:
        """The world model."""
        return self.agent.model  # type: ignore[attr-defined]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the agent declares, and what was paid."""
        return (*self.agent.metrics, SOUGHT)

    def init(self, key: jax.Array, spec: WorldSpec) -> SeekingState:
        """Begin as the agent does."""
        return SeekingState(inner=self.agent.init(key, spec), doubt=jnp.zeros(spec.batch, jnp.float32))

    def see(self, key: jax.Array, state: SeekingState, step: TimeStep) -> tuple[SeekingState, Info]:
        """Filter the step as the agent does, and keep its doubt."""
        inner, info = self.agent.see(key, state.inner, step)
        doubt = jnp.asarray(info["doubt"], jnp.float32)
        return SeekingState(inner=inner, doubt=jnp.where(jnp.isfinite(doubt), doubt, 0.0)), info

    def act(self, key: jax.Array, state: SeekingState, mode: Mode = "explore") -> tuple[SeekingState, Any]:
        """Act as the agent does."""
        inner, action = self.agent.act(key, state.inner, mode)
        return replace(state, inner=inner), action

    def remember(self, key: jax.Array, state: SeekingState, experience: Experience) -> tuple[SeekingState, Info]:
        """Pay for the doubt of the step that was seen last, which ends this experience [B]."""
        rows = experience.origin.shape == state.doubt.shape
        # experience of others comes in other numbers of rows, and was not doubted here
        sought = self.weight * state.doubt if rows else jnp.zeros(experience.origin.shape, jnp.float32)
        sought = jnp.where(experience.valid, sought, 0.0)
        paid = replace(experience, next=replace(experience.next, reward=experience.next.reward + sought))
        inner, info = self.agent.remember(key, state.inner, paid)
        return replace(state, inner=inner), {**info, "sought": sought}

    def learn(self, key: jax.Array, state: SeekingState) -> tuple[SeekingState, Info]:
        """Learn as the agent does."""
        inner, info = self.agent.learn(key, state.inner)
        return replace(state, inner=inner), info

    def embody(self, key: jax.Array, state: SeekingState, spec: WorldSpec) -> SeekingState:
        """Put the same agent into spec.batch rows."""
        return SeekingState(inner=self.agent.embody(key, state.inner, spec), doubt=jnp.zeros(spec.batch, jnp.float32))

    def imagine(self, key: jax.Array, state: SeekingState, actions: Any) -> Prediction | None:
        """Imagine as the agent does."""
        return self.agent.imagine(key, state.inner, actions)
