"""Weights that are tied to what they were: the plainest protection."""

import jax
import jax.numpy as jnp
import optax

from umwelt.core import part, struct


@struct
class AnchoredState:
    """anchor: weights to stay near, like the parameters. count: int32, updates so far."""

    anchor: optax.Params
    count: jax.Array


@part
class Anchored:
    """A pull of every weight towards what it was at the last consolidation, one each `every` updates.

    `transform()` goes before an optimiser: `optax.chain(Anchored(strength=0.1).transform(), optax.adam(1e-3))`.
    """

    strength: float = 0.01
    """What a unit of squared distance costs, half of it."""
    every: int = 1000
    """Updates from one consolidation to the next."""

    def transform(self) -> optax.GradientTransformation:
        """Adds the slope of strength / 2 |weights - anchor|^2 to the gradient."""

        def init(weights: optax.Params) -> AnchoredState:
            return AnchoredState(anchor=jax.tree.map(jnp.copy, weights), count=jnp.zeros((), jnp.int32))

        def update(
            gradient: optax.Updates, state: AnchoredState, weights: optax.Params | None = None
        ) -> tuple[optax.Updates, AnchoredState]:
            anchor = consolidated(state.count, self.every, weights, state.anchor)
            # before the first consolidation there is nothing yet to be near to
            strength = jnp.where(state.count >= self.every, self.strength, 0.0)
            pulled = jax.tree.map(lambda g, w, a: g + strength * (w - a), gradient, weights, anchor)
            return pulled, AnchoredState(anchor=anchor, count=state.count + 1)

        return optax.GradientTransformation(init, update)  # type: ignore[arg-type]


def consolidated(count: jax.Array, every: int, now: optax.Params | None, before: optax.Params) -> optax.Params:
    """`now` where a consolidation is due, else `before`. An optimiser that is not given its parameters says so."""
    if now is None:
        raise ValueError("params: a protection needs the weights; call update(gradient, state, weights)")
    due = (count > 0) & (count % every == 0)
    return jax.tree.map(lambda new, old: jnp.where(due, new, old), now, before)
