"""An actor-critic whose actions are drawn by denoising, near to those of the data and better where the critics say so.

With `Diffusion` it is "Diffusion policies as an expressive policy class for offline reinforcement learning" (2023); with
`Consistency` it is "Consistency models as a rich and efficient policy class for reinforcement learning" (2024), which needs
fewer steps. Here a consistency model learns from itself, where the paper has a running mean of it.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import VALUE, VALUE_LOSS, Batch, mean, wiped
from umwelt.behaviours.denoised import DENOISING
from umwelt.core import Info, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import critics, denoisers, policies
from umwelt.networks.denoisers import Consistency, Denoiser, Way
from umwelt.networks.layers import Bundle
from umwelt.networks.optimise import Protection, averaged, optimiser, stepped, where_any


@struct
class DenoisedActorState:
    """policy: a denoiser of unit actions. slow: the running mean of its weights. critics, target: bundles. optimisers: of
    policy and critics. lessons: int32 []."""

    policy: Denoiser
    slow: Denoiser
    critics: Bundle
    target: Bundle
    optimisers: tuple[Any, Any]
    lessons: jax.Array
    acts: policies.Policy = static()


@part
class DenoisedActor:
    """Draws actions by denoising; learns to clean those of the data, and towards a higher value."""

    by: Way = Consistency()
    """How actions are learned and drawn: `Consistency()` in a step or two, `Diffusion(steps=5)` in more."""
    value: float = 1.0
    """Weight of the value of what is drawn, in units of the mean value, beside the loss of denoising (eta); 0 clones, and
    no critic is asked."""
    candidates: int = 50
    """Draws of a probe, of which one is chosen by its value; a life makes a single one."""
    units: int = 256
    """Width of the hidden layers."""
    layers: int = 3
    """Hidden layers of the denoiser."""
    critics: int = 2
    """Critics, the lowest of which counts."""
    learning_rate: float = 3e-4
    """Step size of Adam."""
    discount: float = 0.99
    """Worth of the next step in units of this one (gamma)."""
    ema_rate: float = 0.005
    """Share that target networks take over in each update (tau)."""
    clip: float = 1.0
    """The largest norm of a gradient."""
    protection: Protection | None = None
    """What keeps policy and critics near to what they were, such as `umwelt.retention.Elastic()`."""

    metrics = (DENOISING, VALUE, VALUE_LOSS)
    cites = ("consistency_policy_2024", "diffusion_ql_2023")

    def init(self, key: jax.Array, width: int, action: Any) -> DenoisedActorState:
        """Begin untrained."""
        acts = policies.over(action)
        if not isinstance(acts, policies.Gaussian):
            raise ValueError(f"action space {action!r}: DenoisedActor denoises actions of one Box; take IQL or DQN for choices")
        for_policy, for_critics = keys.split(key, "policy", "critics")
        policy = denoisers.denoiser(for_policy, width, acts.size, self.by.outputs(acts.size), self.units, self.layers)
        made, chain = critics.critics(for_critics, width, acts, self.units, self.critics), self._optimiser()
        return DenoisedActorState(
            policy=policy,
            slow=jax.tree.map(jnp.copy, policy),
            critics=made,
            target=jax.tree.map(jnp.copy, made),
            optimisers=(chain.init(policy), chain.init(made)),
            lessons=jnp.int32(0),
            acts=acts,
        )

    def act(
        self, key: jax.Array, state: DenoisedActorState, features: jax.Array, mode: Mode, open: jax.Array | None = None
    ) -> jax.Array:
        """Draw an action; in a probe, one of several draws, by a softmax of their values."""
        if mode != "exploit" or not self.value:
            return state.acts.action(self._drawn(key, state.policy, state, features))
        drawing, choosing = keys.split(key, "draw", "choose")
        rows = features.shape[0]
        every = jnp.repeat(features, self.candidates, axis=0)
        drawn = self._drawn(drawing, state.policy, state, every)
        values = critics.lowest(critics.values(state.critics, state.acts, every, drawn)).reshape(rows, -1)
        chosen = jax.random.categorical(choosing, values)
        drawn = jnp.take_along_axis(drawn.reshape(rows, self.candidates, -1), chosen[:, None, None], axis=1)[:, 0]
        return state.acts.action(drawn)

    def learn(self, key: jax.Array, state: DenoisedActorState, batch: Batch) -> tuple[DenoisedActorState, Info]:
        """Update the critics, then the policy, then the target networks."""
        batch = wiped(batch)
        after_key, denoising, drawing = keys.split(key, "after", "denoise", "draw")
        unit, chain = state.acts.unit(batch.action), self._optimiser()
        made, of_critics, info = state.critics, state.optimisers[1], {"value": jnp.float32(0), "value_loss": jnp.float32(0)}
        if self.value:
            made, of_critics, info = self._criticised(after_key, state, batch, unit)

        def please(policy: Denoiser) -> tuple[jax.Array, jax.Array]:
            missed = mean(self.by.loss(denoising, policy, unit, batch.now, state.lessons), batch.weight)
            if not self.value:
                return missed, missed
            value = critics.values(made, state.acts, batch.now, self._drawn(drawing, policy, state, batch.now))[0]
            size = jax.lax.stop_gradient(mean(jnp.abs(value), batch.weight))
            return missed - self.value * mean(value, batch.weight) / jnp.maximum(size, 1e-6), missed

        (_, missed), gradient = jax.value_and_grad(please, has_aux=True)(state.policy)
        slope = lambda at: jax.grad(please, has_aux=True)(at)[0]  # noqa: E731
        policy, of_policy = stepped(chain, gradient, state.optimisers[0], state.policy, slope)
        after = replace(
            state,
            policy=policy,
            slow=averaged(policy, state.slow, self.ema_rate),
            critics=made,
            target=averaged(made, state.target, self.ema_rate),
            optimisers=(of_policy, of_critics),
            lessons=state.lessons + 1,
        )
        return where_any(batch.weight, after, state), {**info, "denoising_loss": missed}

    def worth(self, state: DenoisedActorState, features: jax.Array, action: Any) -> jax.Array:
        """Value given actions [N, ...] at features [N, F] by the lowest critic: float32 [N]."""
        return critics.lowest(critics.values(state.critics, state.acts, features, state.acts.unit(action)))

    def _criticised(
        self, key: jax.Array, state: DenoisedActorState, batch: Batch, unit: jax.Array
    ) -> tuple[Bundle, Any, dict[str, jax.Array]]:
        """The critics after one update, the state of their optimiser, and what there is to report."""
        later = self._drawn(key, state.slow, state, batch.after)
        lowest = critics.lowest(critics.values(state.target, state.acts, batch.after, later))
        wanted = batch.reward + self.discount * batch.continues * lowest

        def criticise(made: Bundle) -> tuple[jax.Array, jax.Array]:
            each = critics.values(made, state.acts, batch.now, unit)
            loss = jnp.sum(jax.vmap(mean, (0, None))((each - wanted) ** 2, batch.weight))
            return loss, mean(jnp.mean(each, axis=0), batch.weight)

        (loss, valued), gradient = jax.value_and_grad(criticise, has_aux=True)(state.critics)
        slope = lambda at: jax.grad(criticise, has_aux=True)(at)[0]  # noqa: E731
        made, optimised = stepped(self._optimiser(), gradient, state.optimisers[1], state.critics, slope)
        return made, optimised, {"value": valued, "value_loss": loss}

    def _drawn(self, key: jax.Array, policy: Denoiser, state: DenoisedActorState, features: jax.Array) -> jax.Array:
        return self.by.draw(key, policy, features, state.acts.size)

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, self.clip, self.protection)
