"""Several agents in one body, each for a kind of moment: a rule says which one acts.

"RoboGen" (2024) chooses for each part of a task how to learn it: motion planning where nothing is touched, trajectory
optimisation for one contact with a smooth reward, and reinforcement learning for long or many contacts. All agents see and
remember the whole life; a learner among them learns off policy from what the others do.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import (
    DOUBT,
    SURPRISE,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    is_hosted,
    keys,
    part,
    select,
    spaces,
    struct,
)
from umwelt.core.contracts import Agent, Mode


@struct
class ChosenState:
    """inner: the agents' states. observation: leaves [B, ...], the last one."""

    inner: tuple[Any, ...]
    observation: Any


@part
class Chosen:
    """Acts by the agent that a rule names for what is seen now."""

    agents: tuple[Agent, ...]
    """What acts; the rule counts them from 0."""
    by: Callable[[Any], jax.Array]
    """The rule: observation [B] -> int32 [B]."""

    passes = ()
    cites = ("robogen_2024",)

    @property
    def hosted(self) -> bool:
        """Whether an agent is plain Python."""
        return any(is_hosted(agent) for agent in self.agents)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the agents report; of equal names the last."""
        named = {metric.name: metric for agent in self.agents for metric in agent.metrics}
        return tuple(({SURPRISE.name: SURPRISE, DOUBT.name: DOUBT} | named).values())

    def init(self, key: jax.Array, spec: WorldSpec) -> ChosenState:
        """Begin as all agents do."""
        if not self.agents:
            raise ValueError("agents: name at least one agent to choose")
        inner = tuple(agent.init(each, spec) for agent, each in self._each(key))
        return ChosenState(inner=inner, observation=spaces.zeros(spec.observation, spec.batch))

    def see(self, key: jax.Array, state: ChosenState, step: TimeStep) -> tuple[ChosenState, Info]:
        """Let all agents see the step; surprise and doubt are those of the agent that is chosen for it."""
        found = [agent.see(each, inner, step) for (agent, each), inner in self._pairs(key, state)]
        number = self.by(step.observation)
        told = {name: jnp.choose(number, [info[name] for _, info in found], mode="clip") for name in ("surprise", "doubt")}
        return ChosenState(inner=tuple(inner for inner, _ in found), observation=step.observation), told

    def act(self, key: jax.Array, state: ChosenState, mode: Mode = "explore") -> tuple[ChosenState, Any]:
        """Act by the chosen agent. One that filters by its last action receives what was done."""
        acted = [agent.act(each, inner, mode) for (agent, each), inner in self._pairs(key, state)]
        number, action = self.by(state.observation), acted[0][1]
        for index, (_, other) in enumerate(acted[1:], 1):
            action = select(number == index, other, action)
        return replace(state, inner=tuple(_told(inner, action) for inner, _ in acted)), action

    def remember(self, key: jax.Array, state: ChosenState, experience: Experience) -> tuple[ChosenState, Info]:
        """Let all agents remember, whichever acted."""
        return self._all(state, [agent.remember(each, inner, experience) for (agent, each), inner in self._pairs(key, state)])

    def learn(self, key: jax.Array, state: ChosenState) -> tuple[ChosenState, Info]:
        """Let all agents learn."""
        return self._all(state, [agent.learn(each, inner) for (agent, each), inner in self._pairs(key, state)])

    def embody(self, key: jax.Array, state: ChosenState, spec: WorldSpec) -> ChosenState:
        """Put all agents into spec.batch rows."""
        inner = tuple(agent.embody(each, inner, spec) for (agent, each), inner in self._pairs(key, state))
        return ChosenState(inner=inner, observation=spaces.zeros(spec.observation, spec.batch))

    def imagine(self, key: jax.Array, state: ChosenState, actions: Any) -> Prediction | None:
        """Return None: what comes is expected by several agents, each in its own way."""
        return None

    def _each(self, key: jax.Array) -> list[tuple[Agent, jax.Array]]:
        return [(agent, keys.fold(key, f"agent{index}")) for index, agent in enumerate(self.agents)]

    def _pairs(self, key: jax.Array, state: ChosenState) -> Any:
        return zip(self._each(key), state.inner, strict=True)

    def _all(self, state: ChosenState, made: list[tuple[Any, Info]]) -> tuple[ChosenState, Info]:
        info = {name: value for _, info in made for name, value in info.items()}
        return replace(state, inner=tuple(inner for inner, _ in made)), info


def _told(state: Any, action: Any) -> Any:
    return replace(state, action=action) if "action" in {field.name for field in fields(state)} else state
