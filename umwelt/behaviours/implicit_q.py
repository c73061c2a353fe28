"""Implicit Q-learning: values of a data set that never ask about an action which is not in it.

"Offline reinforcement learning with implicit Q-learning" (2021). An expectile of the critics over the data's own actions
stands for the best value of a state; the policy clones the actions, each weighted by its advantage.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import IMITATION, VALUE, VALUE_LOSS, Batch, mean, wiped
from umwelt.core import Info, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import actors, critics, layers, policies
from umwelt.networks.actors import Actor
from umwelt.networks.layers import Bundle, Stack
from umwelt.networks.optimise import Protection, averaged, optimiser, stepped, where_any


@struct
class IqlState:
    """policy: an actor. value: a stack. critics, target (their target networks): bundles. optimisers: of policy, and of
    value and critics."""

    policy: Actor
    value: Stack
    critics: Bundle
    target: Bundle
    optimisers: tuple[Any, Any]
    acts: policies.Policy = static()


@part
class IQL:
    """Critics, a value that is an expectile of them, and a policy that is cloned by advantage."""

    units: int = 256
    """Width of the two hidden layers."""
    critics: int = 2
    """Critics, the lowest of which counts."""
    learning_rate: float = 3e-4
    """Step size of Adam."""
    discount: float = 0.99
    """Worth of the next step in units of this one (gamma)."""
    ema_rate: float = 0.005
    """Share of the critics that their target networks take over in each update (tau)."""
    expectile: float = 0.7
    """Which expectile of the critics over actions a state is worth: 0.5 is their mean, near 1 their best."""
    temperature: float = 3.0
    """How sharply the policy prefers advantages, per unit of reward (beta); 0 clones all actions alike."""
    largest: float = 100.0
    """The largest weight of one action."""
    protection: Protection | None = None
    """What keeps policy and critics near to what they were, such as `umwelt.retention.Elastic()`."""

    metrics = (VALUE, VALUE_LOSS, IMITATION)
    cites = ("iql_2022",)

    def init(self, key: jax.Array, width: int, action: Any) -> IqlState:
        """Begin with a policy in the middle of its space, and untrained values."""
        if not 0.0 < self.expectile < 1.0:
            raise ValueError(f"expectile={self.expectile}: it lies between 0 and 1, such as 0.7")
        for_policy, for_value, for_critics = keys.split(key, "policy", "value", "critics")
        acts = policies.over(action)
        policy = actors.actor(for_policy, width, acts, self.units)
        value = layers.even(for_value, layers.stack(for_value, (width, self.units, self.units, 1), normed=False))
        made = critics.critics(for_critics, width, acts, self.units, self.critics)
        chain = self._optimiser()
        return IqlState(
            policy=policy,
            value=value,
            critics=made,
            target=jax.tree.map(jnp.copy, made),
            optimisers=(chain.init(policy), chain.init((value, made))),
            acts=acts,
        )

    def act(self, key: jax.Array, state: IqlState, features: jax.Array, mode: Mode, open: jax.Array | None = None) -> Any:
        """Draw from the policy; take its best action in a probe."""
        if mode == "exploit":
            return actors.action(state.acts, actors.best(state.policy, state.acts, features, open))
        return actors.action(state.acts, actors.draw(key, state.policy, state.acts, features, open))

    def learn(self, key: jax.Array, state: IqlState, batch: Batch) -> tuple[IqlState, Info]:
        """Update values and critics, then the policy, then the target networks."""
        batch = wiped(batch)
        unit, chain = state.acts.unit(batch.action), self._optimiser()
        wanted = batch.reward + self.discount * batch.continues * _worth(state.value, batch.after)
        held = critics.lowest(critics.values(state.target, state.acts, batch.now, unit))

        def criticise(both: tuple[Stack, Bundle]) -> tuple[jax.Array, Any]:
            value, made = both
            each = critics.values(made, state.acts, batch.now, unit)
            over = held - _worth(value, batch.now)
            expectile = mean(jnp.where(over > 0, self.expectile, 1.0 - self.expectile) * over**2, batch.weight)
            loss = jnp.sum(jax.vmap(mean, (0, None))((each - wanted) ** 2, batch.weight))
            return loss + expectile, (loss, mean(jnp.mean(each, axis=0), batch.weight))

        both = (state.value, state.critics)
        (_, (loss, valued)), gradient = jax.value_and_grad(criticise, has_aux=True)(both)
        slope = lambda at: jax.grad(criticise, has_aux=True)(at)[0]  # noqa: E731
        (value, made), of_values = stepped(chain, gradient, state.optimisers[1], both, slope)
        advantage = held - _worth(value, batch.now)
        weight = batch.weight * jnp.minimum(jnp.exp(self.temperature * advantage), self.largest)

        def miss(policy: Actor) -> jax.Array:
            likely = actors.log_prob(policy, state.acts, batch.now, unit, batch.open)
            return -jnp.sum(weight * likely) / jnp.maximum(jnp.sum(batch.weight), 1.0)

        missed, gradient = jax.value_and_grad(miss)(state.policy)
        policy, of_policy = stepped(chain, gradient, state.optimisers[0], state.policy, jax.grad(miss))
        after = dataclasses.replace(
            state,
            policy=policy,
            value=value,
            critics=made,
            target=averaged(made, state.target, self.ema_rate),
            optimisers=(of_policy, of_values),
        )
        return where_any(batch.weight, after, state), {"value": valued, "value_loss": loss, "imitation_loss": missed}

    def worth(self, state: IqlState, features: jax.Array, action: Any) -> jax.Array:
        """Value given actions [N, ...] at features [N, F] by the lowest critic: float32 [N]."""
        return critics.lowest(critics.values(state.critics, state.acts, features, state.acts.unit(action)))

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, protection=self.protection)


def _worth(value: Stack, features: jax.Array) -> jax.Array:
    """float32 [N]."""
    return layers.apply(value, features, jax.nn.relu)[:, 0]
