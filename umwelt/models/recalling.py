"""A model that distinguishes worlds by its recent past: it reads the last transitions beside each observation.

One model cannot be right about worlds that contradict each other, unless something says which one it is in. Recent
actions and their results do: a motor that is wired the wrong way round shows in one transition. So the model inside
reads the last few transitions too, and imagines that they stay what they were, as the physics do. Then one memory over
all worlds is enough, and nothing has to detect a change ("Context-aware dynamics model for generalization in model-based
reinforcement learning", ICML 2020, with the transitions themselves in place of a code).
"""

import math
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import (
    TERMINATED,
    Box,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    is_hosted,
    keys,
    part,
    static,
    struct,
)
from umwelt.core.contracts import Model
from umwelt.networks.form import Form, form, vectors

NOW, PAST = "now", "past"
"""The parts of the observation that the model inside reads."""


@struct
class RecallingState:
    """inner: the inner model's."""

    inner: Any
    observation_form: Form = static()
    action_form: Form = static()


@struct
class RecallingBelief:
    """inner: the inner model's belief. observation: float32 [N, F], the last one. past: float32 [N, moments, E], the
    newest transition last: observation, action and change of each."""

    inner: Any
    observation: jax.Array
    past: jax.Array


@part
class Recalling:
    """A replay model that reads the last `moments` transitions beside each observation.

    It learns from sequences. Their first `moments` transitions are the past; it learns from each of the others, because in
    imagination, too, the past lies ever farther back. Give the agent and its memory a `length` of
    `moments` and about as much as it plans ahead.

    >>> from umwelt.models.ensemble import Ensemble
    >>> from umwelt.worlds import Pendulum
    >>> model, spec = Recalling(model=Ensemble(constant=("past",)), moments=3), Pendulum().spec
    >>> belief = jax.eval_shape(lambda key: model.start(model.init(key, spec), 4), jax.random.key(0))
    >>> belief.past.shape  # of four rows three transitions: observation, action and change
    (4, 3, 7)
    """

    model: Model
    """The model inside. It replays, its belief is the last observation, and it has a field `constant` that holds "past", as
    `Ensemble` has. An `Ensemble` hides a transition together with its past (`share`), so the same transition may be
    shown with another past: do not rely on its `model_held_out` here."""
    moments: int = 3
    """How many transitions it reads."""
    blank: float = 0.25
    """The share of rows in which only some of them are there, as at the beginning of an episode."""

    cites = ("cadm_2020",)
    diet = "replay"
    passes = ("value", "prior", "odds")

    @property
    def inner(self) -> Model:
        """The model inside."""
        return self.model

    @property
    def hosted(self) -> bool:
        """Whether the model inside is plain Python."""
        return is_hosted(self.model)

    def project(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Turn arguments of a capability into the inner model's."""
        return arguments | {"state": arguments["state"].inner, "belief": arguments["belief"].inner}

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The inner model's."""
        return self.model.metrics

    def init(self, key: jax.Array, spec: WorldSpec) -> RecallingState:
        """Make the inner model for the world of longer observations."""
        name, model = type(self.model).__name__, self.model
        if model.diet != "replay":
            raise ValueError(f"model={name} learns from a stream; Recalling needs a model whose diet is replay")
        if PAST not in vars(model).get("constant", ()):
            raise ValueError(
                f"model={name} would predict the past; Recalling needs a model whose field `constant` holds {PAST!r}"
            )
        if self.moments < 1:
            raise ValueError(f"moments={self.moments}: it must be at least 1")
        observation, action = vectors(spec.observation, self), form(spec.action)
        past = Box(shape=(self.moments, self._entries(observation, action)), low=-math.inf, high=math.inf)
        inner = model.init(key, replace(spec, observation={NOW: spec.observation, PAST: past}))
        return RecallingState(inner=inner, observation_form=observation, action_form=action)

    def start(self, state: RecallingState, batch: int) -> RecallingBelief:
        """Start beliefs without a past."""
        width, entries = state.observation_form.width, self._entries(state.observation_form, state.action_form)
        return RecallingBelief(
            inner=self.model.start(state.inner, batch),
            observation=jnp.zeros((batch, width), jnp.float32),
            past=jnp.zeros((batch, self.moments, entries), jnp.float32),
        )

    def observe(
        self, key: jax.Array, state: RecallingState, belief: RecallingBelief, action: Any, step: TimeStep
    ) -> tuple[RecallingBelief, Info]:
        """Add the transition to the past. The Info is the inner model's surprise, given the transitions before. An episode
        begins without a past."""
        _, info = self.model.observe(key, state.inner, belief.inner, action, _longer(step, belief.past))
        flat = state.observation_form.flat(step.observation)
        newest = jnp.concatenate([belief.observation, state.action_form.flat(action), flat - belief.observation], axis=-1)
        newer = jnp.concatenate([belief.past[:, 1:], newest[:, None]], axis=1)
        past = jnp.where(step.first[:, None, None], 0.0, newer)
        inner, _ = self.model.observe(key, state.inner, belief.inner, action, _longer(step, past))
        return RecallingBelief(inner=inner, observation=flat, past=past), info

    def imagine(
        self, key: jax.Array, state: RecallingState, belief: RecallingBelief, action: Any
    ) -> tuple[RecallingBelief, Prediction]:
        """Imagine by the inner model, with the same past."""
        inner, prediction = self.model.imagine(key, state.inner, belief.inner, action)
        observation = prediction.observation[NOW]
        after = RecallingBelief(inner=inner, observation=state.observation_form.flat(observation), past=belief.past)
        return after, replace(prediction, observation=observation)

    def learn(self, key: jax.Array, state: RecallingState, experience: Experience) -> tuple[RecallingState, Info]:
        """Update the inner model on sequences [N, L]. Single transitions [N] have no past."""
        if experience.origin.ndim == 1:
            experience = jax.tree.map(lambda leaf: leaf[:, None], experience)
        learning, blanking, choosing = keys.split(key, "learn", "blank", "choose")
        number, length = experience.origin.shape
        before, entries = min(self.moments, length - 1), self._entries(state.observation_form, state.action_form)
        past = jnp.zeros((number, self.moments, entries), jnp.float32)
        for index in range(before):
            one = jax.tree.map(lambda leaf, index=index: leaf[:, index], experience)
            now, after = (state.observation_form.flat(step.observation) for step in (one.step, one.next))
            moment = jnp.concatenate([now, state.action_form.flat(one.action), after - now], axis=-1)
            past = past.at[:, self.moments - before + index].set(moment)
        # an episode that has just begun has the newest only, or none
        some = jax.random.randint(choosing, (number,), 0, self.moments)
        known = jnp.where(jax.random.uniform(blanking, (number,)) < self.blank, some, self.moments)
        shown = jnp.arange(self.moments) >= self.moments - known[:, None]
        past = jnp.where(shown[..., None], past, 0.0)
        whole = jnp.all(experience.acted, axis=1, keepdims=True)

        def rows(leaf: jax.Array) -> jax.Array:
            return leaf[:, before:].reshape(number * (length - before), *leaf.shape[2:])

        later = jax.tree.map(rows, experience)
        kind = jnp.where(rows(jnp.broadcast_to(whole, (number, length))), later.step.kind, jnp.int8(TERMINATED))
        moments = jnp.repeat(past, length - before, axis=0)
        step, next = (_longer(each, moments) for each in (later.step, later.next))
        later = replace(later, step=replace(step, kind=kind), next=next)
        inner, info = self.model.learn(learning, state.inner, later)
        return replace(state, inner=inner), info

    def _entries(self, observation: Form, action: Form) -> int:
        return 2 * observation.width + action.width


def _longer(step: TimeStep, past: jax.Array) -> TimeStep:
    """Put the past beside the observation of a step [N]."""
    return replace(step, observation={NOW: step.observation, PAST: past})
