"""A learned rule of learning: a network that reads a rollout, and says how likely each action should become.

"Discovering reinforcement learning algorithms" (2020): the rule runs backwards over a rollout. For each moment it answers a
push for the action that was taken and a target for predictions whose meaning is the rule's own affair. "Discovering
temporally-aware reinforcement learning algorithms" (2024) also shows it how much of a lifetime is over, and how long that is. So
it can explore early and settle late. An evolution strategy finds its weights, by what its agents earn in the end.
"""

import jax
import jax.numpy as jnp

from umwelt.core import keys, part, struct
from umwelt.networks import gru, layers
from umwelt.networks.gru import Gru
from umwelt.networks.layers import Stack


@struct
class Rollout:
    """What a rule reads of N rows of L moments. reward: float32 [L, N]. ended: bool [L, N], the episode is over after this
    moment. chance: float32 [L, N], of the action that was taken. now, after: float32 [L, N, K], chances of the predictions."""

    reward: jax.Array
    ended: jax.Array
    chance: jax.Array
    now: jax.Array
    after: jax.Array


@struct
class RuleState:
    """embeds: a stack that reads predictions. unit: what runs backwards. push, target: layers behind it."""

    embeds: Stack
    unit: Gru
    push: Stack
    target: Stack


@part
class Rule:
    """A rule of learning, for policies over choices that also make predictions.

    >>> rule, even, ones = Rule(units=8, classes=3), jnp.full((5, 2, 3), 1 / 3), jnp.ones((5, 2))

    >>> rollout = Rollout(reward=ones, ended=ones < 0, chance=0.5 * ones, now=even, after=even)
    >>> push, target = rule.answers(rule.init(jax.random.key(0)), rollout, jnp.float32(0.1), jnp.float32(100.0))
    >>> push.shape, target.shape
    ((5, 2), (5, 2, 3))
    """

    units: int = 16
    """Width of the summary of what follows a moment."""
    classes: int = 8
    """Classes of a prediction (K)."""
    told: bool = True
    """Tell the share of the lifetime that is over, and the logarithm of its length."""
    discount: float = 0.97
    """The worth of the next step, which it reads."""
    predicts: float = 0.5
    """Weight of the predictions in the loss."""

    cites = ("lpg_2020", "temporal_discovery_2024")

    def init(self, key: jax.Array) -> RuleState:
        """Draw the weights."""
        embedding, running, pushing, aiming = keys.split(key, "embeds", "unit", "push", "target")
        return RuleState(
            embeds=layers.stack(embedding, (self.classes, self.units, 1), normed=False),
            unit=gru.gru(running, 8, self.units),
            push=layers.stack(pushing, (self.units, 1), normed=False),
            target=layers.stack(aiming, (self.units, self.classes), normed=False),
        )

    def answers(
        self, state: RuleState, rollout: Rollout, progress: jax.Array, lifetime: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """How much likelier each action should become, float32 [L, N], and logits of each prediction, float32 [L, N, K].

        progress: float32 [], the share of the lifetime that is over. lifetime: float32 [], its length in updates.
        """
        rows = rollout.reward.shape
        now, after = (layers.apply(state.embeds, each, jax.nn.relu)[..., 0] for each in (rollout.now, rollout.after))
        # a lifetime of 10 updates reads as 1
        told = jnp.stack([progress, jnp.log(lifetime) / jnp.log(10.0)]) if self.told else jnp.zeros(2)
        ended = rollout.ended.astype(jnp.float32)
        seen = (rollout.reward, ended, jnp.full(rows, self.discount), rollout.chance, now, after)
        inputs = jnp.concatenate([jnp.stack(seen, axis=-1), jnp.broadcast_to(told, (*rows, 2))], axis=-1)
        # backwards, what follows an episode's end is forgotten before that end is read
        _, summary = gru.run(state.unit, gru.zeros(state.unit, rows[1]), inputs[::-1], rollout.ended[::-1])
        summary = summary[::-1]
        return layers.apply(state.push, summary, jax.nn.relu)[..., 0], layers.apply(state.target, summary, jax.nn.relu)

    def loss(self, push: jax.Array, target: jax.Array, log_chance: jax.Array, predictions: jax.Array) -> jax.Array:
        """What the agent descends: float32 [].

        push: float32 [L, N]. target: logits [L, N, K]. log_chance: float32 [L, N], of the actions. predictions: logits
        [L, N, K]. No gradient reaches the rule.
        """
        push, target = jax.lax.stop_gradient((push, target))
        wanted, mine = jax.nn.log_softmax(target), jax.nn.log_softmax(predictions)
        apart = jnp.sum(jnp.exp(mine) * (mine - wanted), axis=-1)
        return jnp.mean(self.predicts * apart - push * log_chance)
