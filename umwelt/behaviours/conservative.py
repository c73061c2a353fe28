"""A term of soft actor-critic that keeps values of actions low where the data have none.

"Conservative Q-learning for offline reinforcement learning" (2020): the soft maximum of a critic over actions is pushed
down, and its value of the data's action up. "Cal-QL" (2023) does not push below what the data's own episodes returned.
So values stay on the scale of real returns, and online learning does not have to unlearn them first.
"""

import math

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Batch, mean
from umwelt.core import keys, part
from umwelt.networks import critics as values_of
from umwelt.networks import policies
from umwelt.networks.layers import Bundle


@part
class Conservative:
    """What is added to the loss of the critics of `SAC`.

    >>> Conservative(alpha=1.0).alpha
    1.0
    """

    alpha: float = 5.0
    """Weight of the term beside half of each squared error, as in the paper; 5 beside the whole, as in published code, is 2.5
    here."""
    draws: int = 10
    """Actions of each kind that stand for all: uniform ones, the policy's, and the policy's one step later."""
    calibrated: bool = False
    """Count no action of the policy below the discounted rewards that followed in the data (Cal-QL)."""
    lived: bool = False
    """Also of moments that the agent itself lived. Without it the term is gone once it learns from those alone."""

    cites = ("cql_2020", "cal_ql_2023")

    @property
    def reads_to_come(self) -> bool:
        """Whether it reads the rewards to the end of the episode."""
        return self.calibrated

    def gap(
        self,
        key: jax.Array,
        acts: policies.Policy,
        outputs: tuple[jax.Array, ...],
        critics: Bundle,
        held: jax.Array,
        batch: Batch,
        normed: bool,
    ) -> jax.Array:
        """float32 []: alpha times the soft maximum less the value of the data's action, summed over critics.

        outputs: of the policy at `now` and `after`. held: float32 [M, N], values of the data's actions.
        """
        if self.draws < 1:
            raise ValueError(f"draws={self.draws}: at least 1 action of each kind stands for all")
        if self.calibrated and batch.to_come is None:
            raise ValueError(
                "calibrated=True: the memory keeps no rewards to come; use the learner in ModelFree, which asks for them"
            )
        weight = batch.weight if self.lived or batch.shown is None else batch.weight * batch.shown
        if isinstance(acts, policies.Choice):
            every = jnp.stack(values_of.apart(critics, batch.now, normed))
            open = None if batch.open is None else batch.open[None]
            soft = jax.nn.logsumexp(policies.masked(self._bounded(every, batch), open), axis=-1)
        else:
            soft = self._soft(key, acts, outputs, critics, batch, normed)
        return self.alpha * jnp.sum(jax.vmap(mean, (0, None))(soft - held, weight))

    def _soft(
        self,
        key: jax.Array,
        acts: policies.Policy,
        outputs: tuple[jax.Array, ...],
        critics: Bundle,
        batch: Batch,
        normed: bool,
    ) -> jax.Array:
        """The soft maximum float32 [M, N] over a box, of draws that count by one over their density."""
        rows = (self.draws, batch.now.shape[0])
        even_key, *policy_keys = keys.split(key, "even", "now", "after")
        drawn = [jax.random.uniform(even_key, (*rows, acts.size), minval=-1.0)]
        density = [jnp.full(rows, -acts.size * math.log(2.0), jnp.float32)]
        for one, raw in zip(policy_keys, outputs, strict=True):
            unit, log_prob = acts.draw(one, jnp.broadcast_to(jax.lax.stop_gradient(raw), (self.draws, *raw.shape)))
            drawn.append(unit)
            density.append(log_prob)
        unit = jnp.concatenate(drawn).reshape(-1, acts.size)
        features = jnp.tile(batch.now, (3 * self.draws, 1))
        found = values_of.values(critics, acts, features, unit, normed).reshape(-1, 3 * self.draws, rows[1])
        even, mine = found[:, : self.draws], found[:, self.draws :]
        mine = self._bounded(mine.swapaxes(1, 2), batch).swapaxes(1, 2)
        return jax.nn.logsumexp(jnp.concatenate([even, mine], axis=1) - jnp.concatenate(density), axis=1)

    def _bounded(self, values: jax.Array, batch: Batch) -> jax.Array:
        """Values [M, N, n], no lower than the rewards to come where those are known."""
        if not self.calibrated:
            return values
        return jnp.maximum(values, jnp.where(jnp.isnan(batch.to_come), -jnp.inf, batch.to_come)[None, :, None])
