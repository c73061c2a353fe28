"""Trace what pupils know from their answers, and predict later ones: skills decay, and feed those that build on them.

"Predictive, scalable and interpretable knowledge tracing on structured domains" (2024). Its amortised inference is
replaced by an extended Kalman filter, whose likelihood is climbed by Adam.
"""

from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.core import keys, part, struct
from umwelt.networks.optimise import optimiser


@struct
class Traits:
    """What is fitted. log_rate, level, log_noise, log_pull: float32 [P], one of each pupil. source, sink: float32 [K, R],
    embeddings of skills; bias: float32 []. A skill i feeds a skill k by the logistic of source_i sink_k + bias."""

    log_rate: jax.Array
    level: jax.Array
    log_noise: jax.Array
    log_pull: jax.Array
    source: jax.Array
    sink: jax.Array
    bias: jax.Array


@struct
class Known:
    """What is believed of one pupil. mean: float32 [K]. spread: float32 [K, K]."""

    mean: jax.Array
    spread: jax.Array


@part
class Tracing:
    """A Kalman filter over the skills of a pupil, with traits of each pupil and one graph for all.

    >>> before = Known(mean=jnp.zeros(1), spread=jnp.eye(1))
    >>> after, _ = corrected(before, skill=jnp.int32(0), answer=jnp.float32(1.0))
    >>> round(float(after.mean[0]), 2)
    0.4
    """

    skills: int = 8
    """Skills."""
    graph: bool = True
    """Let skills feed others. Where not, each decays by itself."""
    answers: Literal["logistic", "gaussian"] = "logistic"
    """How answers follow from knowledge: by chance, or as numbers with unit noise."""
    rank: int = 3
    """Numbers of the embedding of a skill."""
    updates: int = 300
    """Updates of Adam."""
    learning_rate: float = 0.03
    """Of Adam."""
    prior: float = 1.0
    """How strongly traits are held to their mean over pupils, and the graph to few edges."""
    start: float = 2.0
    """The variance of each skill before the first answer."""

    cites = ("psi_kt_2024",)

    def init(self, key: jax.Array, pupils: int) -> Traits:
        """Traits that are the same for all pupils, and a graph of weak edges."""
        first, second = keys.split(key, "source", "sink")
        same = jnp.zeros(pupils)
        shape = (self.skills, self.rank)
        return Traits(
            log_rate=same - 1.0,
            level=same,
            log_noise=same - 0.5,
            log_pull=same + 1.0,
            source=0.3 * jax.random.normal(first, shape),
            sink=0.3 * jax.random.normal(second, shape),
            bias=jnp.float32(-1.5),
        )

    def edges(self, traits: Traits) -> jax.Array:
        """How much each skill (rows) feeds each other one (columns): float32 [K, K], 0 to 1, none feeds itself."""
        found = jax.nn.sigmoid(traits.source @ traits.sink.T + traits.bias)
        return found * (1.0 - jnp.eye(self.skills)) * self.graph

    def fitted(self, key: jax.Array, skill: jax.Array, pause: jax.Array, right: jax.Array) -> Traits:
        """Fit traits and graph to answers [P, T]."""
        traits = self.init(key, skill.shape[0])
        adam = optimiser(self.learning_rate)

        def loss(traits: Traits) -> jax.Array:
            scores = self.traced(traits, skill, pause, right)[1]
            own = (traits.log_rate, traits.level, traits.log_noise, traits.log_pull)
            held = sum(jnp.sum((each - jnp.mean(each)) ** 2) for each in own) + sum(jnp.mean(each) ** 2 for each in own)
            sparse = jnp.sum(self.edges(traits)) + jnp.sum(traits.source**2) + jnp.sum(traits.sink**2)
            return (-jnp.sum(scores) + self.prior * (held + 0.5 * sparse)) / right.size

        def update(held: tuple[Any, Any], _: None) -> tuple[tuple[Any, Any], None]:
            traits, state = held
            change, state = adam.update(jax.grad(loss)(traits), state, traits)
            return (jax.tree.map(jnp.add, traits, change), state), None

        return jax.lax.scan(update, (traits, adam.init(traits)), None, length=self.updates)[0][0]

    def traced(self, traits: Traits, skill: jax.Array, pause: jax.Array, right: jax.Array) -> tuple[Known, jax.Array]:
        """Filter answers [P, T]: what is known at the end, leaves [P, ...], and the log likelihood of each [P, T]."""

        def pupil(index: jax.Array, skill: jax.Array, pause: jax.Array, right: jax.Array) -> tuple[Known, jax.Array]:
            def question(known: Known, given: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[Known, jax.Array]:
                skill, pause, right = given
                return corrected(self.later(traits, index, known, pause), skill, right, self.answers)

            return jax.lax.scan(question, self.opening(), (skill, pause, right))

        return jax.vmap(pupil)(jnp.arange(skill.shape[0]), skill, pause, right)

    def predicted(self, traits: Traits, known: Known, skill: jax.Array, pause: jax.Array) -> jax.Array:
        """The chance of right answers [P, T] to questions that follow, without looking at any of their answers."""

        def pupil(index: jax.Array, known: Known, skill: jax.Array, pause: jax.Array) -> jax.Array:
            def question(known: Known, given: tuple[jax.Array, jax.Array]) -> tuple[Known, jax.Array]:
                known = self.later(traits, index, known, given[1])
                return known, chance(known, given[0])

            return jax.lax.scan(question, known, (skill, pause))[1]

        return jax.vmap(pupil)(jnp.arange(skill.shape[0]), known, skill, pause)

    def opening(self) -> Known:
        """What is known of a pupil before any answer."""
        return Known(mean=jnp.zeros(self.skills), spread=self.start * jnp.eye(self.skills))

    def later(self, traits: Traits, pupil: jax.Array, known: Known, pause: jax.Array) -> Known:
        """What is known of one pupil after a pause."""
        rate, noise = jnp.exp(traits.log_rate[pupil]), jnp.exp(traits.log_noise[pupil])
        pull = jnp.exp(traits.log_pull[pupil])
        stays = jnp.exp(-rate * pause)
        moves = stays * jnp.eye(self.skills) + (1.0 - stays) * pull * self.edges(traits).T / self.skills
        added = noise**2 * (1.0 - stays**2) / (2.0 * rate)
        mean = moves @ known.mean + (1.0 - stays) * traits.level[pupil]
        return Known(mean=mean, spread=moves @ known.spread @ moves.T + added * jnp.eye(self.skills))


def corrected(known: Known, skill: jax.Array, answer: jax.Array, answers: str = "logistic") -> tuple[Known, jax.Array]:
    """What is known after an answer to a question about a skill, and the log likelihood of the answer."""
    across = known.spread[:, skill]
    mean, variance = known.mean[skill], across[skill]
    if answers == "gaussian":
        total = variance + 1.0
        score = -0.5 * ((answer - mean) ** 2 / total + jnp.log(2.0 * jnp.pi * total))
        gain = across / total
        return Known(mean=known.mean + gain * (answer - mean), spread=known.spread - jnp.outer(gain, across)), score
    likely = jax.nn.sigmoid(mean)
    slope = likely * (1.0 - likely)
    gain = across / (1.0 + slope * variance)
    after = Known(mean=known.mean + gain * (answer - likely), spread=known.spread - slope * jnp.outer(gain, across))
    return after, log_chance(chance(known, skill), answer)


def chance(known: Known, skill: jax.Array) -> jax.Array:
    """The chance of a right answer float32 [], with what is not known of the skill averaged out."""
    return jax.nn.sigmoid(known.mean[skill] / jnp.sqrt(1.0 + jnp.pi * known.spread[skill, skill] / 8.0))


def log_chance(chance: jax.Array, answer: jax.Array) -> jax.Array:
    """The log likelihood of answers under chances of right ones."""
    safe = jnp.clip(chance, 1e-4, 1.0 - 1e-4)
    return answer * jnp.log(safe) + (1.0 - answer) * jnp.log1p(-safe)
