"""An ensemble of probabilistic networks, whose disagreement is its doubt.

"Deep reinforcement learning in a handful of trials using probabilistic dynamics models" (PETS, NeurIPS
2018), with the reward and the end learned as in "When to trust your model" (MBPO, NeurIPS 2019).

Where we differ: members do not learn from resamples of one fixed data set, for a life has none. Every member gets its
own rows of each batch. A hash of a transition's contents hides it from some members for good (`share`). What is hidden
from a member is its held-out data.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax

from umwelt.core import DOUBT, SURPRISE, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part, static, struct
from umwelt.models import gaussian, lots, patience, transitions
from umwelt.models.patience import Patience
from umwelt.networks import members, optimise, scale
from umwelt.networks.form import Form, form, vectors
from umwelt.networks.optimise import Protection
from umwelt.networks.scale import Scale

LOSS = Metric(
    name="model_loss",
    unit="nats per target, in standard units",
    meaning="negative log-likelihood of the rows that the members learned from, before the update",
    better="down",
)
RESIDUAL = Metric(
    name="model_residual",
    unit="standard deviations of the targets",
    meaning="root mean square error of the members' means on the rows that they learned from",
    better="down",
)
HELD_OUT = Metric(
    name="model_held_out",
    unit="standard deviations of the targets",
    meaning="the same on the rows that are always hidden from the member; NaN where `share` is 1. See `early_stop`",
    better="down",
)

Known = Callable[[Any, Any, Any], jax.Array]
"""(observation, action, next_observation) of rows [N], in the world's own spaces -> float32 [N]."""


@struct
class Weights:
    """network: the members. lowest, highest: float32 [T, 1], bounds of the log variance, which the members share."""

    network: members.Network
    lowest: jax.Array
    highest: jax.Array


@struct
class EnsembleState:
    """weights: of all members. optimiser: Optax's. inputs, targets: their scales. patience: which members rest."""

    weights: Weights
    optimiser: Any
    inputs: Scale
    targets: Scale
    patience: Patience
    observation_form: Form = static()
    action_form: Form = static()


@struct
class Heads:
    """The members' outputs. mean, log_variance: [E, T, N], of the standardised targets. continues: [E, N], a logit, or
    None."""

    mean: jax.Array
    log_variance: jax.Array
    continues: Any


