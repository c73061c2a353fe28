"""Pay for what is held sensible here and now: the caption of a transition is compared with goals that were suggested.

"Guiding Pretraining in Reinforcement Learning with Large Language Models" (ICML 2023). There a language model suggests the
goals, and captions are compared as embeddings. A goal pays once in an episode, so that novelty counts, and only novelty that
makes sense. Captions and goals are vectors here: any embedding will do.
"""

from collections.abc import Callable
from dataclasses import replace

import jax
import jax.numpy as jnp

from umwelt.core import Info, Moment, part, select, struct


def entries(features: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Suggest each entry of features [N, F] that is below one half, as a goal of its own."""
    return jnp.eye(features.shape[1]), features <= 0.5


def risen(now: jax.Array, after: jax.Array) -> jax.Array:
    """Caption a transition by the entries [N, F] that rise above one half: float32 [N, F]."""
    return ((after > 0.5) & (now <= 0.5)).astype(jnp.float32)


@struct
class SuggestedState:
    """paid: bool [B, K], the goals that were paid in the episode of each row."""

    paid: jax.Array


@part
class Suggested:
    """The similarity of what happened to the nearest goal that was suggested, above a threshold and once in an episode.

    >>> signal = Suggested()
    >>> state = signal.init(jax.random.key(0), width=2, actions=1, batch=1)

    >>> before, after = jnp.zeros((1, 2)), jnp.array([[1.0, 0.0]])

    >>> moment = Moment(now=before, after=after, done=before, weight=jnp.ones(1), surprise=jnp.zeros(1))

    >>> round(float(signal.bonus(jax.random.key(0), state, moment)[0]), 2)
    1.0
    >>> state, _ = signal.learn(jax.random.key(0), state, moment)
    >>> float(signal.bonus(jax.random.key(0), state, moment)[0])
    0.0
    """

    suggest: Callable[[jax.Array], tuple[jax.Array, jax.Array]] = entries
    """Goals for observations [N, F]: all goals as captions [K, C], and bool [N, K], which are suggested now."""
    caption: Callable[[jax.Array, jax.Array], jax.Array] = risen
    """What happened from observations [N, F] to those after them, as captions [N, C]."""
    threshold: float = 0.99
    """The similarity (cosine) from which on a goal counts as reached."""

    metrics = ()
    cites = ("ellm_2023",)

    def init(self, key: jax.Array, width: int, actions: int, batch: int) -> SuggestedState:
        """Pay nothing yet."""
        if not 0.0 < self.threshold <= 1.0:
            raise ValueError(f"threshold={self.threshold}: it is a cosine; give a number above 0, at most 1")
        count = jax.eval_shape(self.suggest, jnp.zeros((1, width), jnp.float32))[1].shape[1]
        return SuggestedState(paid=jnp.zeros((batch, count), bool))

    def begin(self, state: SuggestedState, rows: jax.Array) -> SuggestedState:
        """Begin an episode in rows bool [B]: nothing is paid in it."""
        fresh = jnp.zeros((rows.shape[0], state.paid.shape[1]), bool)
        return SuggestedState(paid=select(rows, fresh, state.paid) if state.paid.shape == fresh.shape else fresh)

    def bonus(self, key: jax.Array, state: SuggestedState, moment: Moment) -> jax.Array:
        """The highest similarity to a goal that is suggested, not paid, and reached; else 0: float32 [B]."""
        return jnp.max(self._reached(state, moment), axis=1, initial=0.0)

    def learn(self, key: jax.Array, state: SuggestedState, moment: Moment) -> tuple[SuggestedState, Info]:
        """Note which goals were paid."""
        return replace(state, paid=state.paid | ((self._reached(state, moment) > 0) & (moment.weight > 0)[:, None])), {}

    def _reached(self, state: SuggestedState, moment: Moment) -> jax.Array:
        """The similarities [B, K] of the goals that pay now; 0 elsewhere."""
        goals, open = self.suggest(moment.now)
        similar = _unit(self.caption(moment.now, moment.after)) @ _unit(goals).T
        return jnp.where(open & ~state.paid & (similar >= self.threshold), similar, 0.0)


def _unit(vectors: jax.Array) -> jax.Array:
    """Vectors [N, C] of length 1; zeros stay zeros."""
    return vectors / jnp.maximum(jnp.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
