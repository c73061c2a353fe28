"""Curiosity by counting, around any policy that learns: what was seldom met is worth more.

"Count-based exploration in feature space for reinforcement learning" (IJCAI 2017): every entry of an observation is
counted by itself, and a moment is as rare as its rarest entries say. So a key in the hand is new wherever it is held.
Here the bonus is paid when a moment is replayed, by the counts of that day, so that memory never holds an old one; and
counted are the moments that are learned from.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.lesson import Learner, Lesson, mean
from umwelt.core import Info, Metric, keys, part, struct
from umwelt.core.contracts import Mode

BONUS = Metric(name="bonus", unit="reward", meaning="mean of what was added to the reward for moments that were seldom met")


@struct
class CountedState:
    """learner: the inner state. ones: float32 [F], how often each entry was one. total: float32, moments in all."""

    learner: Any
    ones: jax.Array
    total: jax.Array


@part
class Counted:
    """A learner that is drawn to what it has seldom met. For observations of zeros and ones."""

    learner: Learner
    """The policy inside, and how it learns."""
    bonus: float = 0.1
    """What a moment is worth that was met once, in units of the reward; after n times, this over the root of n."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The learner's, and the bonus."""
        return (BONUS, *self.learner.metrics)

    def init(self, key: jax.Array, width: int, action: Any) -> CountedState:
        """Nothing met."""
        learner = self.learner.init(keys.fold(key, "inner"), width, action)
        return CountedState(learner=learner, ones=jnp.zeros(width, jnp.float32), total=jnp.float32(0.0))

    def act(self, key: jax.Array, state: CountedState, features: jax.Array, mode: Mode) -> Any:
        """As the learner does."""
        return self.learner.act(key, state.learner, features, mode)

    def learn(self, key: jax.Array, state: CountedState, lesson: Lesson) -> tuple[CountedState, Info]:
        """Count what is shown, add the bonus, and let the learner learn."""
        shown = jnp.where(lesson.weight[:, None] > 0, lesson.after, 0.0) > 0.5
        counted = replace(state, ones=state.ones + jnp.sum(shown, 0), total=state.total + jnp.sum(lesson.weight > 0))
        bonus = self.bonus * jax.lax.rsqrt(jnp.maximum(times(counted, shown), 1.0))
        learner, info = self.learner.learn(key, state.learner, replace(lesson, reward=lesson.reward + bonus))
        return replace(counted, learner=learner), {"bonus": mean(bonus, lesson.weight), **info}


def times(state: CountedState, shown: jax.Array) -> jax.Array:
    """How often moments of entries shown, bool [N, F], count as met: the pseudo-count, float32 [N].

    Under a model in which entries are independent, each by the estimator of Krichevsky and Trofimov, a moment of
    probability p that would have p' after being met once more has the count p (1 - p') / (p' - p); p' is small.
    """
    met = jnp.stack([state.total - state.ones, state.ones])
    gain = jnp.log1p(1.0 / (met + 0.5)) - jnp.log1p(1.0 / (state.total + 1.0))
    ratio = jnp.sum(jnp.where(shown, gain[1], gain[0]), axis=-1)
    return 1.0 / jnp.maximum(jnp.expm1(ratio), 1e-9)
