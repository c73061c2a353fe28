"""Optimisers: the one place that builds a chain of Optax transformations.

Optax types weights as trees of arrays, which a struct is not to a type checker. So these functions take and return Any.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import jax
import jax.numpy as jnp
import optax

W = TypeVar("W")


class Protection(Protocol):
    """Keeps weights near to what they were, or able to learn, such as `umwelt.retention.Elastic`."""

    def around(self, optimiser: optax.GradientTransformation) -> optax.GradientTransformationExtraArgs:
        """Wrap an optimiser. The result reads the weights in `update`. It may read more, by name: `slope` is a function
        from weights to the gradient of the same batch."""
        ...


def optimiser(
    rate: float,
    clip: float = 0.0,
    protection: Protection | None = None,
    *,
    epsilon: float = 1e-8,
    decay: float = 0.0,
    decays: Callable[[Any], Any] | None = None,
    shares: Callable[[Any], Any] | None = None,
) -> Any:
    """Build Adam with all that surrounds it, in the order protection, clipping, Adam, shares: an Optax transformation.

    Its `update(gradient, state, weights, slope=...)` needs the weights and the slope where there is a protection.
    rate: the step size. clip: the largest norm of a gradient, 0 for any. protection: wraps the whole. epsilon: of Adam.
    decay: of the weights, in units of the rate (AdamW). decays: weights -> bool leaves, those that decay; None for all.
    shares: weights -> float leaves, by which the steps are multiplied; None for 1.
    """
    stages: list[Any] = [optax.clip_by_global_norm(clip)] if clip else []
    stages.append(optax.adamw(rate, eps=epsilon, weight_decay=decay, mask=decays) if decay else optax.adam(rate, eps=epsilon))
    if shares is not None:
        stages.append(optax.stateless(lambda steps, _: jax.tree.map(lambda step, share: share * step, steps, shares(steps))))
    inner = optax.chain(*stages) if len(stages) > 1 else stages[0]
    return optax.with_extra_args_support(protection.around(inner) if protection else inner)


def behind(first: Any, then: Any) -> optax.GradientTransformationExtraArgs:
    """Chain two transformations: `then` reads what `first` makes of a gradient."""
    return optax.with_extra_args_support(optax.chain(first, then))


def transformation(init: Callable[..., Any], update: Callable[..., Any]) -> optax.GradientTransformationExtraArgs:
    """Make a transformation of two functions, as `optax.GradientTransformationExtraArgs` does."""
    return optax.GradientTransformationExtraArgs(init, update)


def stepped(chain: Any, gradient: Any, state: Any, weights: Any, slope: Any = None) -> tuple[Any, Any]:
    """Move weights against their gradient: the weights and the optimiser's state. slope: weights -> gradient, of the same
    batch, for protections that read it."""
    steps, after = chain.update(gradient, state, weights, slope=slope)
    return applied(weights, steps), after


def applied(weights: Any, steps: Any) -> Any:
    """Add the steps of an optimiser to the weights."""
    return optax.apply_updates(weights, steps)


def averaged(weights: Any, target: Any, rate: float) -> Any:
    """Move a target network by the share `rate` towards the weights (an exponential moving average)."""
    return optax.incremental_update(weights, target, rate)


def where_any(weight: jax.Array, new: W, old: W) -> W:
    """The new state where any row of weight [N] weighs, else the old one."""
    some = jnp.any(weight > 0)
    return jax.tree.map(lambda after, before: jnp.where(some, after, before), new, old)
