"""A reward that is learned from examples of success: a classifier of what follows, fitted to what was shown."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Batch, mean
from umwelt.core import Info, Metric, part, struct
from umwelt.networks import layers, policies
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped

TOLD = Metric(name="success_loss", unit="nats", meaning="mean cross entropy of success in shown rows, before the update")


@struct
class SucceededState:
    """network: [F] -> [1], a logit. optimiser: Optax's."""

    network: Stack
    optimiser: Any


@part
class Succeeded:
    """Pays 1 where what follows looks like success, as "Robot fine-tuning made easy" (2024) does, and 0 elsewhere.

    It learns from shown rows alone: a reward above a half says that a row is a success. The paper fine-tunes a vision-language
    model for this; here it is a small network that reads features, among which is the task.
    """

    threshold: float = 0.5
    """The chance of success above which it pays."""
    wrong: float = 0.0
    """The chance that an example is read wrongly."""
    units: int = 64
    """Width of the two hidden layers."""
    learning_rate: float = 1e-3
    """Step size of Adam."""

    metrics = (TOLD,)
    cites = ("robofume_2024",)

    def init(self, key: jax.Array, width: int, acts: policies.Policy) -> SucceededState:
        """Begin untrained."""
        if not 0.0 <= self.wrong < 0.5:
            raise ValueError(f"wrong={self.wrong}: examples that are wrong as often as right teach nothing; give less than 0.5")
        network = layers.even(key, layers.stack(key, (width, self.units, self.units, 1), normed=False))
        return SucceededState(network=network, optimiser=optimiser(self.learning_rate).init(network))

    def chance(self, state: SucceededState, features: jax.Array) -> jax.Array:
        """The chance of success at features [N, F]: float32 [N]."""
        return jax.nn.sigmoid(layers.apply(state.network, features, jax.nn.relu)[:, 0])

    def score(self, state: SucceededState, batch: Batch, acts: policies.Policy) -> jax.Array:
        """float32 [N]: 1 for a success, else 0."""
        return (self.chance(state, batch.after) > self.threshold).astype(jnp.float32)

    def learn(self, key: jax.Array, state: SucceededState, batch: Batch, acts: policies.Policy) -> tuple[SucceededState, Info]:
        """Update once; rows that were not shown teach nothing. Successes and failures weigh alike, however few there are."""
        if batch.shown is None:
            raise ValueError("judge: this batch does not say which rows were shown; use Succeeded in ModelFree with Both")
        mistaken = jax.random.bernoulli(key, self.wrong, batch.reward.shape)
        success = (batch.reward > 0.5) ^ mistaken
        counts = batch.shown & (batch.weight > 0)

        def miss(network: Stack) -> jax.Array:
            logit = layers.apply(network, batch.after, jax.nn.relu)[:, 0]
            won = mean(jax.nn.softplus(-logit), (counts & success).astype(jnp.float32))
            return 0.5 * (won + mean(jax.nn.softplus(logit), (counts & ~success).astype(jnp.float32)))

        loss, gradient = jax.value_and_grad(miss)(state.network)
        network, optimised = stepped(optimiser(self.learning_rate), gradient, state.optimiser, state.network)
        after = replace(state, network=network, optimiser=optimised)
        learned = jnp.any(counts)
        return jax.tree.map(lambda new, old: jnp.where(learned, new, old), after, state), {"success_loss": loss}
