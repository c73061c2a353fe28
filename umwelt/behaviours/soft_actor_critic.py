"""Soft actor-critic: a policy that is as random as it can afford.

"Soft actor-critic algorithms and applications" (2018), with two critics, of which the lower value counts, and a
temperature that is learned. Over choices all expectations are exact ("Soft actor-critic for discrete
action settings", 2019).
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import ENTROPY, VALUE, VALUE_LOSS, Batch, mean, wiped
from umwelt.behaviours.updates import followed, stepped, where_any
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import layers, policies
from umwelt.networks.layers import Bundle, Stack
from umwelt.networks.optimise import Protection, optimiser

TEMPERATURE = Metric(name="temperature", unit="reward per nat", meaning="what a nat of entropy is worth to the policy")


@struct
class SacState:
    """policy: a stack. critics, target (their target networks): bundles. temperature: float32 [], its logarithm.
    optimisers: Optax's, of policy, critics and temperature."""

    policy: Stack
    critics: Bundle
    target: Bundle
    temperature: jax.Array
    optimisers: tuple[Any, Any, Any]
    acts: policies.Policy = static()


@part
class SAC:
    """A stochastic policy, critics, and a temperature that keeps the policy's entropy at a target."""

    units: int = 256
    """Width of the two hidden layers."""
    critics: int = 2
    """Critics, the lowest of which is the target."""
    learning_rate: float = 3e-4
    """Step size of Adam."""
    discount: float = 0.99
    """Worth of the next step in units of this one (gamma)."""
    ema_rate: float = 0.005
    """Share of the critics that their target networks take over in each update (tau)."""
    target_entropy: float = -1.0
    """The policy's entropy: in nats for each entry of a Box; for choices, times -0.98 of the greatest there is."""
    normed: bool = False
    """Normalise the critics' hidden layers: with many updates for each decision they then overestimate untried actions
    less ("Dropout Q-functions for doubly efficient reinforcement learning", ICLR 2022)."""
    protection: Protection | None = None
    """What keeps policy and critics near to what they were, such as `umwelt.retention.Elastic()`."""

    metrics = (VALUE, VALUE_LOSS, ENTROPY, TEMPERATURE)
    cites = ("sac_2018", "discrete_sac_2019")

    def init(self, key: jax.Array, width: int, action: Any) -> SacState:
        """Begin with a policy in the middle of its space, and untrained critics."""
        # an untrained policy stands in the middle of its log deviations, and must be wide enough to explore
        acts = policies.over(action, lowest=-5.0)
        into, out = (width + acts.size, 1) if isinstance(acts, policies.Gaussian) else (width, acts.width)
        into += self.normed
        for_policy, for_critics = keys.split(key, "policy", "critics")
        hidden = (self.units, self.units)
        # small and even at first: critics that begin larger learn more slowly what the observations mean
        policy = layers.even(for_policy, layers.stack(for_policy, (width, *hidden, acts.width), normed=False))
        critics = layers.even(for_critics, layers.bundle(for_critics, into, hidden, (out,) * self.critics, normed=self.normed))
        temperature = jnp.zeros((), jnp.float32)
        guarded, plain = self._optimisers()
        return SacState(
            policy=policy,
            critics=critics,
            target=jax.tree.map(jnp.copy, critics),
            temperature=temperature,
            optimisers=(guarded.init(policy), guarded.init(critics), plain.init(temperature)),
            acts=acts,
        )

    def act(self, key: jax.Array, state: SacState, features: jax.Array, mode: Mode, open: jax.Array | None = None) -> Any:
        """Draw from the policy; take its best action in a probe."""
        outputs = policies.masked(layers.apply(state.policy, features, jax.nn.relu), open)
        unit = state.acts.best(outputs) if mode == "exploit" else state.acts.draw(key, outputs)[0]
        return state.acts.action(unit)

    def learn(self, key: jax.Array, state: SacState, batch: Batch) -> tuple[SacState, Info]:
        """Update the critics, then the policy, then the temperature."""
        batch = wiped(batch)
        later, now = keys.split(key, "later", "now")
        guarded, plain = self._optimisers()
        value, entropy = self._soft(state.policy, state.target, state.acts, later, batch.after, batch.open_after)
        temperature = jnp.exp(state.temperature)
        wanted = batch.reward + self.discount * batch.continues * (value + temperature * entropy)

        def criticise(critics: Bundle) -> tuple[jax.Array, jax.Array]:
            values = self._values(critics, state.acts, batch.now, batch.action)
            loss = sum(0.5 * mean((each - wanted) ** 2, batch.weight) for each in values)
            return jnp.asarray(loss), jnp.mean(jnp.stack(values), axis=0)

        (loss, values), gradient = jax.value_and_grad(criticise, has_aux=True)(state.critics)
        slope = lambda at: jax.grad(criticise, has_aux=True)(at)[0]  # noqa: E731
        critics, of_critics = stepped(guarded, gradient, state.optimisers[1], state.critics, slope)

        def please(policy: Stack) -> tuple[jax.Array, jax.Array]:
            value, entropy = self._soft(policy, critics, state.acts, now, batch.now, batch.open)
            return -mean(value + temperature * entropy, batch.weight), mean(entropy, batch.weight)

        gradient, entropy = jax.grad(please, has_aux=True)(state.policy)
        slope = lambda at: jax.grad(please, has_aux=True)(at)[0]  # noqa: E731
        policy, of_policy = stepped(guarded, gradient, state.optimisers[0], state.policy, slope)
        excess = entropy - self._target_entropy(state.acts, batch)
        temperature_after, of_temperature = stepped(plain, excess, state.optimisers[2], state.temperature)
        after = dataclasses.replace(
            state,
            policy=policy,
            critics=critics,
            target=followed(state.target, critics, self.ema_rate),
            temperature=temperature_after,
            optimisers=(of_policy, of_critics, of_temperature),
        )
        return where_any(batch.weight, after, state), {
            "value": mean(values, batch.weight),
            "value_loss": loss,
            "policy_entropy": entropy,
            "temperature": temperature,
        }

    def imitate(self, key: jax.Array, state: SacState, batch: Batch) -> tuple[SacState, Info]:
        """Make the actions of the batch more likely: one step of the policy up the gradient of their log-likelihood."""
        batch = wiped(batch)

        def miss(policy: Stack) -> jax.Array:
            outputs = policies.masked(layers.apply(policy, batch.now, jax.nn.relu), batch.open)
            return -mean(state.acts.log_prob(outputs, state.acts.unit(batch.action)), batch.weight)

        loss, gradient = jax.value_and_grad(miss)(state.policy)
        policy, optimised = stepped(self._optimisers()[0], gradient, state.optimisers[0], state.policy, jax.grad(miss))
        after = dataclasses.replace(state, policy=policy, optimisers=(optimised, *state.optimisers[1:]))
        return where_any(batch.weight, after, state), {"imitation_loss": loss}

    def _optimisers(self) -> tuple[Any, Any]:
        """The optimiser of policy and critics, and that of the temperature."""
        return optimiser(self.learning_rate, protection=self.protection), optimiser(self.learning_rate)

    def _soft(
        self, policy: Stack, critics: Bundle, acts: policies.Policy, key: jax.Array, features: jax.Array, open: jax.Array | None
    ) -> tuple[jax.Array, jax.Array]:
        """The lowest value of the policy's action, and the policy's entropy there; float32 [N] each."""
        outputs = policies.masked(layers.apply(policy, features, jax.nn.relu), open)
        if isinstance(acts, policies.Choice):
            lowest = jnp.min(jnp.stack(self._apart(critics, features)), axis=0)
            return jnp.sum(jnp.exp(acts.logits(outputs)) * lowest, axis=-1), acts.entropy(key, outputs)
        unit, log_prob = acts.draw(key, outputs)
        inputs = jnp.concatenate([features, unit], axis=-1)
        lowest = jnp.min(jnp.stack(self._apart(critics, inputs)), axis=0)
        return lowest[:, 0], -log_prob

    def _values(self, critics: Bundle, acts: policies.Policy, features: jax.Array, action: Any) -> list[jax.Array]:
        """Each critic's value of given actions [N, ...]: float32 [N] each."""
        unit = acts.unit(action)
        if isinstance(acts, policies.Choice):
            every = self._apart(critics, features)
            return [jnp.take_along_axis(each, unit[:, None], axis=1)[:, 0] for each in every]
        inputs = jnp.concatenate([features, unit], axis=-1)
        return [each[:, 0] for each in self._apart(critics, inputs)]

    def _apart(self, critics: Bundle, inputs: jax.Array) -> list[jax.Array]:
        """Every critic at inputs [N, in]: float32 [N, out] each."""
        return layers.apart(critics, layers.with_one(inputs) if self.normed else inputs, jax.nn.relu)

    def _target_entropy(self, acts: policies.Policy, batch: Batch) -> float | jax.Array:
        if not isinstance(acts, policies.Choice):
            return self.target_entropy * acts.size
        if batch.open is None:
            return -self.target_entropy * 0.98 * jnp.log(acts.width)
        return -self.target_entropy * 0.98 * mean(jnp.log(jnp.sum(batch.open, axis=-1)), batch.weight)
