"""An implicit world model: a latent that predicts itself, its reward and its worth, and nothing else.

"TD-MPC2: Scalable, robust world models for continuous control" (ICLR 2024). Nothing is decoded: the
encoder, the dynamics, the reward, the values and the policy are learned together, so that the latent
holds what a planner needs. A planner takes `value` beyond its horizon, and `prior` for proposals.

Where we differ: choices are planned as well as boxes (the policy's gain is then exact, over all
choices), the end of an episode is learned, and the value of a plan's end is the mean of all members' slow
copies.
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
from umwelt.networks import layers, policies
from umwelt.networks.form import vectors
from umwelt.networks.layers import Bundle, Stack, mish
from umwelt.networks.protected import Protection, protected
from umwelt.networks.returns import lambda_returns
from umwelt.networks.twohot import Bins


@part
class Implicit:
    """Latent dynamics, reward, ends, values and a policy. A belief is a latent, float32 [N, latent]."""

    latent: int = 128
    """Numbers of a latent."""
    units: int = 384
    """Width of the hidden layers."""
    encoder_units: int = 256
    """Width of the encoder's hidden layer."""
    group: int = 8
    """Latent numbers that form one simplex."""
    members: int = 2
    """Value functions; a target is the least of two drawn from them."""
    bins: Bins = Bins()
    """The bins of rewards and values."""
    discount: float = 0.99
    """Worth of the next step in units of this one."""
    trust: float = 0.0
    """How far targets look along a sequence before they take the value's word (the lambda of the returns): 0 looks
    one step ahead, 1 to the sequence's end. Farther learns faster, and believes actions that are no longer chosen."""
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
    """Of the weights at birth. Normalised layers compute the same at any size of their weights, but the smaller
    these are the faster they turn, the encoder's few inputs above all."""
    clip: float = 20.0
    """Largest norm of a gradient."""
    follow: float = 0.01
    """Share of the values that their slow copies take over in each update."""
    entropy: float = 1e-4
    """Worth of a nat of entropy of the policy, in ranges of value, for each entry of an action; a choice is one entry."""
    taught: int = 0
    """From how many latents of a sequence the policy learns, the first ones; 0 from all. A later one weighs half as
    much and costs as much as the first."""
    teaches: bool = True
    """Whether `learn` teaches the policy what is worth most; otherwise it learns by `imitate` alone."""
    protection: Protection | None = None
    """Who keeps the weights near to what they were, such as `umwelt.retention.Elastic()`."""

    diet = "replay"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What `observe`, `learn` and `imitate` report."""
        both = (SURPRISE, DOUBT, CONSISTENCY, REWARD_LOSS, VALUE_LOSS, VALUE, ENTROPY)
        return both if self.teaches else (*both, IMITATION)

    def init(self, key: jax.Array, spec: WorldSpec) -> ImplicitState:
        """A model that expects no reward, no worth, and no end."""
        if self.latent % self.group:
            raise ValueError(f"latent={self.latent} must be a multiple of group={self.group}")
        if self.members < 1:
            raise ValueError(f"members={self.members} must be at least 1")
        if self.taught < 0:
            raise ValueError(f"taught={self.taught} must be at least 1, or 0 for all latents of a sequence")
        seen, policy = vectors(spec.observation, self), policies.over(spec.action)
        both = self.latent + policy.inputs
        for_encoder, for_onward, for_values, for_policy = keys.split(key, "encoder", "onward", "values", "policy")
        wide, bins, born = (self.units, self.units), self.bins.count, self.deviation
        sizes = (seen.bounds[0].size + 1, self.encoder_units, self.latent)
        weights = Weights(
            encoder=layers.ended_normed(layers.stack(for_encoder, sizes, deviation=born)),
            onward=beginning(layers.bundle(for_onward, both, wide, (self.latent, bins + 1), deviation=born)),
            values=layers.bundle(for_values, both, wide, (bins,) * self.members, scale=0.0, deviation=born),
            policy=layers.stack(for_policy, (self.latent, *wide, policy.width), deviation=born),
        )
        return ImplicitState(
            weights=weights,
            slow=jax.tree.map(jnp.copy, weights.values),
            optimiser=self._optimiser().init(without_policy(weights)),
            policy_optimiser=self._policy_optimiser().init(weights.policy),
            range=jnp.ones((), jnp.float32),
            spread=jnp.full((), 0.01, jnp.float32),
            seen=seen,
            policy=policy,
        )

    def start(self, state: ImplicitState, batch: int) -> jax.Array:
        """The latent of no preference, [batch, latent]."""
        del state
        return jnp.full((batch, self.latent), 1.0 / self.group, jnp.float32)

    def observe(
        self, key: jax.Array, state: ImplicitState, belief: jax.Array, action: Any, step: TimeStep
    ) -> tuple[jax.Array, Info]:
        """The latent of what was seen. Surprise is the root mean square error of the imagined latent, in standard
        deviations of the latents. Doubt is zero: `Doubted` gives one."""
        del key
        found = self.encode(state.weights, state.seen.flat(step.observation))
        expected, *_ = self._onward(state.weights, self._both(state, belief, action))
        surprise = jnp.sqrt(jnp.mean((found - expected) ** 2, axis=-1) / state.spread)
        nothing = jnp.where(step.first, jnp.nan, jnp.zeros_like(surprise))
        return found, {"surprise": nothing + surprise, "doubt": nothing}

    def imagine(self, key: jax.Array, state: ImplicitState, belief: jax.Array, action: Any) -> tuple[jax.Array, Prediction]:
        """One imagined step; there is no decoder, so no observation."""
        del key
        following, reward, goes_on = self._onward(state.weights, self._both(state, belief, action))
        return following, Prediction(
            observation=None,
            reward=self.bins.mean(reward),
            continues=jax.nn.sigmoid(goes_on),
            doubt=jnp.zeros_like(goes_on),
        )

    def value(self, state: ImplicitState, belief: jax.Array) -> jax.Array:
        """What latents [N] are worth under the policy's best action, float32 [N]: the mean of the members' slow copies.

        A planner seeks out what the values overrate, and where they overrate changes with each update; a slow copy has
        averaged most of it away. By the latest values an agent can lie on the ground and promise itself to rise soon."""
        unit = state.policy.best(layers.apply(state.weights.policy, belief, mish))
        return jnp.mean(self._worth(state.slow, state.policy, belief, unit), axis=0)

    def prior(self, key: jax.Array, state: ImplicitState, belief: jax.Array) -> Any:
        """An action of the policy for each of the latents [N]."""
        unit, _ = state.policy.draw(key, layers.apply(state.weights.policy, belief, mish))
        return state.policy.action(unit)

    def encode(self, weights: Weights, flat: jax.Array) -> jax.Array:
        """Flat observations [N, width] -> latents [N, latent]."""
        return layers.simplices(layers.apply(weights.encoder, layers.with_one(flat), mish), self.group)

    def learn(self, key: jax.Array, state: ImplicitState, experience: Experience) -> tuple[ImplicitState, Info]:
        """One update of the model and the values, then one of the policy, from sequences [N, L] (or
        transitions [N]). Rows that hold a seam weigh nothing."""
        if experience.origin.ndim == 1:
            experience = jax.tree.map(lambda leaf: leaf[:, None], experience)
        target_key, policy_key = keys.split(key, "target", "policy")
        rows = sequences.rows(state.seen, state.policy, experience)
        weights = without_policy(state.weights)

        def slope(weights: Weights) -> tuple[Weights, Any]:
            return jax.grad(self._loss, has_aux=True)(weights, state, rows, target_key)

        gradient, (latents, info) = slope(weights)
        update, optimiser = self._optimiser().update(gradient, state.optimiser, weights, slope=lambda at: slope(at)[0])
        weights = optax.apply_updates(weights, update)
        after = dataclasses.replace(
            state,
            weights=dataclasses.replace(weights, policy=state.weights.policy),
            slow=optax.incremental_update(weights.values, state.slow, self.follow),
            optimiser=optimiser,
            spread=state.spread + self.follow * (jnp.mean(jnp.var(latents[0], axis=0)) - state.spread),
        )
        if self.teaches:
            after, told = self._teach(policy_key, after, jax.lax.stop_gradient(latents), rows)
            info = info | told
        some = jnp.any(rows.weight > 0)
        return jax.tree.map(lambda new, old: jnp.where(some, new, old), after, state), info

    def imitate(self, key: jax.Array, state: ImplicitState, experience: Experience) -> tuple[ImplicitState, Info]:
        """One update of the policy alone, towards the actions of transitions [N], with a little entropy."""
        # what stands in rows that do not weigh, be it infinite, must reach no gradient
        flat, unit = state.seen.flat(experience.step.observation), state.policy.unit(experience.action)
        valid = experience.valid
        flat, unit = (jnp.where(valid.reshape(-1, *(1,) * (leaf.ndim - 1)), leaf, 0) for leaf in (flat, unit))
        weight = valid / jnp.maximum(jnp.sum(valid), 1)
        latents = self.encode(state.weights, flat)

        def loss(policy: Stack) -> tuple[jax.Array, Info]:
            outputs = layers.apply(policy, latents, mish)
            missed = -jnp.sum(weight * state.policy.log_prob(outputs, unit))
            entropy = jnp.sum(weight * state.policy.entropy(key, outputs))
            info = {"imitation_loss": missed, "policy_entropy": entropy}
            return missed - self.entropy * state.policy.size * entropy, info

        gradient, info = jax.grad(loss, has_aux=True)(state.weights.policy)
        after = self._improved(state, gradient)
        return jax.tree.map(lambda new, old: jnp.where(jnp.any(valid), new, old), after, state), info

    def _teach(self, key: jax.Array, state: ImplicitState, latents: jax.Array, rows: Rows) -> tuple[ImplicitState, Info]:
        """One update of the policy towards what the values think best, over latents [L + 1, N, Z]."""
        gradient, (values, entropy) = jax.grad(self._policy_loss, has_aux=True)(
            state.weights.policy, state.weights, state, latents, rows, key
        )
        width = jnp.percentile(values, 95.0) - jnp.percentile(values, 5.0)
        after = dataclasses.replace(state, range=state.range + self.follow * (jnp.maximum(width, 1.0) - state.range))
        return self._improved(after, gradient), {"policy_entropy": entropy}

    def _improved(self, state: ImplicitState, gradient: Stack) -> ImplicitState:
        """The state after one step of the policy's optimiser."""
        update, optimiser = self._policy_optimiser().update(gradient, state.policy_optimiser)
        weights = dataclasses.replace(state.weights, policy=optax.apply_updates(state.weights.policy, update))
        return dataclasses.replace(state, weights=weights, policy_optimiser=optimiser)

    def _loss(self, weights: Weights, state: ImplicitState, rows: Rows, key: jax.Array) -> tuple[jax.Array, Any]:
        """The weighted sum of the losses, and (latents [L + 1, N, Z], metrics)."""
        length, number = rows.reward.shape
        after = jax.lax.stop_gradient(self.encode(weights, rows.after.reshape(length * number, -1)))
        target = jax.lax.stop_gradient(self._target(key, weights, state, after, rows))
        latents = [self.encode(weights, rows.before)]
        rewards, going_on = [], []
        for index in range(length):
            inputs = jnp.concatenate([latents[-1], rows.action[index]], axis=-1)
            following, reward, goes_on = self._onward(weights, inputs)
            latents.append(following)
            rewards.append(reward)
            going_on.append(goes_on)
        stacked = jnp.stack(latents)
        weight = rows.weight * self.decay ** jnp.arange(length, dtype=jnp.float32)[:, None]
        weight = weight / (jnp.maximum(jnp.sum(rows.weight[0]), 1.0) * length)
        error = jnp.mean((stacked[1:] - after.reshape(length, number, -1)) ** 2, axis=-1)
        both = jnp.concatenate([stacked[:-1], rows.action], axis=-1).reshape(length * number, -1)
        worth = layers.apart(weights.values, both, mish)
        losses = {
            "model_loss": error,
            "reward_loss": self.bins.loss(jnp.stack(rewards), rows.reward),
            "value_loss": sum(self.bins.loss(each, target).reshape(length, number) for each in worth) / self.members,
            "ends": optax.sigmoid_binary_cross_entropy(jnp.stack(going_on), 1.0 - rows.ended),
        }
        summed = {name: jnp.sum(weight * loss) for name, loss in losses.items()}
        total = self.consistency * summed["model_loss"] + self.reward_weight * summed["reward_loss"]
        total = total + self.value_weight * summed["value_loss"] + summed.pop("ends")
        return total, (stacked, summed | {"value": jnp.mean(target)})

    def _target(self, key: jax.Array, weights: Weights, state: ImplicitState, after: jax.Array, rows: Rows) -> jax.Array:
        """Returns along the sequence, by the least of two slow values of the latents `after` [L * N]: float32 [L * N]."""
        drawing, choosing = keys.split(key, "draw", "members")
        length, number = rows.reward.shape
        # who looks to the end needs no value before it
        looked = after[-number:] if self.trust == 1.0 else after
        unit, _ = state.policy.draw(drawing, layers.apply(state.weights.policy, looked, mish))
        slow = jnp.min(self._worth(state.slow, state.policy, looked, unit, choosing), axis=0).reshape(-1, number)
        # the value of what is before the first step is never read
        value = jnp.broadcast_to(slow, (length + 1, number)) if self.trust == 1.0 else jnp.concatenate([slow[:1], slow])
        return lambda_returns(rows.reward, self.discount * (1.0 - rows.ended), value, self.trust).reshape(-1)

    def _policy_loss(
        self, policy: Stack, weights: Weights, state: ImplicitState, latents: jax.Array, rows: Rows, key: jax.Array
    ) -> tuple[jax.Array, Any]:
        """Minus the worth of the policy's actions and its entropy, over latents [L + 1, N, Z]."""
        latents = latents[: self.taught or None]
        drawing, choosing = keys.split(key, "draw", "members")
        flat = latents.reshape(-1, latents.shape[-1])
        outputs = layers.apply(policy, flat, mish)
        if isinstance(state.policy, policies.Choice):
            chance = jnp.exp(state.policy.logits(outputs))
            worth = jnp.sum(chance * jax.lax.stop_gradient(self._of_choices(weights.values, state.policy, flat)), axis=-1)
            entropy = state.policy.entropy(drawing, outputs)
        else:
            unit, log_prob = state.policy.draw(drawing, outputs)
            worth = jnp.mean(self._worth(weights.values, state.policy, flat, unit, choosing), axis=0)
            entropy = -log_prob
        decay = self.decay ** jnp.arange(latents.shape[0], dtype=jnp.float32)[:, None]
        weight = (decay * rows.weight[:1]).reshape(-1)
        weight = weight / (jnp.maximum(jnp.sum(rows.weight[0]), 1.0) * latents.shape[0])
        gain = worth / state.range + self.entropy * state.policy.size * entropy
        return -jnp.sum(weight * gain), (worth, jnp.mean(entropy))

    def _onward(self, weights: Weights, both: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Latents and actions [N, Z + A] -> the next latents [N, Z], the rewards' logits [N, bins], and those of going on [N]."""
        following, outcome = layers.apart(weights.onward, both, mish)
        return layers.simplices(following, self.group), outcome[:, :-1], outcome[:, -1]

    def _worth(self, values: Bundle, policy: policies.Policy, latents: jax.Array, unit: jax.Array, key: Any = None) -> jax.Array:
        """Values [members, N] of unit actions; with a key, those of two members drawn for all rows."""
        both = jnp.concatenate([latents, policy.features(unit)], axis=-1)
        if key is not None and self.members > 2:
            values = layers.picked(values, jax.random.choice(key, self.members, (2,), replace=False))
        return jnp.stack([self.bins.mean(logits) for logits in layers.apart(values, both, mish)])

    def _of_choices(self, values: Bundle, policy: policies.Choice, latents: jax.Array) -> jax.Array:
        """The mean value of every choice, [N, n]."""

        def one(choice: jax.Array) -> jax.Array:
            return jnp.mean(self._worth(values, policy, latents, jnp.full(latents.shape[0], choice)), axis=0)

        return jax.vmap(one)(jnp.arange(policy.space.n, dtype=jnp.int32)).T

    def _both(self, state: ImplicitState, belief: jax.Array, action: Any) -> jax.Array:
        return jnp.concatenate([belief, state.policy.features(state.policy.unit(action))], axis=-1)

    def _optimiser(self) -> optax.GradientTransformation:
        def groups(weights: Weights) -> Weights:
            named = jax.tree.map(lambda _: "rest", weights)
            return dataclasses.replace(named, encoder=jax.tree.map(lambda _: "encoder", weights.encoder))

        rates = {"encoder": optax.scale(self.encoder_rate), "rest": optax.identity()}
        optimiser = optax.chain(
            optax.clip_by_global_norm(self.clip), optax.adam(self.learning_rate), optax.multi_transform(rates, groups)
        )
        return protected(self.protection, optimiser)

    def _policy_optimiser(self) -> optax.GradientTransformation:
        return optax.chain(optax.clip_by_global_norm(self.clip), optax.adam(self.learning_rate, eps=1e-5))
