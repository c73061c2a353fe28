"""A model whose planner stays near to the policy and trusts values that all critics share.

"MoDem-V2: visuo-motor world models for real-world robot manipulation" (2024). Plans are rollouts of the policy with a little
noise. The value of their end is the mean of the critics minus their spread. The policy goes on imitating what was shown.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import SHOWN, WATCHED, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part
from umwelt.models.implicit import Implicit
from umwelt.models.implicit_state import IMITATION, ImplicitState
from umwelt.networks import layers
from umwelt.networks.layers import mish


@part
class Centred:
    """An implicit model with a cautious value and proposals around its policy; its state is the model's.

    >>> from umwelt.worlds import Pendulum
    >>> model = Centred(model=Implicit(latent=16, units=8, encoder_units=8, members=3))
    >>> state = model.init(jax.random.key(0), Pendulum().spec)
    >>> model.value(state, model.start(state, 4)).shape
    (4,)
    """

    model: Implicit
    """The model, with several critics."""
    deviation: float = 0.1
    """Of proposals from the policy's middle action, in half-ranges; 0 draws from the policy itself."""
    caution: float = 10.0
    """Weight of the critics' standard deviation, which is taken off their mean."""
    imitates: bool = True
    """Whether each update also moves the policy towards the actions that were shown."""

    cites = ("modem_v2_2024",)
    diet = "replay"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the model inside declares."""
        own = self.model.metrics
        return own if not self.imitates or IMITATION in own else (*own, IMITATION)

    def init(self, key: jax.Array, spec: WorldSpec) -> ImplicitState:
        """Begin as the model does."""
        return self.model.init(key, spec)

    def start(self, state: ImplicitState, batch: int) -> jax.Array:
        """Start as the model does."""
        return self.model.start(state, batch)

    def observe(
        self, key: jax.Array, state: ImplicitState, belief: jax.Array, action: Any, step: TimeStep
    ) -> tuple[jax.Array, Info]:
        """Filter as the model does."""
        return self.model.observe(key, state, belief, action, step)

    def imagine(self, key: jax.Array, state: ImplicitState, belief: jax.Array, action: Any) -> tuple[jax.Array, Prediction]:
        """Imagine as the model does."""
        return self.model.imagine(key, state, belief, action)

    def value(self, state: ImplicitState, belief: jax.Array) -> jax.Array:
        """The mean value of the critics' target networks under the policy's best action, less their spread: float32 [N]."""
        unit = state.policy.best(layers.apply(state.weights.policy, belief, mish))
        values = self.model._values(state.target, state.policy, belief, unit)
        return jnp.mean(values, axis=0) - self.caution * jnp.std(values, axis=0)

    def prior(self, key: jax.Array, state: ImplicitState, belief: jax.Array) -> Any:
        """Propose actions about the policy's middle ones."""
        if not self.deviation:
            return self.model.prior(key, state, belief)
        unit = state.policy.best(layers.apply(state.weights.policy, belief, mish))
        noisy = unit + self.deviation * jax.random.normal(key, unit.shape)
        return state.policy.action(jnp.clip(noisy, -1.0, 1.0))

    def learn(self, key: jax.Array, state: ImplicitState, experience: Experience) -> tuple[ImplicitState, Info]:
        """Update the model once, and then the policy towards the shown actions among the experience."""
        after, info = self.model.learn(key, state, experience)
        if not self.imitates:
            return after, info
        rows = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[experience.origin.ndim :]), experience)
        # what is not shown is hidden, so that it weighs nothing
        shown = replace(rows, origin=jnp.where(rows.origin == SHOWN, rows.origin, jnp.int8(WATCHED)))
        after, more = self.model.imitate(keys.fold(key, "imitate"), after, shown)
        return after, {**info, "imitation_loss": more["imitation_loss"]}

    def imitate(self, key: jax.Array, state: ImplicitState, experience: Experience) -> tuple[ImplicitState, Info]:
        """Update the policy alone, as the model does."""
        return self.model.imitate(key, state, experience)
