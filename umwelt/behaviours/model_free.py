"""The agent without a world model: a policy that learns from memory."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import batch as batches
from umwelt.behaviours.batch import Learner
from umwelt.behaviours.copies import Kept
from umwelt.behaviours.masks import admissible, drawn
from umwelt.behaviours.memories import empty, example
from umwelt.core import (
    DOUBT,
    SURPRISE,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    capability,
    keys,
    part,
    spaces,
    static,
    struct,
)
from umwelt.core.contracts import Memory, Mode
from umwelt.networks.form import Form, form, vectors


@struct
class ModelFreeState:
    """learner, memory: the parts' states; memory is None in a body for probes. observation: leaves [B, ...], the last one.
    copies: the state of `ModelFree.kept`; None where nothing is kept, and in a body for probes."""

    learner: Any
    memory: Any
    observation: Any
    copies: Any = None
    observation_form: Form = static()
    action_form: Form = static()


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
    """Rewards that are summed, at most, before the learner's value is asked (n-step returns). More than one needs a memory
    of sequences, such as `Lifelong(length=3)`."""
    kept: Kept | None = None
    """What keeps the learner's answers on old moments; None learns from all alike."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the learner declares; surprise and doubt are NaN, for there is no model."""
        return (SURPRISE, DOUBT, *self.learner.metrics, *(() if self._kept is None else self._kept.metrics))

    def init(self, key: jax.Array, spec: WorldSpec) -> ModelFreeState:
        """Begin with an untrained learner and an empty memory."""
        learner, observation_form = self._learner(key, spec)
        like = self._example(spec)
        like = like if self._kept is None else replace(like, born=jnp.zeros(spec.batch, jnp.int32))
        memory = empty(self.memory, like, self._drawn)
        if self._kept is not None:
            self._kept.check(self.learner, self.memory, memory, self._drawn)
        return ModelFreeState(
            learner=learner,
            memory=memory,
            copies=None if self._kept is None else self._kept.init(learner),
            observation=spaces.zeros(spec.observation, spec.batch),
            observation_form=observation_form,
            action_form=form(spec.action),
        )

    def _learner(self, key: jax.Array, spec: WorldSpec) -> tuple[Any, Form]:
        """The learner's state, and the form of what it reads: with pictures, where it has `init_for`."""
        if begin := capability(self.learner, "init_for"):
            return begin(key, form(spec.observation), spec.action), form(spec.observation)
        return self.learner.init(key, spaces.width(spec.observation), spec.action), vectors(spec.observation, self.learner)

    def see(self, key: jax.Array, state: ModelFreeState, step: TimeStep) -> tuple[ModelFreeState, Info]:
        """Keep the observation to act on."""
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        return replace(state, observation=step.observation), {"surprise": nothing, "doubt": nothing}

    def act(self, key: jax.Array, state: ModelFreeState, mode: Mode = "explore") -> tuple[ModelFreeState, Any]:
        """Choose by the policy, or at random."""
        open = admissible(state.observation_form, state.action_form, state.observation)
        if mode == "random":
            return state, drawn(key, state.action_form, jax.tree.leaves(state.observation)[0].shape[0], open)
        return state, self.learner.act(key, state.learner, state.observation_form.flat(state.observation), mode, open)

    def remember(self, key: jax.Array, state: ModelFreeState, experience: Experience) -> tuple[ModelFreeState, Info]:
        """Store the experience."""
        if self._kept is not None and state.copies is not None:
            experience = replace(experience, born=jnp.full(experience.origin.shape, state.copies.lived))
            state = replace(state, copies=self._kept.grown(state.copies, state.learner))
        return replace(state, memory=self.memory.add(key, state.memory, experience)), {}

    def learn(self, key: jax.Array, state: ModelFreeState) -> tuple[ModelFreeState, Info]:
        """Update the learner once from memory."""
        sampling, learning = keys.split(key, "sample", "learn")
        old: Any = None
        if self._kept is None:
            experience = self.memory.sample(sampling, state.memory, self._drawn)
        else:
            experience, old = self._kept.sampled(sampling, self.memory, state.memory, self._drawn)
        forms = (state.observation_form, state.action_form)
        batch = batches.of(*forms, experience) if self.steps == 1 else batches.ahead(*forms, experience, self.learner.discount)
        found: Info = {}
        if self._kept is not None:
            batch, found = self._kept.marked(state.copies, self.learner, batch, experience, old)
        learner, info = self.learner.learn(learning, state.learner, batch)
        return replace(state, learner=learner), {**info, **found}

    @property
    def discount_to_come(self) -> float | None:
        """The discount of the rewards to come that the learner reads; None where it reads none."""
        return self.learner.discount if batches.reads_to_come(self.learner) else None

    @property
    def _kept(self) -> Kept | None:
        """What keeps answers; None where it would take no row of a batch, so that the agent is the one without it."""
        return self.kept if self.kept is not None and self.kept.rows(self._drawn[0]) else None

    def _example(self, spec: WorldSpec) -> Experience:
        return example(spec, to_come=batches.reads_to_come(self.learner))

    @property
    def _drawn(self) -> tuple[int, ...]:
        return (self.batch,) if self.steps == 1 else (self.batch // self.steps, self.steps)

    def embody(self, key: jax.Array, state: ModelFreeState, spec: WorldSpec) -> ModelFreeState:
        """Put the same policy into spec.batch rows, without memory."""
        return replace(state, memory=None, copies=None, observation=spaces.zeros(spec.observation, spec.batch))

    def imagine(self, key: jax.Array, state: ModelFreeState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None
