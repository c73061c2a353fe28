"""Weigh the entries of an action by what they cause of the reward.

"ACE: off-policy actor-critic with causality-aware entropy regularization" (2024). The reward is regressed on observation
and action. The coefficients of the action's entries, through a softmax, weigh their part of the policy's entropy. So a
policy stays random where it matters, and may settle where nothing depends on it.

Where we differ: with the reward last in the causal order, its row of a linear model without Gaussian noise is a
regression on all else. So ours is ridge regression in standard units, on sums over the batches. Coefficients count by
their size: a softmax of signed ones would starve entries that harm and matter. The softmax has a temperature, because
in standard units no coefficient is much above 1.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Batch
from umwelt.core import Info, Metric, part, struct
from umwelt.networks import policies

SHARE = Metric(
    name="causal_share", unit="share", meaning="weight of the entry of an action that causes most, among all", better="up"
)


@struct
class CausalState:
    """mean: float32 [D], of features, action entries and reward. products: float32 [D, D], means of their products.
    count: float32 [], transitions behind them, at most `rows`. updates: int32. weights: float32 [A]."""

    mean: jax.Array
    products: jax.Array
    count: jax.Array
    updates: jax.Array
    weights: jax.Array


@part
class Causal:
    """Weights of an action's entries in the entropy, from a regression of the reward on observation and action."""

    every: int = 500
    """Updates between two regressions."""
    rows: float = 1e4
    """Transitions over which the regression reaches back."""
    ridge: float = 1e-3
    """Penalty on the coefficients, in standard units."""
    temperature: float = 0.2
    """Of the softmax over the coefficients; a small one prefers the largest."""

    metrics = (SHARE,)
    cites = ("ace_2024",)

    def init(self, key: jax.Array, width: int, acts: policies.Gaussian) -> CausalState:
        """Weigh all entries alike."""
        if self.ridge <= 0 or self.temperature <= 0:
            raise ValueError(f"ridge={self.ridge}, temperature={self.temperature}: both must be above 0")
        wide = width + acts.size + 1
        return CausalState(
            mean=jnp.zeros(wide, jnp.float32),
            products=jnp.zeros((wide, wide), jnp.float32),
            count=jnp.zeros((), jnp.float32),
            updates=jnp.zeros((), jnp.int32),
            weights=jnp.ones(acts.size, jnp.float32),
        )

    def weights(self, state: CausalState) -> jax.Array:
        """float32 [A], with a mean of 1."""
        return state.weights

    def learn(self, key: jax.Array, state: CausalState, batch: Batch, acts: policies.Gaussian) -> tuple[CausalState, Info]:
        """Add a batch to the sums; after every `every`-th, regress again."""
        weight = (batch.weight > 0).astype(jnp.float32)
        rows = jnp.concatenate([batch.now, acts.unit(batch.action), batch.reward[:, None]], axis=-1)
        number = jnp.sum(weight)
        count = jnp.minimum(state.count + number, self.rows)
        rate = jnp.minimum(number / jnp.maximum(count, 1.0), 1.0)
        share = weight / jnp.maximum(number, 1.0)
        after = replace(
            state,
            mean=state.mean + rate * (share @ rows - state.mean),
            products=state.products + rate * ((share[:, None] * rows).T @ rows - state.products),
            count=count,
            updates=state.updates + 1,
        )
        due = after.updates % self.every == 0
        weights = jnp.where(due, acts.size * jax.nn.softmax(self.sizes(after)[-acts.size :] / self.temperature), state.weights)
        return replace(after, weights=weights), {"causal_share": jnp.max(weights) / acts.size}

    def sizes(self, state: CausalState) -> jax.Array:
        """The absolute coefficients of features and action entries, in standard units: float32 [F + A]."""
        covariance = state.products - state.mean[:, None] * state.mean
        variance = jnp.diagonal(covariance)
        moves = variance > 1e-6 * (1.0 + state.mean**2)
        one = jnp.where(moves, jax.lax.rsqrt(jnp.where(moves, variance, 1.0)), 0.0)
        correlation = one[:, None] * covariance * one
        inner, outer = correlation[:-1, :-1], correlation[:-1, -1]
        return jnp.abs(jnp.linalg.solve(inner + self.ridge * jnp.eye(inner.shape[0]), outer))
