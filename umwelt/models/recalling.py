"""A model that tells worlds apart by what it has just lived: the last moments are a part of what it sees.

One model cannot be right about worlds that contradict each other, unless it is told in which it is. What an agent did
and what came of it tells it: a motor that is wired the wrong way round shows in one transition. So the model inside is
given the last few transitions beside each observation, and imagines that they stay what they were, as the physics do.
Then one memory over all worlds is enough, and nothing has to be noticed ("Context-aware dynamics model for
generalization in model-based reinforcement learning", ICML 2020, with the moments themselves in place of a code).
"""

import math
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import TERMINATED, Box, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part, static, struct
from umwelt.core.contracts import Model
from umwelt.networks.form import Form, form


@struct
class RecallingState:
    """inner: the inner model's."""

    inner: Any
    seen: Form = static()
    done: Form = static()


@struct
class RecallingBelief:
    """inner: the inner model's belief. seen: float32 [N, F], the last observation. lately: float32 [N, moments, E], the
    newest last: observation, action and change of each."""

    inner: Any
    seen: jax.Array
    lately: jax.Array


@part
class Recalling:
    """A replay model that sees the last `moments` transitions beside each observation.

    It learns from sequences: their first `moments` transitions are what was seen lately, and each of the others is a
    lesson, because in imagination, too, what was seen lately lies ever farther back. Give the agent and its memory a
    `length` of `moments` and about as much as it plans ahead.
    """

    model: Model
    """The model inside; it replays, its belief is what it saw last, and it can be told which numbers stay (`still`), as
    `Ensemble` can. What an `Ensemble` hides from its members (`share`) it hides together with the moments, so the same
    transition may be shown beside others: do not rely on its `model_held_out` here."""
    moments: int = 3
    """How many transitions are seen."""
    blank: float = 0.25
    """The share of lessons in which only some of them are, as at the beginning of an episode."""

    diet = "replay"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The inner model's."""
        return self.model.metrics

    def init(self, key: jax.Array, spec: WorldSpec) -> RecallingState:
        """The inner model, born into the world of longer observations."""
        box = spec.observation
        if self.model.diet != "replay":
            raise ValueError(f"model={type(self.model).__name__} eats a stream; Recalling needs a model whose diet is replay")
        if not hasattr(self.model, "still"):
            raise ValueError(f"model={type(self.model).__name__} cannot be told what stays; Recalling needs a field `still`")
        if not isinstance(box, Box) or len(box.shape) != 1 or self.moments < 1:
            raise ValueError(
                f"moments={self.moments} of {box}: the observation must be one Box of shape (n,), and moments above 0"
            )
        seen, done = form(box), form(spec.action)
        more = self.moments * self._entries(seen, done)
        low, high = (tuple(edge.tolist()) + (sign * math.inf,) * more for edge, sign in zip(box.bounds, (-1, 1), strict=True))
        longer = Box(shape=(box.shape[0] + more,), low=low, high=high)
        inner = self._inner(seen, done).init(key, replace(spec, observation=longer))
        return RecallingState(inner=inner, seen=seen, done=done)

    def start(self, state: RecallingState, batch: int) -> RecallingBelief:
        """Nothing seen lately."""
        width, entries = state.seen.bounds[0].size, self._entries(state.seen, state.done)
        return RecallingBelief(
            inner=self._inner(state.seen, state.done).start(state.inner, batch),
            seen=jnp.zeros((batch, width), jnp.float32),
            lately=jnp.zeros((batch, self.moments, entries), jnp.float32),
        )

    def observe(
        self, key: jax.Array, state: RecallingState, belief: RecallingBelief, action: Any, step: TimeStep
    ) -> tuple[RecallingBelief, Info]:
        """What is told is what surprised the inner model in the light of the moments before. An episode begins with none."""
        model = self._inner(state.seen, state.done)
        _, info = model.observe(key, state.inner, belief.inner, action, self._longer(step, belief.lately))
        flat = state.seen.flat(step.observation)
        moment = jnp.concatenate([belief.seen, state.done.flat(action), flat - belief.seen], axis=-1)
        newer = jnp.concatenate([belief.lately[:, 1:], moment[:, None]], axis=1)
        lately = jnp.where(step.first[:, None, None], 0.0, newer)
        inner, _ = model.observe(key, state.inner, belief.inner, action, self._longer(step, lately))
        return RecallingBelief(inner=inner, seen=flat, lately=lately), info

    def imagine(
        self, key: jax.Array, state: RecallingState, belief: RecallingBelief, action: Any
    ) -> tuple[RecallingBelief, Prediction]:
        """The inner model's imagination, in which the moments stay."""
        inner, prediction = self._inner(state.seen, state.done).imagine(key, state.inner, belief.inner, action)
        seen = prediction.observation[..., : belief.seen.shape[1]]
        return RecallingBelief(inner=inner, seen=seen, lately=belief.lately), replace(prediction, observation=seen)

    def learn(self, key: jax.Array, state: RecallingState, experience: Experience) -> tuple[RecallingState, Info]:
        """One lesson of the inner model on sequences [N, L]. Single transitions [N] are learned as if nothing had been
        seen lately."""
        if experience.origin.ndim == 1:
            experience = jax.tree.map(lambda leaf: leaf[:, None], experience)
        learning, blanking, choosing = keys.split(key, "learn", "blank", "choose")
        number, length = experience.origin.shape
        before, entries = min(self.moments, length - 1), self._entries(state.seen, state.done)
        lately = jnp.zeros((number, self.moments, entries), jnp.float32)
        for index in range(before):
            past = jax.tree.map(lambda leaf, index=index: leaf[:, index], experience)
            now, after = state.seen.flat(past.step.observation), state.seen.flat(past.next.observation)
            moment = jnp.concatenate([now, state.done.flat(past.action), after - now], axis=-1)
            lately = lately.at[:, self.moments - before + index].set(moment)
        # an episode that has just begun has seen the newest only, or none
        some = jax.random.randint(choosing, (number,), 0, self.moments)
        known = jnp.where(jax.random.uniform(blanking, (number,)) < self.blank, some, self.moments)
        shown = jnp.arange(self.moments) >= self.moments - known[:, None]
        lately = jnp.where(shown[..., None], lately, 0.0)
        whole = jnp.all(experience.valid, axis=1, keepdims=True)

        def rows(leaf: jax.Array) -> jax.Array:
            return leaf[:, before:].reshape(number * (length - before), *leaf.shape[2:])

        lessons = jax.tree.map(rows, experience)
        kind = jnp.where(rows(jnp.broadcast_to(whole, (number, length))), lessons.step.kind, jnp.int8(TERMINATED))
        moments = jnp.repeat(lately, length - before, axis=0)
        step, next = (self._longer(each, moments) for each in (lessons.step, lessons.next))
        lessons = replace(lessons, step=replace(step, kind=kind), next=next)
        inner, info = self._inner(state.seen, state.done).learn(learning, state.inner, lessons)
        return replace(state, inner=inner), info

    def _inner(self, seen: Form, done: Form) -> Any:
        """The model inside, told that the moments stay."""
        model: Any = self.model
        return replace(model, still=model.still + self.moments * self._entries(seen, done))

    def _entries(self, seen: Form, done: Form) -> int:
        return 2 * seen.bounds[0].size + done.bounds[0].size

    def _longer(self, step: TimeStep, lately: jax.Array) -> TimeStep:
        """The step whose observation [N, F] ends with the moments."""
        return replace(step, observation=jnp.concatenate([step.observation, lately.reshape(lately.shape[0], -1)], axis=-1))
