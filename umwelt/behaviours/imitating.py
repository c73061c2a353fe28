"""Cloning: a policy that makes the actions of its data likely, and asks no value."""

import dataclasses
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import IMITATION, Batch, mean, wiped
from umwelt.core import Info, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import actors, policies
from umwelt.networks.actors import Actor
from umwelt.networks.optimise import Protection, optimiser, stepped, where_any


@struct
class CloningState:
    """policy: an actor. optimiser: Optax's."""

    policy: Actor
    optimiser: Any
    acts: policies.Policy = static()


@part
class Cloning:
    """A policy that is fitted to actions: a normal or plain errors over a Box, a categorical over choices."""

    units: int = 256
    """Width of the hidden layers."""
    layers: int = 2
    """Hidden layers; 0 for a policy that is linear before its tanh."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    head: Literal["normal", "plain"] = "normal"
    """Over a Box: "normal" maximises the likelihood of actions, "plain" minimises their squared error in units."""
    noise: float = 0.0
    """Deviation of noise on the features that it learns from."""
    discount: float = 0.99
    """Of no effect: no value is learned."""
    protection: Protection | None = None
    """What keeps the policy near to what it was, such as `umwelt.retention.Elastic()`."""

    metrics = (IMITATION,)
    cites = ("bain_sammut_1995",)

    def init(self, key: jax.Array, width: int, action: Any) -> CloningState:
        """Begin in the middle of the action space."""
        if self.head not in ("normal", "plain"):
            raise ValueError(f"head={self.head!r}: it is 'normal' or 'plain'")
        acts = policies.over(action)
        policy = actors.actor(key, width, acts, self.units, self.layers)
        return CloningState(policy=policy, optimiser=self._optimiser().init(policy), acts=acts)

    def act(self, key: jax.Array, state: CloningState, features: jax.Array, mode: Mode, open: jax.Array | None = None) -> Any:
        """Draw from the policy; take its best action in a probe, and always where it has no spread."""
        if mode == "exploit" or (self.head == "plain" and state.policy.deviation is not None):
            unit = actors.best(state.policy, state.acts, features, open)
        else:
            unit = actors.draw(key, state.policy, state.acts, features, open)
        return actors.action(state.acts, unit)

    def learn(self, key: jax.Array, state: CloningState, batch: Batch) -> tuple[CloningState, Info]:
        """Move once towards the actions of the batch."""
        batch = wiped(batch)
        unit = state.acts.unit(batch.action)
        if self.noise:
            batch = dataclasses.replace(batch, now=batch.now + self.noise * jax.random.normal(key, batch.now.shape))

        def miss(policy: Actor) -> jax.Array:
            if self.head == "plain" and policy.deviation is not None:
                return mean(jnp.mean((actors.outputs(policy, batch.now) - unit) ** 2, axis=-1), batch.weight)
            return -mean(actors.log_prob(policy, state.acts, batch.now, unit, batch.open), batch.weight)

        loss, gradient = jax.value_and_grad(miss)(state.policy)
        policy, optimised = stepped(self._optimiser(), gradient, state.optimiser, state.policy, jax.grad(miss))
        after = dataclasses.replace(state, policy=policy, optimiser=optimised)
        return where_any(batch.weight, after, state), {"imitation_loss": loss}

    def imitate(self, key: jax.Array, state: CloningState, batch: Batch) -> tuple[CloningState, Info]:
        """The same as `learn`."""
        return self.learn(key, state, batch)

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, protection=self.protection)
