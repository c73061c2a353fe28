"""Support of a policy: what the data do, as a density that is learned first and then frozen.

"Supported policy optimization for offline reinforcement learning" (2022). The bound of a conditional variational
autoencoder on the likelihood of an action is one term in the actor's loss.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Batch, mean
from umwelt.core import Info, Metric, part, struct
from umwelt.networks import latent, policies
from umwelt.networks.latent import Latent
from umwelt.networks.optimise import optimiser, stepped

DENSITY_LOSS = Metric(
    name="density_loss",
    unit="squared units",
    meaning="bound of the data's actions under the density, before the update",
    better="down",
)


@struct
class DensityState:
    """model: an autoencoder. optimiser: Optax's. lessons: int32 []. steps: int32 [], lessons without any shown row."""

    model: Latent
    optimiser: Any
    lessons: jax.Array
    steps: jax.Array


@part
class Density:
    """Charges a policy for actions that the data do not hold; a `Support` of TD3."""

    weight: float = 0.3
    """What the bound is multiplied by, where values are in units of their mean size (lambda)."""
    beta: float = 0.5
    """Weight of the latent's divergence: too little, and the density rebuilds any action and forbids none."""
    lessons: int = 2000
    """Lessons in which the density is learned; then it is frozen, and policy and critics begin."""
    cool: int = 0
    """Lessons from lived experience alone until the weight is down to `coolest` of it; 0 keeps the weight."""
    coolest: float = 0.2
    """The share of the weight that remains."""
    units: int = 256
    """Width of the hidden layers."""
    learning_rate: float = 1e-3
    """Step size of Adam."""

    metrics = (DENSITY_LOSS,)
    cites = ("spot_2022",)

    def init(self, key: jax.Array, width: int, acts: policies.Gaussian) -> DensityState:
        """Begin untrained."""
        model = latent.latent(key, width, acts.size, self.units, 2 * acts.size)
        held = optimiser(self.learning_rate).init(model)
        return DensityState(model=model, optimiser=held, lessons=jnp.int32(0), steps=jnp.int32(0))

    def cost(self, key: jax.Array, state: DensityState, features: jax.Array, unit: jax.Array) -> jax.Array:
        """float32 [N]: the weighted bound of unit actions [N, A]."""
        share = 1.0
        if self.cool:
            share = jnp.maximum(self.coolest, 1.0 - (1.0 - self.coolest) * state.steps / self.cool)
        return self.weight * share * latent.loss(key, state.model, features, unit, self.beta)

    def ready(self, state: DensityState) -> jax.Array:
        """bool []: whether its lessons are over."""
        return state.lessons >= self.lessons

    def learn(self, key: jax.Array, state: DensityState, batch: Batch, acts: policies.Gaussian) -> tuple[DensityState, Info]:
        """Update once while there are lessons; later count those without shown rows."""
        unit = acts.unit(batch.action)
        seen = batch.weight if batch.shown is None else batch.weight * batch.shown

        def miss(model: Latent) -> jax.Array:
            return mean(latent.loss(key, model, batch.now, unit, self.beta), seen)

        def taught() -> tuple[jax.Array, Latent, Any]:
            loss, gradient = jax.value_and_grad(miss)(state.model)
            return loss, *stepped(optimiser(self.learning_rate), gradient, state.optimiser, state.model)

        due = ~self.ready(state) & jnp.any(seen > 0)
        loss, model, optimised = jax.lax.cond(due, taught, lambda: (miss(state.model), state.model, state.optimiser))
        alone = jnp.any(batch.weight > 0) & ~jnp.any(seen > 0)
        after = replace(state, model=model, optimiser=optimised, lessons=state.lessons + due, steps=state.steps + alone)
        return after, {"density_loss": loss}
