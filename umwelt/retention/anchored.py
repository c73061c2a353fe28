"""Weights that a spring ties to what they were: the plainest protection."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from umwelt.core import part, struct
from umwelt.networks.optimise import behind, transformation


@struct
class AnchoredState:
    """anchor: weights to stay near, like the parameters. count: int32, updates so far."""

    anchor: optax.Params
    count: jax.Array


@part
class Anchored:
    """A pull of every weight towards what it was at the last consolidation, one each `every` updates.

    Give it to a learner as its `protection`, or wrap any optimiser: `Anchored(strength=0.1).around(optax.adam(1e-3))`.

    >>> protected = Anchored(strength=0.1, every=2).around(optax.sgd(1.0))
    >>> state, update = protected.init(jnp.array([1.0])), jax.jit(protected.update)
    >>> for weight in (1.0, 1.0, 1.0, 3.0):  # consolidated at 1, and then moved to 3
    ...     step, state = update(jnp.array([0.0]), state, jnp.array([weight]))
    >>> round(float(step[0]), 2)
    -0.2
    """

    strength: float = 0.01
    """Penalty on half the squared distance."""
    every: int = 1000
    """Updates from one consolidation to the next."""

    def around(self, optimiser: optax.GradientTransformation) -> optax.GradientTransformationExtraArgs:
        """Put the protection before an optimiser."""
        return behind(self.transform(), optimiser)

    def transform(self) -> optax.GradientTransformation:
        """Add the gradient of strength / 2 |weights - anchor|^2."""

        def init(weights: optax.Params) -> AnchoredState:
            return AnchoredState(anchor=jax.tree.map(jnp.copy, weights), count=jnp.zeros((), jnp.int32))

        def update(
            gradient: optax.Updates, state: AnchoredState, weights: optax.Params | None = None, **_: Any
        ) -> tuple[optax.Updates, AnchoredState]:
            anchor = consolidated(state.count, self.every, weights, state.anchor)
            # before the first consolidation there is no anchor
            strength = jnp.where(state.count >= self.every, self.strength, 0.0)
            pulled = jax.tree.map(lambda g, w, a: g + strength * (w - a), gradient, weights, anchor)
            return pulled, AnchoredState(anchor=anchor, count=state.count + 1)

        return transformation(init, update)


def consolidated(count: jax.Array, every: int, now: optax.Params | None, before: optax.Params) -> optax.Params:
    """Take `now` where a consolidation is due, else `before`; refuse an update without its parameters."""
    if now is None:
        raise ValueError("params: a protection needs the weights; call update(gradient, state, weights)")
    due = (count > 0) & (count % every == 0)
    return jax.tree.map(lambda new, old: jnp.where(due, new, old), now, before)
