"""What a signal of curiosity pays for noise that is known, beside what it pays for a place that is not."""

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Computed, Measure
from umwelt.core import Moment, keys, part
from umwelt.core.contracts import Curiosity
from umwelt.curiosity import LatentSurprise

CALM = Measure(name="noise_paid", unit="share", better="down")
"""The mean bonus of noise in a known region over that of an unknown region."""
WIDTH, ACTIONS = 4, 1


@part
class Noticed:
    """A signal that learns a region in which one entry is noise; a function of a key."""

    signal: Curiosity
    updates: int = 3000
    rows: int = 64

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Learn, and compare: {measure: float32 []}."""
        beginning, living, ending = keys.split(key, "begin", "live", "end")

        def lesson(state: object, key: jax.Array) -> tuple[object, None]:
            drawing, learning = keys.split(key, "draw", "learn")
            return self.signal.learn(learning, state, moments(drawing, self.rows, known=True))[0], None

        state = self.signal.init(beginning, WIDTH, ACTIONS, 1)
        state, _ = jax.lax.scan(lesson, state, jax.random.split(living, self.updates))
        known, unknown = (jnp.mean(self.signal.bonus(ending, state, moments(ending, 512, known=each))) for each in (True, False))
        return {"noise_paid": known / unknown, "known": known, "unknown": unknown}


def moments(key: jax.Array, rows: int, known: bool) -> Moment:
    """Moments of four numbers, of which the last changes by unit noise: float32 [rows, 4]. The first says where they are:
    below 0 where it is known, above 0 where it is not; there the same laws lead elsewhere."""
    placing, acting, shaking = keys.split(key, "place", "act", "shake")
    now = jax.random.normal(placing, (rows, WIDTH))
    where = jax.random.uniform(keys.fold(key, "where"), (rows,)) + (-1.0 if known else 0.0)
    done = jax.random.uniform(acting, (rows, ACTIONS), minval=-1.0)
    now = now.at[:, 0].set(where)
    moves = jnp.stack([jnp.sin(4.0 * where) + done[:, 0], where * now[:, 1], now[:, 2] * done[:, 0] - where**2], axis=-1)
    change = jnp.concatenate([moves, jax.random.normal(shaking, (rows, 1))], axis=-1)
    unknown = jnp.full(rows, jnp.nan)
    return Moment(now=now, after=now + change, done=done, weight=jnp.ones(rows), surprise=unknown)


LATENT = Computed(function=Noticed(signal=LatentSurprise()), measures=(CALM,), together=True)
"""3,000 updates of the divergence of beliefs."""
