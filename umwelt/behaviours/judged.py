"""A learner whose rewards a judge writes: one that is fitted to answers, or that separates shown from lived moments."""

from dataclasses import replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.behaviours.around import AroundLearner
from umwelt.behaviours.batch import Batch, Learner, wiped
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import bonuses, policies, scale
from umwelt.networks.scale import Scale

JUDGED = Metric(name="judged", unit="reward", meaning="mean reward that the judge wrote into a batch")


class Judge(Protocol):
    """Says what transitions are worth; it learns from the same batches, in which `shown` marks what others did."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that `learn` reports."""
        ...

    def init(self, key: jax.Array, width: int, acts: policies.Policy) -> Any:
        """Begin for `width` features."""
        ...

    def score(self, state: Any, batch: Batch, acts: policies.Policy) -> jax.Array:
        """float32 [N]: the reward of each row."""
        ...

    def learn(self, key: jax.Array, state: Any, batch: Batch, acts: policies.Policy) -> tuple[Any, Info]:
        """Update once from a batch without NaN."""
        ...


@struct
class JudgedState:
    """inner, judge: the parts' states. unit: the scale of what the judge writes."""

    inner: Any
    judge: Any
    unit: Scale
    acts: policies.Policy = static()


@part
class Judged(AroundLearner):
    """Replaces the rewards of every batch by those of a judge, before the learner reads them."""

    learner: Learner
    """The policy and how it learns."""
    judge: Judge
    """What writes rewards, such as `Preferred(ask=...)` or `Discriminator()`."""
    normalised: bool = True
    """Write rewards in units of their running deviation."""

    passes = ("imitate", "worth", "outputs")
    """Capabilities of the learner inside that hold here too."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the learner and the judge report."""
        return (*self.learner.metrics, *self.judge.metrics, JUDGED)

    def init(self, key: jax.Array, width: int, action: Any) -> JudgedState:
        """Begin both untrained."""
        acts = policies.over(action)
        judge = self.judge.init(keys.fold(key, "judge"), width, acts)
        return JudgedState(inner=self.learner.init(key, width, action), judge=judge, unit=scale.unit(1), acts=acts)

    def act(self, key: jax.Array, state: JudgedState, features: jax.Array, mode: Mode, open: Any = None) -> Any:
        """Act as the learner does."""
        return self.learner.act(key, state.inner, features, mode, open)

    def learn(self, key: jax.Array, state: JudgedState, batch: Batch) -> tuple[JudgedState, Info]:
        """Judge the batch, teach the judge, and update the learner."""
        if batch.steps > 1:
            raise ValueError(f"learner: Judged writes rewards of single steps, and this batch sums {batch.steps}; set steps=1")
        batch = wiped(batch)
        written = self.judge.score(state.judge, batch, state.acts)
        unit = bonuses.update(state.unit, written, batch.weight)
        reward = bonuses.in_unit(unit, written) if self.normalised else written
        judge, found = self.judge.learn(keys.fold(key, "judge"), state.judge, batch, state.acts)
        inner, info = self.learner.learn(key, state.inner, replace(batch, reward=reward))
        mean = jnp.sum(reward * batch.weight) / jnp.maximum(jnp.sum(batch.weight), 1.0)
        return replace(state, inner=inner, judge=judge, unit=unit), {**info, **found, "judged": mean}
