"""Networks that read pairs of an item and its label, and then name the label of an item that is asked for.

Such a network can name it in context, where a pair shows the class, or in weights, where it has met the class before.
What it practises on decides which of the two it learns.
"""

from collections.abc import Callable
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import keys, part, struct
from umwelt.networks import gru, layers, transformer
from umwelt.networks.gru import Gru
from umwelt.networks.layers import Layer
from umwelt.networks.optimise import optimiser, stepped
from umwelt.networks.transformer import Transformer
from umwelt.worlds.card_sets import CardSet, Digits

IN_CONTEXT = Measure(name="in_context", unit="share", better="up")
"""Right answers where the class is new and two pairs show it."""
IN_WEIGHTS = Measure(name="in_weights", unit="share", better="up")
"""Right answers where the class is one of practice, as often as there, and no pair shows it."""
UNSEEN = Measure(name="unseen", unit="share", better="up")
"""Right answers in tasks that are new."""
SEEN = Measure(name="seen", unit="share", better="up")
"""Right answers in tasks of practice, on pictures that are new."""
GAP = Measure(name="gap", unit="share", better="down")
"""Right answers in tasks of practice, less those in new ones."""


@struct
class Asked:
    """items: float32 [N, P, F], and labels: int32 [N, P], the pairs. queries: float32 [N, Q, F], and answers: int32 [N, Q]."""

    items: jax.Array
    labels: jax.Array
    queries: jax.Array
    answers: jax.Array


@struct
class Weights:
    """read: a layer from a pair or a query to a token. body: over tokens. head: a layer from a token to logits."""

    read: Layer
    body: Any
    head: Layer


class Reader(Protocol):
    """A network of pairs and queries. No query reads another one."""

    def init(self, key: jax.Array, wide: int, labels: int) -> Weights:
        """Draw weights for items of so many numbers."""
        ...

    def logits(self, weights: Weights, asked: Asked) -> jax.Array:
        """Weigh the labels of each query: float32 [N, Q, labels]."""
        ...


@part
class Attention:
    """A transformer. Pairs read pairs, a query reads pairs and itself; there are no places."""

    width: int = 64
    blocks: int = 2
    heads: int = 1

    def init(self, key: jax.Array, wide: int, labels: int) -> Weights:
        """Draw weights."""
        read, body, head = keys.split(key, "read", "body", "head")
        return Weights(
            read=layers.layer(read, 1 + wide + labels, self.width),
            body=transformer.transformer(body, 1, self.width, self.blocks, self.heads),
            head=layers.layer(head, self.width, labels),
        )

    def logits(self, weights: Weights, asked: Asked) -> jax.Array:
        """Weigh the labels of all queries at once."""
        body: Transformer = weights.body
        pairs, queries = tokens(weights, asked)
        known, length = pairs.shape[1], pairs.shape[1] + queries.shape[1]
        mask = (jnp.arange(length) < known)[None] | jnp.eye(length, dtype=bool)
        places = jnp.zeros(length, jnp.int32)
        found = transformer.apply(body, jnp.concatenate([pairs, queries], axis=1), mask, places)[:, known:]
        return layers.finished(weights.head, found @ weights.head.weight)


@part
class Recurrence:
    """A gated recurrent unit, about as many weights as those of `Attention`. It reads the pairs in order, then one query."""

    width: int = 64
    units: int = 150

    def init(self, key: jax.Array, wide: int, labels: int) -> Weights:
        """Draw weights."""
        read, body, head = keys.split(key, "read", "body", "head")
        return Weights(
            read=layers.layer(read, 1 + wide + labels, self.width),
            body=gru.gru(body, self.width, self.units),
            head=layers.layer(head, self.units, labels),
        )

    def logits(self, weights: Weights, asked: Asked) -> jax.Array:
        """Weigh the labels of each query after the same summary of the pairs."""
        body: Gru = weights.body
        pairs, queries = tokens(weights, asked)
        summary, _ = gru.run(body, gru.zeros(body, pairs.shape[0]), jnp.swapaxes(pairs, 0, 1))
        found = jax.vmap(lambda query: gru.step(body, summary, query), in_axes=1, out_axes=1)(queries)
        return layers.finished(weights.head, found @ weights.head.weight)


def tokens(weights: Weights, asked: Asked) -> tuple[jax.Array, jax.Array]:
    """Pairs [N, P, W] and queries [N, Q, W] as tokens. The label of a query is zeros, and a mark says that it asks."""
    labels = weights.head.weight.shape[-1]
    shown = jnp.pad(jnp.concatenate([asked.items, jax.nn.one_hot(asked.labels, labels)], axis=-1), ((0, 0), (0, 0), (1, 0)))
    asks = jnp.pad(asked.queries, ((0, 0), (0, 0), (1, labels))).at[..., 0].set(1.0)
    pairs, queries = (layers.finished(weights.read, rows @ weights.read.weight) for rows in (shown, asks))
    return pairs, queries


