"""Twin delayed policy gradients, with terms that keep the policy near to the data.

"Addressing function approximation error in actor-critic methods" (2018). With `clone`, the actor also minimises its
distance from the data's actions ("A minimalist approach to offline reinforcement learning", 2021). With `support`, it is
charged for actions that the data do not hold, such as by `Density` ("Supported policy optimization", 2022).
"""

import dataclasses
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import VALUE, VALUE_LOSS, Batch, mean, wiped
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import critics, layers, policies
from umwelt.networks.layers import Bundle, Stack
from umwelt.networks.optimise import Protection, averaged, optimiser, stepped, where_any


class Support(Protocol):
    """Charges actions that the data do not hold, such as `umwelt.behaviours.Density`."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that `learn` reports."""
        ...

    def init(self, key: jax.Array, width: int, acts: policies.Gaussian) -> Any:
        """Begin for `width` features."""
        ...

    def cost(self, key: jax.Array, state: Any, features: jax.Array, unit: jax.Array) -> jax.Array:
        """float32 [N]: of unit actions [N, A] at features [N, F]; differentiable in the actions."""
        ...

    def ready(self, state: Any) -> jax.Array:
        """bool []: whether it has learned enough for policy and critics to begin."""
        ...

    def learn(self, key: jax.Array, state: Any, batch: Batch, acts: policies.Gaussian) -> tuple[Any, Info]:
        """Update once from a batch of the data."""
        ...


@struct
class Td3State:
    """policy, slow (its target network): stacks. critics, target (their target networks): bundles. optimisers: of policy and
    critics. updates: int32 []. support: of this part; None where there is none."""

    policy: Stack
    slow: Stack
    critics: Bundle
    target: Bundle
    optimisers: tuple[Any, Any]
    updates: jax.Array
    support: Any = None
    acts: policies.Gaussian = static()


