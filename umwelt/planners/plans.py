"""Distributions over plans: what every sampling planner draws from, fits again and shifts.

A plan is H actions. A *candidate* is one drawn plan, written in the distribution's own units. Candidates are laid out as
time x rows x samples, [H, B, S, ...], so that imagination can scan over time without moving data. The two distributions
share their methods:

- `admitting(open)`: the same plans, whose first steps are open choices;
- `admitted(key, candidates)`: candidates whose first steps are open choices;
- `wide(spread)`: the warm start as the first search of a call uses it;
- `sample(noise)`: candidates from standard normal noise [H, B, S, entries];
- `uniform(even)`: candidates that cover the whole space, from even numbers [H, B, S, entries];
- `refit(candidates, weights, momentum, least)`: fitted to weighted candidates;
- `shift()`: one step later, with every choice open;
- `around(key, candidates)`: one candidate in each row, [h, B, ...], with noise of the fitted spread;
- `mode()`: the plan at its middle, as one candidate [H, B, 1, ...];
- `decode(candidates)`, `encode(actions)`.
"""

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.lax import erf_inv
from jax.scipy.special import ndtr

from umwelt.core import Box, Discrete, keys, select, static, struct


@struct
class Continuous:
    """Plans of a bounded Box: independent normals, clipped to the bounds, in units of half the range
    (-1 is low, 0 the middle, 1 is high). Candidates are float32 [H, B, S, A].

    mean, spread: float32 [B, H, A], A the number of entries of one action.
    """

    mean: jax.Array
    spread: jax.Array
    space: Box = static()

    @property
    def entries(self) -> int:
        """How many normal numbers one action takes."""
        return self.mean.shape[-1]

    def admitting(self, open: jax.Array | None) -> "Continuous":
        """The same plans: a Box has no choices to close."""
        return self

    def admitted(self, key: jax.Array, candidates: jax.Array) -> jax.Array:
        """The same candidates: a Box has no choices to close."""
        return candidates

    def wide(self, spread: float) -> "Continuous":
        """The same mean, with the standard deviation `spread` everywhere."""
        return dataclasses.replace(self, spread=jnp.full_like(self.mean, spread))

    def sample(self, noise: jax.Array) -> jax.Array:
        """Candidates [H, B, S, A] from standard normal noise of that shape."""
        mean, spread = (jnp.swapaxes(leaf, 0, 1)[:, :, None] for leaf in (self.mean, self.spread))
        return jnp.clip(mean + spread * noise, -1.0, 1.0)

    def uniform(self, even: jax.Array) -> jax.Array:
        """Candidates [H, B, S, A], uniform over the box, from numbers even over (-1, 1)."""
        return even

    def refit(self, candidates: jax.Array, weights: jax.Array, momentum: float, least: float) -> "Continuous":
        """The weighted mean and standard deviation of candidates; weights [B, S] sum to one in each row.

        `momentum` is the share of the old mean and spread that stays; `least` bounds the spread from below.
        """
        mean = jnp.einsum("bs,hbsa->bha", weights, candidates)
        gap = candidates - jnp.swapaxes(mean, 0, 1)[:, :, None]
        spread = jnp.sqrt(jnp.einsum("bs,hbsa->bha", weights, gap * gap))
        mean = momentum * self.mean + (1.0 - momentum) * mean
        spread = momentum * self.spread + (1.0 - momentum) * spread
        return dataclasses.replace(self, mean=mean, spread=jnp.maximum(spread, least))

    def shift(self) -> "Continuous":
        """The plan one step later; its last action is held."""
        return dataclasses.replace(self, mean=_later(self.mean, 1), spread=_later(self.spread, 1))

    def around(self, key: jax.Array, candidates: jax.Array) -> jax.Array:
        """Candidates [h, B, A], h of the first steps, with noise of the fitted spread, clipped to the bounds."""
        spread = jnp.swapaxes(self.spread, 0, 1)[: candidates.shape[0]]
        return jnp.clip(candidates + spread * jax.random.normal(key, candidates.shape), -1.0, 1.0)

    def mode(self) -> jax.Array:
        """The mean, float32 [H, B, 1, A]."""
        return jnp.swapaxes(self.mean, 0, 1)[:, :, None]

    def decode(self, candidates: jax.Array) -> jax.Array:
        """Actions [..., *shape] inside the bounds, from [..., A]."""
        low, high = self.space.bounds
        middle, half = _middle(self.space)
        actions = middle + half * candidates.reshape(*candidates.shape[:-1], *self.space.shape)
        return jnp.clip(actions, low, high).astype(self.space.dtype)

    def encode(self, actions: jax.Array) -> jax.Array:
        """Candidates [..., A] from actions [..., *shape], clipped to the bounds."""
        middle, half = _middle(self.space)
        unit = (jnp.asarray(actions, jnp.float32) - middle) / np.where(half > 0, half, 1.0)
        lead = unit.shape[: unit.ndim - len(self.space.shape)]
        return jnp.clip(unit, -1.0, 1.0).reshape(*lead, self.entries)


