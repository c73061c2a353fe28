"""Soft actor-critic: a policy that is as random as it can afford.

"Soft actor-critic algorithms and applications" (2018), with two critics, of which the lower value counts, and a
temperature that is learned. Over choices all expectations are exact ("Soft actor-critic for discrete
action settings", 2019).
"""

import dataclasses
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import ENTROPY, VALUE, VALUE_LOSS, Batch, mean, wiped
from umwelt.behaviours.conservative import Conservative
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import critics as values_of
from umwelt.networks import layers, policies
from umwelt.networks.layers import Bundle, Stack
from umwelt.networks.optimise import Protection, averaged, optimiser, stepped, where_any

TEMPERATURE = Metric(name="temperature", unit="reward per nat", meaning="what a nat of entropy is worth to the policy")


class Pull(Protocol):
    """Gives actions a worth beside their value and their entropy, such as `umwelt.behaviours.Informed`."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that `learn` reports."""
        ...

    def init(self, key: jax.Array, width: int, acts: policies.Policy, policy: Stack) -> Any:
        """Begin for `width` features, and the policy as it begins."""
        ...

    def worth(self, state: Any, features: jax.Array, taken: jax.Array) -> jax.Array:
        """float32 [N], in reward: of actions [N, acts.inputs] at features [N, F]; differentiable in the actions."""
        ...

    def learn(self, key: jax.Array, state: Any, batch: Batch, acts: policies.Policy, policy: Stack) -> tuple[Any, Info]:
        """Update once from the batch that the policy has learned from."""
        ...


class Weigh(Protocol):
    """Weighs the entries of an action in the policy's entropy, such as `umwelt.behaviours.Causal`."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that `learn` reports."""
        ...

    def init(self, key: jax.Array, width: int, acts: policies.Gaussian) -> Any:
        """Begin for `width` features, with weights of 1."""
        ...

    def weights(self, state: Any) -> jax.Array:
        """float32 [A], with a mean of 1."""
        ...

    def learn(self, key: jax.Array, state: Any, batch: Batch, acts: policies.Gaussian) -> tuple[Any, Info]:
        """Update once from the batch."""
        ...


