"""The improved cross-entropy method (iCEM, 2020), for small budgets of imagination."""

import jax
import jax.numpy as jnp

from umwelt.core import keys, part, select, struct
from umwelt.core.contracts import Action, Belief, Prospect
from umwelt.core.spec import WorldSpec
from umwelt.planners.lookahead import Choose, Lookahead, decide, elite_weights, share_of
from umwelt.planners.noise import coloured
from umwelt.planners.plans import Plans, blank, evens, forgotten, join, normal, pick


@struct
class Warm:
    """plans: the fitted plans. elites: the best candidates of the last call, [B, H, K, ...]."""

    plans: Plans
    elites: jax.Array


@part
class ICEM:
    """CEM with noise correlated in time, elites that outlive an iteration and a call, and a shrinking population.

    The paper executes the best candidate. Its reference code keeps the last action of the shifted mean, and so does this
    part. The population counts every candidate that is imagined.

    >>> from umwelt.check.puzzles import first_action
    >>> round(first_action(ICEM(samples=32, horizon=1, elites=4)), 1)  # one step pays most at 0.3
    0.3
    """

    cites = ("icem_2020",)

    samples: int = 192
    """candidate plans for each row in the first iteration"""
    horizon: int = 12
    """imagined steps"""
    iterations: int = 4
    """how often the plans are fitted again"""
    elites: int = 12
    """how many of the best candidates are fitted"""
    decay: float = 1.25
    """each iteration imagines this factor fewer candidates, but at least twice the elites"""
    beta: float = 1.0
    """colour of the noise along time: 0 white, 1 pink, 2 red"""
    keep: float = 0.3
    """share of the elites that the next iteration, and shifted the next call, imagines again"""
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
    choose: Choose = "best"
    """which plan's first action is done: the elites' mean, the best candidate, or an elite at random ("sample")"""

    @property
    def populations(self) -> tuple[int, ...]:
        """How many candidates each iteration imagines."""
        shrunk = (round(self.samples * self.decay**-index) for index in range(self.iterations))
        return tuple(min(self.samples, max(size, 2 * self.elites)) for size in shrunk)

    @property
    def _kept(self) -> int:
        return max(1, round(self.elites * self.keep))

    def init(self, key: jax.Array, spec: WorldSpec) -> Warm:
        """Make blank plans for spec.batch rows, and elites that equal them."""
        if not 4 <= 2 * self.elites <= self.samples:
            raise ValueError(f"elites={self.elites} must lie in 2 .. half of samples ({self.samples})")
        if not 0 <= self.keep <= 0.8:
            raise ValueError(f"keep={self.keep} must lie in 0 .. 0.8, or no room is left for new candidates")
        if self.decay < 1:
            raise ValueError(f"decay={self.decay} divides the population at each iteration: give 1 or more")
        plans = blank(spec.action, spec.batch, self.horizon)
        return Warm(plans=plans, elites=self._blank(plans))

    def plan(self, key: jax.Array, state: Warm, belief: Belief, prospect: Prospect) -> tuple[Warm, Action]:
        """Choose actions [B, ...], and keep the fitted plans and their elites one step later."""
        dream_key, prior_key, choice_key, mask_key = keys.split(key, "dream", "prior", "choice", "mask")
        lookahead = Lookahead(prospect=prospect, discount=self.discount)
        plans = state.plans.admitting(prospect.open).wide(self.spread)
        kept = plans.admitted(mask_key, jnp.swapaxes(state.elites, 0, 1))
        shares = [share_of(size - self._kept - 1, self.proposed) * (prospect.prior is not None) for size in self.populations]
        given = lookahead.proposals(prior_key, plans, belief, max(shares))
        *fresh, after = self._noise(key, plans, shares)
        dreams = jax.random.split(dream_key, self.iterations)
        chosen = plans.mode()[0, :, 0]
        for index, drawn in enumerate(fresh):
            middle = [plans.mode()] if index == self.iterations - 1 else []
            candidates = join(given[:, :, : shares[index]], kept, *middle, plans.sample(drawn))
            scores = lookahead.scores(dreams[index], plans, candidates, belief)
            weights = elite_weights(scores, self.elites)
            plans = plans.refit(candidates, weights, self.momentum, self.least_spread)
            kept = pick(candidates, jax.lax.top_k(scores, self._kept)[1])
            chosen = decide(choice_key, plans, candidates, scores, weights, self.choose)
        plans = plans.shift()
        # the step that enters the horizon is a new draw: elites that held their last action would all end alike
        kept = jnp.concatenate([kept[1:], plans.sample(after)[-1:]])
        return Warm(plans=plans, elites=jnp.swapaxes(kept, 0, 1)), plans.decode(chosen)

    def forget(self, state: Warm, rows: jax.Array) -> Warm:
        """Blank the plans and elites of the rows (bool [B]) where an episode begins."""
        plans = forgotten(state.plans, rows)
        return Warm(plans=plans, elites=select(rows, self._blank(plans), state.elites))

    def _blank(self, plans: Plans) -> jax.Array:
        batch, horizon = jax.tree.leaves(plans)[0].shape[:2]
        mode = jnp.swapaxes(blank(plans.space, batch, horizon).mode(), 0, 1)
        return jnp.repeat(mode, self._kept, axis=2)

    def _noise(self, key: jax.Array, plans: Plans, shares: list[int]) -> list[jax.Array]:
        """Coloured noise for the fresh candidates of each iteration, and for the elites' next last step."""
        last = self.iterations - 1
        sizes = [
            size - share - self._kept - (index == last)
            for index, (size, share) in enumerate(zip(self.populations, shares, strict=True))
        ]
        return [coloured(normal(even), self.beta) for even in evens(key, plans, *sizes, self._kept)]
