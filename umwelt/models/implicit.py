"""An implicit world model: a latent that predicts itself, its reward and its value, and nothing else.

"TD-MPC2: Scalable, robust world models for continuous control" (ICLR 2024). Nothing is decoded: the
encoder, the dynamics, the reward, the values and the policy are learned together, so that the latent
holds what a planner needs. A planner takes `value` beyond its horizon, and `prior` for proposals.

Where we differ: choices are planned as well as boxes (the policy's gain is then exact, over all choices). The end of an
episode is learned. The value of a plan's end is the mean of all members' target networks.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax

from umwelt.core import DOUBT, SURPRISE, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part
from umwelt.models import sequences
from umwelt.models.implicit_state import (
    CONSISTENCY,
    ENTROPY,
    IMITATION,
    REWARD_LOSS,
    VALUE,
    VALUE_LOSS,
    ImplicitState,
    Weights,
    beginning,
    without_policy,
)
from umwelt.models.sequences import Rows
from umwelt.networks import layers, optimise, policies
from umwelt.networks.form import vectors
from umwelt.networks.layers import Bundle, Stack, mish
from umwelt.networks.optimise import Protection
from umwelt.networks.returns import lambda_returns
from umwelt.networks.twohot import Bins


@part
class Implicit:
    """Latent dynamics, reward, ends, values and a policy. A belief is a latent, float32 [N, latent].

    >>> from umwelt.worlds import Pendulum
    >>> model, spec = Implicit(latent=64), Pendulum().spec
    >>> belief = jax.eval_shape(lambda key: model.start(model.init(key, spec), 4), jax.random.key(0))
    >>> belief.shape  # four rows, 64 numbers
    (4, 64)
    """

    latent: int = 128
    """Numbers of a latent."""
    units: int = 384
    """Width of the hidden layers."""
    encoder_units: int = 256
    """Width of the encoder's hidden layer."""
    group: int = 8
    """Latent numbers that form one simplex."""
    members: int = 2
    """Value functions; a target is the least of two random ones."""
    bins: Bins = Bins()
    """The bins of rewards and values."""
    discount: float = 0.99
    """Discount of the next step."""
    lambda_: float = 0.0
    """The lambda of the returns: 0 bootstraps after one step, 1 at the sequence's end. A larger one learns faster, and
    believes actions that the policy no longer chooses."""
    decay: float = 0.5
    """Weight of each later step of a sequence relative to the one before."""
    consistency: float = 20.0
    """Weight of the latents' error."""
    reward_weight: float = 0.1
    """Weight of the rewards' cross entropy."""
    value_weight: float = 0.1
    """Weight of the values' cross entropy."""
    learning_rate: float = 3e-4
    """Step size of Adam."""
    encoder_rate: float = 0.3
    """The encoder's step size, as a share of the others'."""
    deviation: float = 0.02
    """Of the initial weights. Normalised layers compute the same at any size of their weights. Smaller weights turn
    faster, those of the encoder's few inputs above all."""
    clip: float = 20.0
    """Largest norm of a gradient."""
    ema_rate: float = 0.01
    """Share of the values that their target network takes over in each update."""
    entropy: float = 1e-4
    """Weight of a nat of entropy of the policy, in ranges of value, for each entry of an action; a choice is one entry."""
    policy_latents: int = 0
    """From how many latents of a sequence the policy learns, the first ones; 0 from all. A later one weighs half as
    much and costs as much as the first."""
    improves: bool = True
    """Whether `learn` moves the policy to the highest values; otherwise it learns by `imitate` alone."""
    protection: Protection | None = None
    """Keeps the weights near to what they were, such as `umwelt.retention.Elastic()`; the policy's too."""

    cites = ("tdmpc2_2024",)
    diet = "replay"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What `observe`, `learn` and `imitate` report."""
        both = (SURPRISE, DOUBT, CONSISTENCY, REWARD_LOSS, VALUE_LOSS, VALUE, ENTROPY)
        return both if self.improves else (*both, IMITATION)

    def init(self, key: jax.Array, spec: WorldSpec) -> ImplicitState:
        """Make a model that expects no reward, no value, and no end."""
        if self.latent % self.group:
            raise ValueError(f"latent={self.latent} must be a multiple of group={self.group}")
        if self.members < 1:
            raise ValueError(f"members={self.members} must be at least 1")
        if self.policy_latents < 0:
            raise ValueError(f"policy_latents={self.policy_latents} must be at least 1, or 0 for all latents of a sequence")
        observation, policy = vectors(spec.observation, self), policies.over(spec.action)
        both = self.latent + policy.inputs
        for_encoder, for_onward, for_values, for_policy = keys.split(key, "encoder", "onward", "values", "policy")
        wide, bins, initial = (self.units, self.units), self.bins.count, self.deviation
        sizes = (observation.width + 1, self.encoder_units, self.latent)
        weights = Weights(
            encoder=layers.ended_normed(layers.stack(for_encoder, sizes, deviation=initial)),
            onward=beginning(layers.bundle(for_onward, both, wide, (self.latent, bins + 1), deviation=initial)),
            values=layers.bundle(for_values, both, wide, (bins,) * self.members, scale=0.0, deviation=initial),
            policy=layers.stack(for_policy, (self.latent, *wide, policy.width), deviation=initial),
        )
        return ImplicitState(
            weights=weights,
            target=jax.tree.map(jnp.copy, weights.values),
            optimiser=self._optimiser().init(without_policy(weights)),
            policy_optimiser=self._policy_optimiser().init(weights.policy),
            range=jnp.ones((), jnp.float32),
            spread=jnp.full((), 0.01, jnp.float32),
            observation_form=observation,
            policy=policy,
        )

    def start(self, state: ImplicitState, batch: int) -> jax.Array:
        """Make even latents, [batch, latent]."""
        del state
        return jnp.full((batch, self.latent), 1.0 / self.group, jnp.float32)

    def observe(
        self, key: jax.Array, state: ImplicitState, belief: jax.Array, action: Any, step: TimeStep
    ) -> tuple[jax.Array, Info]:
        """Encode the observation. Surprise is the root mean square error of the imagined latent, in standard deviations of
        the latents. Doubt is zero: `Doubted` gives one."""
        del key
        found = self.encode(state.weights, state.observation_form.flat(step.observation))
        expected, *_ = self._onward(state.weights, self._both(state, belief, action))
        surprise = jnp.sqrt(jnp.mean((found - expected) ** 2, axis=-1) / state.spread)
        nothing = jnp.where(step.first, jnp.nan, jnp.zeros_like(surprise))
        return found, {"surprise": nothing + surprise, "doubt": nothing}

    def imagine(self, key: jax.Array, state: ImplicitState, belief: jax.Array, action: Any) -> tuple[jax.Array, Prediction]:
        """Imagine one step; there is no decoder, so no observation."""
        del key
        following, reward, continues = self._onward(state.weights, self._both(state, belief, action))
        return following, Prediction(
            observation=None,
            reward=self.bins.mean(reward),
            continues=jax.nn.sigmoid(continues),
            doubt=jnp.zeros_like(continues),
        )

    def value(self, state: ImplicitState, belief: jax.Array) -> jax.Array:
        """Value latents [N] under the policy's best action, float32 [N]: the mean of the members' target networks.

        A planner exploits overestimation, and where the values overestimate changes with each update. A target network
        has averaged most of that away. With online values, a walker can stay down because it expects to rise later."""
        unit = state.policy.best(layers.apply(state.weights.policy, belief, mish))
        return jnp.mean(self._values(state.target, state.policy, belief, unit), axis=0)

    def prior(self, key: jax.Array, state: ImplicitState, belief: jax.Array) -> Any:
        """Draw an action of the policy for each of the latents [N]."""
        unit, _ = state.policy.draw(key, layers.apply(state.weights.policy, belief, mish))
        return state.policy.action(unit)

    def encode(self, weights: Weights, flat: jax.Array) -> jax.Array:
        """Encode flat observations [N, width]: latents [N, latent]."""
        return layers.simplices(layers.apply(weights.encoder, layers.with_one(flat), mish), self.group)

    def learn(self, key: jax.Array, state: ImplicitState, experience: Experience) -> tuple[ImplicitState, Info]:
        """Update the model and the values once, then the policy, from sequences [N, L] (or transitions [N]). Sequences
        that hold a seam or an unknown action weigh nothing."""
        if experience.origin.ndim == 1:
            experience = jax.tree.map(lambda leaf: leaf[:, None], experience)
        target_key, policy_key = keys.split(key, "target", "policy")
        rows = sequences.rows(state.observation_form, state.policy, experience)
        weights = without_policy(state.weights)

        def slope(weights: Weights) -> tuple[Weights, Any]:
            return jax.grad(self._loss, has_aux=True)(weights, state, rows, target_key)

        gradient, (latents, info) = slope(weights)
        update, optimiser = self._optimiser().update(gradient, state.optimiser, weights, slope=lambda at: slope(at)[0])
        weights = optimise.applied(weights, update)
        after = dataclasses.replace(
            state,
            weights=dataclasses.replace(weights, policy=state.weights.policy),
            target=optimise.averaged(weights.values, state.target, self.ema_rate),
            optimiser=optimiser,
            spread=state.spread + self.ema_rate * (jnp.mean(jnp.var(latents[0], axis=0)) - state.spread),
        )
        if self.improves:
            after, more = self._improve(policy_key, after, jax.lax.stop_gradient(latents), rows)
            info = info | more
        return optimise.where_any(rows.weight, after, state), info

    def imitate(self, key: jax.Array, state: ImplicitState, experience: Experience) -> tuple[ImplicitState, Info]:
        """Update the policy alone, towards the actions of transitions [N], with a little entropy."""
        # the contents of rows that do not weigh, be they infinite, must reach no gradient
        flat, unit = state.observation_form.flat(experience.step.observation), state.policy.unit(experience.action)
        acted = experience.acted
        flat, unit = (jnp.where(acted.reshape(-1, *(1,) * (leaf.ndim - 1)), leaf, 0) for leaf in (flat, unit))
        weight = acted / jnp.maximum(jnp.sum(acted), 1)
        latents = self.encode(state.weights, flat)

        def loss(policy: Stack) -> tuple[jax.Array, Info]:
            outputs = layers.apply(policy, latents, mish)
            missed = -jnp.sum(weight * state.policy.log_prob(outputs, unit))
            entropy = jnp.sum(weight * state.policy.entropy(key, outputs))
            info = {"imitation_loss": missed, "policy_entropy": entropy}
            return missed - self.entropy * state.policy.size * entropy, info

        after, info = self._stepped(state, jax.grad(loss, has_aux=True))
        return optimise.where_any(acted, after, state), info

    def _improve(self, key: jax.Array, state: ImplicitState, latents: jax.Array, rows: Rows) -> tuple[ImplicitState, Info]:
        """Update the policy towards the highest values, over latents [L + 1, N, Z]."""

        def slope(policy: Stack) -> Any:
            return jax.grad(self._policy_loss, has_aux=True)(policy, state.weights, state, latents, rows, key)

        after, (values, entropy) = self._stepped(state, slope)
        width = jnp.percentile(values, 95.0) - jnp.percentile(values, 5.0)
        after = dataclasses.replace(after, range=state.range + self.ema_rate * (jnp.maximum(width, 1.0) - state.range))
        return after, {"policy_entropy": entropy}

    def _stepped(self, state: ImplicitState, slope: Any) -> tuple[ImplicitState, Any]:
        """Take one step of the policy's optimiser. slope: a function from the policy to (gradient, more)."""
        policy = state.weights.policy
        gradient, more = slope(policy)
        update, optimiser = self._policy_optimiser().update(
            gradient, state.policy_optimiser, policy, slope=lambda at: slope(at)[0]
        )
        weights = dataclasses.replace(state.weights, policy=optimise.applied(policy, update))
        return dataclasses.replace(state, weights=weights, policy_optimiser=optimiser), more

    def _loss(self, weights: Weights, state: ImplicitState, rows: Rows, key: jax.Array) -> tuple[jax.Array, Any]:
        """Sum the weighted losses; also (latents [L + 1, N, Z], metrics)."""
        length, number = rows.reward.shape
        after = jax.lax.stop_gradient(self.encode(weights, rows.after.reshape(length * number, -1)))
        target = jax.lax.stop_gradient(self._target(key, weights, state, after, rows))
        latents = [self.encode(weights, rows.before)]
        rewards, ends = [], []
        for index in range(length):
            inputs = jnp.concatenate([latents[-1], rows.action[index]], axis=-1)
            following, reward, continues = self._onward(weights, inputs)
            latents.append(following)
            rewards.append(reward)
            ends.append(continues)
        stacked = jnp.stack(latents)
        weight = rows.weight * self.decay ** jnp.arange(length, dtype=jnp.float32)[:, None]
        weight = weight / (jnp.maximum(jnp.sum(rows.weight[0]), 1.0) * length)
        error = jnp.mean((stacked[1:] - after.reshape(length, number, -1)) ** 2, axis=-1)
        both = jnp.concatenate([stacked[:-1], rows.action], axis=-1).reshape(length * number, -1)
        logits = layers.apart(weights.values, both, mish)
        losses = {
            "model_loss": error,
            "reward_loss": self.bins.loss(jnp.stack(rewards), rows.reward),
            "value_loss": sum(self.bins.loss(each, target).reshape(length, number) for each in logits) / self.members,
            "ends": optax.sigmoid_binary_cross_entropy(jnp.stack(ends), 1.0 - rows.ended),
        }
        summed = {name: jnp.sum(weight * loss) for name, loss in losses.items()}
        total = self.consistency * summed["model_loss"] + self.reward_weight * summed["reward_loss"]
        total = total + self.value_weight * summed["value_loss"] + summed.pop("ends")
        return total, (stacked, summed | {"value": jnp.mean(target)})

    def _target(self, key: jax.Array, weights: Weights, state: ImplicitState, after: jax.Array, rows: Rows) -> jax.Array:
        """Returns along the sequence, by the least of two target values of the latents `after` [L * N]: float32 [L * N]."""
        drawing, choosing = keys.split(key, "draw", "members")
        length, number = rows.reward.shape
        # a return to the end needs no value before it
        valued = after[-number:] if self.lambda_ == 1.0 else after
        unit, _ = state.policy.draw(drawing, layers.apply(state.weights.policy, valued, mish))
        least = jnp.min(self._values(state.target, state.policy, valued, unit, choosing), axis=0).reshape(-1, number)
        # the value of what is before the first step is never read
        value = jnp.broadcast_to(least, (length + 1, number)) if self.lambda_ == 1.0 else jnp.concatenate([least[:1], least])
        return lambda_returns(rows.reward, self.discount * (1.0 - rows.ended), value, self.lambda_).reshape(-1)

    def _policy_loss(
        self, policy: Stack, weights: Weights, state: ImplicitState, latents: jax.Array, rows: Rows, key: jax.Array
    ) -> tuple[jax.Array, Any]:
        """Compute minus the value of the policy's actions and its entropy, over latents [L + 1, N, Z]."""
        latents = latents[: self.policy_latents or None]
        drawing, choosing = keys.split(key, "draw", "members")
        flat = latents.reshape(-1, latents.shape[-1])
        outputs = layers.apply(policy, flat, mish)
        if isinstance(state.policy, policies.Choice):
            chance = jnp.exp(state.policy.logits(outputs))
            value = jnp.sum(chance * jax.lax.stop_gradient(self._values_of_choices(weights.values, state.policy, flat)), axis=-1)
            entropy = state.policy.entropy(drawing, outputs)
        else:
            unit, log_prob = state.policy.draw(drawing, outputs)
            value = jnp.mean(self._values(weights.values, state.policy, flat, unit, choosing), axis=0)
            entropy = -log_prob
        decay = self.decay ** jnp.arange(latents.shape[0], dtype=jnp.float32)[:, None]
        weight = (decay * rows.weight[:1]).reshape(-1)
        weight = weight / (jnp.maximum(jnp.sum(rows.weight[0]), 1.0) * latents.shape[0])
        gain = value / state.range + self.entropy * state.policy.size * entropy
        return -jnp.sum(weight * gain), (value, jnp.mean(entropy))

    def _onward(self, weights: Weights, both: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """From latents and actions [N, Z + A] the next latents [N, Z], the logits of rewards [N, bins] and of continuing [N]."""
        following, outcome = layers.apart(weights.onward, both, mish)
        return layers.simplices(following, self.group), outcome[:, :-1], outcome[:, -1]

    def _values(self, values: Bundle, policy: policies.Policy, latents: jax.Array, unit: jax.Array, key: Any = None) -> jax.Array:
        """Values [members, N] of unit actions; with a key, those of two random members, the same for all rows."""
        both = jnp.concatenate([latents, policy.features(unit)], axis=-1)
        if key is not None and self.members > 2:
            values = layers.picked(values, jax.random.choice(key, self.members, (2,), replace=False))
        return jnp.stack([self.bins.mean(logits) for logits in layers.apart(values, both, mish)])

    def _values_of_choices(self, values: Bundle, policy: policies.Choice, latents: jax.Array) -> jax.Array:
        """The mean value of every choice, [N, n]."""

        def one(choice: jax.Array) -> jax.Array:
            return jnp.mean(self._values(values, policy, latents, jnp.full(latents.shape[0], choice)), axis=0)

        return jax.vmap(one)(jnp.arange(policy.space.n, dtype=jnp.int32)).T

    def _both(self, state: ImplicitState, belief: jax.Array, action: Any) -> jax.Array:
        return jnp.concatenate([belief, state.policy.features(state.policy.unit(action))], axis=-1)

    def _optimiser(self) -> Any:
        def shares(weights: Weights) -> Weights:
            ones = jax.tree.map(lambda _: 1.0, weights)
            return dataclasses.replace(ones, encoder=jax.tree.map(lambda _: self.encoder_rate, weights.encoder))

        return optimise.optimiser(self.learning_rate, self.clip, self.protection, shares=shares)

    def _policy_optimiser(self) -> Any:
        return optimise.optimiser(self.learning_rate, self.clip, self.protection, epsilon=1e-5)
