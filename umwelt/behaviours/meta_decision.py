"""Decision transformers for tasks without a name: a code of what happens, and a prompt of what was understood worst.

"Meta-DT: offline meta-RL as conditional sequence modeling with world model disentanglement" (2024). A context model reads
the last few transitions into a code, from which, with state and action, reward and next state are predicted. So the code
says what the task is, and not which policy acted. The transformer reads it beside each state. In front of the history stands a
prompt: the piece of another episode of the same task in which the context model errs most.

Here a prompt is learned beside from the first lesson of the transformer on, where the batch holds a second stretch of the
same task; the paper first learns without one.
"""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.behaviours.decision import TOLD, DecisionTransformer
from umwelt.behaviours.histories import Context, Sequences
from umwelt.core import Info, Metric, keys, part, struct
from umwelt.core.contracts import Mode
from umwelt.networks import gru, layers, scale
from umwelt.networks.gru import Gru
from umwelt.networks.layers import Layer, Stack
from umwelt.networks.optimise import optimiser, stepped
from umwelt.networks.scale import Scale

FORESEEN = Metric(
    name="context_loss", unit="squared deviations", meaning="error of rewards and next features, by the code", better="down"
)


@struct
class ContextModel:
    """unit: of transitions [F + A + 1]. code: a layer [U, Z]. reward: [2 F + A + Z] -> [1]. onward: [F + A + Z] -> [F]."""

    unit: Gru
    code: Layer
    reward: Stack
    onward: Stack


@struct
class MetaState:
    """policy: the transformer's networks. inner: the rest of its state. model: reads transitions. optimiser: of the model.
    rewards: the scale of rewards. lessons: int32 []."""

    policy: Any
    inner: Any
    model: ContextModel
    optimiser: Any
    rewards: Scale
    lessons: jax.Array


