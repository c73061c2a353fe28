"""Several actions in each state that was met: the one that was done, and others that a model tries in short dreams.

"On many-actions policy gradient" (2023). One part of a policy gradient's variance comes from the states that were
met, and another from the actions that were drawn there. N actions divide the second by N and leave the states
real, so the model's errors touch no more than the worth of actions.

Where we differ: the model learns from the last rollout alone and goes on from what it was, and the gradient is that of
clipped ratios.
"""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.behaviours import featured
from umwelt.behaviours.on_policy import Rollout
from umwelt.behaviours.proximal import PPO
from umwelt.core import Info, Metric, keys, part, struct
from umwelt.core.contracts import Mode, Model
from umwelt.networks.returns import lambda_returns

Rows = tuple[Rollout, jax.Array, jax.Array]
"""Rows [N], with their advantages and returns [N], which are NaN for what was dreamed."""


@struct
class ManyActionsState:
    """inner: of the learner inside. model: the model's."""

    inner: Any
    model: Any


@part
class ManyActions:
    """Adds actions that were not done, and what a model says they are worth, to every rollout; a `RolloutLearner`."""

    model: Model
    """Predicts features, which are standard in `OnPolicy`; such as `Ensemble(propagation="one")`."""
    learner: PPO = PPO()
    """The policy and its values."""
    number: int = 8
    """Actions of each state, the one that was done among them."""
    horizon: int = 5
    """Steps of a dream, after which the value of where it ends stands for the rest."""
    adds: Literal["actions", "states"] = "actions"
    """Further actions in the states that were met, or as many further states that are imagined behind them, each with one
    action."""
    updates: int = 50
    """Updates of the model in each round."""
    batch: int = 768
    """Transitions of each of those."""

    cites = ("mbma_2023",)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The learner's, and the model's own."""
        return (*self.learner.metrics, *(each for each in self.model.metrics if each.name not in ("surprise", "doubt")))

    def init(self, key: jax.Array, width: int, action: Any) -> ManyActionsState:
        """Begin with an untrained policy and an untrained model of features."""
        if self.number < 1 or self.horizon < 1:
            raise ValueError(f"number={self.number}, horizon={self.horizon}: both are at least 1")
        if self.learner.groups:
            raise ValueError(f"groups={self.learner.groups}: a model predicts one reward; leave groups=()")
        for_learner, for_model = keys.split(key, "learner", "model")
        model = self.model.init(for_model, featured.spec(width, action))
        return ManyActionsState(inner=self.learner.init(for_learner, width, action), model=model)

    def act(
        self, key: jax.Array, state: ManyActionsState, features: jax.Array, mode: Mode, open: jax.Array | None = None
    ) -> tuple[Any, Any, jax.Array]:
        """Act as the learner inside does."""
        return self.learner.act(key, state.inner, features, mode, open)

    def learn(self, key: jax.Array, state: ManyActionsState, rollout: Rollout) -> tuple[ManyActionsState, Info]:
        """Update the model, dream, and improve the policy on what was done and what was dreamed."""
        if rollout.open is not None:
            raise ValueError("ManyActions: a dream does not show which choices are admissible; take a world without `open`")
        modelling, dreaming, improving = keys.split(key, "model", "dream", "improve")
        model, seen = self._modelled(modelling, state, rollout)
        rows = self.rows(dreaming, replace(state, model=model), rollout)
        inner, info = self.learner.improved(improving, state.inner, *rows)
        some = jnp.any(rollout.weight > 0)
        model = jax.tree.map(lambda new, old: jnp.where(some, new, old), model, state.model)
        named = {metric.name for metric in self.metrics}
        return ManyActionsState(inner=inner, model=model), {**info, **{name: seen[name] for name in seen if name in named}}

    def rows(self, key: jax.Array, state: ManyActionsState, rollout: Rollout) -> Rows:
        """Rows of a rollout [T, B], and `number` - 1 times as many that are dreamed behind them."""
        found = (rollout, *self.learner.advantages(state.inner, rollout))
        real = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), found)
        if self.number == 1:
            return real
        dreamed = self.dreamed(key, state, real[0])
        return jax.tree.map(lambda one, other: jnp.concatenate([one, other]), real, dreamed)

    def dreamed(self, key: jax.Array, state: ManyActionsState, real: Rollout) -> Rows:
        """Rows [(number - 1) * N] behind real rows [N]. An action is worth the rewards of its dream, and the value behind."""
        further = self.number - 1
        if self.adds == "actions":
            start = jnp.tile(real.now, (further, 1))
            trace = self._rolled(key, state, start, self.horizon)
            return self._row(state, trace, jnp.tile(real.weight, further), 0)
        trace = self._rolled(key, state, real.now, further + self.horizon)
        each = [self._row(state, trace, real.weight, ahead) for ahead in range(1, self.number)]
        return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *each)

    def _rolled(self, key: jax.Array, state: ManyActionsState, start: jax.Array, steps: int) -> dict[str, Any]:
        """Act in the model from features [N, F]: leaves [steps, N, ...]; `now` has one more."""
        opening, rolling = keys.split(key, "open", "roll")
        action, _, _ = self.act(opening, state, start, "explore")
        belief = featured.opened(opening, self.model, state.model, start, action)

        def onward(held: Any, key: jax.Array) -> tuple[Any, dict[str, Any]]:
            belief, features = held
            acting, imagining = keys.split(key, "act", "imagine")
            action, unit, log_prob = self.act(acting, state, features, "explore")
            belief, told = self.model.imagine(imagining, state.model, belief, action)
            made = {"now": features, "unit": unit, "log_prob": log_prob, "reward": told.reward, "continues": told.continues}
            return (belief, told.observation), made

        (_, last), made = jax.lax.scan(onward, (belief, start), jax.random.split(rolling, steps))
        return {**made, "now": jnp.concatenate([made["now"], last[None]])}

    def _row(self, state: ManyActionsState, trace: dict[str, Any], weight: jax.Array, ahead: int) -> Rows:
        """Rows [N] that stand `ahead` steps behind the start of their dreams."""
        until = ahead + self.horizon
        worth = self.learner.values(state.inner, trace["now"][ahead : until + 1])
        discount = self.learner.discount * trace["continues"][ahead:until]
        returns = lambda_returns(trace["reward"][ahead:until], discount, worth, 1.0)[0]
        now, never = trace["now"][ahead], jnp.zeros(weight.shape, bool)
        rows = Rollout(
            now=now,
            after=trace["now"][ahead + 1],
            unit=trace["unit"][ahead],
            log_prob=trace["log_prob"][ahead],
            reward=trace["reward"][ahead],
            terminated=never,
            last=never,
            weight=weight * jnp.prod(trace["continues"][:ahead], axis=0),
        )
        # what was dreamed teaches no value, which would otherwise learn mostly from itself
        return rows, returns - worth[0], jnp.full_like(returns, jnp.nan)

    def _modelled(self, key: jax.Array, state: ManyActionsState, rollout: Rollout) -> tuple[Any, Info]:
        """The model after updates from moments of the rollout, and the metrics of the last one."""
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), rollout)
        number = flat.weight.shape[0]
        action = state.inner.acts.action(flat.unit if flat.unit.ndim == 1 else jnp.clip(flat.unit, -1.0, 1.0))
        moments = featured.moments(flat.now, action, flat.reward, flat.after, flat.terminated, flat.weight)

        def update(model: Any, key: jax.Array) -> tuple[Any, Info]:
            drawing, learning = keys.split(key, "draw", "learn")
            chosen = jax.random.randint(drawing, (self.batch,), 0, number)
            return self.model.learn(learning, model, jax.tree.map(lambda leaf: leaf[chosen], moments))

        model, infos = jax.lax.scan(update, state.model, jax.random.split(key, self.updates))
        return model, {name: value[-1] for name, value in infos.items()}