@part
class Ensemble:
    """Networks that each predict a Gaussian change of the observation.

    Its belief is a cloud of particles, float32 [N, P, width] (flat observations), P = members.

    >>> from umwelt.worlds import Pendulum
    >>> model, spec = Ensemble(members=5), Pendulum().spec
    >>> belief = jax.eval_shape(lambda key: model.start(model.init(key, spec), 4), jax.random.key(0))
    >>> belief.shape  # four rows, five particles, three numbers
    (4, 5, 3)
    """

    members: int = 5
    """How many networks; also how many particles a belief has."""
    layers: int = 3
    """Hidden layers of each network."""
    units: int = 128
    """Width of each hidden layer."""
    learning_rate: float = 1e-3
    """Step size of AdamW."""
    weight_decay: float = 1e-4
    """Decay of the weight matrices, in units of the learning rate."""
    propagation: Literal["tsinf", "ts1", "mean", "one"] = "tsinf"
    """Which member moves a particle: always its own (tsinf), one drawn at each step (ts1), or the mean of all. "one" is
    a single particle for each row, moved by a member drawn at each step; the prediction shows that member alone."""
    noisy: bool = True
    """Draw the predicted noise in imagination; False follows the means."""
    share: float = 0.8
    """The share of all transitions that a member ever learns from. Use 1 where few transitions are distinct."""
    bound_penalty: float = 0.005
    """Pull on the learned bounds of the log variance towards each other, per target."""
    beta: float = 0.0
    """How far errors count alike however wide the predicted noise is: 0 is the likelihood, whose rare great errors
    soon count as noise, and 1 the squared error ("On the pitfalls of heteroscedastic uncertainty estimation with
    probabilistic neural networks", ICLR 2022)."""
    early_stop: float = 0.0
    """A member rests while its error on what is hidden from it is above its lowest by more than this share; 0 never rests."""
    horizon: float = 1e6
    """Rows over which the scales of inputs and targets are averaged; they drift no faster than that."""
    constant: tuple[str, ...] = ("task", "past")
    """Parts of the observation, by name, that members read and do not predict, because they stay as they are."""
    reward: Known | None = None
    """A known reward (observation, action, next_observation) -> [N]; None learns it."""
    continues: Known | None = None
    """A known probability that the episode continues, of the same arguments; None learns it."""
    protection: Protection | None = None
    """Keeps the weights near to what they were, such as `umwelt.retention.Elastic()`."""

    cites = ("pets_2018", "mbpo_2019", "beta_nll_2022")
    diet = "replay"
    metrics = (SURPRISE, DOUBT, LOSS, RESIDUAL, HELD_OUT)

    def init(self, key: jax.Array, spec: WorldSpec) -> EnsembleState:
        """Make untrained members, which disagree by about the spread of the data (a doubt of about 1)."""
        if self.members < 1 or self.layers < 1 or not 0 < self.share <= 1:
            raise ValueError(f"members and layers must be at least 1, and share in (0, 1]; got {self}")
        observation, action = vectors(spec.observation, self), form(spec.action)
        into = observation.width + action.width
        targets = transitions.moving(observation, self.constant).size + (self.reward is None)
        outputs = 2 * targets + (self.continues is None)
        network = members.init(key, self.members, (into, *[self.units] * self.layers, outputs))
        # Means begin at unit spread; the spread of the log variances and of the logit would only be noise.
        last = network.weights[-1].at[:, targets:].multiply(0.1)
        network = dataclasses.replace(network, weights=(*network.weights[:-1], last))
        if self.continues is None:
            # Ends are rare: a model that has seen none expects none, or a planner would count on an end to bad times.
            hopeful = network.biases[-1].at[:, -1].set(6.0)
            network = dataclasses.replace(network, biases=(*network.biases[:-1], hopeful))
        weights = Weights(
            network=network, lowest=jnp.full((targets, 1), -10.0, "float32"), highest=jnp.full((targets, 1), 0.5, "float32")
        )
        return EnsembleState(
            weights=weights,
            optimiser=self._optimiser().init(weights),
            inputs=scale.unit(into),
            targets=scale.unit(targets),
            patience=patience.fresh(self.members),
            observation_form=observation,
            action_form=action,
        )

    def start(self, state: EnsembleState, batch: int) -> jax.Array:
        """Put particles in the middle of the observations so far, [batch, P, width]."""
        return jnp.tile(state.inputs.mean[: state.observation_form.width], (batch, self._particles, 1))

    def observe(
        self, key: jax.Array, state: EnsembleState, belief: jax.Array, action: Any, step: TimeStep
    ) -> tuple[jax.Array, Info]:
        """Move all particles to the observation.

        Surprise is in nats per number of the observation that moves, in the observation's own units, under the mixture
        of the members (see `gaussian.mixture_nats`). Doubt is the members' disagreement; they read one and the same
        input where the last step, too, was observed.
        """
        del key
        heads = self._heads(state, belief, action)
        moving = self._moving(state)
        observation = state.observation_form.flat(step.observation)
        change = jnp.moveaxis(transitions.take(observation[:, None] - belief, moving), 0, -1)
        width = moving.size
        deviation = state.targets.deviation[:width, None]
        found = (change - state.targets.mean[:width, None]) / deviation
        nats = gaussian.mixture_nats(found, heads.mean[:, :width], heads.log_variance[:, :width])
        surprise = nats / width + jnp.mean(jnp.log(deviation))
        doubt = gaussian.disagreement(heads.mean[:, :width])
        return jnp.repeat(observation[:, None], self._particles, axis=1), {
            "surprise": jnp.where(step.first, jnp.nan, surprise),
            "doubt": jnp.where(step.first, jnp.nan, doubt),
        }

    def imagine(self, key: jax.Array, state: EnsembleState, belief: jax.Array, action: Any) -> tuple[jax.Array, Prediction]:
        """Imagine one step of every particle; the prediction is the mean over particles.

        Doubt is the disagreement of the members' predicted changes, each at its own particle. It is exact on the first
        imagined step, and on all under "mean". Later it also holds how far earlier disagreement and noise have driven
        the particles apart.
        """
        draw, deal = keys.split(key, "noise", "members")
        if self.propagation == "ts1":
            # One deal for all rows: candidates are compared under the same members, and no row is copied alone.
            belief = belief[:, jax.random.permutation(deal, self.members)]
        heads = self._heads(state, belief, action)
        moving = self._moving(state)
        width = moving.size
        mean, variance = heads.mean, jnp.exp(heads.log_variance[:, :width])
        if self.propagation == "one":
            member = jax.random.randint(deal, (1, 1, belief.shape[0]), 0, self.members)
            mean, variance = (jnp.take_along_axis(leaf, member, axis=0) for leaf in (mean, variance))
        elif self.propagation == "mean":
            mean, variance = mean.mean(0, keepdims=True), variance.mean(0, keepdims=True)
        expected = mean * state.targets.deviation[:, None] + state.targets.mean[:, None]
        centre = belief + transitions.put(jnp.moveaxis(expected[:, :width], -1, 0), moving, belief.shape[-1])
        moved = centre
        if self.noisy:
            noise = jax.random.normal(draw, variance.shape) * jnp.sqrt(variance) * state.targets.deviation[:width, None]
            moved = centre + transitions.put(jnp.moveaxis(noise, -1, 0), moving, belief.shape[-1])
        moved = self._within(state, moved)
        learned_reward = expected[:, -1].mean(0)
        chance = None if heads.continues is None else jax.nn.sigmoid(heads.continues).mean(0)
        return moved, Prediction(
            observation=state.observation_form.value((moved if self.propagation == "one" else centre).mean(1)),
            reward=self._known(self.reward, state, belief, action, moved, learned_reward),
            continues=self._known(self.continues, state, belief, action, moved, chance),
            doubt=gaussian.disagreement(heads.mean[:, :width]),
        )

    def learn(self, key: jax.Array, state: EnsembleState, experience: Experience) -> tuple[EnsembleState, Info]:
        """Update once from experience [N] or [N, L]: member m takes the m-th of `members` equal slices.

        So a batch of b for each member takes N = members * b; where N does not divide, the first
        rows are used twice. Where no action is known, nothing changes.
        """
        del key
        scaled, loss = self.loss_of(state, experience)
        slope = jax.grad(loss, has_aux=True)
        gradient, info = slope(state.weights)
        update, optimiser = self._optimiser().update(
            gradient, state.optimiser, state.weights, slope=lambda weights: slope(weights)[0]
        )
        watched = patience.watch(state.patience, info.pop("held_out"))
        if self.early_stop:
            works = (~patience.rests(watched, self.early_stop)).astype(jnp.float32)[:, None, None]
            update = dataclasses.replace(update, network=jax.tree.map(lambda leaf: leaf * works, update.network))
        weights = optimise.applied(state.weights, update)
        learned = dataclasses.replace(scaled, weights=weights, optimiser=optimiser, patience=watched)
        return optimise.where_any(experience.acted, learned, state), info

    def loss_of(self, state: EnsembleState, experience: Experience) -> tuple[EnsembleState, Callable[[Weights], Any]]:
        """Add experience [N] or [N, L] to the scales, and make its loss: a function from weights to the sum over members
        of their mean loss, and the metrics, among them `held_out` [E]."""
        rows = transitions.rows(state.observation_form, state.action_form, experience, self.reward is None, self._moving(state))
        inputs = scale.update(state.inputs, rows.inputs, rows.weight, self.horizon)
        targets = scale.update(state.targets, rows.targets, rows.weight, self.horizon)
        standard = dataclasses.replace(
            rows,
            inputs=(rows.inputs - inputs.mean) / inputs.deviation,
            targets=(rows.targets - targets.mean) / targets.deviation,
        )
        mine = jax.tree.map(lambda leaf: transitions.slices(leaf, self.members), standard)
        shown = lots.draw(transitions.slices(jnp.concatenate([rows.inputs, rows.targets], -1), self.members)) < self.share
        scaled = dataclasses.replace(state, inputs=inputs, targets=targets)
        return scaled, lambda weights: self._loss(weights, mine, shown)

    @property
    def _particles(self) -> int:
        return 1 if self.propagation in ("mean", "one") else self.members

    def _moving(self, state: EnsembleState) -> np.ndarray:
        return transitions.moving(state.observation_form, self.constant)

    def _optimiser(self) -> Any:
        def matrices(weights: Weights) -> Weights:
            none = jax.tree.map(lambda _: False, weights)
            network = dataclasses.replace(none.network, weights=jax.tree.map(lambda _: True, weights.network.weights))
            return dataclasses.replace(none, network=network)

        return optimise.optimiser(self.learning_rate, protection=self.protection, decay=self.weight_decay, decays=matrices)

    def _heads(self, state: EnsembleState, belief: jax.Array, action: Any) -> Heads:
        """Ask every member at its own particle of belief [N, P, width], or all at the one where P is 1."""
        shape = (belief.shape[0], self.members)
        taken = state.action_form.flat(action)
        inputs = jnp.concatenate(
            [jnp.broadcast_to(part, (*shape, part.shape[-1])) for part in (belief, taken[:, None])],
            axis=-1,
        )
        inputs = (inputs - state.inputs.mean) / state.inputs.deviation
        return self._split(state.weights, jnp.moveaxis(inputs, 0, -1))

    def _split(self, weights: Weights, inputs: jax.Array) -> Heads:
        """Apply the members to standardised inputs [E, F, N]."""
        outputs = members.apply(weights.network, inputs)
        targets = weights.lowest.shape[0]
        return Heads(
            mean=outputs[:, :targets],
            log_variance=gaussian.bounded(outputs[:, targets : 2 * targets], weights.lowest, weights.highest),
            continues=outputs[:, -1] if self.continues is None else None,
        )

    def _loss(self, weights: Weights, rows: transitions.Rows, shown: jax.Array) -> tuple[jax.Array, Info]:
        """Sum the members' mean losses of rows [E, n, ...], of which each member learns from those `shown`, bool [E, n];
        and the metrics."""
        heads = self._split(weights, jnp.swapaxes(rows.inputs, 1, 2))
        target = jnp.swapaxes(rows.targets, 1, 2)
        learned, held_out = rows.weight * shown, rows.weight * ~shown
        each = gaussian.nats(target, heads.mean, heads.log_variance)
        nats = jnp.mean(each, axis=1)
        per_row = nats
        if self.beta:
            per_row = jnp.mean(each * jnp.exp(self.beta * jax.lax.stop_gradient(heads.log_variance)), axis=1)
        if heads.continues is not None:
            per_row = per_row + optax.sigmoid_binary_cross_entropy(heads.continues, rows.continues)
        share = learned / jnp.maximum(learned.sum(1, keepdims=True), 1.0)
        penalty = self.bound_penalty * jnp.sum(weights.highest - weights.lowest)
        square = jnp.mean((target - heads.mean) ** 2, axis=1)
        info = {
            "model_loss": _mean(nats, learned),
            "model_residual": jnp.sqrt(_mean(square, learned)),
            "model_held_out": jnp.sqrt(_mean(square, held_out)),
            "held_out": jnp.sum(square * held_out, axis=1) / jnp.sum(held_out, axis=1),
        }
        return jnp.sum(share * per_row) + penalty, info

    def _within(self, state: EnsembleState, particles: jax.Array) -> jax.Array:
        """Move particles [N, P, width] into the bounds of the observation."""
        form = state.observation_form
        return form.flat(form.value(particles.reshape(-1, particles.shape[-1]))).reshape(particles.shape)

    def _known(
        self, function: Known | None, state: EnsembleState, belief: jax.Array, action: Any, moved: jax.Array, learned: Any
    ) -> jax.Array:
        """Average the given function over particles, or where there is none take what was learned; float32 [N]."""
        if function is None:
            return learned
        rows, particles, width = belief.shape
        before, after = (state.observation_form.value(cloud.reshape(-1, width)) for cloud in (belief, moved))
        repeated = jax.tree.map(lambda leaf: jnp.repeat(leaf, particles, axis=0), action)
        return function(before, repeated, after).astype(jnp.float32).reshape(rows, particles).mean(1)


def _mean(values: jax.Array, weight: jax.Array) -> jax.Array:
    """Average values where weight is 1; NaN where it is so nowhere."""
    return jnp.sum(values * weight) / jnp.sum(weight)
