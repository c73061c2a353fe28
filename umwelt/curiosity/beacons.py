"""Pay subgoals that a teacher has named, each once in an episode; the student is examined without them.

"Words as Beacons: Guiding RL Agents with High-Level Language Prompts" (2024). There a language model breaks a level into
subgoals, and each of them pays a little during training. Here a rule names them, and it may be wrong about some.
"""

from collections.abc import Callable
from dataclasses import replace

import jax
import jax.numpy as jnp

from umwelt.core import Info, Moment, keys, part, select, struct
from umwelt.networks.cells import mixed

DECOYS = 3
"""A misplaced subgoal lies at one in two to the power of this of all observations."""


@struct
class BeaconsState:
    """key: of the draws of a life, as words. odds: uint32 [F], factors of the hash. episode: int32 [B], episodes of each row.
    paid: bool [B, K], subgoals that were paid in it. places: uint32 [B, K], where a misplaced subgoal lies; 0 where it is
    right."""

    key: jax.Array
    odds: jax.Array
    episode: jax.Array
    paid: jax.Array
    places: jax.Array


@part
class Beacons:
    """A fixed bonus for each subgoal, when an episode reaches it for the first time.

    >>> signal = Beacons(suggest=halves, pays=0.2)
    >>> state = signal.init(jax.random.key(0), width=2, actions=1, batch=1)

    >>> before, after = jnp.zeros((1, 2)), jnp.ones((1, 2))

    >>> moment = Moment(now=before, after=after, done=before, weight=jnp.ones(1), surprise=jnp.zeros(1))

    >>> paid = signal.bonus(jax.random.key(0), state, moment)
    >>> round(float(paid[0]), 2)
    0.4
    >>> state, _ = signal.learn(jax.random.key(0), state, moment)
    >>> float(signal.bonus(jax.random.key(0), state, moment)[0])
    0.0
    """

    suggest: Callable[[jax.Array], jax.Array] | None = None
    """Which subgoals are reached: features [N, F] -> bool [N, K]; None names no subgoal."""
    pays: float = 0.2
    """The bonus of each subgoal. All together are best kept below the world's own reward."""
    wrong: float = 0.0
    """Share of the subgoals of an episode that are misplaced: they lie at observations that mean nothing."""

    metrics = ()
    cites = ("words_as_beacons_2024",)

    def init(self, key: jax.Array, width: int, actions: int, batch: int) -> BeaconsState:
        """Pay nothing yet."""
        if not 0.0 <= self.wrong <= 1.0:
            raise ValueError(f"wrong={self.wrong}: it is a share; give a number from 0 to 1")
        for_odds, for_places = keys.split(key, "odds", "places")
        count = jax.eval_shape(self._suggested, jnp.zeros((1, width), jnp.float32)).shape[1]
        none = jnp.zeros((batch, count), jnp.uint32)
        state = BeaconsState(
            key=jax.random.key_data(for_places),
            odds=jax.random.bits(for_odds, (width,), jnp.uint32) | 1,
            episode=jnp.zeros(batch, jnp.int32),
            paid=none > 0,
            places=none,
        )
        return self.begin(state, jnp.ones(batch, bool))

    def begin(self, state: BeaconsState, rows: jax.Array) -> BeaconsState:
        """Begin an episode in rows bool [B]: nothing is paid, and other subgoals are misplaced."""
        if state.episode.shape != rows.shape:
            none = jnp.zeros((rows.shape[0], state.paid.shape[1]), jnp.uint32)
            state = replace(state, episode=jnp.zeros(rows.shape, jnp.int32), paid=none > 0, places=none)
            rows = jnp.ones_like(rows)
        episode = state.episode + rows.astype(jnp.int32)
        fresh = replace(state, episode=episode, paid=jnp.zeros_like(state.paid), places=self._placed(state, episode))
        chosen = select(rows, (fresh.paid, fresh.places), (state.paid, state.places))
        return replace(state, episode=episode, paid=chosen[0], places=chosen[1])

    def bonus(self, key: jax.Array, state: BeaconsState, moment: Moment) -> jax.Array:
        """Pay the subgoals that are reached with this transition: float32 [B]."""
        return self.pays * jnp.sum(self._fresh(state, moment), axis=1, dtype=jnp.float32)

    def learn(self, key: jax.Array, state: BeaconsState, moment: Moment) -> tuple[BeaconsState, Info]:
        """Note which subgoals were paid."""
        return replace(state, paid=state.paid | (self._fresh(state, moment) & (moment.weight > 0)[:, None])), {}

    def _fresh(self, state: BeaconsState, moment: Moment) -> jax.Array:
        """Subgoals that hold after the transition, did not before, and were not paid: bool [B, K]."""
        return self._holds(state, moment.after) & ~self._holds(state, moment.now) & ~state.paid

    def _holds(self, state: BeaconsState, features: jax.Array) -> jax.Array:
        """Whether each subgoal holds where its beacon stands: features [B, F] -> bool [B, K]."""
        bits = (features > 0.5).astype(jnp.uint32)
        sums = jnp.sum(bits * state.odds, axis=1, dtype=jnp.uint32)[:, None] ^ state.places
        return jnp.where(state.places > 0, mixed(sums) >> (32 - DECOYS) == 0, self._suggested(features))

    def _placed(self, state: BeaconsState, episode: jax.Array) -> jax.Array:
        """Draw where the subgoals of the episodes int32 [B] lie: uint32 [B, K], 0 where they are right."""
        key, count = jax.random.wrap_key_data(state.key), state.paid.shape[1]

        def drawn(row: jax.Array, number: jax.Array) -> jax.Array:
            whether, where = keys.split(jax.random.fold_in(jax.random.fold_in(key, row), number), "whether", "where")
            misplaced = jax.random.bernoulli(whether, self.wrong, (count,))
            return jnp.where(misplaced, jax.random.bits(where, (count,), jnp.uint32) | 1, jnp.uint32(0))

        return jax.vmap(drawn)(jnp.arange(episode.shape[0]), episode)

    def _suggested(self, features: jax.Array) -> jax.Array:
        return jnp.zeros((features.shape[0], 0), bool) if self.suggest is None else self.suggest(features)


def halves(features: jax.Array) -> jax.Array:
    """Name one subgoal for each entry of features [N, F]: that it rises above one half."""
    return features > 0.5
