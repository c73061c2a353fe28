"""Deep Q-learning over choices, with a double target: the network chooses, its slow copy judges.

"Deep reinforcement learning with double Q-learning" (AAAI 2016). The share of random actions falls
from 1 to `least` in the course of `random_updates` updates. With `caution`, the term of "Conservative Q-learning for
offline reinforcement learning" (NeurIPS 2020) is added to the loss.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import optax

from umwelt.behaviours.lesson import VALUE, VALUE_LOSS, Lesson, mean, wiped
from umwelt.core import Discrete, Info, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import layers
from umwelt.networks.layers import Stack


@struct
class DqnState:
    """network, slow: stacks. optimiser: Optax's. updates: int32 []."""

    network: Stack
    slow: Stack
    optimiser: Any
    updates: jax.Array
    space: Discrete = static()


@part
class DQN:
    """Values of every choice; acts on the best, at times at random."""

    units: int = 128
    """Width of the two hidden layers."""
    learning_rate: float = 5e-4
    """Step size of Adam."""
    discount: float = 0.99
    """Worth of the next step in units of this one."""
    follow: float = 0.01
    """Share of the network that its slow copy takes over in each update."""
    least: float = 0.05
    """Share of random actions in the end."""
    temperature: float = 0.0
    """In a probe, how far below the best value a choice may lie to be drawn at times; 0 is the best one always. Who sees
    only a part of the world would else turn in a circle for ever."""
    caution: float = 0.0
    """How much choices that were not made are held for worse: whoever rehearses cannot try them any more."""
    random_updates: int = 2000
    """Updates in the course of which the share of random actions falls."""

    metrics = (VALUE, VALUE_LOSS)

    def init(self, key: jax.Array, width: int, action: Any) -> DqnState:
        """Somebody who holds all choices for about equal."""
        if not isinstance(action, Discrete):
            raise ValueError(
                f"action space {action!r}: DQN chooses in one Discrete; take SAC for a Box (size `boxes` of losse_dyna)"
            )
        network = layers.stack(key, (width, self.units, self.units, action.n), scale=0.01, normed=False)
        return DqnState(
            network=network,
            slow=jax.tree.map(jnp.copy, network),
            optimiser=optax.adam(self.learning_rate).init(network),
            updates=jnp.int32(0),
            space=action,
        )

    def act(self, key: jax.Array, state: DqnState, features: jax.Array, mode: Mode) -> jax.Array:
        """The best choice, or now and then any. A probe asks the slow copy, which is the calmer of the two."""
        if mode == "exploit":
            values = layers.apply(state.slow, features, jax.nn.relu)
            if self.temperature:
                return jax.random.categorical(key, values / self.temperature, axis=-1).astype(jnp.int32)
            return jnp.argmax(values, axis=-1).astype(jnp.int32)
        best = jnp.argmax(layers.apply(state.network, features, jax.nn.relu), axis=-1).astype(jnp.int32)
        whether, which = keys.split(key, "whether", "which")
        share = jnp.maximum(self.least, 1.0 - (1.0 - self.least) * state.updates / self.random_updates)
        anything = jax.random.randint(which, best.shape, 0, state.space.n)
        return jnp.where(jax.random.uniform(whether, best.shape) < share, anything, best)

    def learn(self, key: jax.Array, state: DqnState, lesson: Lesson) -> tuple[DqnState, Info]:
        """One update towards the double target."""
        del key
        lesson = wiped(lesson)
        chosen = jnp.argmax(layers.apply(state.network, lesson.after, jax.nn.relu), axis=-1)
        judged = _of(layers.apply(state.slow, lesson.after, jax.nn.relu), chosen)
        target = lesson.reward + self.discount * lesson.goes_on * judged

        def criticise(network: Stack) -> tuple[jax.Array, jax.Array]:
            values = layers.apply(network, lesson.now, jax.nn.relu)
            said = _of(values, lesson.action)
            # squared, not cut off: a cut-off error finds medians, and whoever ends once in twenty times would count as safe
            loss = mean((said - target) ** 2, lesson.weight)
            regret = mean(jax.nn.logsumexp(values, axis=-1) - said, lesson.weight) if self.caution else 0.0
            return 0.5 * loss + self.caution * regret, (mean(said, lesson.weight), loss)

        (_, (said, loss)), gradient = jax.value_and_grad(criticise, has_aux=True)(state.network)
        update, optimiser = optax.adam(self.learning_rate).update(gradient, state.optimiser)
        network = optax.apply_updates(state.network, update)
        slow = optax.incremental_update(network, state.slow, self.follow)
        after = dataclasses.replace(state, network=network, slow=slow, optimiser=optimiser, updates=state.updates + 1)
        some = jnp.any(lesson.weight > 0)
        after = jax.tree.map(lambda new, old: jnp.where(some, new, old), after, state)
        return after, {"value": said, "value_loss": loss}


def _of(values: jax.Array, choice: jax.Array) -> jax.Array:
    """The value [N] of a choice [N] among values [N, n]."""
    return jnp.take_along_axis(values, choice[:, None].astype(jnp.int32), axis=1)[:, 0]
