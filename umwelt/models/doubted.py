"""Doubt for models that have none: a few small networks that guess the next belief, and disagree.

The disagreement of an ensemble of one-step predictors in latent space ("Planning to explore via
self-supervised world models", ICML 2020), here for any model whose belief is made of numbers.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import optax

from umwelt.core import DOUBT, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part, static, struct
from umwelt.core.contracts import Model
from umwelt.models import gaussian, lots, scale
from umwelt.models.scale import Scale
from umwelt.networks import members
from umwelt.networks.form import Form, form, numbers
from umwelt.networks.members import Network

LOSS = Metric(
    name="doubt_loss",
    unit="variances of the targets",
    meaning="mean squared error of the networks that guess the next belief, before the update",
    better="down",
)


@struct
class DoubtedState:
    """inner: the model's own state. network, optimiser: of the guessers. inputs, targets: their scales."""

    inner: Any
    network: Network
    optimiser: Any
    inputs: Scale
    targets: Scale
    done: Form = static()


@part
class Doubted:
    """Any replay model, with the disagreement of `members` small networks as its doubt, in standard
    deviations of the change of its belief: about 1 before anything is learned, near 0 where all agree."""

    model: Model
    """The model inside; its belief is made of arrays [N, ...] of numbers."""
    members: int = 5
    """How many networks guess."""
    units: int = 64
    """Width of their one hidden layer."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    share: float = 0.8
    """The share of all transitions that a network ever learns from."""
    last: int = 1
    """How many transitions at the end of each sequence are learned from."""
    horizon: float = 1e5
    """Rows over which the scales of inputs and targets are averaged."""

    diet = "replay"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the model inside declares, and the guessers' loss."""
        return (*self.model.metrics, LOSS) if DOUBT in self.model.metrics else (*self.model.metrics, DOUBT, LOSS)

    @property
    def value(self) -> Any:
        """The inner model's value of beliefs; absent where it has none."""
        inner = self.model.value  # type: ignore[attr-defined]
        return lambda state, belief: inner(state.inner, belief)

    @property
    def prior(self) -> Any:
        """The inner model's policy; absent where it has none."""
        inner = self.model.prior  # type: ignore[attr-defined]
        return lambda key, state, belief: inner(key, state.inner, belief)

    @property
    def imitate(self) -> Any:
        """One update of the inner model's policy; absent where it has none."""
        inner = self.model.imitate  # type: ignore[attr-defined]

        def imitate(key: jax.Array, state: DoubtedState, experience: Experience) -> tuple[DoubtedState, Info]:
            after, info = inner(key, state.inner, experience)
            return replace(state, inner=after), info

        return imitate

    def init(self, key: jax.Array, spec: WorldSpec) -> DoubtedState:
        """The inner model that has seen nothing, and networks that disagree."""
        if self.model.diet != "replay":
            raise ValueError(f"model={type(self.model).__name__} eats a stream; Doubted needs a model whose diet is replay")
        for_inner, for_network = keys.split(key, "inner", "guessers")
        inner, done = self.model.init(for_inner, spec), form(spec.action)
        width = numbers(self.model.start(inner, 1)).shape[1]
        network = members.init(for_network, self.members, (width + done.bounds[0].size, self.units, width))
        return DoubtedState(
            inner=inner,
            network=network,
            optimiser=optax.adam(self.learning_rate).init(network),
            inputs=scale.unit(width + done.bounds[0].size),
            targets=scale.unit(width),
            done=done,
        )

    def start(self, state: DoubtedState, batch: int) -> Any:
        """The inner model's."""
        return self.model.start(state.inner, batch)

    def observe(self, key: jax.Array, state: DoubtedState, belief: Any, action: Any, step: TimeStep) -> tuple[Any, Info]:
        """The inner model's belief and surprise, with the networks' doubt about this step beforehand."""
        after, info = self.model.observe(key, state.inner, belief, action, step)
        return after, info | {"doubt": jnp.where(step.first, jnp.nan, self._doubt(state, belief, action))}

    def imagine(self, key: jax.Array, state: DoubtedState, belief: Any, action: Any) -> tuple[Any, Prediction]:
        """The inner model's imagination, with doubt. Where nobody reads the doubt, the compiler leaves it out."""
        after, prediction = self.model.imagine(key, state.inner, belief, action)
        return after, replace(prediction, doubt=self._doubt(state, belief, action))

    def learn(self, key: jax.Array, state: DoubtedState, experience: Experience) -> tuple[DoubtedState, Info]:
        """One update of the inner model, and one of the networks on the beliefs that it makes of the same experience."""
        for_inner, for_beliefs = keys.split(key, "inner", "beliefs")
        inner, info = self.model.learn(for_inner, state.inner, experience)
        rows, targets, valid = self._lessons(for_beliefs, state, experience)
        inputs = scale.update(state.inputs, rows, valid, self.horizon)
        spread = scale.update(state.targets, targets, valid, self.horizon)
        each = (self.members, *rows.shape)
        shown = lots.draw(jnp.broadcast_to(rows, each)) < self.share
        rows, targets = (rows - inputs.mean) / inputs.deviation, (targets - spread.mean) / spread.deviation

        def loss(network: Network) -> tuple[jax.Array, jax.Array]:
            guess = members.apply(network, jnp.broadcast_to(rows.T, (self.members, *rows.T.shape)))
            square = jnp.mean((guess - targets.T) ** 2, axis=1)
            weight = shown * valid
            each = jnp.sum(square * weight, axis=1) / jnp.maximum(jnp.sum(weight, axis=1), 1.0)
            return jnp.sum(each), jnp.sum(jnp.mean(square, axis=0) * valid) / jnp.maximum(jnp.sum(valid), 1.0)

        gradient, error = jax.grad(loss, has_aux=True)(state.network)
        update, optimiser = optax.adam(self.learning_rate).update(gradient, state.optimiser)
        network = optax.apply_updates(state.network, update)
        after = replace(state, inner=inner, network=network, optimiser=optimiser, inputs=inputs, targets=spread)
        some = jnp.any(valid > 0)
        kept = jax.tree.map(lambda new, old: jnp.where(some, new, old), after, replace(state, inner=inner))
        return kept, info | {"doubt_loss": error}

    def _lessons(self, key: jax.Array, state: DoubtedState, experience: Experience) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Inputs [R, F], changes of the belief [R, width] and which are valid [R], of the last transitions
        of each sequence, through the inner model as it was before the update."""
        if experience.origin.ndim == 1:
            experience = jax.tree.map(lambda leaf: leaf[:, None], experience)
        number, length = experience.origin.shape
        turned = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), experience)
        start = self.model.start(state.inner, number)
        first, action = jax.tree.map(lambda leaf: leaf[0], (turned.step, turned.action))
        opening, _ = self.model.observe(key, state.inner, start, action, first.opening)

        def tick(belief: Any, moment: Any) -> tuple[Any, Any]:
            index, action, next = moment
            after, _ = self.model.observe(jax.random.fold_in(key, index), state.inner, belief, action, next)
            return after, (belief, after)

        # a short sequence is unrolled, so that the compiler drops beliefs that nobody reads
        _, (before, after) = jax.lax.scan(
            tick, opening, (jnp.arange(length), turned.action, turned.next), unroll=length if length <= 4 else 1
        )
        last = min(self.last, length)
        before, after, action = jax.tree.map(
            lambda leaf: leaf[length - last :].reshape(last * number, *leaf.shape[2:]), (before, after, turned.action)
        )
        now, valid = numbers(before), turned.valid[length - last :].reshape(-1)
        rows = jnp.concatenate([now, state.done.flat(action)], axis=-1)
        rows, change = (jnp.where(valid[:, None], each, 0.0) for each in (rows, numbers(after) - now))
        return rows, change, valid.astype(jnp.float32)

    def _doubt(self, state: DoubtedState, belief: Any, action: Any) -> jax.Array:
        """float32 [N]."""
        rows = jnp.concatenate([numbers(belief), state.done.flat(action)], axis=-1)
        rows = ((rows - state.inputs.mean) / state.inputs.deviation).T
        return gaussian.disagreement(members.apply(state.network, jnp.broadcast_to(rows, (self.members, *rows.shape))))
