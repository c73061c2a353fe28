"""Elliptic bonuses: what an episode has not met yet in the directions that features vary in.

"Exploration via elliptical episodic bonuses" (NeurIPS 2022). Each episode has a matrix C = ridge x I + the sum of the
outer products of what it met. An observation x pays x' C^-1 x, which for one-hot features is one over ridge + the count.
The inverse is kept, and corrected for each observation.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from umwelt.core import Info, Moment, part, select, struct


@struct
class EllipticState:
    """inverse: float32 [B, F, F], one matrix for the episode of each row. opens: bool [B], the first observation of the
    episode is not taken in yet."""

    inverse: jax.Array
    opens: jax.Array


@part
class Elliptic:
    """The square of the length of an observation, measured by the ellipse of those that its episode has met.

    >>> signal, key = Elliptic(ridge=0.5), jax.random.key(0)
    >>> state = signal.init(key, width=2, actions=1, batch=1)

    >>> here, there = jnp.array([[1.0, 0.0]]), jnp.array([[0.0, 1.0]])
    >>> moment = Moment(now=here, after=there, done=here[:, :1], weight=jnp.ones(1), surprise=jnp.zeros(1))

    >>> learn, bonus = jax.jit(signal.learn), jax.jit(signal.bonus)
    >>> round(float(bonus(key, state, moment)[0]), 2)
    2.0
    >>> state, _ = learn(key, state, moment)
    >>> round(float(bonus(key, state, moment)[0]), 2)
    0.67
    """

    ridge: float = 0.1
    """The matrix of an episode that has met nothing, in units of the identity (lambda)."""
    whole: bool = False
    """`told` shows the upper triangle of the inverse in place of its diagonal."""

    metrics = ()
    cites = ("e3b_2022",)

    def init(self, key: jax.Array, width: int, actions: int, batch: int) -> EllipticState:
        """Begin an episode in every row."""
        if self.ridge <= 0:
            raise ValueError(f"ridge={self.ridge}: give a number above 0, or the first matrix has no inverse")
        return self._opened(batch, width)

    def bonus(self, key: jax.Array, state: EllipticState, moment: Moment) -> jax.Array:
        """Measure what came after by the ellipse before it."""
        state = self._with_openings(state, moment)
        return jnp.einsum("bi,bij,bj->b", moment.after, state.inverse, moment.after)

    def learn(self, key: jax.Array, state: EllipticState, moment: Moment) -> tuple[EllipticState, Info]:
        """Take in what came after, and in an episode that opens what was there before."""
        state = self._with_openings(state, moment)
        return replace(state, inverse=_met(state.inverse, moment.after, moment.weight > 0)), {}

    def begin(self, state: EllipticState, rows: jax.Array) -> EllipticState:
        """Begin an episode in rows bool [B]; where they are not as many as before, all begin."""
        fresh = self._opened(rows.shape[0], state.inverse.shape[-1])
        return fresh if state.opens.shape != rows.shape else select(rows, fresh, state)

    def told(self, state: EllipticState) -> jax.Array:
        """Show the inverse in units of its beginning, from 0 to 1: its diagonal, float32 [B, F], or its upper triangle."""
        inverse = state.inverse * self.ridge
        if not self.whole:
            return jnp.diagonal(inverse, axis1=1, axis2=2)
        return inverse[(slice(None), *jnp.triu_indices(inverse.shape[-1]))]

    def _opened(self, batch: int, width: int) -> EllipticState:
        inverse = jnp.broadcast_to(jnp.eye(width) / self.ridge, (batch, width, width))
        return EllipticState(inverse=inverse, opens=jnp.ones(batch, bool))

    def _with_openings(self, state: EllipticState, moment: Moment) -> EllipticState:
        """Take in `now` where it opens an episode: an observation that comes back is not new."""
        if moment.weight.shape != state.opens.shape:
            raise ValueError(
                f"{moment.weight.shape[0]} transitions for episodes of {state.opens.shape[0]} rows: give one of each"
            )
        rows = state.opens & (moment.weight > 0)
        return EllipticState(inverse=_met(state.inverse, moment.now, rows), opens=state.opens & ~rows)


def _met(inverse: jax.Array, seen: jax.Array, rows: jax.Array) -> jax.Array:
    """The inverses [B, F, F] after seen [B, F] in rows bool [B], by the formula of Sherman and Morrison."""
    seen = jnp.where(rows[:, None], seen, 0.0)
    along = jnp.einsum("bij,bj->bi", inverse, seen)
    scale = 1.0 + jnp.sum(along * seen, axis=-1)
    return inverse - along[:, :, None] * along[:, None, :] / scale[:, None, None]
