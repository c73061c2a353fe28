"""Simulated pupils: half of their answers are fitted, and the other half is predicted without a look at it."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import keys, part
from umwelt.evaluation.learners import Answers, Learners
from umwelt.networks.optimise import optimiser
from umwelt.teachers.tracing import Tracing, log_chance


@part
class HalfLife:
    """Half-life regression: the chance of a right answer halves with the time since the skill was asked for.

    The half-life is 2 to the power of a sum over a constant and the roots of how many answers were right and wrong.
    """

    updates: int = 400
    """Updates of Adam."""

    def __call__(self, key: jax.Array, answers: Answers, fitted: int, skills: int) -> jax.Array:
        """The chance of right answers to all questions after the first `fitted`: float32 [P, T - fitted]."""
        features, pause = jax.vmap(lambda row: self._seen(row, fitted, skills))(answers)
        adam = optimiser(0.05)
        start = jnp.array([1.0, 0.0, 0.0, 0.0])

        def likely(weights: jax.Array, features: jax.Array, pause: jax.Array) -> jax.Array:
            half = 2.0 ** jnp.clip(features @ weights[:3], -4.0, 8.0)
            return jax.nn.sigmoid(weights[3]) + (1.0 - jax.nn.sigmoid(weights[3])) * 2.0 ** -(pause / half)

        def loss(weights: jax.Array) -> jax.Array:
            now = likely(weights, features[:, :fitted], pause[:, :fitted])
            return -jnp.mean(log_chance(now, answers.right[:, :fitted]))

        def update(held: tuple[Any, Any], _: None) -> tuple[tuple[Any, Any], None]:
            weights, state = held
            change, state = adam.update(jax.grad(loss)(weights), state, weights)
            return (weights + change, state), None

        weights = jax.lax.scan(update, (start, adam.init(start)), None, length=self.updates)[0][0]
        return likely(weights, features[:, fitted:], pause[:, fitted:])

    def _seen(self, row: Answers, fitted: int, skills: int) -> tuple[jax.Array, jax.Array]:
        """Of each question of one pupil: features [T, 3], and the time since its skill was last asked for [T]."""

        def question(held: tuple[jax.Array, jax.Array], given: Any) -> tuple[Any, Any]:
            counts, since = held
            index, skill, pause, right = given
            since = since + pause
            seen = jnp.append(1.0, jnp.sqrt(counts[skill])), since[skill]
            # answers after the first `fitted` are never looked at
            answer = jnp.where(index < fitted, jnp.stack([right, 1.0 - right]), 0.0)
            return (counts.at[skill].add(answer), since.at[skill].set(0.0)), seen

        index = jnp.arange(row.skill.shape[0])
        begin = (jnp.zeros((skills, 2)), jnp.zeros(skills))
        return jax.lax.scan(question, begin, (index, row.skill, row.pause, row.right))[1]


@part
class Traced:
    """Fit the first answers and predict the rest; a function of a key.

    log_likelihood: nats of an answer that was predicted. recovered: the area under the curve of the graph's edges.
    """

    learners: Learners = Learners()
    model: Any = Tracing()
    """`Tracing`, or `HalfLife`."""
    fitted: int = 60
    """Answers of each pupil that are fitted."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Measure one seed."""
        making, fitting = keys.split(key, "pupils", "fit")
        answers, graph = self.learners(making)
        later = jax.tree.map(lambda leaf: leaf[:, self.fitted :], answers)
        if isinstance(self.model, HalfLife):
            likely = self.model(fitting, answers, self.fitted, self.learners.skills)
            return {"log_likelihood": jnp.mean(log_chance(likely, later.right)), "recovered": jnp.float32(0.5)}
        first = jax.tree.map(lambda leaf: leaf[:, : self.fitted], answers)
        traits = self.model.fitted(fitting, first.skill, first.pause, first.right)
        known, _ = self.model.traced(traits, first.skill, first.pause, first.right)
        likely = self.model.predicted(traits, known, later.skill, later.pause)
        found = area_under(self.model.edges(traits), graph)
        return {"log_likelihood": jnp.mean(log_chance(likely, later.right)), "recovered": found}


def area_under(scores: jax.Array, truth: jax.Array) -> jax.Array:
    """The chance that an edge has a higher score [K, K] than a pair that is none; a tie counts half. The diagonal is out."""
    off = 1.0 - jnp.eye(truth.shape[0])
    edge, none = (truth * off).ravel(), ((1.0 - truth) * off).ravel()
    flat = scores.ravel()
    above = (flat[:, None] > flat) + 0.5 * (flat[:, None] == flat)
    return edge @ above @ none / jnp.maximum(jnp.sum(edge) * jnp.sum(none), 1.0)
