"""Soft actor-critic: a policy that is as random as it can afford.

"Soft actor-critic algorithms and applications" (2018), with two critics, whose lesser counts, and a
temperature that is learned. Over choices all expectations are exact ("Soft actor-critic for discrete
action settings", 2019).
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax

from umwelt.behaviours.lesson import ENTROPY, VALUE, VALUE_LOSS, Lesson, mean, wiped
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import layers, policies
from umwelt.networks.layers import Bundle, Stack

TEMPERATURE = Metric(name="temperature", unit="reward per nat", meaning="what a nat of entropy is worth to the policy")


@struct
class SacState:
    """policy: a stack. critics, slow (the critics that follow): bundles. temperature: float32 [], its logarithm.
    optimisers: Optax's, of policy, critics and temperature."""

    policy: Stack
    critics: Bundle
    slow: Bundle
    temperature: jax.Array
    optimisers: tuple[Any, Any, Any]
    acts: policies.Policy = static()


@part
class SAC:
    """A stochastic policy, critics, and a temperature that keeps the policy's entropy at a target."""

    units: int = 256
    """Width of the two hidden layers."""
    critics: int = 2
    """Critics, the least of which is the target."""
    learning_rate: float = 3e-4
    """Step size of Adam."""
    discount: float = 0.99
    """Worth of the next step in units of this one."""
    follow: float = 0.005
    """Share of the critics that their slow copies take over in each update."""
    target: float = -1.0
    """Wanted entropy: in nats for each entry of a Box; for choices, times -0.98 of the greatest there is."""
    normed: bool = False
    """Normalise the critics' hidden layers: with many updates for each decision they then promise less of actions
    that nobody tried ("Dropout Q-functions for doubly efficient reinforcement learning", ICLR 2022)."""

    metrics = (VALUE, VALUE_LOSS, ENTROPY, TEMPERATURE)

    def init(self, key: jax.Array, width: int, action: Any) -> SacState:
        """A policy in the middle of its space, and critics that know nothing."""
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
        optimiser = optax.adam(self.learning_rate)
        return SacState(
            policy=policy,
            critics=critics,
            slow=jax.tree.map(jnp.copy, critics),
            temperature=temperature,
            optimisers=(optimiser.init(policy), optimiser.init(critics), optimiser.init(temperature)),
            acts=acts,
        )

    def act(self, key: jax.Array, state: SacState, features: jax.Array, mode: Mode) -> Any:
        """A draw of the policy; its best action in a probe."""
        outputs = layers.apply(state.policy, features, jax.nn.relu)
        unit = state.acts.best(outputs) if mode == "exploit" else state.acts.draw(key, outputs)[0]
        return state.acts.action(unit)

    def learn(self, key: jax.Array, state: SacState, lesson: Lesson) -> tuple[SacState, Info]:
        """One update of the critics, then of the policy, then of the temperature."""
        lesson = wiped(lesson)
        later, now = keys.split(key, "later", "now")
        optimiser = optax.adam(self.learning_rate)
        worth, entropy = self._soft(state.policy, state.slow, state.acts, later, lesson.after)
        heat = jnp.exp(state.temperature)
        target = lesson.reward + self.discount * lesson.goes_on * (worth + heat * entropy)

        def criticise(critics: Bundle) -> tuple[jax.Array, jax.Array]:
            said = self._said(critics, state.acts, lesson.now, lesson.action)
            return sum(0.5 * mean((each - target) ** 2, lesson.weight) for each in said), jnp.mean(jnp.stack(said), axis=0)

        (loss, said), gradient = jax.value_and_grad(criticise, has_aux=True)(state.critics)
        update, of_critics = optimiser.update(gradient, state.optimisers[1])
        critics = optax.apply_updates(state.critics, update)

        def please(policy: Stack) -> tuple[jax.Array, jax.Array]:
            worth, entropy = self._soft(policy, critics, state.acts, now, lesson.now)
            return -mean(worth + heat * entropy, lesson.weight), mean(entropy, lesson.weight)

        gradient, entropy = jax.grad(please, has_aux=True)(state.policy)
        update, of_policy = optimiser.update(gradient, state.optimisers[0])
        policy = optax.apply_updates(state.policy, update)
        update, of_heat = optimiser.update(entropy - self._wanted(state.acts), state.optimisers[2])
        after = dataclasses.replace(
            state,
            policy=policy,
            critics=critics,
            slow=optax.incremental_update(critics, state.slow, self.follow),
            temperature=optax.apply_updates(state.temperature, update),
            optimisers=(of_policy, of_critics, of_heat),
        )
        some = jnp.any(lesson.weight > 0)
        after = jax.tree.map(lambda new, old: jnp.where(some, new, old), after, state)
        return after, {
            "value": mean(said, lesson.weight),
            "value_loss": loss,
            "policy_entropy": entropy,
            "temperature": heat,
        }

    def _soft(
        self, policy: Stack, critics: Bundle, acts: policies.Policy, key: jax.Array, features: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """The least critic's worth of the policy's action, and the policy's entropy there; float32 [N] each."""
        outputs = layers.apply(policy, features, jax.nn.relu)
        if isinstance(acts, policies.Choice):
            least = jnp.min(jnp.stack(self._asked(critics, features)), axis=0)
            return jnp.sum(jnp.exp(acts.logits(outputs)) * least, axis=-1), acts.entropy(key, outputs)
        unit, log_prob = acts.draw(key, outputs)
        inputs = jnp.concatenate([features, unit], axis=-1)
        least = jnp.min(jnp.stack(self._asked(critics, inputs)), axis=0)
        return least[:, 0], -log_prob

    def _said(self, critics: Bundle, acts: policies.Policy, features: jax.Array, action: Any) -> list[jax.Array]:
        """What each critic says of actions [N, ...] that were done: float32 [N] each."""
        unit = acts.unit(action)
        if isinstance(acts, policies.Choice):
            every = self._asked(critics, features)
            return [jnp.take_along_axis(each, unit[:, None], axis=1)[:, 0] for each in every]
        inputs = jnp.concatenate([features, unit], axis=-1)
        return [each[:, 0] for each in self._asked(critics, inputs)]

    def _asked(self, critics: Bundle, inputs: jax.Array) -> list[jax.Array]:
        """Every critic at inputs [N, in]: float32 [N, out] each."""
        return layers.apart(critics, layers.with_one(inputs) if self.normed else inputs, jax.nn.relu)

    def _wanted(self, acts: policies.Policy) -> float | jax.Array:
        if isinstance(acts, policies.Choice):
            return -self.target * 0.98 * jnp.log(acts.width)
        return self.target * acts.size
