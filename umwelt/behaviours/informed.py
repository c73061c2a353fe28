"""Pull a policy towards actions that tell much about the world.

"MaxInfoRL: boosting exploration in reinforcement learning through information gain maximization" (2025). An ensemble
predicts change and reward. Where its members disagree beyond the noise, an action brings information. Its worth stands
beside the entropy, in the target and in what the policy climbs, and each has a temperature that tunes itself.

Where we differ: members are deterministic, and the noise of a target is the running error of their mean.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Batch, mean
from umwelt.core import Info, Metric, keys, part, struct
from umwelt.networks import layers, members, policies, scale
from umwelt.networks.layers import Stack
from umwelt.networks.members import Network
from umwelt.networks.optimise import averaged, optimiser, stepped
from umwelt.networks.scale import Scale

GAIN = Metric(name="information_gain", unit="nats", meaning="mean information that the policy's actions in the batch bring")
PULL = Metric(name="information_temperature", unit="reward per deviation", meaning="what information is worth to the policy")


@struct
class InformedState:
    """network: the members. inputs, targets, gains: scales of what they read, what they predict, and the information.
    noise: float32 [T], the mean squared error of the members' mean, in variances of the targets. target: the policy's
    target network. temperature: float32 [], its logarithm. optimisers: Optax's, of members and temperature."""

    network: Network
    inputs: Scale
    targets: Scale
    gains: Scale
    noise: jax.Array
    target: Stack
    temperature: jax.Array
    optimisers: tuple[Any, Any]


@part
class Informed:
    """The information that an action brings about change and reward, times a temperature that tunes itself."""

    members: int = 5
    """Networks that predict."""
    units: int = 256
    """Width of their two hidden layers."""
    learning_rate: float = 3e-4
    """Step size of Adam, for members and temperature."""
    ema_rate: float = 0.005
    """Share of the policy that its target network takes over in each update."""
    least: float = 1e-3
    """The smallest noise, in standard deviations of a target."""
    horizon: float = 2e4
    """Transitions over which noise and information are averaged."""

    metrics = (GAIN, PULL)
    cites = ("maxinforl_2025",)

    def init(self, key: jax.Array, width: int, acts: policies.Policy, policy: Stack) -> InformedState:
        """Begin with members that disagree, and a temperature of 1."""
        if self.members < 2:
            raise ValueError(f"members={self.members}: one network cannot disagree; take 2 or more")
        into, temperature = width + acts.inputs, jnp.zeros((), jnp.float32)
        network = members.init(key, self.members, (into, self.units, self.units, width + 1))
        chain = optimiser(self.learning_rate)
        return InformedState(
            network=network,
            inputs=scale.unit(into),
            targets=scale.unit(width + 1),
            gains=scale.unit(1),
            noise=jnp.ones(width + 1, jnp.float32),
            target=jax.tree.map(jnp.copy, policy),
            temperature=temperature,
            optimisers=(chain.init(network), chain.init(temperature)),
        )

    def worth(self, state: InformedState, features: jax.Array, taken: jax.Array) -> jax.Array:
        """The information of actions [N, A] at features [N, F], in deviations from its mean, times the temperature."""
        gain = (self.gain(state, features, taken) - state.gains.mean[0]) / state.gains.deviation[0]
        return jnp.exp(state.temperature) * gain

    def gain(self, state: InformedState, features: jax.Array, taken: jax.Array) -> jax.Array:
        """float32 [N], in nats: the sum over targets of log(1 + (the members' deviation / noise)^2)."""
        spread = jnp.var(self._guess(state, state.network, features, taken), axis=0)
        noise = jnp.maximum(state.noise, self.least**2)
        return jnp.sum(jnp.log1p(spread / noise[:, None]), axis=0)

    def learn(
        self, key: jax.Array, state: InformedState, batch: Batch, acts: policies.Policy, policy: Stack
    ) -> tuple[InformedState, Info]:
        """Update the members, then the scale of the information, then the temperature."""
        taken = acts.features(acts.unit(batch.action))
        state = self._predicted(state, batch, taken)
        now, later = (self._drawn(key, state, batch, acts, each) for each in (policy, state.target))
        gains = scale.update(state.gains, now[:, None], (batch.weight > 0).astype(jnp.float32), self.horizon)
        # the temperature rises while the policy brings less than the slower one would
        excess = mean((now - later) / gains.deviation[0], batch.weight)
        chain = optimiser(self.learning_rate)
        temperature, optimised = stepped(chain, excess, state.optimisers[1], state.temperature)
        info = {"information_gain": mean(now, batch.weight), "information_temperature": jnp.exp(temperature)}
        after = replace(
            state,
            gains=gains,
            target=averaged(policy, state.target, self.ema_rate),
            temperature=temperature,
            optimisers=(state.optimisers[0], optimised),
        )
        return after, info

    def _predicted(self, state: InformedState, batch: Batch, taken: jax.Array) -> InformedState:
        """Update scales, members and noise on a batch."""
        weighs = (batch.weight > 0).astype(jnp.float32)
        rows = jnp.concatenate([batch.now, taken], axis=-1)
        wanted = jnp.concatenate([batch.after - batch.now, batch.reward[:, None]], axis=-1)
        state = replace(
            state,
            inputs=scale.update(state.inputs, rows, weighs, 1e5),
            targets=scale.update(state.targets, wanted, weighs, 1e5),
        )
        standard = ((wanted - state.targets.mean) / state.targets.deviation).T

        def loss(network: Network) -> tuple[jax.Array, jax.Array]:
            guess = self._guess(state, network, batch.now, taken)
            missed = jnp.mean(guess, axis=0) - standard
            return jnp.sum((guess - standard) ** 2 * weighs) / jnp.maximum(jnp.sum(weighs), 1.0), missed**2

        gradient, missed = jax.grad(loss, has_aux=True)(state.network)
        network, optimised = stepped(optimiser(self.learning_rate), gradient, state.optimisers[0], state.network)
        number = jnp.sum(weighs)
        share = jnp.minimum(number / self.horizon, 1.0)
        noise = (1.0 - share) * state.noise + share * (missed @ weighs) / jnp.maximum(number, 1.0)
        return replace(state, network=network, noise=noise, optimisers=(optimised, state.optimisers[1]))

    def _guess(self, state: InformedState, network: Network, features: jax.Array, taken: jax.Array) -> jax.Array:
        """What each member predicts of rows [N], in standard units: float32 [E, T, N]."""
        rows = jnp.concatenate([features, taken], axis=-1)
        rows = ((rows - state.inputs.mean) / state.inputs.deviation).T
        return members.apply(network, jnp.broadcast_to(rows, (self.members, *rows.shape)))

    def _drawn(self, key: jax.Array, state: InformedState, batch: Batch, acts: policies.Policy, policy: Stack) -> jax.Array:
        """The information of what a policy draws at `now`, with the same noise for each policy: float32 [N]."""
        outputs = policies.masked(layers.apply(policy, batch.now, jax.nn.relu), batch.open)
        unit, _ = acts.draw(keys.fold(key, "draw"), outputs)
        return self.gain(state, batch.now, acts.features(unit))
