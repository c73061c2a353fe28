"""Synaptic intelligence: a weight matters as much as its own way made the loss smaller."""

import jax
import jax.numpy as jnp
import optax

from umwelt.core import part, struct
from umwelt.retention.anchored import consolidated


@struct
class SynapticState:
    """anchor: weights at the last consolidation. held: the importance that protects them. path: what each weight's
    way has gained since then. before: the last gradient, and weights, whose way is not yet counted. All like the
    parameters. count: int32, updates so far."""

    anchor: optax.Params
    held: optax.Updates
    path: optax.Updates
    before: tuple[optax.Updates, optax.Params]
    count: jax.Array


@part
class Synaptic:
    """Each weight is pulled to its anchor by its importance: minus gradient times step, summed along its way, over
    the square of how far it came ("Continual learning through synaptic intelligence", 2017).

    Steps are seen one update late, as the difference of the weights, so that any optimiser may follow.
    """

    strength: float = 1.0
    """What the importance is multiplied by."""
    damping: float = 1e-3
    """Added to the squared way, so that weights that hardly moved do not matter without bound."""
    every: int = 1000
    """Updates from one consolidation to the next."""

    def transform(self) -> optax.GradientTransformation:
        """Adds the slope of strength times the sum of importance (weights - anchor)^2 to the gradient."""

        def init(weights: optax.Params) -> SynapticState:
            def zeros() -> optax.Updates:
                return jax.tree.map(jnp.zeros_like, weights)

            return SynapticState(
                anchor=jax.tree.map(jnp.copy, weights),
                held=zeros(),
                path=zeros(),
                before=(zeros(), jax.tree.map(jnp.copy, weights)),
                count=jnp.zeros((), jnp.int32),
            )

        def update(
            gradient: optax.Updates, state: SynapticState, weights: optax.Params | None = None
        ) -> tuple[optax.Updates, SynapticState]:
            if weights is None:
                raise ValueError("params: a protection needs the weights; call update(gradient, state, weights)")
            path = jax.tree.map(lambda p, g, w, b: p - g * (w - b), state.path, *state.before[:1], weights, state.before[1])
            gained = jax.tree.map(
                lambda h, p, w, a: h + jnp.maximum(p, 0.0) / ((w - a) ** 2 + self.damping),
                state.held,
                path,
                weights,
                state.anchor,
            )
            held = consolidated(state.count, self.every, gained, state.held)
            path = consolidated(state.count, self.every, jax.tree.map(jnp.zeros_like, path), path)
            anchor = consolidated(state.count, self.every, weights, state.anchor)
            pulled = jax.tree.map(lambda g, f, w, a: g + 2.0 * self.strength * f * (w - a), gradient, held, weights, anchor)
            after = SynapticState(anchor=anchor, held=held, path=path, before=(gradient, weights), count=state.count + 1)
            return pulled, after

        return optax.GradientTransformation(init, update)  # type: ignore[arg-type]
