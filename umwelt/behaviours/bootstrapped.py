"""The planner whose policy learns from it: what planning found is imitated, and old plans are made anew.

"Bootstrapped model predictive control" (BMPC, ICLR 2025). A policy that imitates its planner is a better seed
for the next plan than one that climbs the values by gradient, and values of such a policy are of what is done.
Plans age as the model learns, so in each round of learning a few states of the memory are planned for again.

Where we differ: the policy imitates actions (those of life, and those planned anew), not the planner's normals;
and its values remain those of actions, learned as without imitation.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.model_predictive import ModelPredictive, ModelPredictiveState
from umwelt.core import IMAGINED, Info, WorldSpec, keys, lived, part, spaces, struct, zeros_step
from umwelt.core.contracts import Memory


@struct
class BootstrappedState(ModelPredictiveState):
    """plans: the memory of plans made anew (None in a body for probes). blank: the planner's state before it has
    planned, of `anew` rows."""

    plans: Any
    blank: Any


@part
class Bootstrapped(ModelPredictive):
    """Plans at every step; the model's policy imitates. The model has `imitate`, and `teaches` no policy itself."""

    plans: Memory
    """Where states with the actions planned anew for them are kept."""
    anew: int = 1
    """States of the memory planned for again in each round of learning."""

    def init(self, key: jax.Array, spec: WorldSpec) -> BootstrappedState:
        """As without imitation, and no plans yet."""
        if not hasattr(self.model, "imitate"):
            raise ValueError(f"model: {type(self.model).__name__} has no policy that could imitate; take ModelPredictive")
        first = super().init(key, spec)
        rows = replace(spec, batch=self.anew)
        step, action = zeros_step(rows), spaces.zeros(spec.action, self.anew)
        return BootstrappedState(
            **vars(first), plans=self.plans.init(lived(step, action, step)), blank=self.planner.init(keys.fold(key, "anew"), rows)
        )

    def learn(self, key: jax.Array, state: BootstrappedState) -> tuple[BootstrappedState, Info]:
        """One update of the model, a few plans anew, and one update of the policy."""
        named = keys.split(key, "sample", "learn", "observe", "plan", "keep", "recall", "imitate")
        sampling, learning, observing, planning, keeping, recalling, imitating = named
        experience = self._recalled(sampling, state)
        model, info = self.model.learn(learning, state.model, experience)
        singles = jax.tree.map(lambda leaf: leaf[:, 0], experience) if self.length else experience
        # the memory of plans does not keep how surprising a moment was, which a plan made anew would not share
        singles = replace(singles, surprise=None)
        few = jax.tree.map(lambda leaf: leaf[: self.anew], singles)
        belief, _ = self.model.observe(observing, model, self.model.start(model, self.anew), few.action, few.step.opening)
        _, action = self._examiner().plan(planning, state.blank, belief, *self._mind(model, self.objective))
        dreamt = replace(few, action=action, origin=jnp.full_like(few.origin, IMAGINED))
        plans = self.plans.add(keeping, state.plans, dreamt)
        half = self.batch // 2
        lesson = [self.plans.sample(recalling, plans, (half,)), jax.tree.map(lambda leaf: leaf[half:], singles)]
        model, told = self.model.imitate(imitating, model, jax.tree.map(lambda *both: jnp.concatenate(both), *lesson))  # type: ignore[attr-defined]
        return replace(state, model=model, plans=plans), info | told

    def embody(self, key: jax.Array, state: BootstrappedState, spec: WorldSpec) -> BootstrappedState:
        """The same model, with a fresh belief and warm start for spec.batch rows."""
        return replace(super().embody(key, state, spec), plans=None)
