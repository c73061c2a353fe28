"""Imitation without a policy: do what was done at the nearest shown moments.

"The surprising effectiveness of representation learning for visual imitation" (2022). What looks alike is learned apart
from what to do: put `Nearest` into `Pretrained`, whose codes it then compares.
"""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Batch, wiped
from umwelt.core import Info, Metric, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import policies

KEPT = Metric(name="moments", unit="rows", meaning="distinct moments that it can compare with")
SAME = 1e-6
"""Rows whose numbers differ by less are one row."""


@struct
class NearestState:
    """seen: float32 [R, F]. done: float32 [R, A], unit actions. count: int32 [], rows that are filled."""

    seen: jax.Array
    done: jax.Array
    count: jax.Array
    acts: policies.Gaussian = static()


@part
class Nearest:
    """The weighted mean of the actions of the k nearest moments."""

    k: int = 16
    """Moments that count."""
    temperature: float = 1.0
    """Distance at which a moment's weight falls to 1/e."""
    rows: int = 2048
    """Moments that it keeps, the first ones of batches; each once."""
    discount: float = 0.99
    """Of no effect: no value is learned."""
    protection: None = None
    """Of no effect: no weights are learned."""

    metrics = (KEPT,)
    cites = ("vinn_2022",)

    def init(self, key: jax.Array, width: int, action: Any) -> NearestState:
        """Begin without any moment."""
        acts = policies.over(action)
        if not isinstance(acts, policies.Gaussian):
            raise ValueError(f"action space {action!r}: Nearest averages actions of a Box; take Cloning for choices")
        if not 0 < self.k <= self.rows:
            raise ValueError(f"k={self.k}, rows={self.rows}: compare with at least one moment, and keep as many")
        seen, done = jnp.zeros((self.rows, width), jnp.float32), jnp.zeros((self.rows, acts.size), jnp.float32)
        return NearestState(seen=seen, done=done, count=jnp.int32(0), acts=acts)

    def act(self, key: jax.Array, state: NearestState, features: jax.Array, mode: Mode, open: Any = None) -> Any:
        """Average what was done at the nearest moments; the middle action where there are none."""
        apart = jnp.where(jnp.arange(self.rows) < state.count, _distances(features, state.seen), jnp.inf)
        nearness, chosen = jax.lax.top_k(-apart, self.k)
        weight = jnp.where(jnp.isfinite(nearness), jnp.exp((nearness - nearness[:, :1]) / self.temperature), 0.0)
        weight = jnp.where(state.count > 0, weight, 0.0)
        unit = jnp.sum(weight[..., None] * state.done[chosen], axis=1) / jnp.maximum(jnp.sum(weight, axis=1), 1e-9)[:, None]
        return state.acts.action(unit)

    def learn(self, key: jax.Array, state: NearestState, batch: Batch) -> tuple[NearestState, Info]:
        """Keep the rows of the batch that are new, while there is room."""
        batch = wiped(batch)
        unit = state.acts.unit(batch.action)
        rows = jnp.concatenate([batch.now, unit], axis=-1)
        held = jnp.concatenate([state.seen, state.done], axis=-1)
        known = jnp.any((_distances(rows, held) < SAME) & (jnp.arange(self.rows) < state.count), axis=1)
        before = jnp.tri(rows.shape[0], k=-1, dtype=bool) & (batch.weight > 0)
        repeated = jnp.any((_distances(rows, rows) < SAME) & before, axis=1)
        new = (batch.weight > 0) & ~known & ~repeated
        place = jnp.where(new, state.count + jnp.cumsum(new) - 1, self.rows)
        after = NearestState(
            seen=state.seen.at[place].set(batch.now, mode="drop"),
            done=state.done.at[place].set(unit, mode="drop"),
            count=jnp.minimum(state.count + jnp.sum(new, dtype=jnp.int32), self.rows),
            acts=state.acts,
        )
        return after, {"moments": after.count.astype(jnp.float32)}


def _distances(one: jax.Array, other: jax.Array) -> jax.Array:
    """Distances float32 [N, R] between rows [N, F] and [R, F]; by differences, for a product would lose small ones."""
    return jnp.sqrt(jnp.sum((one[:, None] - other[None]) ** 2, axis=-1))