@part
class MetaDecision:
    """A decision transformer that reads a code of its task, and a prompt; a `SequenceLearner`, best inside `Prompted`."""

    inner: DecisionTransformer = DecisionTransformer(context=8)
    """The transformer; its context does not count the prompt."""
    horizon: int = 4
    """Transitions that the code reads, at most."""
    code: int = 16
    """Numbers of the code; 0 for none."""
    prompt: int = 5
    """Steps of a prompt; 0 for none."""
    choose: Literal["worst", "any"] = "worst"
    """Which piece is the prompt: that of the largest error, or a random one."""
    units: int = 64
    """Width of the context model's layers."""
    first: int = 1000
    """Lessons at the start in which the context model learns; then it is frozen, and the transformer learns."""
    learning_rate: float = 1e-3
    """Step size of the context model's Adam."""

    reads_to_come = True
    chunk = 1
    metrics = (TOLD["action"], FORESEEN)
    cites = ("meta_dt_2024",)

    @property
    def context(self) -> int:
        """Steps of history that it reads, without the prompt."""
        return self.inner.context

    @property
    def length(self) -> int:
        """Transitions of a stretch to learn from."""
        return self.inner.context

    def init(self, key: jax.Array, width: int, action: Any) -> MetaState:
        """Begin both untrained."""
        if self.inner.tells != ("action",) or self.prompt >= self.context:
            raise ValueError(
                f'prompt={self.prompt}: give fewer steps than inner.context={self.context}, and inner.tells=("action",)'
            )
        reading, coding, paying, moving, deciding = keys.split(key, "read", "code", "pay", "move", "decide")
        inner = self._inner.init(deciding, width + self.code, action)
        does = inner.acts.inputs
        model = ContextModel(
            unit=gru.gru(reading, width + does + 1, self.units),
            code=layers.layer(coding, self.units, self.code),
            reward=layers.stack(paying, (2 * width + does + self.code, self.units, 1), normed=False),
            onward=layers.stack(moving, (width + does + self.code, self.units, width), normed=False),
        )
        return MetaState(
            policy=inner.policy,
            inner=inner,
            model=model,
            optimiser=optimiser(self.learning_rate).init(model),
            rewards=scale.unit(1),
            lessons=jnp.int32(0),
        )

    def act(self, key: jax.Array, state: MetaState, features: Context, mode: Mode, open: jax.Array | None = None) -> jax.Array:
        """The action at the newest step of histories [N, K], or of [N, P + K] with a prompt in front."""
        prompt, own = _cut(features, features.known.shape[1] - self.context)
        whole = self._joined(state, prompt, own)
        return self._inner.act(key, replace(state.inner, policy=state.policy), whole, mode, open)

    def learn(self, key: jax.Array, state: MetaState, batch: Sequences) -> tuple[MetaState, Info]:
        """Teach the context model in the first lessons, and the transformer afterwards."""
        begins = state.lessons < self.first
        measured = scale.update(state.rewards, batch.context.rewards.reshape(-1, 1), batch.acted.reshape(-1) * 1.0, float("inf"))
        some = begins & jnp.any(batch.acted)
        rewards = jax.tree.map(lambda new, old: jnp.where(some, new, old), measured, state.rewards)
        state = replace(state, rewards=rewards, lessons=state.lessons + jnp.any(batch.context.known))

        def miss(model: ContextModel) -> jax.Array:
            each = self.errors(replace(state, model=model), batch.context, batch.after)
            return jnp.sum(each * batch.acted) / jnp.maximum(jnp.sum(batch.acted), 1.0)

        loss, gradient = jax.value_and_grad(miss)(state.model)
        model, optimised = stepped(optimiser(self.learning_rate), gradient, state.optimiser, state.model)
        taught = replace(state, model=model, optimiser=optimised)
        inner, info = self._inner.learn(key, replace(state.inner, policy=state.policy), self._prompted(key, state, batch))
        decided = replace(state, policy=inner.policy, inner=inner)
        held = jax.tree.map(lambda one, other: jnp.where(begins, one, other), state, decided)
        after = jax.tree.map(lambda one, other: jnp.where(some, one, other), taught, held)
        return after, {**info, "context_loss": loss}

    def codes(self, state: MetaState, context: Context) -> jax.Array:
        """The code at each step of histories [N, K], of the transitions before it: float32 [N, K, Z]."""
        paid = scale.standard(state.rewards, context.rewards[:, :, None], float("inf"))
        moments = jnp.concatenate([context.features, context.actions, paid], axis=-1)
        number, length, width = moments.shape
        at = jnp.arange(length)[:, None] + jnp.arange(-self.horizon, 0)
        held = jnp.where(at < 0, False, context.known[:, at]).reshape(-1, self.horizon)
        read = moments[:, at].reshape(-1, self.horizon, width)
        summary = gru.zeros(state.model.unit, number * length)
        for index in range(self.horizon):
            after = gru.step(state.model.unit, summary, read[:, index])
            summary = jnp.where(held[:, index, None], after, summary)
        made = layers.finished(state.model.code, summary @ state.model.code.weight)
        return made.reshape(number, length, self.code)

    def errors(self, state: MetaState, context: Context, after: jax.Array) -> jax.Array:
        """How far each transition is from what the code lets expect, in squared deviations: float32 [N, K]."""
        code = self.codes(state, context)
        moment = jnp.concatenate([context.features, context.actions, code], axis=-1)
        rows = lambda each: each.reshape(-1, each.shape[-1])  # noqa: E731
        found = layers.apply(state.model.reward, rows(jnp.concatenate([moment, after], axis=-1)), jax.nn.relu)
        moved = layers.apply(state.model.onward, rows(moment), jax.nn.relu)
        paid = scale.standard(state.rewards, context.rewards[:, :, None], float("inf"))
        missed = (found - rows(paid))[:, 0] ** 2 + jnp.mean((moved - rows(after - context.features)) ** 2, axis=-1)
        return missed.reshape(context.known.shape)

    def pieces(self, key: jax.Array, state: MetaState, batch: Sequences) -> Context:
        """The piece of each stretch that is to be a prompt: a context [N, P]."""
        each = jnp.where(batch.acted, self.errors(state, batch.context, batch.after), -jnp.inf)
        starts = jnp.arange(self.length - self.prompt + 1)
        scores = jnp.sum(each[:, starts[:, None] + jnp.arange(self.prompt)], axis=-1)
        if self.choose == "any":
            scores = jnp.where(jnp.isfinite(scores), jax.random.uniform(key, scores.shape), -jnp.inf)
        at = jnp.argmax(scores, axis=1)[:, None] + jnp.arange(self.prompt)
        return _map(lambda leaf: jnp.take_along_axis(leaf, at.reshape(*at.shape, *(1,) * (leaf.ndim - 2)), axis=1), batch.context)

    def _prompted(self, key: jax.Array, state: MetaState, batch: Sequences) -> Sequences:
        """Stretches with the code beside the features, behind a prompt of another stretch of the same task where there is
        one."""
        choosing, drawing = keys.split(key, "choose", "draw")
        number = batch.acted.shape[0]
        if self.prompt and batch.task is not None:
            marks = jnp.concatenate([leaf[:, 0].reshape(number, -1) for leaf in jax.tree.leaves(batch.task)], axis=1)
            same = jnp.all(jnp.abs(marks[:, None] - marks[None]) < 1e-5, axis=-1) & ~jnp.eye(number, dtype=bool)
            whole = jnp.sum(batch.acted, axis=1) >= self.prompt
            same = same & whole[None]
            other = jax.random.categorical(drawing, jnp.where(same, 0.0, -1e9), axis=1)
            piece = _map(lambda leaf: leaf[other], self.pieces(choosing, state, batch))
            piece = replace(piece, known=piece.known & jnp.any(same, axis=1)[:, None])
        else:
            piece = _map(lambda leaf: leaf[:, :0], batch.context)
        nothing = lambda leaf: jnp.zeros((number, self.prompt, *leaf.shape[2:]), leaf.dtype)  # noqa: E731
        padded = lambda leaf: jnp.concatenate([nothing(leaf), leaf], axis=1)  # noqa: E731
        context = self._joined(state, piece, batch.context)
        return replace(
            batch,
            context=context,
            after=jnp.zeros_like(context.features),
            wanted_after=padded(batch.wanted_after),
            continues=padded(batch.continues),
            acted=padded(batch.acted),
            returned=padded(batch.returned),
            task=None,
        )

    def _joined(self, state: MetaState, prompt: Context, own: Context) -> Context:
        """A prompt [N, 0 to P] and a history, with codes of their own beside the features: a context [N, P + K]."""
        lacks = self.prompt - prompt.known.shape[1]
        both = []
        for one in (prompt, own):
            code = self.codes(state, one)
            both.append(replace(one, features=jnp.concatenate([one.features, jax.lax.stop_gradient(code)], axis=-1)))
        first = _map(lambda leaf: jnp.pad(leaf, ((0, 0), (lacks, 0), *((0, 0),) * (leaf.ndim - 2))), both[0])
        return jax.tree.map(lambda *leaves: jnp.concatenate(leaves, axis=1), first, both[1])

    @property
    def _inner(self) -> DecisionTransformer:
        """The transformer, with room for the prompt."""
        return replace(self.inner, context=self.inner.context + self.prompt)


def _map(change: Any, context: Context) -> Context:
    return jax.tree.map(change, context)


def _cut(context: Context, at: int) -> tuple[Context, Context]:
    """The first steps, and the rest."""
    return _map(lambda leaf: leaf[:, :at], context), _map(lambda leaf: leaf[:, at:], context)
