"""Many orders of the same lessons of cards: what is kept after each, and whether a score predicts it."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.pupil import Pupil
from umwelt.claims.studies.cards import Schooled
from umwelt.core import keys, part
from umwelt.worlds.card_streams import names, split
from umwelt.worlds.cards import HELD_OUT, Cards
from umwelt.worlds.orders import scored

RULES = tuple((measure, recent) for measure in ("euclidean", "cosine") for recent in (False, True))
"""Scores of an order: which distance of class means, and whether only the class right before counts."""


@part
class Ordered:
    """Pupils that learn single classes of cards in many orders; a function of a key.

    A score and its sign are chosen by how they rank orders of the first half of the classes. rank: their Spearman
    correlation with the final accuracy over orders of the second half. spread: the variance of accuracies between
    orders over that of the same orders with other pupils.
    """

    world: Cards
    """Its lessons are single classes."""
    agent: Pupil
    orders: int = 20
    """Orders of each half, drawn at random."""
    pupils: int = 2
    """Pupils that learn in each order."""
    episodes: int = 2
    """Episodes of each row in a lesson."""
    examined: int = 40
    """Held-out cards of each class in the exam."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Measure one seed."""
        ordering, living, drawing = keys.split(key, "orders", "lives", "pictures")
        half = self.world.cards.classes // 2
        shuffle = jax.vmap(lambda each: jax.random.permutation(each, half))
        shuffled = shuffle(jax.random.split(ordering, 2 * self.orders)).reshape(2, self.orders, half)
        scores = []
        for number in range(2):
            apart = self.distances(drawing, number * half + jnp.arange(half))
            scores.append(jnp.stack([scored(shuffled[number], apart[measure], recent) for measure, recent in RULES]))
        # both halves in one call, which compiles once
        classes = (shuffled + half * jnp.arange(2)[:, None, None]).reshape(-1, half)
        first, kept = self.accuracies(living, classes).reshape(2, self.orders, self.pupils)
        chosen = jnp.stack([spearman(score, jnp.mean(first, axis=1)) for score in scores[0]])
        rule = jnp.argmax(jnp.abs(chosen))
        within = jnp.mean(jnp.var(kept, axis=1, ddof=1)) / self.pupils
        return {
            "rank": jnp.sign(chosen[rule]) * spearman(scores[1][rule], jnp.mean(kept, axis=1)),
            "spread": jnp.var(jnp.mean(kept, axis=1), ddof=1) / jnp.maximum(within, 1e-9),
            "accuracy": jnp.mean(kept),
        }

    def distances(self, key: jax.Array, classes: jax.Array) -> dict[str, jax.Array]:
        """Distances float32 [K, K] of the mean pictures of classes [K], by their names."""
        draw = jax.vmap(jax.vmap(self.world.cards.draw, (0, None, None)), (None, 0, None))
        means = jnp.mean(draw(jax.random.split(key, 100), classes, jnp.int32(0)).reshape(classes.shape[0], 100, -1), axis=1)
        length = jnp.linalg.norm(means, axis=1)
        return {
            "euclidean": jnp.linalg.norm(means[:, None] - means[None], axis=2),
            "cosine": 1.0 - means @ means.T / (length[:, None] * length),
        }

    def accuracies(self, key: jax.Array, orders: jax.Array) -> jax.Array:
        """The share of right answers at the end of orders int32 [O, L] of classes: float32 [O, pupils]."""
        living = jax.random.split(key, (orders.shape[0], self.pupils))
        return jax.vmap(jax.vmap(self._accuracy, (0, None)))(living, orders)

    def _accuracy(self, key: jax.Array, order: jax.Array) -> jax.Array:
        """Live through one order, and answer held-out cards of all its classes."""
        study = Schooled(world=self.world, agent=self.agent, order=("all",), episodes=self.episodes, examined=self.examined)
        tasks = self.world.tasks()
        titles = names(split(self.world.cards.classes, 1))
        lessons, exams = (
            jax.tree.map(
                lambda *leaves: jnp.stack([jnp.asarray(leaf) for leaf in leaves])[order], *(tasks[name + end] for name in titles)
            )
            for end in ("", HELD_OUT)
        )
        beginning, living, ending = keys.split(key, "begin", "live", "end")
        first = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf[0], (self.world.batch, *leaf.shape[1:])), lessons)
        agent = self.agent.init(beginning, self.world.spec)
        state, step = self.world.init(keys.fold(beginning, "world"), first)
        agent, _ = self.agent.see(beginning, agent, step)

        def block(life: Any, given: Any) -> tuple[Any, None]:
            key, lesson, following = given
            return study._lived(key, life, lesson, following), None

        following = jax.tree.map(lambda leaf: jnp.concatenate([leaf[1:], leaf[-1:]]), lessons)
        given = (jax.random.split(living, order.shape[0]), lessons, following)
        (_, agent, _), _ = jax.lax.scan(block, (state, agent, step), given)
        asked = [jax.tree.map(lambda leaf: leaf[index], exams) for index in range(order.shape[0])]  # noqa: B023 - used at once
        return jnp.mean(study._marks(ending, agent, asked))


def spearman(first: jax.Array, second: jax.Array) -> jax.Array:
    """The rank correlation float32 [] of two rows [N]; ties share their mean rank."""
    ranks = [jnp.sum(row[:, None] > row, axis=1) + 0.5 * jnp.sum(row[:, None] == row, axis=1) for row in (first, second)]
    centred = [rank - jnp.mean(rank) for rank in ranks]
    return jnp.sum(centred[0] * centred[1]) / jnp.maximum(jnp.linalg.norm(centred[0]) * jnp.linalg.norm(centred[1]), 1e-9)
