"""Elastic weight consolidation, online: a spring holds each weight where it was, as firmly as it mattered."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from umwelt.core import part, struct
from umwelt.networks.optimise import behind, transformation
from umwelt.retention.anchored import consolidated


@struct
class ElasticState:
    """anchor: weights at the last consolidation. importance: protects them. gathered: mean squared gradients since then.
    All like the parameters. count: int32, updates so far."""

    anchor: optax.Params
    importance: optax.Updates
    gathered: optax.Updates
    count: jax.Array


@part
class Elastic:
    """Each weight is pulled to its anchor by its importance, the mean square of its gradients.

    "Overcoming catastrophic forgetting in neural networks" (2017) in the online form of "Progress & compress" (2018). It
    consolidates each `every` updates and not at task boundaries, which a life does not know. The squares are of the
    gradients of whole batches, as they come; those of single rows would cost as much again.

    >>> protected = Elastic(strength=0.1, every=2).around(optax.sgd(1.0))
    >>> state, update = protected.init(jnp.array([1.0])), jax.jit(protected.update)
    >>> for slope, weight in ((1.0, 1.0), (1.0, 1.0), (0.0, 1.0), (0.0, 3.0)):  # of importance 1, and then moved by 2
    ...     step, state = update(jnp.array([slope]), state, jnp.array([weight]))
    >>> round(float(step[0]), 2)
    -0.2
    """

    strength: float = 10.0
    """Factor of the importance."""
    fading: float = 0.9
    """The share of the old importance that stays at a consolidation."""
    every: int = 1000
    """Updates from one consolidation to the next."""

    cites = ("ewc_2017", "progress_compress_2018")

    def around(self, optimiser: optax.GradientTransformation) -> optax.GradientTransformationExtraArgs:
        """Put the protection before an optimiser."""
        return behind(self.transform(), optimiser)

    def transform(self) -> optax.GradientTransformation:
        """Add the gradient of strength / 2 sum of importance (weights - anchor)^2."""

        def init(weights: optax.Params) -> ElasticState:
            return ElasticState(
                anchor=jax.tree.map(jnp.copy, weights),
                importance=jax.tree.map(jnp.zeros_like, weights),
                gathered=jax.tree.map(jnp.zeros_like, weights),
                count=jnp.zeros((), jnp.int32),
            )

        def update(
            gradient: optax.Updates, state: ElasticState, weights: optax.Params | None = None, **_: Any
        ) -> tuple[optax.Updates, ElasticState]:
            fresh = jax.tree.map(lambda old, new: self.fading * old + new, state.importance, state.gathered)
            anchor = consolidated(state.count, self.every, weights, state.anchor)
            importance = consolidated(state.count, self.every, fresh, state.importance)
            kept = consolidated(state.count, self.every, jax.tree.map(jnp.zeros_like, gradient), state.gathered)
            gathered = jax.tree.map(lambda old, g: old + g * g / self.every, kept, gradient)
            pulled = jax.tree.map(lambda g, f, w, a: g + self.strength * f * (w - a), gradient, importance, weights, anchor)
            return pulled, ElasticState(anchor=anchor, importance=importance, gathered=gathered, count=state.count + 1)

        return transformation(init, update)
