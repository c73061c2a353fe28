"""Behaviour spaces that are learned: the code of an autoencoder of what was seen.

"Learning in sparse rewards settings through quality-diversity algorithms" (2022) and "Unsupervised learning and
exploration of reachable outcome space" (ICRA 2020). What the autoencoder reconstructs badly is surprising. The codes of
population and archive are computed again whenever they are compared, so they follow the encoder.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import keys, part, struct
from umwelt.networks import layers, scale
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped, where_any
from umwelt.networks.scale import Scale


@struct
class EncodedState:
    """networks: encoder and decoder. optimiser: Optax's. inputs: the scale of traits."""

    networks: Any
    optimiser: Any
    inputs: Scale


@part
class Encoded:
    """The code of an autoencoder, which learns from population and archive.

    >>> descriptor, key = Encoded(code=1, units=8, learning_rate=0.03), jax.random.key(0)

    >>> traits, learn = jax.random.normal(key, (32, 3)), jax.jit(descriptor.learn)
    >>> state = first = learn(key, descriptor.init(key, 3), traits, jnp.ones(32))
    >>> for _ in range(3):
    ...     state = learn(key, state, traits, jnp.ones(32))
    >>> bool(descriptor.errors(state, traits).mean() < descriptor.errors(first, traits).mean())
    True
    """

    code: int = 10
    """Numbers of a code."""
    units: int = 32
    """Width of the hidden layer of encoder and decoder; 0 for none, which makes both linear."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    updates: int = 4
    """Updates in each generation."""
    batch: int = 64
    """Traits in an update."""

    def init(self, key: jax.Array, traits: int) -> EncodedState:
        """Draw both networks."""
        if self.code < 1:
            raise ValueError(f"code={self.code} of Encoded must be at least 1")
        one, other = keys.split(key, "encoder", "decoder")
        hidden = (self.units,) if self.units else ()
        networks: Any = (
            layers.stack(one, (traits, *hidden, self.code), normed=False),
            layers.stack(other, (self.code, *hidden, traits), normed=False),
        )
        begun = optimiser(self.learning_rate).init(networks)
        return EncodedState(networks=networks, optimiser=begun, inputs=scale.unit(traits))

    def points(self, state: EncodedState, traits: jax.Array) -> jax.Array:
        """Compute the codes, float32 [n, code]."""
        return layers.apply(state.networks[0], _scaled(state.inputs, traits), jnp.tanh)

    def errors(self, state: EncodedState, traits: jax.Array) -> jax.Array:
        """Compute the mean squared error of reconstruction in standard units, float32 [n]."""
        return _error(state.networks, _scaled(state.inputs, traits))

    def learn(self, key: jax.Array, state: EncodedState, traits: jax.Array, weight: jax.Array) -> EncodedState:
        """Update the scale of traits, then both networks a few times, each time on a batch drawn by weight."""
        inputs = scale.update(state.inputs, traits, (weight > 0).astype(jnp.float32), horizon=1.0)
        wanted, step = _scaled(inputs, traits), optimiser(self.learning_rate)
        ends = jnp.cumsum(weight)

        def update(learned: Any, key: jax.Array) -> tuple[Any, None]:
            networks, optimised = learned
            rows = jnp.searchsorted(ends, jax.random.uniform(key, (self.batch,)) * ends[-1], side="right")
            drawn = wanted[jnp.minimum(rows, traits.shape[0] - 1)]
            gradient = jax.grad(lambda networks: jnp.mean(_error(networks, drawn)))(networks)
            return stepped(step, gradient, optimised, networks), None

        begun = (state.networks, state.optimiser)
        (networks, optimised), _ = jax.lax.scan(update, begun, jax.random.split(key, self.updates))
        learned = EncodedState(networks=networks, optimiser=optimised, inputs=inputs)
        return where_any(weight, learned, state)


@struct
class ProjectedState:
    """matrix: float32 [Z, C]. inputs: the scale of traits."""

    matrix: jax.Array
    inputs: Scale


@part
class Projected:
    """A random projection of as many numbers: the control of a learned code.

    >>> state = Projected(code=2).init(jax.random.key(0), 5)
    >>> Projected(code=2).points(state, jnp.ones((3, 5))).shape
    (3, 2)
    """

    code: int = 10
    """Numbers of a code."""

    def init(self, key: jax.Array, traits: int) -> ProjectedState:
        """Draw the projection."""
        matrix = jax.random.normal(key, (traits, self.code)) / traits**0.5
        return ProjectedState(matrix=matrix, inputs=scale.unit(traits))

    def points(self, state: ProjectedState, traits: jax.Array) -> jax.Array:
        """Compute the projections, float32 [n, code]."""
        return _scaled(state.inputs, traits) @ state.matrix

    def errors(self, state: ProjectedState, traits: jax.Array) -> jax.Array:
        """Return zeros."""
        return jnp.zeros(traits.shape[0], jnp.float32)

    def learn(self, key: jax.Array, state: ProjectedState, traits: jax.Array, weight: jax.Array) -> ProjectedState:
        """Update the scale of traits."""
        return replace(state, inputs=scale.update(state.inputs, traits, (weight > 0).astype(jnp.float32), horizon=1.0))


def _scaled(inputs: Scale, traits: jax.Array) -> jax.Array:
    """Traits in one common unit: numbers that hardly vary, as noise, must not look as large as those that do."""
    return (traits - inputs.mean) / jnp.sqrt(jnp.mean(inputs.variance) + 1e-6)


def _error(networks: tuple[Stack, Stack], wanted: jax.Array) -> jax.Array:
    code = layers.apply(networks[0], wanted, jnp.tanh)
    return jnp.mean((layers.apply(networks[1], code, jnp.tanh) - wanted) ** 2, axis=-1)