@struct
class Choices:
    """Plans of a Discrete space: an independent categorical at each step. Candidates are int32 [H, B, S].

    probability: float32 [B, H, n]. open: bool [B, n], the choices that the first step may take, or None for all.
    """

    probability: jax.Array
    open: jax.Array | None = None
    space: Discrete = static()

    @property
    def entries(self) -> int:
        """How many normal numbers one action takes: one for each choice."""
        return self.space.n

    def admitting(self, open: jax.Array | None) -> "Choices":
        """The same plans, whose first step takes an open choice. A row without any open choice has all of them."""
        if open is None:
            return self
        if open.shape != (self.probability.shape[0], self.space.n):
            raise ValueError(
                f"prospect.open: its shape is {open.shape}, where {self.probability.shape[0]} beliefs have {self.space.n} choices"
            )
        open = jnp.asarray(open, bool)
        return dataclasses.replace(self, open=open | ~jnp.any(open, axis=1, keepdims=True))

    def admitted(self, key: jax.Array, candidates: jax.Array) -> jax.Array:
        """Candidates [H, B, S] in which a closed first choice is replaced by a draw from the open ones."""
        if self.open is None or not candidates.size:
            return candidates
        first = candidates[0]
        closed = ~jnp.take_along_axis(self.open, first, axis=1)
        logits = jnp.log(self._steps[:, 0])[:, None]
        drawn = jax.random.categorical(key, logits, axis=-1, shape=first.shape).astype(jnp.int32)
        return candidates.at[0].set(jnp.where(closed, drawn, first))

    def wide(self, spread: float) -> "Choices":
        """The share `spread` of every step is drawn uniformly, so that no choice is out of reach. From 1 on all of it
        is, as a search of a Box is hardly wider than its bounds from there on."""
        return dataclasses.replace(self, probability=_blend(self.probability, min(spread, 1.0)))

    def sample(self, noise: jax.Array) -> jax.Array:
        """Candidates int32 [H, B, S] from standard normal noise [H, B, S, n], by the Gumbel maximum.

        The normals become Gumbel numbers through their distribution function. So noise that is correlated in time gives
        choices that are, and each step keeps its own probabilities.
        """
        logits = jnp.log(jnp.swapaxes(self._steps, 0, 1))[:, :, None]
        even = jnp.clip(ndtr(noise), 1e-7, 1.0 - 1e-7)
        return jnp.argmax(logits - jnp.log(-jnp.log(even)), axis=-1).astype(jnp.int32)

    def uniform(self, even: jax.Array) -> jax.Array:
        """Candidates int32 [H, B, S], every choice as likely, from numbers [H, B, S, n] even over (-1, 1)."""
        if self.open is not None:
            even = even.at[0].set(jnp.where(self.open[:, None], even[0], -2.0))
        return jnp.argmax(even, axis=-1).astype(jnp.int32)

    def refit(self, candidates: jax.Array, weights: jax.Array, momentum: float, least: float) -> "Choices":
        """The weighted frequencies of each choice; weights [B, S] sum to one in each row.

        `momentum` is the share of the old probabilities that stays; `least` is the share kept uniform.
        """
        seen = jax.nn.one_hot(candidates, self.space.n, dtype=jnp.float32)
        frequency = _blend(jnp.einsum("bs,hbsn->bhn", weights, seen), min(least, 1.0))
        return dataclasses.replace(self, probability=momentum * self.probability + (1.0 - momentum) * frequency)

    def shift(self) -> "Choices":
        """The plan one step later; its last step is held, and every choice is open."""
        return dataclasses.replace(self, probability=_later(self.probability, 1), open=None)

    def around(self, key: jax.Array, candidates: jax.Array) -> jax.Array:
        """Choices drawn from the fitted probabilities, int32 [h, B], h of the first steps."""
        fitted = jnp.swapaxes(self._steps, 0, 1)[: candidates.shape[0]]
        return jax.random.categorical(key, jnp.log(fitted), axis=-1).astype(jnp.int32)

    def mode(self) -> jax.Array:
        """The likeliest choice of each step, int32 [H, B, 1]."""
        return jnp.argmax(jnp.swapaxes(self._steps, 0, 1), axis=-1)[:, :, None].astype(jnp.int32)

    def decode(self, candidates: jax.Array) -> jax.Array:
        """Choices are written as they are."""
        return candidates

    def encode(self, actions: jax.Array) -> jax.Array:
        """Choices are written as they are."""
        return jnp.asarray(actions, jnp.int32)

    @property
    def _steps(self) -> jax.Array:
        """The probabilities [B, H, n], with nothing on the closed choices of the first step."""
        if self.open is None:
            return self.probability
        first = jnp.where(self.open, self.probability[:, 0], 0.0)
        total = jnp.sum(first, axis=1, keepdims=True)
        even = self.open / jnp.sum(self.open, axis=1, keepdims=True)
        return self.probability.at[:, 0].set(jnp.where(total > 0, first / jnp.where(total > 0, total, 1.0), even))


