"""Curiosity around any learner: each batch pays the bonus of today's signal.

The bonus is computed again whenever a transition is drawn, and never stored. So it fits signals that change while they
learn, such as random network distillation, and imagined batches as well. A signal whose `given` is "worth" gets the
learner's worth of each row as one more column of `now`.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.around import AroundLearner
from umwelt.behaviours.batch import Batch, Learner
from umwelt.core import Info, Metric, capability, keys, part, static, struct
from umwelt.core.contracts import Curiosity, Mode
from umwelt.networks import bonuses, scale
from umwelt.networks.form import Form, form
from umwelt.networks.scale import Scale

BATCH_BONUS = Metric(name="batch_bonus", unit="reward", meaning="mean of what curiosity added to the rewards of a batch")


@struct
class RewardedState:
    """inner, curiosity: the parts' states. unit: of the bonus."""

    inner: Any
    curiosity: Any
    unit: Scale
    action_form: Form = static()


@part
class Rewarded(AroundLearner):
    """A learner whose batches pay reward + `weight` x bonus."""

    learner: Learner
    """The policy and how it learns."""
    curiosity: Curiosity
    """What pays the bonus; it learns from the same batches."""
    weight: float = 1.0
    """What the bonus is multiplied by, in units of its running deviation."""
    instead: bool = False
    """Pay the bonus alone, without the world's reward."""

    passes = ("imitate",)
    """Capabilities of the learner inside that hold here too."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the learner and the signal report, and the bonus."""
        return (*self.learner.metrics, *self.curiosity.metrics, BATCH_BONUS)

    def init(self, key: jax.Array, width: int, action: Any) -> RewardedState:
        """Begin both untrained."""
        bonuses.refuse_episodic(self.curiosity, "Rewarded")
        action_form = form(action)
        return RewardedState(
            inner=self.learner.init(key, width, action),
            curiosity=self.curiosity.init(keys.fold(key, "curiosity"), width, action_form.width, 1),
            unit=scale.unit(1),
            action_form=action_form,
        )

    def act(self, key: jax.Array, state: RewardedState, features: jax.Array, mode: Mode, open: Any = None) -> Any:
        """Act as the learner does."""
        return self.learner.act(key, state.inner, features, mode, open)

    def learn(self, key: jax.Array, state: RewardedState, batch: Batch) -> tuple[RewardedState, Info]:
        """Pay the batch, teach the signal, and update the learner."""
        if batch.steps > 1:
            raise ValueError(
                f"learner: Rewarded pays transitions, and this batch sums {batch.steps} rewards at once, of which only the"
                " first would be paid; set steps=1 of the agent, or put umwelt.behaviours.Curious around it"
            )
        paying, learning = keys.split(key, "bonus", "curiosity")
        now = self._with_worth(state, batch)
        moment = bonuses.moment(now, state.action_form.units(batch.action), batch.after, batch.weight)
        weighs = batch.weight > 0
        raw = jnp.where(weighs, self.curiosity.bonus(paying, state.curiosity, moment), 0.0)
        unit = bonuses.update(state.unit, raw, batch.weight)
        bonus = self.weight * bonuses.in_unit(unit, raw)
        curiosity, reported = self.curiosity.learn(learning, state.curiosity, moment)
        paid = replace(batch, reward=bonus if self.instead else batch.reward + bonus)
        inner, info = self.learner.learn(key, state.inner, paid)
        mean = jnp.sum(bonus) / jnp.maximum(jnp.sum(weighs), 1)
        return replace(state, inner=inner, curiosity=curiosity, unit=unit), {**info, **reported, "batch_bonus": mean}

    def _with_worth(self, state: RewardedState, batch: Batch) -> jax.Array:
        """Features [N, F] of `now`; one column more, the worth of the row's action, for a signal that is `given` it."""
        if getattr(self.curiosity, "given", "") != "worth":
            return batch.now
        worth: Any = capability(self.learner, "worth", required="curiosity.given='worth'")
        return jnp.concatenate([batch.now, worth(state.inner, batch.now, batch.action)[:, None]], axis=1)