@struct
class SacState:
    """policy: a stack. critics, target (their target networks): bundles. temperature: float32 [], its logarithm.
    optimisers: Optax's, of policy, critics and temperature. pull, weigh: of these parts; None where there are none."""

    policy: Stack
    critics: Bundle
    target: Bundle
    temperature: jax.Array
    optimisers: tuple[Any, Any, Any]
    pull: Any = None
    weigh: Any = None
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
    pull: Pull | None = None
    """What gives actions a worth beside value and entropy."""
    weigh: Weigh | None = None
    """What weighs the entries of an action in the entropy."""
    conservative: Conservative | None = None
    """What keeps values low where the data hold no action, such as `Conservative()`; for learning from logs."""
    soft: bool = True
    """Count the policy's entropy in the targets of the critics."""
    drawn: int = 0
    """Critics, drawn for each update, that a target asks; 0 for all of them (REDQ, 2021)."""

    cites = ("sac_2018", "discrete_sac_2019")

    @property
    def reads_to_come(self) -> bool:
        """Whether it reads the rewards to the end of the episode."""
        return self.conservative is not None and self.conservative.reads_to_come

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Its own, and those of what pulls and weighs."""
        parts = (part for part in (self.pull, self.weigh) if part is not None)
        return (VALUE, VALUE_LOSS, ENTROPY, TEMPERATURE, *(metric for part in parts for metric in part.metrics))

    def init(self, key: jax.Array, width: int, action: Any) -> SacState:
        """Begin with a policy in the middle of its space, and untrained critics."""
        if not 0 <= self.drawn <= self.critics:
            raise ValueError(f"drawn={self.drawn}: a target asks at most all of the critics={self.critics}, or 0 for all")
        # an untrained policy stands in the middle of its log deviations, and must be wide enough to explore
        acts = policies.over(action, lowest=-5.0)
        for_policy, for_critics = keys.split(key, "policy", "critics")
        policy = layers.even(for_policy, layers.stack(for_policy, (width, self.units, self.units, acts.width), normed=False))
        critics = values_of.critics(for_critics, width, acts, self.units, self.critics, self.normed)
        temperature = jnp.zeros((), jnp.float32)
        guarded, plain = self._optimisers()
        return SacState(
            policy=policy,
            critics=critics,
            target=jax.tree.map(jnp.copy, critics),
            temperature=temperature,
            optimisers=(guarded.init(policy), guarded.init(critics), plain.init(temperature)),
            pull=None if self.pull is None else self.pull.init(keys.fold(key, "pull"), width, acts, policy),
            weigh=None if self.weigh is None else self.weigh.init(keys.fold(key, "weigh"), width, _entries(acts)),
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
        target = layers.picked(state.target, self._chosen(key)) if self.drawn else state.target
        value, entropy = self._soft(state, state.policy, target, later, batch.after, batch.open_after)
        temperature = jnp.exp(state.temperature)
        wanted = batch.reward + self.discount * batch.continues * (value + temperature * entropy if self.soft else value)
        gap_key = keys.fold(key, "conservative")
        outputs = tuple(layers.apply(state.policy, each, jax.nn.relu) for each in (batch.now, batch.after))

        def criticise(critics: Bundle) -> tuple[jax.Array, jax.Array]:
            values = values_of.values(critics, state.acts, batch.now, state.acts.unit(batch.action), self.normed)
            loss = jnp.asarray(sum(0.5 * mean((each - wanted) ** 2, batch.weight) for each in values))
            if self.conservative is not None:
                loss += self.conservative.gap(gap_key, state.acts, outputs, critics, values, batch, self.normed)
            return loss, jnp.mean(values, axis=0)

        (loss, values), gradient = jax.value_and_grad(criticise, has_aux=True)(state.critics)
        slope = lambda at: jax.grad(criticise, has_aux=True)(at)[0]  # noqa: E731
        critics, of_critics = stepped(guarded, gradient, state.optimisers[1], state.critics, slope)

        def please(policy: Stack) -> tuple[jax.Array, jax.Array]:
            value, entropy = self._soft(state, policy, critics, now, batch.now, batch.open)
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
            target=averaged(critics, state.target, self.ema_rate),
            temperature=temperature_after,
            optimisers=(of_policy, of_critics, of_temperature),
        )
        after, reported = self._beside(key, after, batch)
        return where_any(batch.weight, after, state), {
            **reported,
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

    def worth(self, state: SacState, features: jax.Array, action: Any) -> jax.Array:
        """Value given actions [N, ...] at features [N, F] by the lowest critic: float32 [N]."""
        each = values_of.values(state.critics, state.acts, features, state.acts.unit(action), self.normed)
        return values_of.lowest(each)

    def _optimisers(self) -> tuple[Any, Any]:
        """The optimiser of policy and critics, and that of the temperature."""
        return optimiser(self.learning_rate, protection=self.protection), optimiser(self.learning_rate)

    def _beside(self, key: jax.Array, state: SacState, batch: Batch) -> tuple[SacState, Info]:
        """Update what pulls and what weighs, where there is any."""
        info: Info = {}
        if self.pull is not None:
            pull, found = self.pull.learn(keys.fold(key, "pull"), state.pull, batch, state.acts, state.policy)
            state, info = dataclasses.replace(state, pull=pull), info | found
        if self.weigh is not None:
            weigh, found = self.weigh.learn(keys.fold(key, "weigh"), state.weigh, batch, _entries(state.acts))
            state, info = dataclasses.replace(state, weigh=weigh), info | found
        return state, info

    def _soft(
        self, state: SacState, policy: Stack, critics: Bundle, key: jax.Array, features: jax.Array, open: jax.Array | None
    ) -> tuple[jax.Array, jax.Array]:
        """The lowest value of the policy's action with what pulls, and the policy's entropy there; float32 [N] each."""
        acts = state.acts
        outputs = policies.masked(layers.apply(policy, features, jax.nn.relu), open)
        if isinstance(acts, policies.Choice):
            lowest = jnp.min(jnp.stack(values_of.apart(critics, features, self.normed)), axis=0)
            if self.pull is not None:
                every = (jnp.broadcast_to(row, (features.shape[0], acts.width)) for row in jnp.eye(acts.width))
                lowest = lowest + jnp.stack([self.pull.worth(state.pull, features, each) for each in every], axis=-1)
            return jnp.sum(jnp.exp(acts.logits(outputs)) * lowest, axis=-1), acts.entropy(key, outputs)
        if self.weigh is None:
            unit, log_prob = acts.draw(key, outputs)
        else:
            unit, each = _entries(acts).each(key, outputs)
            log_prob = jnp.sum(self.weigh.weights(state.weigh) * each, axis=-1)
        lowest = values_of.lowest(values_of.values(critics, acts, features, unit, self.normed))
        return lowest if self.pull is None else lowest + self.pull.worth(state.pull, features, unit), -log_prob

    def _chosen(self, key: jax.Array) -> jax.Array:
        """Numbers int32 [drawn] of the critics that a target asks."""
        return jax.random.choice(keys.fold(key, "drawn"), self.critics, (self.drawn,), replace=False)

    def _target_entropy(self, acts: policies.Policy, batch: Batch) -> float | jax.Array:
        if not isinstance(acts, policies.Choice):
            return self.target_entropy * acts.size
        if batch.open is None:
            return -self.target_entropy * 0.98 * jnp.log(acts.width)
        return -self.target_entropy * 0.98 * mean(jnp.log(jnp.sum(batch.open, axis=-1)), batch.weight)


def _entries(acts: policies.Policy) -> policies.Gaussian:
    """The policy, where its actions have entries that can be weighed."""
    if not isinstance(acts, policies.Gaussian):
        raise ValueError("weigh: a choice has no entries to weigh; leave weigh=None, or take a world of boxes")
    return acts
