"""A judge that separates what an expert did from what the agent did, and pays for being taken for the expert.

"Generative adversarial imitation learning" (2016). The penalty on slopes between both kinds of rows keeps the reward
smooth; "Lipschitzness is all you need to tame off-policy generative adversarial imitation learning" (2022) shows that an
off-policy learner depends on it.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Batch, mean
from umwelt.core import Info, Metric, keys, part, struct
from umwelt.networks import layers, policies
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped

TOLD = Metric(name="discriminated", unit="nats", meaning="mean cross entropy of shown against lived rows, before the update")
SLOPE = Metric(name="reward_slope", unit="logits per unit", meaning="largest slope of the judge between rows of a batch")


@struct
class DiscriminatorState:
    """network: [F + A] -> [1], a logit. optimiser: Optax's."""

    network: Stack
    optimiser: Any


@part
class Discriminator:
    """Pays -log(1 - D), where D is the chance that a row was shown."""

    penalty: float = 10.0
    """Weight of (slope - 1) squared between rows; 0 for none."""
    units: int = 64
    """Width of the two hidden layers."""
    learning_rate: float = 3e-4
    """Step size of Adam."""

    metrics = (TOLD, SLOPE)
    cites = ("gail_2016", "lipschitz_gail_2022")

    def init(self, key: jax.Array, width: int, acts: policies.Policy) -> DiscriminatorState:
        """Begin untrained."""
        network = layers.even(key, layers.stack(key, (width + acts.inputs, self.units, self.units, 1), normed=False))
        return DiscriminatorState(network=network, optimiser=optimiser(self.learning_rate).init(network))

    def score(self, state: DiscriminatorState, batch: Batch, acts: policies.Policy) -> jax.Array:
        """float32 [N]: -log(1 - D) of each row."""
        return jax.nn.softplus(_logit(state.network, _rows(batch, acts)))

    def learn(
        self, key: jax.Array, state: DiscriminatorState, batch: Batch, acts: policies.Policy
    ) -> tuple[DiscriminatorState, Info]:
        """Update once; without both kinds of rows in a batch there is nothing to tell apart."""
        if batch.shown is None:
            raise ValueError("judge: this batch does not say which rows were shown; use Discriminator in ModelFree with Both")
        rows, shown = _rows(batch, acts), batch.shown & (batch.weight > 0)
        lived = ~batch.shown & (batch.weight > 0)
        mixed = self._mixed(key, rows, batch.weight)

        def miss(network: Stack) -> tuple[jax.Array, Any]:
            logit = _logit(network, rows)
            error = mean(jax.nn.softplus(-logit), shown.astype(jnp.float32))
            error += mean(jax.nn.softplus(logit), lived.astype(jnp.float32))
            slopes = jax.vmap(jax.grad(lambda row: _logit(network, row[None])[0]))(mixed)
            steep = jnp.sqrt(jnp.sum(slopes**2, axis=-1) + 1e-12)
            return error + self.penalty * jnp.mean((steep - 1.0) ** 2), (error, jnp.max(steep))

        (_, (error, steep)), gradient = jax.value_and_grad(miss, has_aux=True)(state.network)
        network, optimised = stepped(optimiser(self.learning_rate), gradient, state.optimiser, state.network)
        both = jnp.any(shown) & jnp.any(lived)
        after = jax.tree.map(
            lambda new, old: jnp.where(both, new, old), replace(state, network=network, optimiser=optimised), state
        )
        return after, {"discriminated": error, "reward_slope": steep}

    def _mixed(self, key: jax.Array, rows: jax.Array, weight: jax.Array) -> jax.Array:
        """Points [N, W] between each row and another one, of rows that weigh."""
        choosing, mixing = keys.split(key, "choose", "mix")
        other = jax.random.categorical(choosing, jnp.where(weight > 0, 0.0, -1e9), shape=(2, rows.shape[0]))
        share = jax.random.uniform(mixing, (rows.shape[0], 1))
        return share * rows[other[0]] + (1.0 - share) * rows[other[1]]


def _rows(batch: Batch, acts: policies.Policy) -> jax.Array:
    return jnp.concatenate([batch.now, acts.features(acts.unit(batch.action))], axis=-1)


def _logit(network: Stack, rows: jax.Array) -> jax.Array:
    return layers.apply(network, rows, jax.nn.relu)[:, 0]
