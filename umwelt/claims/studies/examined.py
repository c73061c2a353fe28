"""A finished life examined in other ways than it lived: by its policy alone, or by plans that end without a value."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours import ModelPredictive
from umwelt.core import WorldSpec, part
from umwelt.core.contracts import Planner, Prospect
from umwelt.evaluation.proctor import Proctor
from umwelt.life.api import examination
from umwelt.life.exams.examine import panel_of, probe_key, repeated
from umwelt.worlds import with_batch

EPISODES = 20
"""Episodes of an examination."""


@part
class Unplanned:
    """In the place of a planner: what the model's own policy proposes is done."""

    def init(self, key: jax.Array, spec: WorldSpec) -> jax.Array:
        """Nothing is kept from one plan to the next."""
        return jnp.zeros(())

    def plan(self, key: jax.Array, state: Any, belief: Any, prospect: Prospect) -> tuple[Any, Any]:
        """Draw one action for each belief [B] from the policy."""
        if prospect.prior is None:
            raise ValueError("prior: the model has no policy of its own, so it cannot act without a planner")
        return state, prospect.prior(key, belief)

    def forget(self, state: Any, rows: jax.Array) -> Any:
        """There is nothing to drop."""
        return state


@part
class Shortsighted:
    """A planner that is not given the value of what follows its last step."""

    planner: Planner

    def init(self, key: jax.Array, spec: WorldSpec) -> Any:
        """Begin as the planner does."""
        return self.planner.init(key, spec)

    def plan(self, key: jax.Array, state: Any, belief: Any, prospect: Prospect) -> tuple[Any, Any]:
        """Plan over the same horizon for what the steps themselves pay."""
        return self.planner.plan(key, state, belief, replace(prospect, value=None))

    def forget(self, state: Any, rows: jax.Array) -> Any:
        """Forget as the planner does."""
        return self.planner.forget(state, rows)


def planned_return(folder: Path, seed: int) -> float:
    """Return what the agent reaches as it lived."""
    agent, state, life = _agent(folder, seed)
    return _returned(agent, state, life, seed)


def shortsighted_return(folder: Path, seed: int) -> float:
    """Return what the same plans reach without the value at their end."""
    agent, state, life = _agent(folder, seed)
    return _returned(replace(agent, planner=Shortsighted(planner=agent.examiner), examined_choose=""), state, life, seed)


def policy_return(folder: Path, seed: int) -> float:
    """Return what the policy reaches alone."""
    agent, state, life = _agent(folder, seed)
    return _returned(replace(agent, planner=Unplanned(), examined_choose=""), state, life, seed)


def gap(folder: Path, seed: int) -> float:
    """Return how much more plans reach than the policy alone."""
    return planned_return(folder, seed) - policy_return(folder, seed)


def _agent(folder: Path, seed: int) -> tuple[ModelPredictive, Any, Any]:
    """The agent of a finished life that plans, out of its wrappers; its state; and the life."""
    life, states, _ = examination(folder.name, folder.parent)
    agent: Any = life.agent
    state = states[seed]
    while not isinstance(agent, ModelPredictive):
        agent, state = agent.inner, state.inner
    return agent, state, life


def _returned(agent: ModelPredictive, state: Any, life: Any, seed: int) -> float:
    """The mean return of the life's panel. The learner is only read."""
    proctor = Proctor(agent, lambda rows: with_batch(life.world, rows))
    exam = proctor.examine(probe_key(seed), state, repeated(panel_of(life), EPISODES))
    return float(np.mean(np.asarray(exam.returns, np.float64)))