Plans = Continuous | Choices


def blank(space: Any, batch: int, horizon: int) -> Plans:
    """What a planner knows before its first call: the middle of a Box, or every choice as likely."""
    if isinstance(space, Discrete):
        return Choices(probability=jnp.full((batch, horizon, space.n), 1.0 / space.n, jnp.float32), space=space)
    if not isinstance(space, Box):
        raise ValueError(
            f"action space {space!r}: this planner takes one Box or one Discrete; flatten the space into one of them"
        )
    if np.dtype(space.dtype).kind != "f":
        raise ValueError(f"action space {space!r} holds {space.dtype}: plan whole numbers as a Discrete space")
    if not space.bounded or not np.all(np.isfinite(_middle(space)[1])):
        raise ValueError(
            f"action space {space!r} is unbounded, and a planner has to know where to search:"
            " give the Box finite `low` and `high`, or wrap the world so that its actions are rescaled to [-1, 1]"
        )
    shape = (batch, horizon, math.prod(space.shape))
    return Continuous(mean=jnp.zeros(shape, jnp.float32), spread=jnp.ones(shape, jnp.float32), space=space)


def evens(key: jax.Array, plans: Plans, *sizes: int) -> list[jax.Array]:
    """Numbers even over (-1, 1) for all iterations of a call, drawn at once: one [H, B, size, entries] for each size."""
    batch, horizon = jax.tree.leaves(plans)[0].shape[:2]
    # -1 itself is left out, since the normal distribution has no such quantile
    above = np.nextafter(np.float32(-1), np.float32(0))
    shape = (horizon, batch, sum(sizes), plans.entries)
    drawn = jax.random.uniform(keys.fold(key, "noise"), shape, jnp.float32, above, 1.0)
    return jnp.split(drawn, np.cumsum(sizes)[:-1], axis=2)


def normal(even: jax.Array) -> jax.Array:
    """Standard normal noise from numbers even over (-1, 1): two steps, because XLA computes them
    in half the time of `jax.random.normal` where a loop stands between them."""
    return np.float32(np.sqrt(2)) * erf_inv(even)


def join(*candidates: jax.Array) -> jax.Array:
    """Several sets of candidates as one, [H, B, S1 + S2 + ..., ...]."""
    return jnp.concatenate(candidates, axis=2)


def pick(candidates: jax.Array, rows: jax.Array) -> jax.Array:
    """The candidates numbered `rows` int [B, K] in each row: [H, B, K, ...]."""
    index = rows.reshape(1, *rows.shape, *(1,) * (candidates.ndim - 3))
    return jnp.take_along_axis(candidates, index, axis=2)


def forgotten(plans: Plans, rows: jax.Array) -> Plans:
    """Plans in which `rows` (bool [B]) are blank again."""
    batch, horizon = jax.tree.leaves(plans)[0].shape[:2]
    return select(rows, blank(plans.space, batch, horizon), plans)


def _later(array: jax.Array, axis: int) -> jax.Array:
    size = array.shape[axis]
    return jnp.take(array, np.minimum(np.arange(1, size + 1), size - 1), axis=axis)


def _blend(probability: jax.Array, share: float) -> jax.Array:
    return (1.0 - share) * probability + share / probability.shape[-1]


def _middle(space: Box) -> tuple[np.ndarray, np.ndarray]:
    low, high = (edge.astype(np.float32) for edge in space.bounds)
    with np.errstate(over="ignore"):
        return low + (high - low) / 2, (high - low) / 2