def practised(
    reader: Reader, weights: Weights, draw: Callable[[jax.Array], Asked], key: jax.Array, updates: int, rate: float
) -> Weights:
    """Take so many steps of Adam on the cross entropy of the answers, each on contexts that are drawn for it."""
    chain = optimiser(rate, clip=1.0)

    def miss(weights: Weights, asked: Asked) -> jax.Array:
        named = jax.nn.log_softmax(reader.logits(weights, asked), axis=-1)
        return -jnp.mean(jnp.take_along_axis(named, asked.answers[..., None], axis=-1))

    def update(held: tuple[Weights, Any], key: jax.Array) -> tuple[tuple[Weights, Any], None]:
        weights, state = held
        return stepped(chain, jax.grad(miss)(weights, draw(key)), state, weights), None

    return jax.lax.scan(update, (weights, chain.init(weights)), jax.random.split(key, updates))[0][0]


def right(reader: Reader, weights: Weights, asked: Asked) -> jax.Array:
    """The share of right answers: float32 []."""
    return jnp.mean(jnp.argmax(reader.logits(weights, asked), axis=-1) == asked.answers)


@part
class Bursts:
    """Practises on pairs of made-up classes, which come in bursts or do not. A function of a key.

    A class is a point in space, drawn from a unit normal, and has a label for good. In a bursty context the class that is
    asked for stands among the pairs `copies` times, and so do others; in the rest each pair is drawn by itself.
    """

    reader: Reader
    share: float = 1.0
    """The share of contexts that are bursty."""
    exponent: float = 0.0
    """The class of rank r is drawn as often as r to the power of minus this."""
    classes: int = 1024
    labels: int = 32
    width: int = 16
    """Numbers of an item."""
    pairs: int = 8
    copies: int = 2
    noise: float = 0.2
    """The deviation of an item's numbers from those of its class."""
    updates: int = 2000
    batch: int = 64
    """Contexts of one update, with one query each."""
    rate: float = 1e-3
    """Step size of Adam."""
    probes: int = 1000

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Practise and be examined: {measure: float32 []}."""
        placing, beginning, learning, probing = keys.split(key, "place", "begin", "learn", "probe")
        middles = jax.random.normal(placing, (self.classes, self.width))
        weights = self.reader.init(beginning, self.width, self.labels)
        weights = practised(
            self.reader, weights, lambda key: self.contexts(key, middles, self.batch), learning, self.updates, self.rate
        )
        new, old = self.of_new_classes(probing, self.probes), self.without_the_class(probing, middles, self.probes)
        return {"in_context": right(self.reader, weights, new), "in_weights": right(self.reader, weights, old)}

    def frequencies(self) -> jax.Array:
        """How often each class is drawn: float32 [classes], which sum to one."""
        drawn = jnp.arange(1, self.classes + 1, dtype=jnp.float32) ** -self.exponent
        return drawn / jnp.sum(drawn)

    def named(self, key: jax.Array, number: int) -> tuple[jax.Array, jax.Array]:
        """Draw the classes of practice: those of pairs, int32 [N, P], and of queries, int32 [N]."""
        bursting, asking, filling, mixing = keys.split(key, "burst", "ask", "fill", "mix")
        query = jax.random.choice(asking, self.classes, (number,), p=self.frequencies())
        others = jax.random.choice(filling, self.classes, (number, self.pairs), p=self.frequencies())
        few = others.at[:, 0].set(query)[:, : self.pairs // self.copies]
        bursts = jax.random.permutation(mixing, jnp.repeat(few, self.copies, axis=1), axis=1, independent=True)
        bursty = jax.random.uniform(bursting, (number, 1)) < self.share
        return jnp.where(bursty, bursts, others), query

    def contexts(self, key: jax.Array, middles: jax.Array, number: int) -> Asked:
        """Draw contexts of practice."""
        naming, placing = keys.split(key, "name", "place")
        shown, query = self.named(naming, number)
        return self._placed(placing, middles[shown], shown % self.labels, middles[query], query % self.labels)

    def without_the_class(self, key: jax.Array, middles: jax.Array, number: int) -> Asked:
        """Draw contexts whose pairs are of other classes of practice than the query."""
        asking, filling, placing = keys.split(key, "ask", "fill", "place")
        chances = jnp.log(self.frequencies())
        query = jax.random.categorical(asking, chances, shape=(number,))
        others = jnp.where(jnp.arange(self.classes) == query[:, None], -jnp.inf, chances)
        shown = jnp.swapaxes(jax.random.categorical(filling, others, axis=-1, shape=(self.pairs, number)), 0, 1)
        return self._placed(placing, middles[shown], shown % self.labels, middles[query], query % self.labels)

    def of_new_classes(self, key: jax.Array, number: int) -> Asked:
        """Draw bursty contexts of classes that nothing met before, each with another label."""
        drawing, labelling, mixing, placing = keys.split(key, "draw", "label", "mix", "place")
        few = self.pairs // self.copies
        middles = jax.random.normal(drawing, (number, few, self.width))
        every = jnp.broadcast_to(jnp.arange(self.labels), (number, self.labels))
        labels = jax.random.permutation(labelling, every, axis=1, independent=True)[:, :few]
        which = jnp.broadcast_to(jnp.repeat(jnp.arange(few), self.copies), (number, self.pairs))
        which = jax.random.permutation(mixing, which, axis=1, independent=True)
        shown, names = jax.vmap(lambda rows, which: rows[which])(middles, which), jnp.take_along_axis(labels, which, axis=1)
        return self._placed(placing, shown, names, middles[:, 0], labels[:, 0])

    def _placed(self, key: jax.Array, shown: jax.Array, labels: jax.Array, asked: jax.Array, answer: jax.Array) -> Asked:
        """Draw items about the middles of their classes, [N, P, F] and [N, F]."""
        for_pairs, for_queries = keys.split(key, "pairs", "queries")
        return Asked(
            items=shown + self.noise * jax.random.normal(for_pairs, shown.shape),
            labels=labels,
            queries=(asked + self.noise * jax.random.normal(for_queries, asked.shape))[:, None],
            answers=answer[:, None],
        )


@part
class Mapped:
    """Practises on pictures under some number of tasks. A function of a key.

    A task is a random linear map of the pictures, and an order of the labels; no number of a task is shown. Pictures are
    centred before.
    """

    reader: Reader
    tasks: int = 2**14
    """How many tasks there are in practice."""
    cards: CardSet = Digits()
    width: int = 32
    """Numbers of a mapped picture."""
    pairs: int = 32
    queries: int = 16
    """Queries of one context, each answered by itself."""
    updates: int = 5000
    batch: int = 16
    """Contexts of one update, each of a task."""
    rate: float = 1e-3
    """Step size of Adam."""
    probes: int = 200

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Practise and be examined: {measure: float32 []}."""
        tasking, measuring, beginning, learning, probing = keys.split(key, "task", "measure", "begin", "learn", "probe")
        middle = self.middle(measuring)

        def drawn(key: jax.Array, number: int, first: int, last: int, held_out: int) -> Asked:
            choosing, showing = keys.split(key, "choose", "show")
            numbers = jax.random.randint(choosing, (number,), first, last)
            show = jax.vmap(lambda key, number: self.context(key, jax.random.fold_in(tasking, number), middle, held_out))
            return show(jax.random.split(showing, number), numbers)

        weights = self.reader.init(beginning, self.width, self.cards.classes)
        weights = practised(
            self.reader, weights, lambda key: drawn(key, self.batch, 0, self.tasks, 0), learning, self.updates, self.rate
        )
        seen = right(self.reader, weights, drawn(probing, self.probes, 0, self.tasks, 1))
        unseen = right(self.reader, weights, drawn(probing, self.probes, self.tasks, self.tasks + 2**14, 1))
        return {"seen": seen, "unseen": unseen, "gap": seen - unseen}

    def middle(self, key: jax.Array) -> jax.Array:
        """The mean of a thousand pictures of practice: float32 [h w]."""
        return jnp.mean(self._pictures(key, jnp.arange(1000) % self.cards.classes, 0), axis=0)

    def context(self, key: jax.Array, task: jax.Array, middle: jax.Array, held_out: int) -> Asked:
        """Draw a context of the task that the second key stands for; its arrays have no leading axis."""
        classing, drawing = keys.split(key, "class", "draw")
        mapping, ordering = keys.split(task, "map", "order")
        classes = jax.random.randint(classing, (self.pairs + self.queries,), 0, self.cards.classes)
        linear = jax.random.normal(mapping, (middle.size, self.width)) / jnp.sqrt(middle.size)
        items = (self._pictures(drawing, classes, held_out) - middle) @ linear
        labels = jax.random.permutation(ordering, self.cards.classes)[classes]
        cut = self.pairs
        return Asked(items=items[:cut], labels=labels[:cut], queries=items[cut:], answers=labels[cut:])

    def _pictures(self, key: jax.Array, classes: jax.Array, held_out: int) -> jax.Array:
        """Draw a picture of each class [N]: float32 [N, h w]."""
        draw = jax.vmap(lambda key, each: self.cards.draw(key, each, jnp.int32(held_out)))
        return draw(jax.random.split(key, classes.shape[0]), classes).reshape(classes.shape[0], -1)
