"""An actor and a critic that learn from dreams, at any scale of reward.

"Mastering diverse domains through world models" (DreamerV3, 2023): the critic is a distribution over
symlog bins, drawn towards its own slow copy; the actor follows the gain over the critic, divided by
the range of returns where that is above 1.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax

from umwelt.behaviours.lesson import ENTROPY, VALUE
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import layers, policies
from umwelt.networks.layers import Stack
from umwelt.networks.returns import lambda_returns
from umwelt.networks.twohot import Bins

CRITIC_LOSS = Metric(name="value_loss", unit="nats", meaning="cross entropy of the critic with the returns", better="down")
RANGE = Metric(name="return_range", unit="reward", meaning="distance between the 5th and the 95th percentile of returns")


@struct
class Dream:
    """M trajectories. features: float32 [H + 1, M, F]. action: units as the policy drew them, [H, M, ...].
    reward, goes_on: float32 [H, M], of the step that follows. weight: float32 [M]."""

    features: jax.Array
    action: jax.Array
    reward: jax.Array
    goes_on: jax.Array
    weight: jax.Array


@struct
class ActorCriticState:
    """actor, critic, slow: stacks. range: float32 []. optimiser: Optax's, of actor and critic."""

    actor: Stack
    critic: Stack
    slow: Stack
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
    """Worth of the next step in units of this one."""
    trust: float = 0.95
    """The lambda of the returns."""
    entropy: float = 3e-4
    """Worth of a nat of entropy, in ranges of return."""
    learning_rate: float = 3e-4
    """Step size of Adam."""
    clip: float = 10.0
    """Largest norm of a gradient."""
    follow: float = 0.02
    """Share of the critic that its slow copy takes over in each update."""

    metrics = (VALUE, CRITIC_LOSS, ENTROPY, RANGE)

    def init(self, key: jax.Array, width: int, action: Any) -> ActorCriticState:
        """An even policy, and a critic that expects nothing."""
        acts = policies.over(action, clipped=True, uniform=0.01)
        for_actor, for_critic = keys.split(key, "actor", "critic")
        hidden = (self.units,) * self.layers
        actor = layers.stack(for_actor, (width, *hidden, acts.width), scale=0.01)
        critic = layers.stack(for_critic, (width, *hidden, self.bins.count), scale=0.0)
        return ActorCriticState(
            actor=actor,
            critic=critic,
            slow=jax.tree.map(jnp.copy, critic),
            range=jnp.ones((), jnp.float32),
            optimiser=self._optimiser().init((actor, critic)),
            acts=acts,
        )

    def draw(self, key: jax.Array, state: ActorCriticState, features: jax.Array, mode: Mode = "explore") -> jax.Array:
        """Actions in units [N, ...] for features [N, F]; the policy's best in a probe."""
        outputs = layers.apply(state.actor, features, jax.nn.silu)
        return state.acts.best(outputs) if mode == "exploit" else state.acts.draw(key, outputs)[0]

    def value(self, state: ActorCriticState, features: jax.Array) -> jax.Array:
        """What features [N, F] are worth, float32 [N]."""
        return self.bins.mean(layers.apply(state.critic, features, jax.nn.silu))

    def learn(self, key: jax.Array, state: ActorCriticState, dream: Dream) -> tuple[ActorCriticState, Info]:
        """One update of both from dreams."""
        horizon, number = dream.reward.shape
        flat = dream.features.reshape((horizon + 1) * number, -1)
        discount = self.discount * dream.goes_on
        slow = layers.apply(state.slow, flat, jax.nn.silu)
        value = self.bins.mean(layers.apply(state.critic, flat, jax.nn.silu)).reshape(horizon + 1, number)
        returns = lambda_returns(dream.reward, discount, value, self.trust)
        width = jnp.percentile(returns, 95.0) - jnp.percentile(returns, 5.0)
        spread = state.range + 0.01 * (width - state.range)
        gain = (returns - value[:-1]) / jnp.maximum(spread, 1.0)
        # a moment counts by the chance that the dream has come so far
        alive = jnp.cumprod(jnp.concatenate([jnp.ones((1, number)), discount[:-1]]), axis=0) * dream.weight
        alive = alive / jnp.maximum(jnp.sum(dream.weight) * horizon, 1.0)
        seen = flat[: horizon * number]

        def loss(both: tuple[Stack, Stack]) -> tuple[jax.Array, Any]:
            outputs = layers.apply(both[0], seen, jax.nn.silu)
            action = dream.action.reshape(horizon * number, *dream.action.shape[2:])
            log_prob = state.acts.log_prob(outputs, action).reshape(horizon, number)
            entropy = state.acts.entropy(key, outputs).reshape(horizon, number)
            logits = layers.apply(both[1], seen, jax.nn.silu)
            towards = self.bins.loss(logits, returns.reshape(-1))
            slowly = -jnp.sum(jax.nn.softmax(slow[: horizon * number]) * jax.nn.log_softmax(logits), axis=-1)
            critic = jnp.sum(alive * (towards + slowly).reshape(horizon, number))
            actor = -jnp.sum(alive * (gain * log_prob + self.entropy * entropy))
            return actor + critic, (jnp.sum(alive * towards.reshape(horizon, number)), jnp.mean(entropy))

        gradient, (towards, entropy) = jax.grad(loss, has_aux=True)((state.actor, state.critic))
        update, optimiser = self._optimiser().update(gradient, state.optimiser)
        actor, critic = optax.apply_updates((state.actor, state.critic), update)
        after = dataclasses.replace(
            state,
            actor=actor,
            critic=critic,
            slow=optax.incremental_update(critic, state.slow, self.follow),
            range=spread,
            optimiser=optimiser,
        )
        some = jnp.any(dream.weight > 0)
        after = jax.tree.map(lambda new, old: jnp.where(some, new, old), after, state)
        return after, {"value": jnp.mean(value), "value_loss": towards, "policy_entropy": entropy, "return_range": spread}

    def _optimiser(self) -> optax.GradientTransformation:
        return optax.chain(optax.clip_by_global_norm(self.clip), optax.adam(self.learning_rate))
