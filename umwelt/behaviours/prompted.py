"""The agent that keeps a piece of its own past before its eyes: what it understood worst in the episode before."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.histories import Context
from umwelt.behaviours.sequenced import Sequenced
from umwelt.core import Experience, Info, Metric, Prediction, TimeStep, WorldSpec, part, struct
from umwelt.core.contracts import Mode


@struct
class PromptedState:
    """inner: the agent's. prompt: a context [B, P], of an earlier episode; not known before there is one. piece: a context
    [B, P], the best of the present episode, and score: float32 [B], how good; -inf before there is one. errors: float32
    [B, P], of the last transitions."""

    inner: Any
    prompt: Context
    piece: Context
    score: jax.Array
    errors: jax.Array

    @property
    def learner(self) -> Any:
        """The learner's state."""
        return self.inner.learner


@part
class Prompted:
    """Shows a `MetaDecision` learner, in front of its history, a piece of the row's episode before.

    It takes the episode before to be of the same task. A teacher that changes tasks misleads it for one episode.
    """

    inner: Sequenced
    """The agent; its learner is a `MetaDecision`."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Those of the agent inside."""
        return self.inner.metrics

    @property
    def memory(self) -> Any:
        """The memory of the agent inside."""
        return self.inner.memory

    def init(self, key: jax.Array, spec: WorldSpec) -> PromptedState:
        """Begin without a prompt."""
        return self._body(self.inner.init(key, spec))

    def see(self, key: jax.Array, state: PromptedState, step: TimeStep) -> tuple[PromptedState, Info]:
        """See as the agent inside does. Weigh the piece that ends here; where an episode begins, the best one is the prompt."""
        inner, info = self.inner.see(key, state.inner, step)
        learner, size = self._learner, state.errors.shape[1]
        context = self.inner._standard(inner)
        error = learner.errors(inner.learner, _last(context, context.known.shape[1] - 1, 1), context.features[:, 1:])[:, -1]
        errors = jnp.concatenate([state.errors[:, 1:], error[:, None]], axis=1)
        whole = jnp.all(inner.context.known[:, -size - 1 :], axis=1) & ~step.first
        score = jnp.sum(errors, axis=1) if learner.choose == "worst" else jax.random.uniform(key, step.kind.shape)
        score = jnp.where(whole, score, -jnp.inf)
        better = score > state.score
        piece = _where(better, _last(inner.context, size, 1), state.piece)
        best = jnp.maximum(score, state.score)
        prompt = _where(step.first & jnp.isfinite(state.score), state.piece, state.prompt)
        best = jnp.where(step.first, -jnp.inf, best)
        return PromptedState(inner=inner, prompt=prompt, piece=piece, score=best, errors=errors), info

    def act(self, key: jax.Array, state: PromptedState, mode: Mode = "explore") -> tuple[PromptedState, Any]:
        """Act on the history behind the prompt."""
        own, size = state.inner.context, state.errors.shape[1]
        whole = jax.tree.map(lambda *leaves: jnp.concatenate(leaves, axis=1), state.prompt, own)
        inner, action = self.inner.act(key, replace(state.inner, context=whole), mode)
        context = jax.tree.map(lambda leaf: leaf[:, size:], inner.context)
        return replace(state, inner=replace(inner, context=context)), action

    def remember(self, key: jax.Array, state: PromptedState, experience: Experience) -> tuple[PromptedState, Info]:
        """Store the experience."""
        inner, info = self.inner.remember(key, state.inner, experience)
        return replace(state, inner=inner), info

    def learn(self, key: jax.Array, state: PromptedState) -> tuple[PromptedState, Info]:
        """Update the learner once."""
        inner, info = self.inner.learn(key, state.inner)
        return replace(state, inner=inner), info

    def embody(self, key: jax.Array, state: PromptedState, spec: WorldSpec) -> PromptedState:
        """Put the same policy into spec.batch rows that have seen nothing, without a prompt."""
        return self._body(self.inner.embody(key, state.inner, spec))

    def imagine(self, key: jax.Array, state: PromptedState, actions: Any) -> Prediction | None:
        """Return None: it has no model of whole observations."""
        return None

    def _body(self, inner: Any) -> PromptedState:
        size = self._learner.prompt
        if not 0 < size < inner.context.known.shape[1]:
            raise ValueError(f"prompt={size}: give at least 1 step, and fewer than the context; or leave Prompted out")
        nothing = jax.tree.map(lambda leaf: jnp.zeros_like(leaf[:, :size]), inner.context)
        rows = inner.at.shape[0]
        return PromptedState(
            inner=inner,
            prompt=nothing,
            piece=jax.tree.map(jnp.copy, nothing),
            score=jnp.full(rows, -jnp.inf, jnp.float32),
            errors=jnp.zeros((rows, size), jnp.float32),
        )

    @property
    def _learner(self) -> Any:
        if not hasattr(self.inner.learner, "pieces"):
            raise ValueError(f"inner.learner: Prompted needs a MetaDecision, and this is a {type(self.inner.learner).__name__}")
        return self.inner.learner


def _last(context: Context, size: int, behind: int) -> Context:
    """The `size` steps that end `behind` steps before the newest."""
    length = context.known.shape[1]
    return jax.tree.map(lambda leaf: leaf[:, length - behind - size : length - behind], context)


def _where(rows: jax.Array, one: Context, other: Context) -> Context:
    return jax.tree.map(lambda a, b: jnp.where(rows.reshape(-1, *(1,) * (a.ndim - 1)), a, b), one, other)
