"""Pay for progress, as a network that has watched others measures it: how much later does this moment look than an earlier one?

"Accelerating exploration and representation learning with offline pre-training" (2023) learns from runs of experts, apart
from each other, a representation and such a model of progress. Here is the second: from two moments of one run it predicts
the time between them, with its sign.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Info, Metric, Moment, keys, part, struct
from umwelt.networks import layers
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped, where_any

LOSS = Metric(
    name="progress_loss",
    unit="squared lags",
    meaning="mean squared error of the time between two moments of a run, before the update",
    better="down",
)


@struct
class ProgressState:
    """network, optimiser: of the model. runs: float32 [ticks, B, F], the observations that were watched. numbers: int32
    [ticks, B], the run that each belongs to; -1 where there is none. filled: int32 []. number: int32 [B], the present run of
    each row. past: float32 [B', lag, F], the newest observations of each row of a life. opens: bool [B'], its episode begins."""

    network: Stack
    optimiser: Any
    runs: jax.Array
    numbers: jax.Array
    filled: jax.Array
    number: jax.Array
    past: jax.Array
    opens: jax.Array


@part
class Progress:
    """How many lags an observation looks later than the one `lag` steps before it, by runs that were watched first.

    The first `ticks` ticks that it learns from are the runs: give demonstrations to a life by `Life.shown`. What comes after
    them teaches it nothing more; the network goes on learning from the runs.

    >>> signal = Progress(lag=2, ticks=3)
    >>> state = signal.init(jax.random.key(0), width=1, actions=1, batch=1)
    >>> state.runs.shape
    (3, 1, 1)
    """

    lag: int = 16
    """Steps between the two moments that are compared in a life; also the unit of time."""
    ticks: int = 200
    """Ticks of what is watched at first, over all its rows."""
    units: int = 64
    """Width of the hidden layer."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    batch: int = 128
    """Pairs of moments in an update; one update follows each lesson."""

    metrics = (LOSS,)
    cites = ("demo_curiosity_2023",)

    def init(self, key: jax.Array, width: int, actions: int, batch: int) -> ProgressState:
        """Watch nothing yet."""
        if self.lag < 1 or self.ticks < 2:
            raise ValueError(f"lag={self.lag}, ticks={self.ticks}: give at least one step, and two ticks to compare")
        network = layers.stack(key, (3 * width, self.units, 1), normed=False)
        return ProgressState(
            network=network,
            optimiser=optimiser(self.learning_rate).init(network),
            runs=jnp.zeros((self.ticks, batch, width), jnp.float32),
            numbers=jnp.full((self.ticks, batch), -1, jnp.int32),
            filled=jnp.int32(0),
            number=jnp.zeros(batch, jnp.int32),
            past=jnp.zeros((batch, self.lag, width), jnp.float32),
            opens=jnp.ones(batch, bool),
        )

    def begin(self, state: ProgressState, rows: jax.Array) -> ProgressState:
        """Begin an episode in rows bool [B]; where they are not as many as before, all begin."""
        if state.opens.shape != rows.shape:
            past = jnp.zeros((rows.shape[0], *state.past.shape[1:]), jnp.float32)
            return replace(state, past=past, opens=jnp.ones(rows.shape, bool))
        number = state.number + rows if state.number.shape == rows.shape else state.number
        return replace(state, opens=state.opens | rows, number=number)

    def bonus(self, key: jax.Array, state: ProgressState, moment: Moment) -> jax.Array:
        """The time that seems to have passed in the last `lag` steps, in lags; negative where a row seems to go back. Before
        an episode has as many steps, its first observation is compared."""
        return self.passed(state.network, self._past(state, moment)[:, 0], moment.after)

    def learn(self, key: jax.Array, state: ProgressState, moment: Moment) -> tuple[ProgressState, Info]:
        """Go on in each episode, keep what is watched while there is room, and update the network once."""
        weighs = moment.weight > 0
        after = jnp.where(weighs[:, None], moment.after, 0.0)
        past = self._past(state, moment)
        moved = jnp.concatenate([past[:, 1:], after[:, None]], axis=1)
        state = replace(state, past=jnp.where(weighs[:, None, None], moved, state.past), opens=state.opens & ~weighs)
        if state.number.shape != weighs.shape:
            return state, {"progress_loss": jnp.float32(0.0)}
        state = self._watched(state, after, weighs)
        loss, gradient = jax.value_and_grad(self._miss)(state.network, *self._pairs(key, state))
        learned = stepped(optimiser(self.learning_rate), gradient, state.optimiser, state.network)
        network, kept = where_any(weighs, learned, (state.network, state.optimiser))
        return replace(state, network=network, optimiser=kept), {"progress_loss": loss}

    def passed(self, network: Stack, earlier: jax.Array, later: jax.Array) -> jax.Array:
        """The time from observations [N, F] to others [N, F], in lags: float32 [N]."""
        return layers.apply(network, jnp.concatenate([earlier, later, later - earlier], axis=1), jax.nn.relu)[:, 0]

    def _past(self, state: ProgressState, moment: Moment) -> jax.Array:
        """The newest observations [B, lag, F] of each row; where an episode opens, only the present one."""
        if state.opens.shape != moment.weight.shape:
            raise ValueError(
                f"{moment.weight.shape[0]} transitions for episodes of {state.opens.shape[0]} rows: give one of each"
            )
        return jnp.where(state.opens[:, None, None], moment.now[:, None], state.past)

    def _watched(self, state: ProgressState, after: jax.Array, weighs: jax.Array) -> ProgressState:
        """Keep the observations [B, F] of this tick, while there is room."""
        at = jnp.where(jnp.any(weighs), state.filled, self.ticks)
        return replace(
            state,
            runs=state.runs.at[at].set(after, mode="drop"),
            numbers=state.numbers.at[at].set(jnp.where(weighs, state.number, -1), mode="drop"),
            filled=jnp.minimum(state.filled + jnp.any(weighs), self.ticks),
        )

    def _pairs(self, key: jax.Array, state: ProgressState) -> tuple[jax.Array, ...]:
        """Draw two moments of one row, at most two lags apart: both [N, F], the time between, and a weight [N], which is 0
        where they are not of the same run."""
        when, where, far = keys.split(key, "when", "where", "far")
        shape = (self.batch,)
        time = jax.random.randint(when, shape, 0, jnp.maximum(state.filled, 1))
        row = jax.random.randint(where, shape, 0, state.number.shape[0])
        gap = jax.random.randint(far, shape, -2 * self.lag, 2 * self.lag + 1)
        other = jnp.clip(time + gap, 0, self.ticks - 1)
        same = (state.numbers[time, row] == state.numbers[other, row]) & (state.numbers[time, row] >= 0)
        weight = (same & (other == time + gap)).astype(jnp.float32)
        return state.runs[time, row], state.runs[other, row], gap / self.lag, weight

    def _miss(self, network: Stack, earlier: jax.Array, later: jax.Array, gap: jax.Array, weight: jax.Array) -> jax.Array:
        error = (self.passed(network, earlier, later) - gap) ** 2
        return jnp.sum(error * weight) / jnp.maximum(jnp.sum(weight), 1.0)
