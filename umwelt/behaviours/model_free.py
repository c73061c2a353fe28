"""The agent without a world model: a policy that learns from what memory kept."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import lesson
from umwelt.behaviours.lesson import Learner
from umwelt.behaviours.memories import empty
from umwelt.core import (
    DOUBT,
    SURPRISE,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    keys,
    lived,
    part,
    spaces,
    static,
    struct,
    zeros_step,
)
from umwelt.core.contracts import Memory, Mode
from umwelt.networks.form import Form, form, vectors


@struct
class ModelFreeState:
    """learner, memory: the parts' states; memory is None in a body for probes. seen, done: forms of
    observation and action."""

    learner: Any
    memory: Any
    seen: Form = static()
    done: Form = static()


@part
class ModelFree:
    """Acts by a policy over flat observations, and learns it from memory."""

    learner: Learner
    """The policy and how it learns."""
    memory: Memory
    """Where experience is kept."""
    batch: int = 256
    """Transitions that one update samples."""
    steps: int = 1
    """Rewards that are summed, at most, before the learner's value is asked; more than one need a memory of sequences,
    such as `Lifelong(length=3)`, and then news of a reward travel as much faster."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the learner declares; surprise and doubt are NaN, for there is no model."""
        return (SURPRISE, DOUBT, *self.learner.metrics)

    def init(self, key: jax.Array, spec: WorldSpec) -> ModelFreeState:
        """Nothing learned, nothing kept."""
        step = zeros_step(spec)
        action = spaces.zeros(spec.action, spec.batch)
        return ModelFreeState(
            learner=self.learner.init(key, spaces.width(spec.observation), spec.action),
            memory=empty(self.memory, lived(step, action, step), self._drawn),
            seen=vectors(spec.observation, self.learner),
            done=form(spec.action),
        )

    def act(self, key: jax.Array, state: ModelFreeState, step: TimeStep, mode: Mode = "explore") -> tuple[ModelFreeState, Any]:
        """The policy's action, or any at all."""
        if mode == "random":
            return state, spaces.sample(key, state.done.space, step.kind.shape[0])
        return state, self.learner.act(key, state.learner, state.seen.flat(step.observation), mode)

    def remember(
        self, key: jax.Array, state: ModelFreeState, step: TimeStep, action: Any, next: TimeStep
    ) -> tuple[ModelFreeState, Info]:
        """Keep the transition."""
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        return replace(state, memory=self.memory.add(key, state.memory, lived(step, action, next))), {
            "surprise": nothing,
            "doubt": nothing,
        }

    def learn(self, key: jax.Array, state: ModelFreeState) -> tuple[ModelFreeState, Info]:
        """One update from memory."""
        sampling, learning = keys.split(key, "sample", "learn")
        if self.steps == 1:
            taught = lesson.of(state.seen, self.memory.sample(sampling, state.memory, self._drawn))
        else:
            sequences = self.memory.sample(sampling, state.memory, self._drawn)
            taught = lesson.ahead(state.seen, sequences, self.learner.discount)
        learner, info = self.learner.learn(learning, state.learner, taught)
        return replace(state, learner=learner), info

    @property
    def _drawn(self) -> tuple[int, ...]:
        return (self.batch,) if self.steps == 1 else (self.batch // self.steps, self.steps)

    def embody(self, key: jax.Array, state: ModelFreeState, spec: WorldSpec) -> ModelFreeState:
        """The same policy, without memory."""
        return replace(state, memory=None)

    def imagine(self, key: jax.Array, state: ModelFreeState, actions: Any) -> Prediction | None:
        """It has no model."""
        return None
