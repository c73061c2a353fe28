"""The signature of a path to depth two: how far it leads, and in which order its axes moved.

Loops that end where they began have an increment of zero. They differ in the second level, whose antisymmetric part is
the area that they enclose.
"""

import jax
import jax.numpy as jnp

from umwelt.core import part


def signature(paths: jax.Array) -> jax.Array:
    """Compute the signature to depth two of paths [n, L, F], linear between their points: float32 [n, F + F * F].

    Of a straight line it is the increment and half the increment's outer square.
    """
    steps = jnp.diff(paths, axis=1)
    before = paths[:, :-1] - paths[:, :1]
    first = paths[:, -1] - paths[:, 0]
    second = jnp.einsum("nli,nlj->nij", before, steps) + 0.5 * jnp.einsum("nli,nlj->nij", steps, steps)
    return jnp.concatenate([first, second.reshape(first.shape[0], -1)], axis=-1)


@part
class Signed:
    """Traits that are looks along an episode, as the signature of their path. It learns nothing.

    >>> line = jnp.array([[0.0, 0.0, 1.0, 2.0]])
    >>> Signed(looks=2).points((), line)[0].tolist()
    [1.0, 2.0, 0.5, 1.0, 1.0, 2.0]
    """

    looks: int
    """How many looks a trait holds."""

    def init(self, key: jax.Array, traits: int) -> tuple[()]:
        """Keep nothing."""
        if self.looks < 2 or traits % self.looks:
            raise ValueError(f"looks={self.looks} of Signed must be at least 2, and divide the {traits} numbers of a trait")
        return ()

    def points(self, state: tuple[()], traits: jax.Array) -> jax.Array:
        """Return the signatures, float32 [n, F + F * F]."""
        return signature(traits.reshape(traits.shape[0], self.looks, -1))

    def errors(self, state: tuple[()], traits: jax.Array) -> jax.Array:
        """Return zeros."""
        return jnp.zeros(traits.shape[0], jnp.float32)

    def learn(self, key: jax.Array, state: tuple[()], traits: jax.Array, weight: jax.Array) -> tuple[()]:
        """Learn nothing."""
        return state
