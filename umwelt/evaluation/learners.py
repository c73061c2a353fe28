"""Simulate pupils that answer questions: knowledge rises and falls by itself, and skills feed those that build on them."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import keys, part, struct


@struct
class Answers:
    """Questions of P pupils in order. skill: int32 [P, T]. pause: float32 [P, T], time since the question before. right:
    float32 [P, T], 1 for a right answer."""

    skill: jax.Array
    pause: jax.Array
    right: jax.Array


@part
class Learners:
    """Pupils of the process that "Predictive, scalable and interpretable knowledge tracing" (2024) assumes.

    Knowledge of each skill is drawn back to a level at a rate, both of the pupil. The level of a skill rises with the
    knowledge of its prerequisites. An answer is right with the logistic of the knowledge as its chance.

    >>> answers, graph = Learners(pupils=2, questions=5)(jax.random.key(0))
    >>> answers.right.shape, int(graph.sum()) <= 2 * 8
    ((2, 5), True)
    """

    pupils: int = 30
    """Pupils."""
    skills: int = 8
    """Skills."""
    questions: int = 120
    """Questions of each pupil."""
    prerequisites: int = 2
    """Skills that a skill builds on, at most; they come before it."""
    pull: float = 6.0
    """How strongly prerequisites count, the mean over pupils."""

    def __call__(self, key: jax.Array) -> tuple[Answers, jax.Array]:
        """Draw pupils and their answers; also the graph float32 [K, K], 1 where the row is a prerequisite of the column."""
        graphing, having, asking, living = keys.split(key, "graph", "traits", "questions", "lives")
        graph = self._graph(graphing)
        each = jax.random.normal(having, (4, self.pupils))
        rate, level = 0.3 * jnp.exp(0.3 * each[0]), 0.2 + 0.5 * each[1]
        noise, pull = 0.6 * jnp.exp(0.2 * each[2]), self.pull * jnp.exp(0.3 * each[3])
        choosing, pausing = jax.random.split(asking)
        skill = jax.random.randint(choosing, (self.pupils, self.questions), 0, self.skills)
        pause = jax.random.exponential(pausing, (self.pupils, self.questions))

        def life(key: jax.Array, rate: jax.Array, level: jax.Array, noise: jax.Array, pull: jax.Array, given: Any) -> jax.Array:
            def question(known: jax.Array, now: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
                key, skill, pause = now
                moving, answering = jax.random.split(key)
                stays = jnp.exp(-rate * pause)
                towards = level + pull * (known @ graph) / self.skills
                spread = noise * jnp.sqrt((1.0 - stays**2) / (2.0 * rate))
                known = towards * (1.0 - stays) + known * stays + spread * jax.random.normal(moving, (self.skills,))
                right = jax.random.bernoulli(answering, jax.nn.sigmoid(known[skill]))
                return known, right.astype(jnp.float32)

            start = 1.5 * jax.random.normal(key, (self.skills,))
            return jax.lax.scan(question, start, (jax.random.split(key, self.questions), *given))[1]

        right = jax.vmap(life)(jax.random.split(living, self.pupils), rate, level, noise, pull, (skill, pause))
        return Answers(skill=skill, pause=pause, right=right), graph

    def _graph(self, key: jax.Array) -> jax.Array:
        """float32 [K, K]: each skill builds on up to `prerequisites` of those before it."""
        drawn = jax.random.uniform(key, (self.skills, self.skills))
        before = jnp.arange(self.skills)[:, None] < jnp.arange(self.skills)
        rank = jnp.sum(jnp.where(before, drawn, 0.0)[:, None] > drawn[None], axis=0)
        return (before & (rank < self.prerequisites)).astype(jnp.float32)
