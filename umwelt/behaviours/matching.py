"""Deep Q-learning on a page: the network compares instruction and page field by field.

"Learning to navigate the web" (2019), without its encoder of words.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import VALUE, VALUE_LOSS, Batch, mean, wiped
from umwelt.core import Discrete, Info, keys, part, struct
from umwelt.core.contracts import Mode
from umwelt.networks import matched
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import Protection, averaged, optimiser, stepped, where_any


@struct
class MatchingState:
    """network, target (its target network): stacks. optimiser: Optax's. updates: int32 []."""

    network: Stack
    target: Stack
    optimiser: Any
    updates: jax.Array


@part
class Matching:
    """Values of filling each field and of submitting, for a page with an instruction; the double target of DQN."""

    fields: int = 6
    """Fields of the page."""
    units: int = 64
    """Width of the two hidden layers."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    discount: float = 0.9
    """Worth of the next step in units of this one (gamma)."""
    ema_rate: float = 0.02
    """Share of the network that its target network takes over in each update (tau)."""
    final_epsilon: float = 0.1
    """Share of random actions in the end."""
    epsilon_updates: int = 2000
    """Updates in the course of which the share of random actions falls."""
    submits: float = 0.15
    """How often a random action submits; evenly drawn, it would hardly ever do."""
    protection: Protection | None = None
    """What keeps the network near to what it was."""

    metrics = (VALUE, VALUE_LOSS)
    cites = ("qweb_2019", "double_dqn_2016")

    def init(self, key: jax.Array, width: int, action: Any) -> MatchingState:
        """Begin with nearly equal values of all choices."""
        bits = width // 2
        if not isinstance(action, Discrete) or width % 2 or bits % self.fields or action.n != bits + 1:
            raise ValueError(
                f"fields={self.fields}: the world shows {width} numbers and has the actions {action!r}, which is no page of so"
                " many fields; give the world's own number of fields"
            )
        network = matched.stack(key, self.fields, self.units)
        begun = optimiser(self.learning_rate, protection=self.protection).init(network)
        return MatchingState(
            network=network, target=jax.tree.map(jnp.copy, network), optimiser=begun, updates=jnp.zeros((), jnp.int32)
        )

    def act(
        self, key: jax.Array, state: MatchingState, features: jax.Array, mode: Mode, open: jax.Array | None = None
    ) -> jax.Array:
        """Take the best choice, or at times any; a probe never draws."""
        if mode == "exploit":
            return jnp.argmax(self._values(state.target, features), axis=-1).astype(jnp.int32)
        values = self._values(state.network, features)
        whether, which, submitting = keys.split(key, "whether", "which", "submit")
        rows, number = values.shape
        share = jnp.maximum(self.final_epsilon, 1.0 - (1.0 - self.final_epsilon) * state.updates / self.epsilon_updates)
        anything = jax.random.randint(which, (rows,), 0, number - 1)
        anything = jnp.where(jax.random.uniform(submitting, (rows,)) < self.submits, number - 1, anything)
        best = jnp.argmax(values, axis=-1)
        return jnp.where(jax.random.uniform(whether, (rows,)) < share, anything, best).astype(jnp.int32)

    def learn(self, key: jax.Array, state: MatchingState, batch: Batch) -> tuple[MatchingState, Info]:
        """Update once towards the double target."""
        batch = wiped(batch)
        chosen = jnp.argmax(self._values(state.network, batch.after), axis=-1)
        value = _of(self._values(state.target, batch.after), chosen)
        wanted = batch.reward + self.discount * batch.continues * value

        def criticise(network: Stack) -> tuple[jax.Array, Any]:
            taken = _of(self._values(network, batch.now), batch.action)
            loss = mean((taken - wanted) ** 2, batch.weight)
            return 0.5 * loss, (mean(taken, batch.weight), loss)

        (_, (value, loss)), gradient = jax.value_and_grad(criticise, has_aux=True)(state.network)
        optimise = optimiser(self.learning_rate, protection=self.protection)
        slope = lambda at: jax.grad(criticise, has_aux=True)(at)[0]  # noqa: E731 - asked by protections alone
        network, optimised = stepped(optimise, gradient, state.optimiser, state.network, slope)
        target = averaged(network, state.target, self.ema_rate)
        after = replace(state, network=network, target=target, optimiser=optimised, updates=state.updates + 1)
        return where_any(batch.weight, after, state), {"value": value, "value_loss": loss}

    def _values(self, network: Stack, features: jax.Array) -> jax.Array:
        """float32 [N, n]: the values of all choices, of features that hold the instruction and then the page."""
        instruction, page = jnp.split(features, 2, axis=-1)
        apart = (features.shape[0], self.fields, -1)
        return matched.values(network, instruction.reshape(apart), page.reshape(apart))


def _of(values: jax.Array, choice: jax.Array) -> jax.Array:
    """The value [N] of a choice [N] among values [N, n]."""
    return jnp.take_along_axis(values, choice[:, None].astype(jnp.int32), axis=1)[:, 0]
