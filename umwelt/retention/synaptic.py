"""Synaptic intelligence: a weight matters as much as its own path lowered the loss."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from umwelt.core import part, struct
from umwelt.networks.optimise import behind, transformation
from umwelt.retention.anchored import consolidated


@struct
class SynapticState:
    """anchor: weights at the last consolidation. importance: protects them. path: how much each weight's path has lowered
    the loss since then. before: the last gradient and weights, whose step is not yet counted. All like the parameters.
    count: int32, updates so far."""

    anchor: optax.Params
    importance: optax.Updates
    path: optax.Updates
    before: tuple[optax.Updates, optax.Params]
    count: jax.Array


@part
class Synaptic:
    """Each weight is pulled to its anchor by its importance: minus gradient times step, summed along its path, over
    its squared distance ("Continual learning through synaptic intelligence", 2017).

    Steps count one update late, as the difference of the weights, so that any optimiser may follow.

    >>> protected = Synaptic(strength=0.1, every=2).around(optax.sgd(1.0))
    >>> state, update = protected.init(jnp.array([1.0])), jax.jit(protected.update)
    >>> for slope, weight in ((-1.0, 1.0), (0.0, 2.0), (0.0, 2.0), (0.0, 3.0)):  # a step of 1 lowered the loss by 1
    ...     step, state = update(jnp.array([slope]), state, jnp.array([weight]))
    >>> round(float(step[0]), 2)
    -0.2
    """

    strength: float = 1.0
    """Factor of the importance."""
    damping: float = 1e-3
    """Added to the squared distance, so that weights that hardly moved do not matter without bound."""
    every: int = 1000
    """Updates from one consolidation to the next."""

    cites = ("synaptic_intelligence_2017",)

    def around(self, optimiser: optax.GradientTransformation) -> optax.GradientTransformationExtraArgs:
        """Put the protection before an optimiser."""
        return behind(self.transform(), optimiser)

    def transform(self) -> optax.GradientTransformation:
        """Add the gradient of strength times the sum of importance (weights - anchor)^2."""

        def init(weights: optax.Params) -> SynapticState:
            def zeros() -> optax.Updates:
                return jax.tree.map(jnp.zeros_like, weights)

            return SynapticState(
                anchor=jax.tree.map(jnp.copy, weights),
                importance=zeros(),
                path=zeros(),
                before=(zeros(), jax.tree.map(jnp.copy, weights)),
                count=jnp.zeros((), jnp.int32),
            )

        def update(
            gradient: optax.Updates, state: SynapticState, weights: optax.Params | None = None, **_: Any
        ) -> tuple[optax.Updates, SynapticState]:
            if weights is None:
                raise ValueError("params: a protection needs the weights; call update(gradient, state, weights)")
            path = jax.tree.map(lambda p, g, w, b: p - g * (w - b), state.path, *state.before[:1], weights, state.before[1])
            gained = jax.tree.map(
                lambda h, p, w, a: h + jnp.maximum(p, 0.0) / ((w - a) ** 2 + self.damping),
                state.importance,
                path,
                weights,
                state.anchor,
            )
            importance = consolidated(state.count, self.every, gained, state.importance)
            path = consolidated(state.count, self.every, jax.tree.map(jnp.zeros_like, path), path)
            anchor = consolidated(state.count, self.every, weights, state.anchor)
            pulled = jax.tree.map(lambda g, f, w, a: g + 2.0 * self.strength * f * (w - a), gradient, importance, weights, anchor)
            after = SynapticState(
                anchor=anchor, importance=importance, path=path, before=(gradient, weights), count=state.count + 1
            )
            return pulled, after

        return transformation(init, update)
