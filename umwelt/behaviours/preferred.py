"""A reward that is fitted to answers: which of two moments is nearer to what is wanted?

"Real-world offline reinforcement learning from vision language model feedback" (2024). A judge compares pairs of
observations from the data and may say that it cannot tell. A reward is fitted to its answers as in Bradley and Terry's
model. Put it into `Judged`, and the data need no rewards of their own.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import Batch
from umwelt.core import Info, Metric, keys, part, struct
from umwelt.networks import layers, policies
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped

ANSWER_LOSS = Metric(
    name="preference_loss", unit="nats", meaning="mean negative log-likelihood of the answers, before the update", better="down"
)
SILENT = -1
"""The answer of a judge that cannot tell."""

Ask = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]
"""(key, observations [N, F], others [N, F]) -> int32 [N]: 1 where the other is better, 0 where it is worse, or SILENT."""


@part
class Compares:
    """A rule in place of a judge: which observation has more of one number. It errs at times, and is silent where both are
    nearly alike.

    >>> ask = Compares(wrong=0.0)
    >>> ask(jax.random.key(0), jnp.array([[0.0], [1.0], [0.0]]), jnp.array([[1.0], [0.0], [0.1]])).tolist()
    [1, 0, -1]
    """

    column: int = 0
    """The number that it looks at."""
    wrong: float = 0.15
    """The chance of the wrong answer."""
    silent: float = 0.2
    """The difference below which it cannot tell."""

    def __call__(self, key: jax.Array, one: jax.Array, other: jax.Array) -> jax.Array:
        """int32 [N], of observations [N, F] and others [N, F]."""
        gap = other[:, self.column] - one[:, self.column]
        right = (gap > 0) ^ jax.random.bernoulli(key, self.wrong, gap.shape)
        return jnp.where(jnp.abs(gap) < self.silent, SILENT, right.astype(jnp.int32))


@struct
class PreferredState:
    """pairs: float32 [P, 2, F], observations. answers: int32 [P]. asked: int32 []. rewards: stacks, leaves [M, ...].
    optimiser: Optax's, leaves [M, ...]."""

    pairs: jax.Array
    answers: jax.Array
    asked: jax.Array
    rewards: Stack
    optimiser: Any


@part
class Preferred:
    """Pays the reward that explains the judge's answers, the mean of several fits."""

    ask: Ask
    """The judge. It must be a function at the top of a module, or a part."""
    pairs: int = 500
    """Pairs that it is asked about, in all."""
    each: int = 16
    """Pairs of one lesson, until all are asked."""
    members: int = 3
    """Rewards that are fitted."""
    units: int = 64
    """Width of the two hidden layers."""
    learning_rate: float = 1e-3
    """Step size of Adam."""

    metrics = (ANSWER_LOSS,)
    cites = ("vlm_feedback_2024",)

    def init(self, key: jax.Array, width: int, acts: policies.Policy) -> PreferredState:
        """Ask nothing yet."""
        for name in ("pairs", "each", "members"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1")

        def made(key: jax.Array) -> Stack:
            return layers.even(key, layers.stack(key, (width, self.units, self.units, 1), normed=False))

        rewards = jax.vmap(made)(jax.random.split(key, self.members))
        return PreferredState(
            pairs=jnp.zeros((self.pairs, 2, width), jnp.float32),
            answers=jnp.full(self.pairs, SILENT, jnp.int32),
            asked=jnp.int32(0),
            rewards=rewards,
            optimiser=jax.vmap(optimiser(self.learning_rate).init)(rewards),
        )

    def score(self, state: PreferredState, batch: Batch, acts: policies.Policy) -> jax.Array:
        """The fitted reward of what follows: float32 [N]."""
        return jnp.mean(jax.vmap(lambda one: _paid(one, batch.after))(state.rewards), axis=0)

    def learn(self, key: jax.Array, state: PreferredState, batch: Batch, acts: policies.Policy) -> tuple[PreferredState, Info]:
        """Ask about pairs of the batch while some are left, and fit every reward once."""
        asking, fitting = keys.split(key, "ask", "fit")
        pairs, answers, asked = self._asked(asking, state, batch)
        known = jnp.arange(self.pairs) < asked

        def fitted(key: jax.Array, reward: Stack, held: Any) -> tuple[Stack, Any, jax.Array]:
            # each member draws its own pairs, so that members differ where pairs are few
            chosen = jax.random.randint(key, (4 * self.each,), 0, jnp.maximum(asked, 1))
            loss, gradient = jax.value_and_grad(_missed)(reward, pairs[chosen], answers[chosen], known[chosen])
            return *stepped(optimiser(self.learning_rate), gradient, held, reward), loss

        ones = jax.random.split(fitting, self.members)
        rewards, held, loss = jax.vmap(fitted)(ones, state.rewards, state.optimiser)
        after = PreferredState(pairs=pairs, answers=answers, asked=asked, rewards=rewards, optimiser=held)
        return after, {"preference_loss": jnp.mean(loss)}

    def _asked(self, key: jax.Array, state: PreferredState, batch: Batch) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Pairs, answers and their number, after the questions of one lesson."""
        drawing, judging = keys.split(key, "draw", "judge")
        weighs = batch.weight > 0
        drawn = jax.random.categorical(drawing, jnp.where(weighs, 0.0, -1e9), shape=(self.each, 2))
        pair = batch.after[drawn]
        answer = self.ask(judging, pair[:, 0], pair[:, 1]).astype(jnp.int32)
        place = state.asked + jnp.arange(self.each)
        # places beyond the last pair are dropped
        place = jnp.where(jnp.any(weighs) & (place < self.pairs), place, self.pairs)
        asked = jnp.minimum(state.asked + self.each * jnp.any(weighs), self.pairs)
        pairs = state.pairs.at[place].set(pair, mode="drop")
        return pairs, state.answers.at[place].set(answer, mode="drop"), asked


def _paid(reward: Stack, seen: jax.Array) -> jax.Array:
    return layers.apply(reward, seen, jax.nn.relu)[:, 0]


def _missed(reward: Stack, pairs: jax.Array, answers: jax.Array, known: jax.Array) -> jax.Array:
    """The mean negative log-likelihood of the answers that are known and not silent."""
    logit = _paid(reward, pairs[:, 1]) - _paid(reward, pairs[:, 0])
    miss = jax.nn.softplus(jnp.where(answers == 1, -logit, logit))
    counts = (known & (answers != SILENT)).astype(jnp.float32)
    return jnp.sum(miss * counts) / jnp.maximum(jnp.sum(counts), 1.0)
