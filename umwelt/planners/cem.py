"""The cross-entropy method: fit the plans again to the best of their own draws."""

import jax

from umwelt.core import part
from umwelt.core.contracts import Action, Belief, Prospect
from umwelt.core.spec import WorldSpec
from umwelt.planners.lookahead import Choose, Lookahead, elite_weights, search, share_of
from umwelt.planners.plans import Plans, blank, forgotten


@part
class CEM:
    """The cross-entropy method: mean and spread are those of the elites of the iteration before.

    >>> from umwelt.check.puzzles import first_action
    >>> round(first_action(CEM(samples=32, horizon=1, elites=4)), 1)  # one step pays most at 0.3
    0.3
    """

    cites = ("cem_1999",)

    samples: int = 512
    """candidate plans for each row and iteration"""
    horizon: int = 12
    """imagined steps"""
    iterations: int = 5
    """how often the plans are fitted again"""
    elites: int = 24
    """how many of the best candidates are fitted"""
    discount: float = 0.99
    """worth of the next step in units of this one"""
    spread: float = 0.5
    """how widely the first iteration searches: in half-ranges of a Box, or the uniform share of choices"""
    least_spread: float = 0.02
    """how narrow the search may become, in the same unit"""
    momentum: float = 0.1
    """share of the old mean and spread that stays at each fit"""
    proposed: float = 0.05
    """share of the candidates that the prior rolls out, where there is a prior"""
    choose: Choose = "mean"
    """which plan's first action is done: the elites' mean, the best candidate, or an elite at random ("sample")"""

    def init(self, key: jax.Array, spec: WorldSpec) -> Plans:
        """Make blank plans for spec.batch rows."""
        if not 0 < self.elites <= self.samples:
            raise ValueError(f"elites={self.elites} must lie in 1 .. samples ({self.samples})")
        return blank(spec.action, spec.batch, self.horizon)

    def plan(self, key: jax.Array, state: Plans, belief: Belief, prospect: Prospect) -> tuple[Plans, Action]:
        """Choose actions [B, ...], and keep the fitted plans one step later."""
        plans, action = search(
            key,
            state.wide(self.spread),
            belief,
            Lookahead(prospect=prospect, discount=self.discount),
            weigh=lambda scores: elite_weights(scores, self.elites),
            refit=lambda plans, candidates, weights: plans.refit(candidates, weights, self.momentum, self.least_spread),
            samples=self.samples,
            iterations=self.iterations,
            proposed=share_of(self.samples, self.proposed),
            choose=self.choose,
        )
        return plans.shift(), action

    def forget(self, state: Plans, rows: jax.Array) -> Plans:
        """Blank the plans of the rows (bool [B]) where an episode begins."""
        return forgotten(state, rows)
