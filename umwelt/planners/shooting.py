"""Random shooting: draw plans, imagine them, do the first action of the best."""

import jax
import jax.numpy as jnp

from umwelt.core import keys, part
from umwelt.core.contracts import Action, Belief, Prospect
from umwelt.core.spec import WorldSpec
from umwelt.planners.lookahead import Lookahead, share_of
from umwelt.planners.plans import Plans, blank, evens, forgotten, join, pick


@part
class Shooting:
    """Random shooting: the best of uniformly drawn plans, the last call's best plan among them.

    >>> from umwelt.check.puzzles import first_action
    >>> round(first_action(Shooting(samples=64, horizon=1)), 1)  # one step pays most at 0.3
    0.3
    """

    samples: int = 512
    """candidate plans for each row"""
    horizon: int = 12
    """imagined steps"""
    discount: float = 0.99
    """worth of the next step in units of this one"""
    proposed: float = 0.05
    """share of the candidates that the prior rolls out, where there is a prior"""

    def init(self, key: jax.Array, spec: WorldSpec) -> Plans:
        """Make blank plans for spec.batch rows: the next call tries them too."""
        if self.samples < 2:
            raise ValueError(f"samples={self.samples}: shooting needs at least 2, since the last best plan takes one")
        return blank(spec.action, spec.batch, self.horizon)

    def plan(self, key: jax.Array, state: Plans, belief: Belief, prospect: Prospect) -> tuple[Plans, Action]:
        """Choose the first action of the best candidate in each row, [B, ...]."""
        dream_key, prior_key = keys.split(key, "dream", "prior")
        lookahead = Lookahead(prospect=prospect, discount=self.discount)
        plans = state.admitting(prospect.open)
        given = lookahead.proposals(prior_key, plans, belief, share_of(self.samples - 1, self.proposed))
        (fresh,) = evens(key, plans, self.samples - 1 - given.shape[2])
        candidates = join(given, plans.mode(), plans.uniform(fresh))
        scores = lookahead.scores(dream_key, plans, candidates, belief)
        best = pick(candidates, jnp.argmax(scores, axis=1)[:, None])
        kept = plans.refit(best, jnp.ones((best.shape[1], 1), jnp.float32), momentum=0.0, least=0.0)
        return kept.shift(), plans.decode(best[0, :, 0])

    def forget(self, state: Plans, rows: jax.Array) -> Plans:
        """Blank the plans of the rows (bool [B]) where an episode begins."""
        return forgotten(state, rows)
