"""An actor and a critic that learn from dreams, at any scale of reward.

"Mastering diverse domains through world models" (DreamerV3, 2023): the critic is a distribution over symlog bins, drawn
towards its own target network. The actor follows the advantage, divided by the range of returns where that is above 1.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import ENTROPY, VALUE, Batch, mean, wiped
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import layers, policies
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import Protection, averaged, optimiser, stepped, where_any
from umwelt.networks.returns import lambda_returns
from umwelt.networks.twohot import Bins

CRITIC_LOSS = Metric(name="value_loss", unit="nats", meaning="cross entropy of the critic with the returns", better="down")
RANGE = Metric(name="return_range", unit="reward", meaning="distance between the 5th and the 95th percentile of returns")


@struct
class Dream:
    """M trajectories. features: float32 [H + 1, M, F]. action: units as the policy drew them, [H, M, ...].
    reward, continues: float32 [H, M], of the step that follows. weight: float32 [M]. open: bool [H, M, n], the choices that
    were admissible; None where all are."""

    features: jax.Array
    action: jax.Array
    reward: jax.Array
    continues: jax.Array
    weight: jax.Array
    open: jax.Array | None = None


@struct
class ActorCriticState:
    """actor, critic, target (the critic's target network): stacks. range: float32 []. optimiser: Optax's, of actor and
    critic."""

    actor: Stack
    critic: Stack
    target: Stack
    range: jax.Array
    optimiser: Any
    acts: policies.Policy = static()


@part
class ActorCritic:
    """A policy and a value over features."""

    units: int = 256
    """Width of the hidden layers."""
    layers: int = 2
    """Hidden layers."""
    bins: Bins = Bins(low=-12.0, high=12.0, count=61)
    """The critic's bins."""
    discount: float = 0.997
    """Worth of the next step in units of this one (gamma)."""
    lambda_: float = 0.95
    """The lambda of the returns: 1 sums all rewards, 0 looks one step ahead."""
    entropy: float = 3e-4
    """Worth of a nat of entropy, in ranges of return (eta)."""
    learning_rate: float = 3e-4
    """Step size of Adam."""
    clip: float = 10.0
    """Largest norm of a gradient."""
    ema_rate: float = 0.02
    """Share of the critic that its target network takes over in each update (tau)."""
    protection: Protection | None = None
    """What keeps actor and critic near to what they were, such as `umwelt.retention.Elastic()`."""

    metrics = (VALUE, CRITIC_LOSS, ENTROPY, RANGE)
    cites = ("dreamer_v3_2023",)

    def init(self, key: jax.Array, width: int, action: Any) -> ActorCriticState:
        """Begin with an even policy, and a critic that predicts 0."""
        acts = policies.over(action, clipped=True, uniform=0.01)
        for_actor, for_critic = keys.split(key, "actor", "critic")
        hidden = (self.units,) * self.layers
        actor = layers.stack(for_actor, (width, *hidden, acts.width), scale=0.01)
        critic = layers.stack(for_critic, (width, *hidden, self.bins.count), scale=0.0)
        return ActorCriticState(
            actor=actor,
            critic=critic,
            target=jax.tree.map(jnp.copy, critic),
            range=jnp.ones((), jnp.float32),
            optimiser=self._optimiser().init((actor, critic)),
            acts=acts,
        )

    def draw(
        self,
        key: jax.Array,
        state: ActorCriticState,
        features: jax.Array,
        mode: Mode = "explore",
        open: jax.Array | None = None,
    ) -> jax.Array:
        """Draw actions in units [N, ...] for features [N, F], of choices among those that are open [N, n]; take the
        policy's best in a probe."""
        outputs = policies.masked(layers.apply(state.actor, features, jax.nn.silu), open)
        return state.acts.best(outputs) if mode == "exploit" else state.acts.draw(key, outputs)[0]

    def value(self, state: ActorCriticState, features: jax.Array) -> jax.Array:
        """The critic's value of features [N, F]: float32 [N]."""
        return self.bins.mean(layers.apply(state.critic, features, jax.nn.silu))

    def learn(self, key: jax.Array, state: ActorCriticState, dream: Dream) -> tuple[ActorCriticState, Info]:
        """Update both once from dreams."""
        horizon, number = dream.reward.shape
        flat = dream.features.reshape((horizon + 1) * number, -1)
        discount = self.discount * dream.continues
        slow = layers.apply(state.target, flat, jax.nn.silu)
        value = self.bins.mean(layers.apply(state.critic, flat, jax.nn.silu)).reshape(horizon + 1, number)
        returns = lambda_returns(dream.reward, discount, value, self.lambda_)
        width = jnp.percentile(returns, 95.0) - jnp.percentile(returns, 5.0)
        spread = state.range + 0.01 * (width - state.range)
        advantage = (returns - value[:-1]) / jnp.maximum(spread, 1.0)
        # a step counts by the probability that the dream reaches it
        alive = jnp.cumprod(jnp.concatenate([jnp.ones((1, number)), discount[:-1]]), axis=0) * dream.weight
        alive = alive / jnp.maximum(jnp.sum(dream.weight) * horizon, 1.0)
        now = flat[: horizon * number]
        open = None if dream.open is None else dream.open.reshape(horizon * number, -1)

        def loss(both: tuple[Stack, Stack]) -> tuple[jax.Array, Any]:
            outputs = policies.masked(layers.apply(both[0], now, jax.nn.silu), open)
            action = dream.action.reshape(horizon * number, *dream.action.shape[2:])
            log_prob = state.acts.log_prob(outputs, action).reshape(horizon, number)
            entropy = state.acts.entropy(key, outputs).reshape(horizon, number)
            logits = layers.apply(both[1], now, jax.nn.silu)
            towards = self.bins.loss(logits, returns.reshape(-1))
            slowly = -jnp.sum(jax.nn.softmax(slow[: horizon * number]) * jax.nn.log_softmax(logits), axis=-1)
            critic = jnp.sum(alive * (towards + slowly).reshape(horizon, number))
            actor = -jnp.sum(alive * (advantage * log_prob + self.entropy * entropy))
            return actor + critic, (jnp.sum(alive * towards.reshape(horizon, number)), jnp.mean(entropy))

        both = (state.actor, state.critic)
        gradient, (towards, entropy) = jax.grad(loss, has_aux=True)(both)
        slope = lambda at: jax.grad(loss, has_aux=True)(at)[0]  # noqa: E731
        (actor, critic), optimised = stepped(self._optimiser(), gradient, state.optimiser, both, slope)
        target = averaged(critic, state.target, self.ema_rate)
        after = dataclasses.replace(state, actor=actor, critic=critic, target=target, range=spread, optimiser=optimised)
        info = {"value": jnp.mean(value), "value_loss": towards, "policy_entropy": entropy, "return_range": spread}
        return where_any(dream.weight, after, state), info

    def imitate(self, key: jax.Array, state: ActorCriticState, batch: Batch) -> tuple[ActorCriticState, Info]:
        """Make the actions of the batch more likely at its features: one step of the actor up the gradient of their
        log-likelihood. The critic stays as it is."""
        batch = wiped(batch)

        def miss(both: tuple[Stack, Stack]) -> jax.Array:
            outputs = policies.masked(layers.apply(both[0], batch.now, jax.nn.silu), batch.open)
            return -mean(state.acts.log_prob(outputs, state.acts.unit(batch.action)), batch.weight)

        both = (state.actor, state.critic)
        loss, gradient = jax.value_and_grad(miss)(both)
        (actor, _), optimised = stepped(self._optimiser(), gradient, state.optimiser, both, jax.grad(miss))
        after = dataclasses.replace(state, actor=actor, optimiser=optimised)
        return where_any(batch.weight, after, state), {"imitation_loss": loss}

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, self.clip, self.protection)
