"""Doubt for models that have none: a few small networks predict the next belief, and disagree.

The disagreement of an ensemble of one-step predictors in latent space ("Planning to explore via
self-supervised world models", ICML 2020), here for any model whose belief is made of numbers.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import DOUBT, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, is_hosted, keys, part, static, struct
from umwelt.core.contracts import Model
from umwelt.models import gaussian, lots
from umwelt.networks import beliefs, members, optimise, scale
from umwelt.networks.form import Form, form, numbers
from umwelt.networks.members import Network
from umwelt.networks.optimise import Protection
from umwelt.networks.scale import Scale

LOSS = Metric(
    name="doubt_loss",
    unit="variances of the targets",
    meaning="mean squared error of the networks that predict the next belief, before the update",
    better="down",
)


@struct
class DoubtedState:
    """inner: the model's own state. network, optimiser: of the predictors. inputs, targets: their scales."""

    inner: Any
    network: Network
    optimiser: Any
    inputs: Scale
    targets: Scale
    action_form: Form = static()


@part
class Doubted:
    """Any replay model, with the disagreement of `members` small networks as its doubt. Its unit is a standard deviation
    of the change of its belief: about 1 before anything is learned, near 0 where all agree.

    >>> from umwelt.models.rssm import Rssm
    >>> from umwelt.worlds import Pendulum
    >>> model = Doubted(model=Rssm(deterministic=32, units=16), members=3, units=8)
    >>> state = jax.eval_shape(lambda key: model.init(key, Pendulum().spec), jax.random.key(0))
    >>> state.network.biases[0].shape  # three networks of eight units
    (3, 8, 1)
    """

    model: Model
    """The model inside; its belief is made of arrays [N, ...] of numbers."""
    members: int = 5
    """How many networks predict."""
    units: int = 64
    """Width of their one hidden layer."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    share: float = 0.8
    """The share of all transitions that a network ever learns from."""
    last: int = 1
    """How many transitions at the end of each sequence the networks learn from."""
    horizon: float = 1e5
    """Rows over which the scales of inputs and targets are averaged."""
    protection: Protection | None = None
    """Keeps the networks' weights near to what they were, such as `umwelt.retention.Elastic()`."""

    cites = ("plan2explore_2020",)
    diet = "replay"
    passes = ("value", "prior", "odds", "imitate", "recall", "compose")

    @property
    def inner(self) -> Model:
        """The model inside."""
        return self.model

    @property
    def hosted(self) -> bool:
        """Whether the model inside is plain Python."""
        return is_hosted(self.model)

    def project(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Turn arguments of a capability into the inner model's; the belief is the same."""
        return arguments | {"state": arguments["state"].inner}

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the model inside declares, and the networks' loss."""
        return (*self.model.metrics, LOSS) if DOUBT in self.model.metrics else (*self.model.metrics, DOUBT, LOSS)

    def init(self, key: jax.Array, spec: WorldSpec) -> DoubtedState:
        """Make the inner model, and networks that disagree."""
        if self.model.diet != "replay":
            raise ValueError(
                f"model={type(self.model).__name__} learns from a stream; Doubted needs a model whose diet is replay"
            )
        for_inner, for_network = keys.split(key, "inner", "guessers")
        inner, action = self.model.init(for_inner, spec), form(spec.action)
        width = numbers(self.model.start(inner, 1)).shape[1]
        network = members.init(for_network, self.members, (width + action.width, self.units, width))
        return DoubtedState(
            inner=inner,
            network=network,
            optimiser=self._optimiser().init(network),
            inputs=scale.unit(width + action.width),
            targets=scale.unit(width),
            action_form=action,
        )

    def start(self, state: DoubtedState, batch: int) -> Any:
        """Start the inner model's beliefs."""
        return self.model.start(state.inner, batch)

    def observe(self, key: jax.Array, state: DoubtedState, belief: Any, action: Any, step: TimeStep) -> tuple[Any, Info]:
        """Filter by the inner model, and report the networks' doubt about this step before it came."""
        after, info = self.model.observe(key, state.inner, belief, action, step)
        return after, info | {"doubt": jnp.where(step.first, jnp.nan, self._doubt(state, belief, action))}

    def imagine(self, key: jax.Array, state: DoubtedState, belief: Any, action: Any) -> tuple[Any, Prediction]:
        """Imagine by the inner model, with doubt. The compiler leaves out a doubt that is never read."""
        after, prediction = self.model.imagine(key, state.inner, belief, action)
        return after, replace(prediction, doubt=self._doubt(state, belief, action))

    def learn(self, key: jax.Array, state: DoubtedState, experience: Experience) -> tuple[DoubtedState, Info]:
        """Update the inner model once, and the networks once on the beliefs that it had of the same experience."""
        if experience.origin.ndim == 1:
            experience = jax.tree.map(lambda leaf: leaf[:, None], experience)
        after, info, _ = self.learn_and_recall(key, state, experience)
        return after, info

    def learn_and_recall(self, key: jax.Array, state: DoubtedState, experience: Experience) -> tuple[DoubtedState, Info, Any]:
        """Learn from experience [N, L], and return the beliefs [L + 1, N] before the update too."""
        inner, info, believed = beliefs.learned(key, self.model, state.inner, experience)
        rows, targets, weight = self._rows(state, experience, believed)
        inputs = scale.update(state.inputs, rows, weight, self.horizon)
        spread = scale.update(state.targets, targets, weight, self.horizon)
        each = (self.members, *rows.shape)
        shown = lots.draw(jnp.broadcast_to(rows, each)) < self.share
        rows, targets = (rows - inputs.mean) / inputs.deviation, (targets - spread.mean) / spread.deviation

        def loss(network: Network) -> tuple[jax.Array, jax.Array]:
            guess = members.apply(network, jnp.broadcast_to(rows.T, (self.members, *rows.T.shape)))
            square = jnp.mean((guess - targets.T) ** 2, axis=1)
            mine = shown * weight
            each = jnp.sum(square * mine, axis=1) / jnp.maximum(jnp.sum(mine, axis=1), 1.0)
            return jnp.sum(each), jnp.sum(jnp.mean(square, axis=0) * weight) / jnp.maximum(jnp.sum(weight), 1.0)

        slope = jax.grad(loss, has_aux=True)
        gradient, error = slope(state.network)
        network, optimiser = optimise.stepped(
            self._optimiser(), gradient, state.optimiser, state.network, lambda network: slope(network)[0]
        )
        after = replace(state, inner=inner, network=network, optimiser=optimiser, inputs=inputs, targets=spread)
        kept = optimise.where_any(weight, after, replace(state, inner=inner))
        return kept, info | {"doubt_loss": error}, believed

    def _rows(self, state: DoubtedState, experience: Experience, believed: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Inputs [R, F], changes of the belief [R, width] and weights [R], of the last transitions of each sequence."""
        number, length = experience.origin.shape
        last = min(self.last, length)

        def rows(leaf: jax.Array, end: int) -> jax.Array:
            return leaf[end - last : end].reshape(last * number, *leaf.shape[2:])

        before, after = (numbers(jax.tree.map(lambda leaf, end=end: rows(leaf, end), believed)) for end in (length, length + 1))
        action, known = jax.tree.map(
            lambda leaf: rows(jnp.swapaxes(leaf, 0, 1), length), (experience.action, beliefs.usable(experience))
        )
        inputs = jnp.concatenate([before, state.action_form.flat(action)], axis=-1)
        inputs, change = (jnp.where(known[:, None], each, 0.0) for each in (inputs, after - before))
        return inputs, change, known.astype(jnp.float32)

    def _doubt(self, state: DoubtedState, belief: Any, action: Any) -> jax.Array:
        """float32 [N]."""
        rows = jnp.concatenate([numbers(belief), state.action_form.flat(action)], axis=-1)
        rows = ((rows - state.inputs.mean) / state.inputs.deviation).T
        return gaussian.disagreement(members.apply(state.network, jnp.broadcast_to(rows, (self.members, *rows.shape))))

    def _optimiser(self) -> Any:
        return optimise.optimiser(self.learning_rate, protection=self.protection)
