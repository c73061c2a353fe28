"""Shake a network whose gradients fall asleep: pull its weights towards fresh ones."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import optax

from umwelt.core import part, struct
from umwelt.networks.optimise import transformation


@struct
class ShakenState:
    """inner: the optimiser's. middle, spread: like the weights, mean and deviation of each leaf at the start. count: int32,
    updates."""

    inner: Any
    middle: Any
    spread: Any
    count: jax.Array


@part
class Shaken:
    """Weights w become keep w + (1 - keep) fresh ones after every `every`-th update, and the optimiser forgets.

    The reset of "ACE: off-policy actor-critic with causality-aware entropy regularization" (2024). A unit is asleep where
    the norm of its gradient is below `asleep` times the mean of its layer. With a share d of units asleep, keep is
    1 - d, between `least` and `most`.

    >>> weights = {"weight": jnp.array([[2.0, -2.0, 2.0, -2.0]] * 2)}
    >>> slope = {"weight": jnp.array([[1.0, 0.0, 0.0, 0.0]] * 2)}
    >>> round(float(sleep(slope, 0.05)), 2)  # three of four units
    0.75

    >>> shaking = Shaken(every=1).around(optax.sgd(0.0))
    >>> step, _ = jax.jit(shaking.update)(slope, shaking.init(weights), weights)
    >>> bool(jnp.all(step["weight"] != 0.0))  # all weights have moved
    True
    """

    every: int = 100_000
    """Updates from one look to the next."""
    asleep: float = 0.05
    """The share of its layer's mean gradient below which a unit is asleep."""
    least: float = 0.2
    """The smallest share of the old weights that is kept."""
    most: float = 0.9
    """The largest; 1 keeps a network whole that is awake."""
    seed: int = 0
    """The number that fresh weights are drawn from."""

    cites = ("ace_2024",)

    def around(self, optimiser: optax.GradientTransformation) -> optax.GradientTransformationExtraArgs:
        """Shake the weights after every `every`-th update of the optimiser."""

        def init(weights: optax.Params) -> ShakenState:
            middle, spread = (jax.tree.map(measure, weights) for measure in (jnp.mean, jnp.std))
            count = jnp.zeros((), jnp.int32)
            return ShakenState(inner=optimiser.init(weights), middle=middle, spread=spread, count=count)

        def update(
            gradient: optax.Updates, state: ShakenState, weights: optax.Params | None = None, **more: Any
        ) -> tuple[optax.Updates, ShakenState]:
            if weights is None:
                raise ValueError("params: shaking needs the weights; call update(gradient, state, weights)")
            step, inner = optax.with_extra_args_support(optimiser).update(gradient, state.inner, weights, **more)
            state = replace(state, inner=inner, count=state.count + 1)
            kept = jnp.clip(1.0 - sleep(gradient, self.asleep), self.least, self.most)

            def shake() -> tuple[Any, Any]:
                moved: Any = optax.apply_updates(weights, step)
                mixed = jax.tree.map(lambda to, new: kept * to + (1.0 - kept) * new, moved, self._fresh(state, weights))
                # a network that keeps all of its weights keeps what the optimiser knows of them too
                known = jax.tree.map(lambda new, old: jnp.where(kept < 1.0, new, old), optimiser.init(weights), inner)
                steps = jax.tree.map(lambda to, old, plain: jnp.where(kept < 1.0, to - old, plain), mixed, weights, step)
                return steps, known

            step, inner = jax.lax.cond(state.count % self.every == 0, shake, lambda: (step, inner))
            return step, replace(state, inner=inner)

        return transformation(init, update)

    def _fresh(self, state: ShakenState, weights: Any) -> Any:
        """Weights as wide as those at the start were."""
        found, tree = jax.tree.flatten(weights)
        drawing = jax.random.split(jax.random.fold_in(jax.random.key(self.seed), state.count), len(found))
        known = zip(drawing, found, jax.tree.leaves(state.middle), jax.tree.leaves(state.spread), strict=True)
        return jax.tree.unflatten(tree, [mean + wide * jax.random.normal(key, leaf.shape) for key, leaf, mean, wide in known])


def sleep(gradient: Any, asleep: float) -> jax.Array:
    """The share of units, over all weight matrices [..., in, out], whose gradient is below `asleep` times their layer's mean."""
    marks = []
    for leaf in jax.tree.leaves(gradient):
        if leaf.ndim >= 2:
            norms = jnp.sqrt(jnp.sum(leaf**2, axis=-2))
            marks.append((norms < asleep * jnp.mean(norms, axis=-1, keepdims=True)).ravel())
    return jnp.mean(jnp.concatenate(marks)) if marks else jnp.float32(0.0)
