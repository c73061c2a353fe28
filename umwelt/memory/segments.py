"""Cut long demonstrations into skills: where a policy that knows no goals is suddenly wrong, another skill began.

"Open-world skill discovery from unsegmented demonstrations" (2025). A recurrent policy learns p(action | history) from
the uncut runs. Along a run, its loss is compared with the mean loss since the last cut. At a cut the history is forgotten.
"""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import keys, part, struct
from umwelt.networks import gru, layers
from umwelt.networks.optimise import optimiser, stepped


@struct
class SegmentsState:
    """unit: the recurrent network. head: a stack from its summary to means and log deviations. deviation: float32 [], of
    the loss over what was learned from. optimiser: Optax's."""

    unit: Any
    head: Any
    deviation: jax.Array
    optimiser: Any


@part
class Segments:
    """A policy of uncut runs, and where to cut them.

    >>> segments, key = Segments(units=4), jax.random.key(0)
    >>> state = segments.init(key, features=2, outputs=1)

    >>> runs = jax.random.normal(key, (5, 3, 2)), jnp.zeros((5, 3, 1))
    >>> int(Segments(units=4, gap=-jnp.inf).cuts(state, *runs).sum())  # everywhere but at once after a cut, in three runs
    6
    """

    units: int = 48
    """Width of the summary of a history."""
    gap: float = 2.0
    """How far above the mean since the last cut a loss must be, in deviations of all losses."""
    apart: int = 2
    """The least number of decisions from a cut to the next."""
    learning_rate: float = 3e-3
    """Step size of Adam."""

    cites = ("skill_boundaries_2025",)

    def init(self, key: jax.Array, features: int, outputs: int) -> SegmentsState:
        """Draw a policy over so many features and numbers of an action, or of whatever is to be predicted."""
        if self.apart < 1:
            raise ValueError(f"apart={self.apart} of Segments must be at least 1 decision")
        one, other = keys.split(key, "unit", "head")
        unit, head = gru.gru(one, features, self.units), layers.stack(other, (self.units, 2 * outputs), normed=False)
        begun = optimiser(self.learning_rate, clip=1.0).init((unit, head))
        return SegmentsState(unit=unit, head=head, deviation=jnp.float32(1.0), optimiser=begun)

    def learn(self, state: SegmentsState, features: jax.Array, wanted: jax.Array) -> tuple[SegmentsState, jax.Array]:
        """Update once on whole runs, features [L, N, F] and what followed [L, N, A]; also the loss before, float32 []."""

        def loss(weights: Any) -> tuple[jax.Array, jax.Array]:
            unit, head = weights
            _, summaries = gru.run(unit, gru.zeros(unit, features.shape[1]), features)
            each = _loss(head, summaries, wanted)
            return jnp.mean(each), jnp.std(each)

        weights: Any = (state.unit, state.head)
        (mean, deviation), gradient = jax.value_and_grad(loss, has_aux=True)(weights)
        (unit, head), optimised = stepped(optimiser(self.learning_rate, clip=1.0), gradient, state.optimiser, weights)
        return SegmentsState(unit=unit, head=head, deviation=deviation, optimiser=optimised), mean

    def cuts(self, state: SegmentsState, features: jax.Array, wanted: jax.Array, known: jax.Array | None = None) -> jax.Array:
        """Say where a new skill begins: bool [L, N]; never at the first step. known: bool [L, N], where one is known to begin."""
        rows = features.shape[1]
        known = jnp.zeros(features.shape[:2], bool) if known is None else known

        def onward(carry: Any, given: Any) -> tuple[Any, jax.Array]:
            summary, total, age = carry
            features, wanted, known = given
            after = gru.step(state.unit, summary, features)
            loss = _loss(state.head, after, wanted)
            over = loss - total / jnp.maximum(age - 1, 1) > self.gap * state.deviation
            cut = known | (over & (age >= max(self.apart, 2)))
            # the history of a new skill begins with the step that surprised, whose loss counts nowhere
            fresh = gru.step(state.unit, jnp.zeros_like(summary), features)
            after = jnp.where(cut[:, None], fresh, after)
            return (after, jnp.where(cut, 0.0, total + loss), jnp.where(cut, 0, age) + 1), cut

        begun = (gru.zeros(state.unit, rows), jnp.zeros(rows), jnp.ones(rows, jnp.int32))
        return jax.lax.scan(onward, begun, (features, wanted, known))[1]


def ends(cuts: jax.Array) -> jax.Array:
    """Say at which step the segment of each step ends, int32 [L, N]: the goal of an imitator. cuts: bool [L, N]."""
    length = cuts.shape[0]
    closes = jnp.concatenate([cuts[1:], jnp.ones((1, *cuts.shape[1:]), bool)])
    steps = jnp.where(closes, jnp.arange(length, dtype=jnp.int32)[:, None], length)
    return jax.lax.cummin(steps, axis=0, reverse=True)


def _loss(head: Any, summaries: jax.Array, wanted: jax.Array) -> jax.Array:
    """Minus the log density [...] of what followed [..., A], without its constant."""
    mean, log_deviation = jnp.split(layers.apply(head, summaries.reshape(-1, summaries.shape[-1]), jnp.tanh), 2, axis=-1)
    log_deviation = jnp.clip(log_deviation, -3.0, 2.0)
    flat = wanted.reshape(-1, wanted.shape[-1])
    each = 0.5 * ((flat - mean) * jnp.exp(-log_deviation)) ** 2 + log_deviation
    return jnp.sum(each, axis=-1).reshape(wanted.shape[:-1])
