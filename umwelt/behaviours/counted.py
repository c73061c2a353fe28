"""Curiosity by counting, around any agent: what is new in this episode, and seldom met in this life, is worth more.

Every entry of an observation is counted by itself, and a moment is as rare as its rarest entries say ("Count-based
exploration in feature space for reinforcement learning", IJCAI 2017): so a key in the hand is new wherever it is held.
And a moment pays once in an episode only, as in "RIDE: rewarding impact-driven exploration" (ICLR 2020): or whoever
found a rare place would stay there, and loops would pay. The bonus is added to what memory keeps, at the rate of its day.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Info, Metric, Prediction, TimeStep, WorldSpec, keys, part, spaces, static, struct
from umwelt.core.contracts import Agent, Mode
from umwelt.networks.form import Form, form

BONUS = Metric(name="bonus", unit="reward", meaning="what was added to the reward for what is new and was seldom met")
PLACES = 4096
"""Bits that note which moments an episode has had; two moments share one about once in so many."""


@struct
class CountedState:
    """agent: the inner state. ones: float32 [F], how often each entry was one. total: float32, moments that were
    counted. had: bool [B, PLACES], the moments of this episode. odds: uint32 [F], factors of their hash."""

    agent: Any
    ones: jax.Array
    total: jax.Array
    had: jax.Array
    odds: jax.Array
    seen: Form = static()


@part
class Counted:
    """An agent that is drawn to what is new to it. For observations of zeros and ones."""

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
        width = spaces.width(spec.observation)
        return CountedState(
            agent=self.agent.init(inner, spec),
            ones=jnp.zeros(width, jnp.float32),
            total=jnp.float32(0.0),
            had=jnp.zeros((spec.batch, PLACES), bool),
            odds=jax.random.bits(drawing, (width,), jnp.uint32) | 1,
            seen=form(spec.observation),
        )

    def act(self, key: jax.Array, state: CountedState, step: TimeStep, mode: Mode = "explore") -> tuple[CountedState, Any]:
        """As the agent does."""
        agent, action = self.agent.act(key, state.agent, step, mode)
        return replace(state, agent=agent), action

    def remember(
        self, key: jax.Array, state: CountedState, step: TimeStep, action: Any, next: TimeStep
    ) -> tuple[CountedState, Info]:
        """Count what is new, and let the agent remember it with its bonus."""
        shown = state.seen.flat(next.observation) > 0.5
        had = state.had & ~next.first[:, None]
        rows, place = jnp.arange(shown.shape[0]), places(state.odds, shown)
        new = ~had[rows, place]
        counted = jnp.where(new[:, None], shown, False)
        state = replace(
            state, ones=state.ones + jnp.sum(counted, 0), total=state.total + jnp.sum(new), had=had.at[rows, place].set(True)
        )
        bonus = jnp.where(new & ~next.first, self.bonus * jax.lax.rsqrt(jnp.maximum(times(state, shown), 1.0)), 0.0)
        told = replace(next, reward=self.scale * next.reward + bonus)
        agent, info = self.agent.remember(key, state.agent, step, action, told)
        return replace(state, agent=agent), {**info, "bonus": bonus}

    def learn(self, key: jax.Array, state: CountedState) -> tuple[CountedState, Info]:
        """As the agent does."""
        agent, info = self.agent.learn(key, state.agent)
        return replace(state, agent=agent), info

    def embody(self, key: jax.Array, state: CountedState, spec: WorldSpec) -> CountedState:
        """The same agent in a new body, which counts nothing."""
        return replace(state, agent=self.agent.embody(key, state.agent, spec))

    def imagine(self, key: jax.Array, state: CountedState, actions: Any) -> Prediction | None:
        """As the agent does."""
        return self.agent.imagine(key, state.agent, actions)


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
