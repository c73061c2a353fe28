"""A planner of your own in one file: hill climbing. `python examples/my_planner.py` checks it.

It keeps one plan for each row, imagines it beside some neighbours, moves to the best of them, and
repeats with smaller steps. It is for a Box of actions, and carries its plan to the next call.
"""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt import check
from umwelt.check.puzzles import CONTINUOUS
from umwelt.core import part, select, static, struct


@struct
class Climb:
    """plan: [B, H, ...], in the units of the action space, which it carries along."""

    plan: jax.Array
    space: Any = static()


@part
class HillClimbing:
    """Move a plan to the best of its neighbours, again and again."""

    neighbours: int = 256
    """how many neighbours are imagined at each iteration"""
    horizon: int = 8
    """imagined steps"""
    iterations: int = 6
    """how often the plan moves; each iteration looks less far around"""
    discount: float = 0.99
    """worth of the next step in units of this one"""

    def init(self, key, spec):
        """Start from the middle of the space."""
        low, high = spec.action.bounds
        return Climb(plan=jnp.broadcast_to((low + high) / 2, (spec.batch, self.horizon, *low.shape)), space=spec.action)

    def plan(self, key, state, belief, prospect):
        """Climb, do the first action, and keep the rest of the plan."""
        low, high = state.space.bounds
        plan = state.plan
        if prospect.prior is not None:
            plan = plan.at[:, 0].set(prospect.prior(key, belief))
        for index in range(self.iterations):
            reach = (high - low) * 0.6**index
            noise = jax.random.normal(jax.random.fold_in(key, index), (plan.shape[0], self.neighbours, *plan.shape[1:]))
            # the first neighbour is the plan itself, so that no iteration loses ground
            near = jnp.clip(plan[:, None] + reach * noise.at[:, 0].set(0.0), low, high)
            best = jnp.argmax(self._scores(key, near, belief, prospect), axis=1)
            plan = near[jnp.arange(plan.shape[0]), best]
        later = jnp.concatenate([plan[:, 1:], plan[:, -1:]], axis=1)
        return Climb(plan=later, space=state.space), plan[:, 0]

    def forget(self, state, rows):
        """Start again from the middle in `rows`."""
        low, high = state.space.bounds
        middle = jnp.broadcast_to((low + high) / 2, state.plan.shape)
        return Climb(plan=select(rows, middle, state.plan), space=state.space)

    def _scores(self, key, plans, belief, prospect):
        """Score plans [B, S, H, ...]: [B, S]."""
        rows, samples = plans.shape[:2]
        actions = jnp.moveaxis(plans, 2, 0).reshape(self.horizon, rows * samples, *plans.shape[3:])
        wide = jax.tree.map(lambda leaf: jnp.repeat(leaf, samples, axis=0), belief)

        def step(carry, action):
            belief, worth, alive = carry
            belief, prediction = prospect.imagine(key, belief, action)
            worth = worth + alive * prospect.objective(prediction)
            return (belief, worth, self.discount * alive * prediction.continues), None

        (wide, worth, alive), _ = jax.lax.scan(step, (wide, jnp.zeros(rows * samples), jnp.ones(rows * samples)), actions)
        worth = worth if prospect.value is None else worth + alive * prospect.value(wide)
        return jnp.nan_to_num(worth, nan=-jnp.inf).reshape(rows, samples)


if __name__ == "__main__":
    report = check.planner(HillClimbing(), action=(CONTINUOUS,))
    print(report)
    raise SystemExit(0 if report else 1)
