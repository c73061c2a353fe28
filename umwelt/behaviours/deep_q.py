"""Deep Q-learning over choices, with a double target: the network chooses, its target network values.

"Deep reinforcement learning with double Q-learning" (AAAI 2016). The share of random actions (epsilon) falls from 1 to
`final_epsilon` in the course of `epsilon_updates` updates. With `conservative`, the term of "Conservative Q-learning for
offline reinforcement learning" (NeurIPS 2020) is added to the loss. Where an observation is a picture, or holds one,
convolutions read it before the dense layers (`umwelt.networks.sight`).
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from umwelt.behaviours.batch import VALUE, VALUE_LOSS, Batch, mean, wiped
from umwelt.behaviours.masks import drawn
from umwelt.core import Discrete, Info, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import layers, sight, soft_mixture
from umwelt.networks.form import Form, form, vectors
from umwelt.networks.layers import Layer, Stack
from umwelt.networks.optimise import Protection, averaged, optimiser, stepped, where_any
from umwelt.networks.policies import masked
from umwelt.networks.sight import Sighted
from umwelt.networks.soft_mixture import Experts

Network = Stack | Experts | Sighted
"""Dense layers or experts, behind convolutions where there is a picture."""
TOKENS = 8
"""Tokens into which experts cut the last hidden features where there is no picture."""


@struct
class DqnState:
    """network, target (its target network): stacks, or `Sighted`. optimiser: Optax's. updates: int32 []."""

    network: Network
    target: Network
    optimiser: Any
    updates: jax.Array
    space: Discrete = static()


