"""A policy that an adviser with a wider view corrects on its own states, by preferences between two actions.

"Embodied multi-modal agent trained by an LLM from a parallel TextWorld" (2024). The student reads a part of what is observed,
such as a view; the adviser reads the rest, a symbolic twin of the world. At first the student clones shown moments. After that
it compares, in each of its own moments, the adviser's action with what it did, as "Direct preference optimization" (2023) does.

The adviser is a rule here, where the paper asks a language model that reflects on failed episodes.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import IMITATION, Batch, mean, wiped
from umwelt.core import Info, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import actors, policies
from umwelt.networks.actors import Actor
from umwelt.networks.optimise import optimiser, stepped, where_any


@struct
class TutoredState:
    """policy, reference: actors; the reference is the policy as it was when cloning ended. optimiser: Optax's. updates:
    int32 []."""

    policy: Actor
    reference: Actor
    optimiser: Any
    updates: jax.Array
    acts: policies.Policy = static()


@part
class Tutored:
    """Clones what is shown, and then prefers the adviser's actions to its own in the moments that it lives."""

    advise: Callable[[jax.Array, jax.Array], Any]
    """The adviser: (key, features [N, F]) -> actions [N, ...]. It must be a function at the top of a module, or a part."""
    seen: int = 0
    """How many of the features the policy reads, from the first on; 0 for all."""
    loss: Literal["prefer", "clone"] = "prefer"
    """After the beginning: compare the two actions, or make the adviser's likely whatever the own one was."""
    begins: int = 1000
    """Updates at the beginning that clone the actions of the batch."""
    temperature: float = 0.1
    """How far preferences may take the policy from its reference (beta): the less, the farther."""
    units: int = 128
    """Width of the hidden layers."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    discount: float = 0.99
    """Of no effect: no value is learned."""

    metrics = (IMITATION,)
    cites = ("emma_2024", "dpo_2023")
    protection = None

    def init(self, key: jax.Array, width: int, action: Any) -> TutoredState:
        """Begin with nearly even choices."""
        if self.loss not in ("prefer", "clone"):
            raise ValueError(f"loss={self.loss!r}: it is 'prefer' or 'clone'")
        if not 0 <= self.seen <= width:
            raise ValueError(f"seen={self.seen}: an observation has {width} numbers; give 0 for all of them")
        acts = policies.over(action)
        policy = actors.actor(key, self.seen or width, acts, self.units)
        return TutoredState(
            policy=policy,
            reference=jax.tree.map(jnp.copy, policy),
            optimiser=optimiser(self.learning_rate).init(policy),
            updates=jnp.int32(0),
            acts=acts,
        )

    def act(self, key: jax.Array, state: TutoredState, features: jax.Array, mode: Mode, open: jax.Array | None = None) -> Any:
        """Draw from the policy, or take its best action in a probe."""
        view = self._view(features)
        if mode == "exploit":
            return actors.action(state.acts, actors.best(state.policy, state.acts, view, open))
        return actors.action(state.acts, actors.draw(key, state.policy, state.acts, view, open))

    def learn(self, key: jax.Array, state: TutoredState, batch: Batch) -> tuple[TutoredState, Info]:
        """Update once: clone at first, and learn from advice after that."""
        batch = wiped(batch)
        view, own = self._view(batch.now), state.acts.unit(batch.action)
        advised = state.acts.unit(self.advise(key, batch.now))
        cloning = state.updates < self.begins
        reference = jax.tree.map(lambda old, new: jnp.where(cloning, new, old), state.reference, state.policy)

        def chance(actor: Actor, unit: Any) -> jax.Array:
            return actors.log_prob(actor, state.acts, view, unit, batch.open)

        def miss(policy: Actor) -> jax.Array:
            gap = chance(policy, advised) - chance(reference, advised) - chance(policy, own) + chance(reference, own)
            prefers = jax.nn.softplus(-self.temperature * gap) / self.temperature
            after = prefers if self.loss == "prefer" else -chance(policy, advised)
            return mean(jnp.where(cloning, -chance(policy, own), after), batch.weight)

        loss, gradient = jax.value_and_grad(miss)(state.policy)
        policy, optimised = stepped(optimiser(self.learning_rate), gradient, state.optimiser, state.policy, jax.grad(miss))
        changed = {"policy": policy, "reference": reference, "optimiser": optimised, "updates": state.updates + 1}
        return where_any(batch.weight, dataclasses.replace(state, **changed), state), {"imitation_loss": loss}

    def _view(self, features: jax.Array) -> jax.Array:
        return features[:, : self.seen] if self.seen else features
