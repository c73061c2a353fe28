"""A planner whose policy learns from it: the policy imitates the planner's actions, and plans again for old states.

"Bootstrapped model predictive control" (BMPC, ICLR 2025). A policy that imitates its planner proposes better
plans than one that climbs the values by gradient. Its values are of what is really done. Plans get outdated as the
model learns, so each round of learning plans again for a few states of the memory.

Where we differ: the policy imitates actions (those of life, and those planned again), not the planner's normals.
Its values remain those of actions, learned as without imitation.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.masks import admissible
from umwelt.behaviours.model_predictive import ModelPredictive, ModelPredictiveState
from umwelt.core import (
    IMAGINED,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    capability,
    keys,
    lived,
    part,
    spaces,
    struct,
    zeros_step,
)
from umwelt.core.contracts import Memory, Mode, Model


@struct
class BootstrappedState:
    """inner: the agent's state. plans: the memory of new plans (None in a body for probes). blank: the planner's state before
    it has planned, of `replans` rows."""

    inner: ModelPredictiveState
    plans: Any
    blank: Any

    @property
    def model(self) -> Any:
        """The state of the world model."""
        return self.inner.model

    @property
    def belief(self) -> Any:
        """The beliefs [B]."""
        return self.inner.belief


@part
class Bootstrapped:
    """A planning agent whose model's policy imitates the planner. The model has `imitate`, and does not teach its policy
    itself."""

    agent: ModelPredictive
    """The agent that plans, with a model of the replay diet."""
    plans: Memory
    """Where states with the actions planned for them again are kept."""
    replans: int = 1
    """States of the memory planned for again in each round of learning."""

    cites = ("bmpc_2025",)

    @property
    def inner(self) -> ModelPredictive:
        """The agent inside."""
        return self.agent

    @property
    def hosted(self) -> bool:
        """True where the model is plain Python."""
        return self.agent.hosted

    @property
    def model(self) -> Model:
        """The world model."""
        return self.agent.model

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the agent declares."""
        return self.agent.metrics

    def init(self, key: jax.Array, spec: WorldSpec) -> BootstrappedState:
        """Begin as the agent does, with no plans."""
        capability(self.model, "imitate", "agent.model")
        rows = replace(spec, batch=self.replans)
        step, action = zeros_step(rows), spaces.zeros(spec.action, self.replans)
        blank = self.agent.planner.init(keys.fold(key, "replan"), rows)
        return BootstrappedState(inner=self.agent.init(key, spec), plans=self.plans.init(lived(step, action, step)), blank=blank)

    def see(self, key: jax.Array, state: BootstrappedState, step: TimeStep) -> tuple[BootstrappedState, Info]:
        """Filter the step as the agent does."""
        inner, info = self.agent.see(key, state.inner, step)
        return replace(state, inner=inner), info

    def act(self, key: jax.Array, state: BootstrappedState, mode: Mode = "explore") -> tuple[BootstrappedState, Any]:
        """Plan as the agent does."""
        inner, action = self.agent.act(key, state.inner, mode)
        return replace(state, inner=inner), action

    def remember(self, key: jax.Array, state: BootstrappedState, experience: Experience) -> tuple[BootstrappedState, Info]:
        """Store the experience as the agent does."""
        inner, info = self.agent.remember(key, state.inner, experience)
        return replace(state, inner=inner), info

    def learn(self, key: jax.Array, state: BootstrappedState) -> tuple[BootstrappedState, Info]:
        """Update the model, plan again for a few states, and update the policy."""
        named = keys.split(key, "sample", "learn", "observe", "plan", "keep", "recall", "imitate")
        sampling, learning, observing, planning, keeping, recalling, imitating = named
        experience = self.agent.sampled(sampling, state.inner)
        model, info = self.model.learn(learning, state.model, experience)
        singles = jax.tree.map(lambda leaf: leaf[:, 0], experience) if self.agent.length else experience
        # the memory of plans keeps neither surprise nor task: a new plan has no surprise of its own
        singles = replace(singles, surprise=None, task=None, to_come=None)
        few = jax.tree.map(lambda leaf: leaf[: self.replans], singles)
        belief, _ = self.model.observe(observing, model, self.model.start(model, self.replans), few.action, few.step.opening)
        open = admissible(state.inner.observation_form, state.inner.action_form, few.step.observation)
        prospect = self.agent.prospect(model, self.agent.objective, open)
        _, action = self.agent.examiner.plan(planning, state.blank, belief, prospect)
        planned = replace(few, action=action, origin=jnp.full_like(few.origin, IMAGINED))
        plans = self.plans.add(keeping, state.plans, planned)
        half = self.agent.batch // 2
        both = [self.plans.sample(recalling, plans, (half,)), jax.tree.map(lambda leaf: leaf[half:], singles)]
        shown = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *both)
        imitate: Any = capability(self.model, "imitate", "agent.model")
        model, found = imitate(imitating, model, shown)
        return replace(state, inner=replace(state.inner, model=model), plans=plans), info | found

    def embody(self, key: jax.Array, state: BootstrappedState, spec: WorldSpec) -> BootstrappedState:
        """Put the same model into spec.batch rows, without plans."""
        return replace(state, inner=self.agent.embody(key, state.inner, spec), plans=None)

    def imagine(self, key: jax.Array, state: BootstrappedState, actions: Any) -> Prediction:
        """Roll the model from the present belief under actions [H, B, ...]."""
        return self.agent.imagine(key, state.inner, actions)
