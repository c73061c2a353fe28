"""What a genome means: vectors of numbers as policies."""

from typing import Protocol

import jax
import jax.numpy as jnp

from umwelt.core import part
from umwelt.networks.policies import Policy


class Genomes(Protocol):
    """What a genome means: a policy."""

    def size(self, width: int, policy: Policy) -> int:
        """Numbers of a genome, for so many features."""
        ...

    def outputs(self, genomes: jax.Array, features: jax.Array, policy: Policy) -> jax.Array:
        """Outputs float32 [B, O] of genomes [B, D] at features [B, F]: units of a Box, to be clipped, or logits of choices."""
        ...


@part
class Outright:
    """The genome is the action, whatever is seen; for worlds of one decision."""

    limit: float = 5.0
    """A number at the limit is an action at its bound."""

    def size(self, width: int, policy: Policy) -> int:
        """One number for each number of an action."""
        return policy.inputs

    def outputs(self, genomes: jax.Array, features: jax.Array, policy: Policy) -> jax.Array:
        """Scale the genomes."""
        return genomes / self.limit


@part
class Reacting:
    """The genome is the weights of a network with one hidden layer."""

    units: int = 8
    """Width of the hidden layer."""

    def size(self, width: int, policy: Policy) -> int:
        """Weights and biases of both layers."""
        return self.units * (width + 1) + policy.inputs * (self.units + 1)

    def outputs(self, genomes: jax.Array, features: jax.Array, policy: Policy) -> jax.Array:
        """Compute both layers, of each row by its own weights."""
        rows, width = features.shape
        first, second = jnp.split(genomes, [self.units * (width + 1)], axis=-1)
        hidden = jnp.tanh(_layer(first.reshape(rows, width + 1, self.units), features))
        return _layer(second.reshape(rows, self.units + 1, policy.inputs), hidden)


def _layer(weights: jax.Array, inputs: jax.Array) -> jax.Array:
    """A linear layer of each row: weights [B, in + 1, out], the bias last -> float32 [B, out]."""
    return jnp.einsum("bi,bio->bo", inputs, weights[:, :-1]) + weights[:, -1]
