"""Model-predictive path integral control: average the candidates, weighted by the softmax of what they are worth."""

import jax
import jax.numpy as jnp

from umwelt.core import part
from umwelt.core.contracts import Action, Belief, Prospect
from umwelt.core.spec import WorldSpec
from umwelt.planners.lookahead import Choose, Lookahead, search, share_of
from umwelt.planners.plans import Plans, blank, forgotten


@part
class MPPI:
    """Path integral control: candidates weigh softmax(score / temperature).

    With `elites`, `relative=False` and a small `least_spread` it is the planner of TD-MPC2; with
    `elites=0` and `adapt=False` that of the information-theoretic paper of 2017.

    >>> from umwelt.check.puzzles import first_action
    >>> round(first_action(MPPI(samples=64, horizon=1)), 1)  # one step pays most at 0.3
    0.3
    """

    cites = ("mppi_2017",)

    samples: int = 512
    """candidate plans for each row and iteration"""
    horizon: int = 12
    """imagined steps"""
    iterations: int = 6
    """how often the plans are fitted again"""
    elites: int = 64
    """only so many of the best candidates weigh at all; 0 for all of them"""
    temperature: float = 0.3
    """how far below the best a candidate may score and still weigh"""
    relative: bool = True
    """measure the temperature in standard deviations of the weighing candidates' scores, not in reward"""
    discount: float = 0.99
    """worth of the next step in units of this one"""
    spread: float = 0.5
    """how widely the first iteration searches: in half-ranges of a Box, or the uniform share of choices"""
    least_spread: float = 0.02
    """how narrow the search may become, in the same unit"""
    adapt: bool = True
    """let the search narrow as it is fitted; otherwise its width stays at `spread`"""
    momentum: float = 0.0
    """share of the old mean and spread that stays at each fit"""
    proposed: float = 0.05
    """share of the candidates that the prior rolls out, where there is a prior"""
    choose: Choose = "mean"
    """which plan's first action is done: the weighted mean, the best candidate, one drawn by weight ("sample"), or that one
    with the noise of the fitted spread ("noisy")"""

    def init(self, key: jax.Array, spec: WorldSpec) -> Plans:
        """Make blank plans for spec.batch rows."""
        if not 0 <= self.elites <= self.samples:
            raise ValueError(f"elites={self.elites} must lie in 0 .. samples ({self.samples}); 0 lets all weigh")
        if self.temperature <= 0:
            raise ValueError(f"temperature={self.temperature} must be above 0; choose='best' takes the best alone")
        return blank(spec.action, spec.batch, self.horizon)

    def plan(self, key: jax.Array, state: Plans, belief: Belief, prospect: Prospect) -> tuple[Plans, Action]:
        """Choose actions [B, ...], and keep the fitted plans one step later."""
        plans, action = search(
            key,
            state.wide(self.spread),
            belief,
            Lookahead(prospect=prospect, discount=self.discount),
            weigh=self.weigh,
            refit=self._refit,
            samples=self.samples,
            iterations=self.iterations,
            proposed=share_of(self.samples, self.proposed),
            choose=self.choose,
        )
        return plans.shift(), action

    def forget(self, state: Plans, rows: jax.Array) -> Plans:
        """Blank the plans of the rows (bool [B]) where an episode begins."""
        return forgotten(state, rows)

    def weigh(self, scores: jax.Array) -> jax.Array:
        """Weigh scores [B, S]: a softmax over the elites, which sums to one in each row.

        A candidate of score -infinity weighs nothing, unless all of them have it.
        """
        hopeless = jnp.all(jnp.isneginf(scores), axis=1, keepdims=True)
        scores = jnp.where(hopeless, 0.0, scores)
        if self.elites:
            bar = jax.lax.top_k(scores, self.elites)[0][:, -1:]
            scores = jnp.where(scores >= bar, scores, -jnp.inf)
        behind = scores - jnp.max(scores, axis=1, keepdims=True)
        return jax.nn.softmax((_standard(behind) if self.relative else behind) / self.temperature, axis=1)

    def _refit(self, plans: Plans, candidates: jax.Array, weights: jax.Array) -> Plans:
        fitted = plans.refit(candidates, weights, self.momentum, self.least_spread)
        return fitted if self.adapt else fitted.wide(self.spread)


def _standard(behind: jax.Array) -> jax.Array:
    """[B, S]: how far behind the best each score is, in standard deviations of the finite ones of its row."""
    finite = jnp.isfinite(behind)
    widest = jnp.max(jnp.where(finite, -behind, 0.0), axis=1, keepdims=True)
    # scaled before it is squared, so that no reward is too large or too small for float32
    scaled = behind / jnp.where(widest > 0, widest, 1.0)
    deviation = jnp.std(jnp.where(finite, scaled, 0.0), axis=1, keepdims=True, where=finite)
    return scaled / jnp.where(deviation > 0, deviation, 1.0)
