"""Unlearn a little before each update, to loosen what was learned too well."""

from typing import Any

import jax
import jax.numpy as jnp
import optax

from umwelt.core import part, struct
from umwelt.networks.optimise import transformation


@struct
class RefreshState:
    """inner: the optimiser's. fisher: fading means of squared gradients, like the parameters. count: int32,
    updates so far."""

    inner: Any
    fisher: optax.Updates
    count: jax.Array


@part
class Refresh:
    """Each update first takes a step up its loss, farther where a weight matters little. Then the optimiser learns from
    where that led ("A unified and general framework for continual learning", ICLR 2024).

    Both steps are of one and the same batch, so the learner has to hand on its `slope`, and an update costs twice as much.
    As in the paper the step up is the gradient over each weight's importance, the mean square of its gradients. Here both
    are in units of the mean of all weights. So `unlearn` is in units of the weights, as a step of Adam is. The
    paper adds noise; here batches from a memory are the noise. The paper shows that this lowers the gradient's norm beside
    the loss; we did not measure that.

    >>> protected = Refresh(unlearn=0.11).around(optax.sgd(0.5))
    >>> weights = jnp.array([1.0])  # the loss is half their square, so they are its gradient.
    >>> step, _ = protected.update(weights, protected.init(weights), weights, slope=lambda weights: weights)
    >>> round(float(step[0]), 2)  # up to 1.1, and then down by half of that
    -0.45
    """

    unlearn: float = 1e-4
    """The size of the step up, of a weight whose gradient is as large as the mean. Keep it below the optimiser's."""
    damping: float = 0.1
    """Added to the importance, in units of the mean, so that a weight without any is not unlearned at once."""
    fading: float = 0.99
    """Share of the mean squares that stays at each update."""

    cites = ("refresh_2024",)

    def around(self, optimiser: optax.GradientTransformation) -> optax.GradientTransformationExtraArgs:
        """Let the optimiser learn from unlearned weights."""
        optimiser = optax.with_extra_args_support(optimiser)

        def init(weights: optax.Params) -> RefreshState:
            fisher = jax.tree.map(jnp.zeros_like, weights)
            return RefreshState(inner=optimiser.init(weights), fisher=fisher, count=jnp.zeros((), jnp.int32))

        def update(
            gradient: optax.Updates, state: RefreshState, weights: optax.Params | None = None, *, slope: Any = None, **more: Any
        ) -> tuple[optax.Updates, RefreshState]:
            if weights is None or slope is None:
                raise ValueError(
                    "slope: Refresh asks for the gradient of the same batch at other weights; call"
                    " update(gradient, state, weights, slope=function), as `Ensemble` does"
                )
            fisher = jax.tree.map(lambda old, g: self.fading * old + (1.0 - self.fading) * g * g, state.fisher, gradient)
            count, squares = state.count + 1, jax.tree.leaves(fisher)
            # a fading mean began at zero, and is that much too small
            missing = 1.0 - self.fading ** count.astype(jnp.float32)
            mean = sum(jnp.sum(each) for each in squares) / sum(each.size for each in squares) / missing
            # where no gradient ever came, there is nothing to unlearn
            unit = jnp.where(mean > 0.0, mean, 1.0)

            def unlearned(slope: jax.Array, square: jax.Array) -> jax.Array:
                return self.unlearn * slope / jnp.sqrt(unit) / (square / missing / unit + self.damping)

            up = jax.tree.map(unlearned, gradient, fisher)
            step, inner = optimiser.update(slope(optax.apply_updates(weights, up)), state.inner, weights, **more)
            return jax.tree.map(jnp.add, up, step), RefreshState(inner=inner, fisher=fisher, count=count)

        return transformation(init, update)
