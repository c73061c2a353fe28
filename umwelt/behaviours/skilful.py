"""An agent that learns skills for their own sake: each episode is one skill, drawn as a direction."""

from dataclasses import replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.behaviours import batch as batches
from umwelt.behaviours.batch import Learner
from umwelt.behaviours.masks import drawn
from umwelt.behaviours.memories import empty, example
from umwelt.core import (
    DOUBT,
    SURPRISE,
    TRUNCATED,
    Box,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    keys,
    part,
    spaces,
    static,
    struct,
)
from umwelt.core.contracts import Memory, Mode
from umwelt.networks.form import Form, form, vectors

SEEN, SKILL = "seen", "skill"
"""Leaves of what the policy reads; `seen` comes first."""


class By(Protocol):
    """What pays skills, such as `umwelt.curiosity.Directions`."""

    @property
    def metrics(self) -> tuple[Metric, ...]: ...
    @property
    def size(self) -> int: ...
    def init(self, key: jax.Array, width: int) -> Any:
        """Begin for observations of `width` numbers."""
        ...

    def reward(self, state: Any, now: jax.Array, after: jax.Array, skill: jax.Array) -> jax.Array:
        """float32 [N], what skills [N, size] are paid for a transition of observations [N, F]."""
        ...

    def learn(
        self, key: jax.Array, state: Any, now: jax.Array, after: jax.Array, skill: jax.Array, weight: jax.Array
    ) -> tuple[Any, Info]:
        """Update once."""
        ...


@struct
class SkilfulState:
    """learner, by, memory: the parts' states; memory is None in a body for probes. seen: leaves [B, ...], the last
    observation. skill: float32 [B, size], unit vectors. age: int32 [B], decisions of the skill so far."""

    learner: Any
    by: Any
    memory: Any
    seen: Any
    skill: jax.Array
    age: jax.Array
    observation_form: Form = static()
    action_form: Form = static()


@part
class Skilful:
    """Draws a skill at the beginning of each episode, acts by it, and learns from the pay of today's representation."""

    learner: Learner
    """The policy, which reads observation and skill."""
    by: By
    """What pays skills."""
    memory: Memory
    """Where experience is kept, each with its skill."""
    batch: int = 256
    """Transitions of one update."""
    length: int = 40
    """Decisions after which another skill is drawn within an episode."""
    scale: float = 10.0
    """What the pay is multiplied by."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the learner and the pay report."""
        return (SURPRISE, DOUBT, *self.learner.metrics, *self.by.metrics)

    def init(self, key: jax.Array, spec: WorldSpec) -> SkilfulState:
        """Begin untrained, with an empty memory."""
        learning, paying, drawing = keys.split(key, "learner", "by", "skill")
        seen = vectors(spec.observation, self)
        extended = {SEEN: spec.observation, SKILL: Box(shape=(self.by.size,), low=-1.0, high=1.0)}
        return SkilfulState(
            learner=self.learner.init(learning, seen.width + self.by.size, spec.action),
            by=self.by.init(paying, seen.width),
            memory=empty(self.memory, example(replace(spec, observation=extended)), (self.batch,)),
            seen=spaces.zeros(spec.observation, spec.batch),
            skill=self._skills(drawing, spec.batch),
            age=jnp.zeros(spec.batch, jnp.int32),
            observation_form=seen,
            action_form=form(spec.action),
        )

    def see(self, key: jax.Array, state: SkilfulState, step: TimeStep) -> tuple[SkilfulState, Info]:
        """Keep the observation; draw other skills where an episode begins, and where one has lasted its time."""
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        age = jnp.where(step.first, 0, state.age + 1)
        renews = step.first | (age >= self.length)
        skill = jnp.where(renews[:, None], self._skills(key, age.shape[0]), state.skill)
        state = replace(state, seen=step.observation, skill=skill, age=jnp.where(renews, 0, age))
        return state, {"surprise": nothing, "doubt": nothing}

    def act(self, key: jax.Array, state: SkilfulState, mode: Mode = "explore") -> tuple[SkilfulState, Any]:
        """Act by the skill, or at random."""
        if mode == "random":
            return state, drawn(key, state.action_form, state.age.shape[0])
        return state, self.called(key, state, state.skill, state.seen, mode)

    def skill_space(self, state: SkilfulState) -> Box:
        """What names a skill: a direction."""
        return Box(shape=(self.by.size,), low=-1.0, high=1.0)

    def called(self, key: jax.Array, state: SkilfulState, skill: jax.Array, seen: Any, mode: Mode) -> Any:
        """Actions [N, ...] of skills [N, size] at observations [N, ...]."""
        features = jnp.concatenate([state.observation_form.flat(seen), skill], axis=-1)
        return self.learner.act(key, state.learner, features, mode)

    def remember(self, key: jax.Array, state: SkilfulState, experience: Experience) -> tuple[SkilfulState, Info]:
        """Store the experience with the skill that it came from."""
        skill = state.skill

        def extended(step: TimeStep) -> TimeStep:
            return replace(step, observation={SEEN: step.observation, SKILL: skill})

        # `see` has drawn the next skill where this one's time was over; that one transition is not learned from
        kind = jnp.where(state.age == 0, jnp.int8(TRUNCATED), experience.step.kind)
        before = extended(replace(experience.step, kind=kind))
        kept = replace(experience, step=before, next=extended(experience.next))
        return replace(state, memory=self.memory.add(key, state.memory, kept)), {}

    def learn(self, key: jax.Array, state: SkilfulState) -> tuple[SkilfulState, Info]:
        """Update what pays, and then the policy on its pay of today."""
        sampling, paying, learning = keys.split(key, "sample", "by", "learn")
        drawn = self.memory.sample(sampling, state.memory, (self.batch,))
        now, after = (state.observation_form.flat(step.observation[SEEN]) for step in (drawn.step, drawn.next))
        skill, weight = drawn.step.observation[SKILL], drawn.acted.astype(jnp.float32)
        by, paid = self.by.learn(paying, state.by, now, after, skill, weight)
        reward = self.scale * self.by.reward(by, now, after, skill)
        batch = batches.Batch(
            now=jnp.concatenate([now, skill], axis=-1),
            action=drawn.action,
            reward=reward,
            continues=1.0 - drawn.next.terminated.astype(jnp.float32),
            after=jnp.concatenate([after, skill], axis=-1),
            weight=weight,
        )
        learner, info = self.learner.learn(learning, state.learner, batch)
        return replace(state, by=by, learner=learner), {**info, **paid}

    def embody(self, key: jax.Array, state: SkilfulState, spec: WorldSpec) -> SkilfulState:
        """Put the same skills into spec.batch rows, without memory."""
        seen = spaces.zeros(spec.observation, spec.batch)
        age = jnp.zeros(spec.batch, jnp.int32)
        return replace(state, memory=None, seen=seen, skill=self._skills(key, spec.batch), age=age)

    def imagine(self, key: jax.Array, state: SkilfulState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None

    def _skills(self, key: jax.Array, rows: int) -> jax.Array:
        """float32 [rows, size]: directions, evenly."""
        raw = jax.random.normal(key, (rows, self.by.size))
        return raw / jnp.maximum(jnp.linalg.norm(raw, axis=-1, keepdims=True), 1e-6)
