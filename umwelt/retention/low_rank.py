"""Low-rank adaptation: after a consolidation only a correction of low rank learns, beside frozen weights."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import optax

from umwelt.core import part, struct
from umwelt.networks.optimise import transformation


@struct
class Factors:
    """The correction U V of a matrix [..., out, in]. left: float32 [..., out, rank]. right: float32 [..., rank, in]."""

    left: jax.Array
    right: jax.Array

    @property
    def whole(self) -> jax.Array:
        """float32 [..., out, in]."""
        return self.left @ self.right


@struct
class LowRankState:
    """free: the optimiser's before the first consolidation. low: the optimiser's afterwards. base: the weights at the
    last consolidation. factors: like the weights, with `Factors` in place of each matrix, and the array itself in place of
    all others. count: int32, updates so far."""

    free: Any
    low: Any
    base: optax.Params
    factors: Any
    count: jax.Array


@part
class LowRank:
    """Each `every` updates the weights are frozen. Until the next time each matrix learns a correction of low rank alone
    ("LoRA: Low-rank adaptation of large language models", ICLR 2022). The correction is then added to it ("ReLoRA:
    High-rank training through low-rank updates", ICLR 2024). The first `every` updates are free, because initial weights
    hold nothing to keep.

    A matrix is an array of which the last two axes are both longer than `rank`; those before them are so many matrices.
    Biases and all else that is smaller learn freely at all times. The optimiser learns the factors, and its state is reset
    with them; where it decays weights, it decays the factors. Nothing else may hold the weights back (an `Ensemble` that
    stops early does).

    >>> protected = LowRank(rank=1, every=1).around(optax.sgd(1.0))
    >>> weights, slope = jnp.zeros((3, 3)), jnp.eye(3)
    >>> state, update, ranks = protected.init(weights), jax.jit(protected.update), []
    >>> for _ in range(2):
    ...     step, state = update(slope, state, weights)
    ...     ranks.append(int(jnp.linalg.matrix_rank(step, rtol=1e-3)))
    >>> ranks  # the first update is free
    [3, 1]
    """

    rank: int = 4
    """The rank of a correction."""
    every: int = 1000
    """Updates from one consolidation to the next."""
    seed: int = 0
    """Seed of the right factors."""

    cites = ("lora_2022", "relora_2024")

    def around(self, optimiser: optax.GradientTransformation) -> optax.GradientTransformationExtraArgs:
        """Let the optimiser learn the weights, and then their corrections."""
        if self.rank < 1 or self.every < 1:
            raise ValueError(f"rank={self.rank} and every={self.every} must be at least 1")
        optimiser = optax.with_extra_args_support(optimiser)

        def init(weights: optax.Params) -> LowRankState:
            count = jnp.zeros((), jnp.int32)
            factors = self._fresh(weights, count)
            return LowRankState(
                free=optimiser.init(weights),
                low=optimiser.init(factors),
                base=jax.tree.map(jnp.copy, weights),
                factors=factors,
                count=count,
            )

        def update(
            gradient: optax.Updates, state: LowRankState, weights: optax.Params | None = None, **more: Any
        ) -> tuple[optax.Updates, LowRankState]:
            if weights is None:
                raise ValueError("params: a low rank needs the weights; call update(gradient, state, weights)")

            def whole() -> tuple[optax.Updates, LowRankState]:
                step, free = optimiser.update(gradient, state.free, weights, **more)
                return step, replace(state, free=free)

            def small() -> tuple[optax.Updates, LowRankState]:
                def consolidated() -> tuple[Any, optax.Params, Any]:
                    begun = self._fresh(weights, state.count)
                    return optimiser.init(begun), weights, begun

                due = state.count % self.every == 0
                low, base, factors = jax.lax.cond(due, consolidated, lambda: (state.low, state.base, state.factors))
                slopes = jax.tree.map(_slopes, factors, gradient, is_leaf=_is_factors)
                step, low = optimiser.update(slopes, low, factors, **more)
                factors = optax.apply_updates(factors, step)
                moved = jax.tree.map(_moved, factors, base, is_leaf=_is_factors)
                update = jax.tree.map(lambda new, old: new - old, moved, weights)
                return update, replace(state, low=low, base=base, factors=factors)

            step, state = jax.lax.cond(state.count < self.every, whole, small)
            return step, replace(state, count=state.count + 1)

        return transformation(init, update)

    def _fresh(self, weights: optax.Params, count: jax.Array) -> Any:
        """Make corrections of zero: a left factor of zeros, a right one of unit rows."""
        key = jax.random.fold_in(jax.random.key(self.seed), count)
        leaves, tree = jax.tree.flatten(weights)

        def begun(index: int, leaf: jax.Array) -> Any:
            if leaf.ndim < 2 or min(leaf.shape[-2:]) <= self.rank:
                return jnp.copy(leaf)
            lead, (out, into) = leaf.shape[:-2], leaf.shape[-2:]
            right = jax.random.normal(jax.random.fold_in(key, index), (*lead, self.rank, into), leaf.dtype) / into**0.5
            return Factors(left=jnp.zeros((*lead, out, self.rank), leaf.dtype), right=right)

        return jax.tree.unflatten(tree, [begun(index, leaf) for index, leaf in enumerate(leaves)])


def _is_factors(node: Any) -> bool:
    return isinstance(node, Factors)


def _slopes(one: Any, slope: jax.Array) -> Any:
    """The gradients of factors, from that of the matrix that they correct."""
    if not _is_factors(one):
        return slope
    return Factors(left=slope @ jnp.swapaxes(one.right, -1, -2), right=jnp.swapaxes(one.left, -1, -2) @ slope)


def _moved(one: Any, base: jax.Array) -> jax.Array:
    """Add factors to the frozen weights; a free array stays as it is."""
    return base + one.whole if _is_factors(one) else one