@part
class DQN:
    """Values of every choice; takes the best one, or at times a random one."""

    units: int = 128
    """Width of the hidden layers."""
    learning_rate: float = 5e-4
    """Step size of Adam."""
    discount: float = 0.99
    """Worth of the next step in units of this one (gamma)."""
    ema_rate: float = 0.01
    """Share of the network that its target network takes over in each update (tau)."""
    final_epsilon: float = 0.05
    """Share of random actions in the end."""
    temperature: float = 0.0
    """In a probe, choices are drawn from the softmax of values over this; 0 always takes the best one. Under partial
    observability an agent without memory can then leave a circle."""
    conservative: float = 0.0
    """Weight of the conservative term (alpha), which lowers the values of choices that are not in the batch."""
    epsilon_updates: int = 2000
    """Updates in the course of which the share of random actions falls."""
    protection: Protection | None = None
    """What keeps the network near to what it was, such as `umwelt.retention.Elastic()`."""
    layers: int = 2
    """Hidden layers. With 0 the values are linear in the features, without a bias, and begin at 0: a table where features
    are one-hot."""
    optimiser: Callable[[float, jax.Array], Any] | None = None
    """What makes an Optax transformation in place of Adam, of the step size and of a key for its own draws, such as
    `umwelt.networks.noisy_steps.Langevin()`."""
    experts: int = 0
    """Experts of a soft mixture of as many weights in place of the last hidden layer (`umwelt.networks.soft_mixture`); 0 keeps
    the layer. With `layers=1` behind convolutions, each place of the picture is a token."""

    metrics = (VALUE, VALUE_LOSS)
    cites = ("double_dqn_2016",)

    def init(self, key: jax.Array, width: int, action: Any) -> DqnState:
        """Begin with nearly equal values of all choices."""
        return self._begun(key, self._dense(key, width, action), action)

    def init_for(self, key: jax.Array, observation: Form, action: Any) -> DqnState:
        """Begin likewise, for what a form describes: where it holds a picture, with convolutions that read it."""
        picture = sight.picture_of(observation) if self.layers else None
        if picture is None:
            return self.init(key, vectors(observation.space, self).width, action)
        dense = self._dense(key, sight.width_of(picture, observation), action, pictured=True)
        kernels = sight.kernels(keys.fold(key, "kernels"), picture)
        return self._begun(key, Sighted(kernels=kernels, rest=dense, picture=picture), action)

    def _dense(self, key: jax.Array, width: int, action: Any, pictured: bool = False) -> Stack | Experts:
        """Make the layers that read `width` numbers, of a picture too where it is `pictured`."""
        if not isinstance(action, Discrete):
            raise ValueError(
                f"action space {action!r}: DQN chooses in one Discrete; take SAC for a Box, as the recipe losse_dyna does"
            )
        if self.layers < 0:
            raise ValueError(f"layers={self.layers}: give the number of hidden layers, 0 for values that are linear")
        if not self.layers:
            return (Layer(weight=jnp.zeros((width, action.n), jnp.float32)),)
        if self.experts:
            widths = (width, *(self.units,) * (self.layers - 1))
            tokens = -(-width // sight.CHANNELS) if pictured and self.layers == 1 else TOKENS
            return soft_mixture.experts(key, widths, tokens, self.experts, self.units, action.n, scale=0.01)
        return layers.stack(key, (width, *(self.units,) * self.layers, action.n), scale=0.01, normed=False)

    def _begun(self, key: jax.Array, network: Network, action: Any) -> DqnState:
        """Begin with a network, and its copy as the target network."""
        return DqnState(
            network=network,
            target=jax.tree.map(jnp.copy, network),
            optimiser=self._optimiser(keys.fold(key, "optimiser")).init(network),
            updates=jnp.int32(0),
            space=action,
        )

    def act(self, key: jax.Array, state: DqnState, features: jax.Array, mode: Mode, open: jax.Array | None = None) -> jax.Array:
        """Take the best choice, or at times any. A probe reads the target network, which changes more slowly."""
        if mode == "exploit":
            values = self._values(state.target, features)
            if self.temperature:
                logits = masked(values / self.temperature, open)
                return jax.random.categorical(key, logits, axis=-1).astype(jnp.int32)
            return _best(values, open)
        chosen = _best(self._values(state.network, features), open)
        whether, which = keys.split(key, "whether", "which")
        share = jnp.maximum(self.final_epsilon, 1.0 - (1.0 - self.final_epsilon) * state.updates / self.epsilon_updates)
        anything = drawn(which, form(state.space), chosen.shape[0], open)
        return jnp.where(jax.random.uniform(whether, chosen.shape) < share, anything, chosen)

    def learn(self, key: jax.Array, state: DqnState, batch: Batch) -> tuple[DqnState, Info]:
        """Update once towards the double target."""
        batch = wiped(batch)
        chosen = _best(self._values(state.network, batch.after), batch.open_after)
        value = _of(self._values(state.target, batch.after), chosen)
        wanted = batch.reward + self.discount * batch.continues * value

        def criticise(network: Network) -> tuple[jax.Array, Any]:
            values = self._values(network, batch.now)
            taken = _of(values, batch.action)
            # squared, not cut off: a cut-off error estimates medians, and would miss an end that is rare
            error = (taken - wanted) ** 2
            if batch.said is not None:
                error = jnp.where(batch.kept, jnp.mean((values - batch.said) ** 2, axis=-1), error)
            loss = mean(error, batch.weight)
            gap = 0.0
            if self.conservative:
                weight = batch.weight if batch.said is None else batch.weight * ~batch.kept
                gap = mean(jax.nn.logsumexp(masked(values, batch.open), axis=-1) - taken, weight)
            return 0.5 * loss + self.conservative * gap, (mean(taken, batch.weight), loss)

        (_, (value, loss)), gradient = jax.value_and_grad(criticise, has_aux=True)(state.network)
        after = self._stepped(state, batch, gradient, lambda at: jax.grad(criticise, has_aux=True)(at)[0], counted=1)
        return after, {"value": value, "value_loss": loss}

    def outputs(self, state: DqnState, features: jax.Array) -> jax.Array:
        """Value every choice by the target network: float32 [N, n]."""
        return self._values(state.target, features)

    def worth(self, state: DqnState, features: jax.Array, action: jax.Array) -> jax.Array:
        """Value given choices [N] at features [N, F]: float32 [N]."""
        return _of(self._values(state.network, features), action)

    def imitate(self, key: jax.Array, state: DqnState, batch: Batch) -> tuple[DqnState, Info]:
        """Make the choices of the batch more likely under the softmax of the values: one step of the network."""
        batch = wiped(batch)

        def miss(network: Network) -> jax.Array:
            logits = jax.nn.log_softmax(masked(self._values(network, batch.now), batch.open), axis=-1)
            return -mean(_of(logits, batch.action), batch.weight)

        loss, gradient = jax.value_and_grad(miss)(state.network)
        return self._stepped(state, batch, gradient, jax.grad(miss), counted=0), {"imitation_loss": loss}

    def _stepped(self, state: DqnState, batch: Batch, gradient: Any, slope: Any, counted: int) -> DqnState:
        """Move the network along the gradient and the target network after it, unless no row of the batch weighs."""
        network, optimised = stepped(self._optimiser(), gradient, state.optimiser, state.network, slope)
        target = averaged(network, state.target, self.ema_rate)
        updates = state.updates + counted
        after = dataclasses.replace(state, network=network, target=target, optimiser=optimised, updates=updates)
        return where_any(batch.weight, after, state)

    def _values(self, network: Any, features: jax.Array) -> jax.Array:
        """Value every choice at features [N, F]: float32 [N, n]."""
        return sight.apply(network, features, jax.nn.relu) if self.layers else features @ network[0].weight

    def _optimiser(self, key: jax.Array | None = None) -> Any:
        """The transformation; only its `init` reads the key."""
        if self.optimiser is None:
            return optimiser(self.learning_rate, protection=self.protection)
        made = self.optimiser(self.learning_rate, jax.random.key(0) if key is None else key)
        return optax.with_extra_args_support(self.protection.around(made) if self.protection else made)


def _best(values: jax.Array, open: jax.Array | None) -> jax.Array:
    """The open choice of the highest value among values [N, n]: int32 [N]."""
    return jnp.argmax(masked(values, open), axis=-1).astype(jnp.int32)


def _of(values: jax.Array, choice: jax.Array) -> jax.Array:
    """The value [N] of a choice [N] among values [N, n]."""
    return jnp.take_along_axis(values, choice[:, None].astype(jnp.int32), axis=1)[:, 0]
