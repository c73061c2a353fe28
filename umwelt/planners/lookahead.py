"""Looking ahead: what candidate plans are worth in imagination, and how one is chosen from them."""

from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.core import keys, part
from umwelt.core.contracts import Belief, Prospect
from umwelt.planners.plans import Plans, evens, join, normal, pick

Choose = Literal["mean", "best", "sample", "noisy"]
"""Which plan's first action is done: the fitted middle, the best candidate, one drawn by weight ("sample"), or that one
with noise as wide as the fitted plans are spread ("noisy")."""


@part
class Lookahead:
    """The imagination that one call of `plan` was given, with the discount."""

    prospect: Prospect
    discount: float

    def scores(self, key: jax.Array, plans: Plans, candidates: jax.Array, belief: Belief) -> jax.Array:
        """Score each candidate [H, B, S, ...] from beliefs [B]: float32 [B, S].

        Discounted by the chance that the episode still goes on: the step that ends it still pays, and nothing after it
        does. A score that is not finite counts as -infinity, because the imagination diverged.
        """
        horizon, batch, samples = candidates.shape[:3]
        rows = batch * samples

        def step(carry: Any, x: Any) -> tuple[Any, None]:
            belief, worth, alive = carry
            step_key, candidate = x
            belief, prediction = self.prospect.imagine(step_key, belief, plans.decode(candidate))
            worth = worth + _living(alive, self.prospect.objective(prediction))
            return (belief, worth, self.discount * _living(alive, prediction.continues)), None

        start = (spread_out(belief, samples), jnp.zeros(rows, jnp.float32), jnp.ones(rows, jnp.float32))
        actions = candidates.reshape(horizon, rows, *candidates.shape[3:])
        # two steps in a row spare the copy of the beliefs that a loop of single steps makes
        (last, worth, alive), _ = jax.lax.scan(step, start, (jax.random.split(key, horizon), actions), unroll=2)
        if self.prospect.value is not None:
            worth = worth + _living(alive, self.prospect.value(last))
        return jnp.where(jnp.isfinite(worth), worth, -jnp.inf).reshape(batch, samples)

    def proposals(self, key: jax.Array, plans: Plans, belief: Belief, samples: int) -> jax.Array:
        """Roll out the prior in imagination: candidates [H, B, samples, ...], whose first steps are open."""
        batch, horizon = jax.tree.leaves(plans)[0].shape[:2]
        prior = self.prospect.prior
        if prior is None or samples == 0:
            return plans.mode()[:, :, :0]

        def step(belief: Belief, x: Any) -> tuple[Belief, jax.Array]:
            step_key, begins = x
            prior_key, imagine_key, mask_key = keys.split(step_key, "prior", "imagine", "mask")
            candidate = plans.encode(prior(prior_key, belief))
            if self.prospect.open is not None:
                rows = candidate.reshape(1, batch, samples, *candidate.shape[1:])
                candidate = jnp.where(begins, plans.admitted(mask_key, rows).reshape(candidate.shape), candidate)
            belief, _ = self.prospect.imagine(imagine_key, belief, plans.decode(candidate))
            return belief, candidate

        steps = (jax.random.split(key, horizon), jnp.arange(horizon) == 0)
        _, rolled = jax.lax.scan(step, spread_out(belief, samples), steps)
        return rolled.reshape(horizon, batch, samples, *rolled.shape[2:])


def search(
    key: jax.Array,
    plans: Plans,
    belief: Belief,
    lookahead: Lookahead,
    weigh: Callable[[jax.Array], jax.Array],
    refit: Callable[[Plans, jax.Array, jax.Array], Plans],
    *,
    samples: int,
    iterations: int,
    proposed: int,
    choose: Choose,
) -> tuple[Plans, jax.Array]:
    """Draw, imagine, weigh, fit again, `iterations` times: the last plans, and the actions [B, ...] chosen.

    weigh: scores [B, S] -> weights [B, S] that sum to one. refit: (plans, candidates, weights) -> plans.
    """
    dream_key, prior_key, choice_key = keys.split(key, "dream", "prior", "choice")
    plans = plans.admitting(lookahead.prospect.open)
    given = lookahead.proposals(prior_key, plans, belief, proposed)
    # the prior's proposals stay the same in all iterations, so that they are imagined only once
    known = lookahead.scores(keys.fold(prior_key, "scores"), plans, given, belief) if given.shape[2] else None
    fresh = jnp.stack(evens(key, plans, *(samples - given.shape[2],) * iterations))

    def improve(plans: Plans, x: Any) -> tuple[Plans, jax.Array]:
        drawn, dream = x
        candidates = plans.sample(normal(drawn))
        scores = lookahead.scores(dream, plans, candidates, belief)
        if known is not None:
            candidates, scores = join(given, candidates), jnp.concatenate([known, scores], axis=1)
        weights = weigh(scores)
        plans = refit(plans, candidates, weights)
        return plans, decide(choice_key, plans, candidates, scores, weights, choose)

    plans, chosen = jax.lax.scan(improve, plans, (fresh, jax.random.split(dream_key, iterations)))
    return plans, plans.decode(chosen[-1])


def decide(
    key: jax.Array, plans: Plans, candidates: jax.Array, scores: jax.Array, weights: jax.Array, choose: Choose
) -> jax.Array:
    """Choose a plan in each row: its first step [B, ...], in the units of the plans."""
    if choose == "mean":
        return plans.mode()[0, :, 0]
    if choose == "best":
        row = jnp.argmax(scores, axis=1)
    elif choose in ("sample", "noisy"):
        row = jax.random.categorical(key, jnp.log(weights), axis=1)
    else:
        raise ValueError(f"choose={choose!r}: it is 'mean', 'best', 'sample' or 'noisy'")
    chosen = pick(candidates[:1], row[:, None])[:, :, 0]
    return (plans.around(keys.fold(key, "noise"), chosen) if choose == "noisy" else chosen)[0]


def elite_weights(scores: jax.Array, elites: int) -> jax.Array:
    """Equal weights [B, S] on the `elites` best of scores [B, S], zero elsewhere.

    Where fewer candidates have a finite score, those share the weight. Where none has, all do.
    """
    _, best = jax.lax.top_k(scores, elites)
    marked = jnp.zeros(scores.shape, jnp.float32).at[jnp.arange(scores.shape[0])[:, None], best].set(1.0)
    hopeless = jnp.all(jnp.isneginf(scores), axis=1, keepdims=True)
    marked = jnp.where(hopeless, 1.0, jnp.where(jnp.isneginf(scores), 0.0, marked))
    return marked / jnp.sum(marked, axis=1, keepdims=True)


def spread_out(belief: Belief, samples: int) -> Belief:
    """Repeat beliefs [B] to [B * samples], the copies of a row side by side."""

    def repeat(leaf: jax.Array) -> jax.Array:
        leaf = jnp.asarray(leaf)
        wide = jnp.broadcast_to(leaf[:, None], (leaf.shape[0], samples, *leaf.shape[1:]))
        return wide.reshape(leaf.shape[0] * samples, *leaf.shape[1:])

    return jax.tree.map(repeat, belief)


def share_of(samples: int, share: float) -> int:
    """How many of `samples` a share is: at least one where there is any, and never all."""
    return 0 if share <= 0 else min(samples - 1, max(1, round(samples * share)))


def _living(alive: jax.Array, amount: jax.Array) -> jax.Array:
    """alive * amount, which is 0 where alive is 0, whatever the amount is, NaN included."""
    return jnp.where(alive == 0, 0.0, alive * jnp.asarray(amount, jnp.float32))