@part
class TD3:
    """A deterministic policy and critics, the lowest of which counts."""

    units: int = 256
    """Width of the two hidden layers."""
    critics: int = 2
    """Critics, the lowest of which is the target."""
    learning_rate: float = 3e-4
    """Step size of Adam."""
    discount: float = 0.99
    """Worth of the next step in units of this one (gamma)."""
    ema_rate: float = 0.005
    """Share that the target networks take over (tau)."""
    noise: float = 0.2
    """Deviation of the noise on the target's actions, in units."""
    cut: float = 0.5
    """The largest noise on the target's actions."""
    every: int = 2
    """Updates of the critics for one of the policy and of the target networks."""
    explores: float = 0.1
    """Deviation of the noise on actions that are taken to explore."""
    clone: float = 0.0
    """Weight of the squared distance from the data's actions, where values are in units of their mean size; 0.4 is that
    of TD3+BC."""
    support: Support | None = None
    """What charges the policy for actions that the data do not hold."""
    protection: Protection | None = None
    """What keeps policy and critics near to what they were, such as `umwelt.retention.Elastic()`."""

    cites = ("td3_2018", "td3_bc_2021")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Its own, and those of the support."""
        return (VALUE, VALUE_LOSS, *(() if self.support is None else self.support.metrics))

    def init(self, key: jax.Array, width: int, action: Any) -> Td3State:
        """Begin with a policy in the middle of its space, and untrained critics."""
        if self.every < 1:
            raise ValueError(f"every={self.every}: the policy moves once in so many updates, at least 1")
        acts = policies.over(action)
        if not isinstance(acts, policies.Gaussian):
            raise ValueError(f"action space {action!r}: TD3 acts in one Box; take IQL, DQN or Cloning for choices")
        for_policy, for_critics, for_support = keys.split(key, "policy", "critics", "support")
        policy = layers.even(for_policy, layers.stack(for_policy, (width, self.units, self.units, acts.size), normed=False))
        made, chain = critics.critics(for_critics, width, acts, self.units, self.critics), self._optimiser()
        return Td3State(
            policy=policy,
            slow=jax.tree.map(jnp.copy, policy),
            critics=made,
            target=jax.tree.map(jnp.copy, made),
            optimisers=(chain.init(policy), chain.init(made)),
            updates=jnp.int32(0),
            support=None if self.support is None else self.support.init(for_support, width, acts),
            acts=acts,
        )

    def act(self, key: jax.Array, state: Td3State, features: jax.Array, mode: Mode, open: jax.Array | None = None) -> Any:
        """Take the policy's action, with noise except in a probe."""
        unit = _unit(state.policy, features)
        if mode != "exploit":
            unit = jnp.clip(unit + self.explores * jax.random.normal(key, unit.shape), -1.0, 1.0)
        return state.acts.action(unit)

    def learn(self, key: jax.Array, state: Td3State, batch: Batch) -> tuple[Td3State, Info]:
        """Update the critics, and every so often the policy and the target networks."""
        batch, info = wiped(batch), {}
        smoothing, charging, teaching = keys.split(key, "smooth", "charge", "support")
        unit, chain = state.acts.unit(batch.action), self._optimiser()
        noise = jnp.clip(self.noise * jax.random.normal(smoothing, unit.shape), -self.cut, self.cut)
        later = jnp.clip(_unit(state.slow, batch.after) + noise, -1.0, 1.0)
        lowest = critics.lowest(critics.values(state.target, state.acts, batch.after, later))
        wanted = batch.reward + self.discount * batch.continues * lowest

        def criticise(made: Bundle) -> tuple[jax.Array, jax.Array]:
            each = critics.values(made, state.acts, batch.now, unit)
            loss = jnp.sum(jax.vmap(mean, (0, None))((each - wanted) ** 2, batch.weight))
            return loss, mean(jnp.mean(each, axis=0), batch.weight)

        (loss, valued), gradient = jax.value_and_grad(criticise, has_aux=True)(state.critics)
        slope = lambda at: jax.grad(criticise, has_aux=True)(at)[0]  # noqa: E731
        made, of_critics = stepped(chain, gradient, state.optimisers[1], state.critics, slope)
        support = state.support
        if self.support is not None:
            support, found = self.support.learn(teaching, state.support, batch, state.acts)
            info |= found

        def please(policy: Stack) -> jax.Array:
            mine = _unit(policy, batch.now)
            value = critics.values(made, state.acts, batch.now, mine)[0]
            size = jax.lax.stop_gradient(mean(jnp.abs(value), batch.weight))
            cost = self.clone * jnp.mean((mine - unit) ** 2, axis=-1)
            if self.support is not None:
                cost = cost + self.support.cost(charging, support, batch.now, mine)
            return mean(cost - value / jnp.maximum(size, 1e-6), batch.weight)

        def moved() -> tuple[Stack, Stack, Bundle, Any]:
            gradient = jax.grad(please)(state.policy)
            policy, of_policy = stepped(chain, gradient, state.optimisers[0], state.policy, jax.grad(please))
            return policy, averaged(policy, state.slow, self.ema_rate), averaged(made, state.target, self.ema_rate), of_policy

        held = (state.policy, state.slow, state.target, state.optimisers[0])
        due = (state.updates + 1) % self.every == 0
        policy, slow, target, of_policy = jax.lax.cond(due, moved, lambda: held)
        after = dataclasses.replace(
            state,
            policy=policy,
            slow=slow,
            critics=made,
            target=target,
            optimisers=(of_policy, of_critics),
            updates=state.updates + 1,
            support=support,
        )
        if self.support is not None:
            waits, ready = dataclasses.replace(state, support=support), self.support.ready(state.support)
            after = jax.tree.map(lambda new, old: jnp.where(ready, new, old), after, waits)
        return where_any(batch.weight, after, state), {**info, "value": valued, "value_loss": loss}

    def worth(self, state: Td3State, features: jax.Array, action: Any) -> jax.Array:
        """Value given actions [N, ...] at features [N, F] by the lowest critic: float32 [N]."""
        return critics.lowest(critics.values(state.critics, state.acts, features, state.acts.unit(action)))

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, protection=self.protection)


def _unit(policy: Stack, features: jax.Array) -> jax.Array:
    """Unit actions float32 [N, A]."""
    return jnp.tanh(layers.apply(policy, features, jax.nn.relu))
