"""Curiosity by counting, around any agent: what is new in this episode, and seldom met in this life, is worth more.

Every entry of an observation is counted by itself, and a moment is as rare as its rarest entries say ("Count-based
exploration in feature space for reinforcement learning", IJCAI 2017): so a key in the hand is new wherever it is held.
A moment pays once in an episode only, as in "RIDE: rewarding impact-driven exploration" (ICLR 2020): or whoever found a
rare place would stay there, and loops would pay. The bonus is added to what memory keeps, at the rate of its day.

The agent inside also sees how often it has had a moment before in this episode. Who sees a part of the world, and has
no memory, walks in circles without that.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import Box, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part, struct
from umwelt.core.contracts import Agent, Mode

BONUS = Metric(name="bonus", unit="reward", meaning="what was added to the reward for what is new and was seldom met")
PLACES = 4096
"""Counts of the moments of an episode; two moments share one about once in so many."""
OFTEN = 4
"""How often a moment was had before: never, once, twice, or more, each an entry of what the agent inside sees."""


@struct
class CountedState:
    """agent: the inner state. ones: float32 [F], how often each entry was one. total: float32, moments that were
    counted. had: uint8 [B, PLACES], the moments of this episode, at most OFTEN - 1. before: uint8 [B], how often the
    last step's moment was had before it. odds: uint32 [F], factors of the hash."""

    agent: Any
    ones: jax.Array
    total: jax.Array
    had: jax.Array
    before: jax.Array
    odds: jax.Array


@part
class Counted:
    """An agent that is drawn to what is new to it. For observations that are vectors of zeros and ones."""

    agent: Agent
    """Who acts and learns; its memory holds rewards with the bonus."""
    bonus: float = 0.5
    """What a moment is worth that was met once; after n times, this over the root of n."""
    scale: float = 1.0
    """What the world's rewards are multiplied by, before the bonus is added: how much more they are worth than it."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The agent's, and the bonus."""
        return (*self.agent.metrics, BONUS)

    def init(self, key: jax.Array, spec: WorldSpec) -> CountedState:
        """Nothing met."""
        inner, drawing = keys.split(key, "inner", "odds")
        width = seen_by(spec).observation.shape[0] - OFTEN
        return CountedState(
            agent=self.agent.init(inner, seen_by(spec)),
            ones=jnp.zeros(width, jnp.float32),
            total=jnp.float32(0.0),
            had=jnp.zeros((spec.batch, PLACES), jnp.uint8),
            before=jnp.zeros(spec.batch, jnp.uint8),
            odds=jax.random.bits(drawing, (width,), jnp.uint32) | 1,
        )

    def act(self, key: jax.Array, state: CountedState, step: TimeStep, mode: Mode = "explore") -> tuple[CountedState, Any]:
        """As the agent does, who is told how often it has had this moment."""
        had, place, before = _had(state, step)
        agent, action = self.agent.act(key, state.agent, told(step, before), mode)
        rows = jnp.arange(before.shape[0])
        had = had.at[rows, place].set(jnp.minimum(before + 1, OFTEN - 1))
        return replace(state, agent=agent, had=had, before=before), action

    def remember(
        self, key: jax.Array, state: CountedState, step: TimeStep, action: Any, next: TimeStep
    ) -> tuple[CountedState, Info]:
        """Count what is new, and let the agent remember it with its bonus."""
        _, _, before = _had(state, next)
        new, shown = before == 0, _bits(next)
        state = replace(
            state,
            ones=state.ones + jnp.sum(jnp.where(new[:, None], shown, False), 0),
            total=state.total + jnp.sum(new),
        )
        bonus = jnp.where(new & ~next.first, self.bonus * jax.lax.rsqrt(jnp.maximum(times(state, shown), 1.0)), 0.0)
        after = replace(told(next, before), reward=self.scale * next.reward + bonus)
        agent, info = self.agent.remember(key, state.agent, told(step, state.before), action, after)
        return replace(state, agent=agent), {**info, "bonus": bonus}

    def learn(self, key: jax.Array, state: CountedState) -> tuple[CountedState, Info]:
        """As the agent does."""
        agent, info = self.agent.learn(key, state.agent)
        return replace(state, agent=agent), info

    def embody(self, key: jax.Array, state: CountedState, spec: WorldSpec) -> CountedState:
        """The same agent in a new body, which has had no moment yet."""
        return replace(
            state,
            agent=self.agent.embody(key, state.agent, seen_by(spec)),
            had=jnp.zeros((spec.batch, PLACES), jnp.uint8),
            before=jnp.zeros(spec.batch, jnp.uint8),
        )

    def imagine(self, key: jax.Array, state: CountedState, actions: Any) -> Prediction | None:
        """It tells nothing: what the agent inside expects has other entries than what the world shows."""
        return None


def seen_by(spec: WorldSpec) -> WorldSpec:
    """The spec as the agent inside sees it: OFTEN more entries."""
    seen = spec.observation
    if not isinstance(seen, Box) or len(seen.shape) != 1:
        raise ValueError(f"Counted(agent=...) counts the entries of one vector, and {spec.name!r} shows {seen}")
    low, high = (np.concatenate([edge, np.full(OFTEN, end)]) for edge, end in zip(seen.bounds, (0, 1), strict=True))
    longer = Box(shape=low.shape, low=tuple(low.tolist()), high=tuple(high.tolist()), dtype=seen.dtype)
    return replace(spec, observation=longer)


def told(step: TimeStep, before: jax.Array) -> TimeStep:
    """A step [B] with the entries that say how often its moment was had before."""
    often = jax.nn.one_hot(before, OFTEN, dtype=step.observation.dtype)
    return replace(step, observation=jnp.concatenate([step.observation, often], axis=-1))


def times(state: CountedState, shown: jax.Array) -> jax.Array:
    """How often moments of entries shown, bool [N, F], count as met: the pseudo-count, float32 [N].

    Under a model in which entries are independent, each by the estimator of Krichevsky and Trofimov, a moment of
    probability p that would have p' after being met once more has the count p (1 - p') / (p' - p); p' is small.
    """
    met = jnp.stack([state.total - state.ones, state.ones])
    gain = jnp.log1p(1.0 / (met + 0.5)) - jnp.log1p(1.0 / (state.total + 1.0))
    ratio = jnp.sum(jnp.where(shown, gain[1], gain[0]), axis=-1)
    return 1.0 / jnp.maximum(jnp.expm1(ratio), 1e-9)


def places(odds: jax.Array, shown: jax.Array) -> jax.Array:
    """Where moments of entries shown, bool [N, F], are noted: int32 [N]. Equal moments have equal places."""
    mixed = jnp.sum(jnp.where(shown, odds, 0), axis=-1, dtype=jnp.uint32)
    # the lower bits of a product depend on few of the sum's; the upper ones on all
    return ((mixed ^ (mixed >> 15)) * jnp.uint32(0x9E3779B1) >> (32 - PLACES.bit_length() + 1)).astype(jnp.int32)


def _bits(step: TimeStep) -> jax.Array:
    return step.observation > 0.5


def _had(state: CountedState, step: TimeStep) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The counts of this episode [B, PLACES], where a step's moment stands [B], and how often it was had [B]."""
    had = jnp.where(step.first[:, None], 0, state.had).astype(jnp.uint8)
    place = places(state.odds, _bits(step))
    return had, place, had[jnp.arange(place.shape[0]), place]
