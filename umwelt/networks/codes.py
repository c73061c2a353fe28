"""Codes: whole numbers that stand for vectors, such as a few typical actions.

`KMeans` has one level of codes, each the middle of a cell. `Residual` has several: each level codes what the levels before
it left over, in the latent space of an autoencoder. Both are fitted in their first lessons and frozen then, so that what
is learned about codes keeps its meaning.
"""

from dataclasses import replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.core import keys, part, struct
from umwelt.networks import layers
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped


class Codes(Protocol):
    """Codes of vectors. `levels` codes stand for one vector, each one of `number`."""

    @property
    def levels(self) -> int: ...
    @property
    def number(self) -> int: ...

    def init(self, key: jax.Array, width: int) -> Any:
        """Begin without codes, for vectors of `width` numbers."""
        ...

    def fitted(self, state: Any) -> jax.Array:
        """bool []: whether the lessons are over, and the codes frozen."""
        ...

    def fit(self, key: jax.Array, state: Any, rows: jax.Array, weight: jax.Array) -> Any:
        """Take one lesson from rows [N, D] where weight [N] is above 0; a lesson without any does not count. After the
        last one, nothing changes."""
        ...

    def encode(self, state: Any, rows: jax.Array) -> jax.Array:
        """Code rows [N, D]: int32 [N, levels]."""
        ...

    def decode(self, state: Any, codes: jax.Array) -> jax.Array:
        """Give the vectors that codes [N, levels] stand for: float32 [N, D]."""
        ...


@struct
class KMeansState:
    """rows: float32 [G, M, D], kept of the first lessons. centres: float32 [R, k, D], of each restart. errors: float32 [R],
    the mean squared distance to them. lessons: int32 []."""

    rows: jax.Array
    centres: jax.Array
    errors: jax.Array
    lessons: jax.Array


@part
class KMeans:
    """The middles of clusters: k-means++, several restarts of which the best counts, and a fixed number of iterations.

    The first lessons keep rows; each further lesson is one iteration on all that were kept.
    """

    number: int = 16
    """Clusters."""
    restarts: int = 4
    """Beginnings that are tried."""
    iterations: int = 30
    """Lessons that move the middles."""
    gather: int = 16
    """Lessons that keep rows."""
    kept: int = 256
    """Rows that each of those keeps."""

    levels = 1

    def init(self, key: jax.Array, width: int) -> KMeansState:
        """Begin without rows."""
        return KMeansState(
            rows=jnp.zeros((self.gather, self.kept, width), jnp.float32),
            centres=jnp.zeros((self.restarts, self.number, width), jnp.float32),
            errors=jnp.zeros(self.restarts, jnp.float32),
            lessons=jnp.int32(0),
        )

    def fitted(self, state: KMeansState) -> jax.Array:
        """bool []: whether the middles are final."""
        return state.lessons >= self.gather + self.iterations

    def fit(self, key: jax.Array, state: KMeansState, rows: jax.Array, weight: jax.Array) -> KMeansState:
        """Keep some of the rows [N, D], or move the middles once."""
        drawing, seeding = keys.split(key, "draw", "seed")
        some = jnp.any(weight > 0)
        drawn = jax.random.choice(drawing, rows.shape[0], (self.kept,), p=(weight > 0) / jnp.maximum(jnp.sum(weight > 0), 1))
        held = state.rows.at[state.lessons].set(rows[drawn], mode="drop")
        every = held.reshape(-1, rows.shape[1])
        begun = jax.vmap(lambda key: seeds(key, every, self.number))(jax.random.split(seeding, self.restarts))
        moved, errors = jax.vmap(iterated, (0, None))(state.centres, every)
        centres = jnp.where(state.lessons < self.gather, begun, moved)
        after = replace(state, rows=held, centres=centres, errors=errors, lessons=state.lessons + 1)
        due = some & ~self.fitted(state)
        return jax.tree.map(lambda new, old: jnp.where(due, new, old), after, state)

    def encode(self, state: KMeansState, rows: jax.Array) -> jax.Array:
        """The nearest middle of each row [N, D]: int32 [N, 1]."""
        return nearest(self._best(state), rows)[:, None]

    def decode(self, state: KMeansState, codes: jax.Array) -> jax.Array:
        """The middles themselves, float32 [N, D]."""
        return self._best(state)[codes[:, 0]]

    def _best(self, state: KMeansState) -> jax.Array:
        return state.centres[jnp.argmin(state.errors)]


@struct
class ResidualState:
    """encoder: [D] -> [Z]. decoder: [Z] -> [D]. books: float32 [G, C, Z], the codes of each level. uses: float32 [G, C],
    running share of rows that have each code. sums: float32 [G, C, Z], running mean of those rows, times their share.
    optimiser: Optax's. lessons: int32 []."""

    encoder: Stack
    decoder: Stack
    books: jax.Array
    uses: jax.Array
    sums: jax.Array
    optimiser: Any
    lessons: jax.Array


@part
class Residual:
    """A residual vector quantiser: an autoencoder whose latent vector is a sum of codes, one of each level.

    The codes of a level are running means of what they stand for. A code that is hardly used is set to a row that is drawn
    at random, because no row would ever reach it otherwise.
    """

    levels: int = 2
    """Codes of one vector, coarse to fine."""
    number: int = 16
    """Codes of each level."""
    latent: int = 32
    """Width of the latent space."""
    units: int = 128
    """Width of the one hidden layer of encoder and decoder."""
    lessons: int = 1000
    """Lessons until encoder, decoder and codes are frozen."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    commitment: float = 5.0
    """Weight of the distance from a latent vector to its codes, beside the absolute error of what is decoded."""
    decay: float = 0.98
    """Share of the running means that each lesson keeps."""
    dead: float = 0.1
    """A code is set to another row where its use is below this share of an even one."""

    def init(self, key: jax.Array, width: int) -> ResidualState:
        """Begin with codes of no use, which the first lesson sets."""
        for_encoder, for_decoder = keys.split(key, "encoder", "decoder")
        encoder = layers.stack(for_encoder, (width, self.units, self.latent), normed=False)
        decoder = layers.stack(for_decoder, (self.latent, self.units, width), normed=False)
        shape = (self.levels, self.number)
        return ResidualState(
            encoder=encoder,
            decoder=decoder,
            books=jnp.zeros((*shape, self.latent), jnp.float32),
            uses=jnp.zeros(shape, jnp.float32),
            sums=jnp.zeros((*shape, self.latent), jnp.float32),
            optimiser=optimiser(self.learning_rate).init((encoder, decoder)),
            lessons=jnp.int32(0),
        )

    def fitted(self, state: ResidualState) -> jax.Array:
        """bool []: whether the lessons are over."""
        return state.lessons >= self.lessons

    def fit(self, key: jax.Array, state: ResidualState, rows: jax.Array, weight: jax.Array) -> ResidualState:
        """Update encoder and decoder once by gradient, and the codes as running means."""
        weight = (weight > 0) / jnp.maximum(jnp.sum(weight > 0), 1)

        def miss(both: tuple[Stack, Stack]) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
            latent = layers.apply(both[0], rows, jax.nn.relu)
            codes, left = quantised(state.books, latent)
            rounded = jax.lax.stop_gradient(latent - left[:, -1])
            decoded = layers.apply(both[1], straight_through(latent, rounded), jax.nn.relu)
            each = jnp.mean(jnp.abs(decoded - rows), axis=-1) + self.commitment * jnp.mean((latent - rounded) ** 2, axis=-1)
            return jnp.sum(weight * each), (codes, left)

        both = (state.encoder, state.decoder)
        gradient, (codes, left) = jax.grad(miss, has_aux=True)(both)
        (encoder, decoder), optimised = stepped(optimiser(self.learning_rate), gradient, state.optimiser, both)
        # what each level was to code: [N, G, Z]
        wanted = left[:, :-1]
        chosen = jax.nn.one_hot(codes, self.number) * weight[:, None, None]
        uses = self.decay * state.uses + (1.0 - self.decay) * jnp.sum(chosen, axis=0)
        sums = self.decay * state.sums + (1.0 - self.decay) * jnp.einsum("ngc,ngz->gcz", chosen, wanted)
        drawn = jax.random.choice(key, rows.shape[0], (self.levels, self.number), p=weight)
        fresh = jnp.take_along_axis(jnp.swapaxes(wanted, 0, 1), drawn[:, :, None], axis=1)
        lost = (uses < self.dead / self.number)[:, :, None]
        uses = jnp.where(lost[:, :, 0], 1.0 / self.number, uses)
        sums = jnp.where(lost, fresh / self.number, sums)
        after = ResidualState(
            encoder=encoder,
            decoder=decoder,
            books=sums / uses[:, :, None],
            uses=uses,
            sums=sums,
            optimiser=optimised,
            lessons=state.lessons + 1,
        )
        due = jnp.any(weight > 0) & ~self.fitted(state)
        return jax.tree.map(lambda new, old: jnp.where(due, new, old), after, state)

    def encode(self, state: ResidualState, rows: jax.Array) -> jax.Array:
        """The codes of rows [N, D]: int32 [N, levels]."""
        return quantised(state.books, layers.apply(state.encoder, rows, jax.nn.relu))[0]

    def decode(self, state: ResidualState, codes: jax.Array) -> jax.Array:
        """What the decoder makes of the sums of codes [N, levels]: float32 [N, D]."""
        chosen = jax.vmap(lambda book, codes: book[codes], (0, 1))(state.books, codes)
        return layers.apply(state.decoder, jnp.sum(chosen, axis=0), jax.nn.relu)


def nearest(centres: jax.Array, rows: jax.Array) -> jax.Array:
    """Find the nearest of centres [k, D] to rows [N, D]: int32 [N]."""
    return jnp.argmin(_distances(centres, rows), axis=1).astype(jnp.int32)


def seeds(key: jax.Array, rows: jax.Array, number: int) -> jax.Array:
    """Draw the first centres [number, D] among rows [N, D] (k-means++). The chance of a row is in proportion to its squared
    distance from those that are drawn already."""
    keys_ = jax.random.split(key, number)
    first = rows[jax.random.randint(keys_[0], (), 0, rows.shape[0])]

    def another(held: tuple[jax.Array, jax.Array], given: tuple[jax.Array, jax.Array]) -> tuple[Any, None]:
        centres, apart = held
        key, index = given
        # where all rows are alike, any will do
        chosen = rows[jax.random.categorical(key, jnp.log(apart + 1e-12))]
        apart = jnp.minimum(apart, jnp.sum((rows - chosen) ** 2, axis=-1))
        return (centres.at[index].set(chosen), apart), None

    begun = (jnp.broadcast_to(first, (number, rows.shape[1])), jnp.sum((rows - first) ** 2, axis=-1))
    (centres, _), _ = jax.lax.scan(another, begun, (keys_[1:], jnp.arange(1, number)))
    return centres


def iterated(centres: jax.Array, rows: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Move each of the centres [k, D] to the mean of the rows [N, D] that are nearest to it, where there are any; also the
    mean squared distance before, float32 []."""
    apart = _distances(centres, rows)
    chosen = jax.nn.one_hot(jnp.argmin(apart, axis=1), centres.shape[0])
    number = jnp.sum(chosen, axis=0)[:, None]
    means = chosen.T @ rows / jnp.maximum(number, 1.0)
    return jnp.where(number > 0, means, centres), jnp.mean(jnp.min(apart, axis=1))


def quantised(books: jax.Array, latent: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Code latent vectors [N, Z] by the nearest code of each level, of books [G, C, Z].

    Returns the codes int32 [N, G], and what is left over before each level and after the last, float32 [N, G + 1, Z].
    """
    codes, left = [], [latent]
    for book in books:
        codes.append(nearest(book, left[-1]))
        left.append(left[-1] - book[codes[-1]])
    return jnp.stack(codes, axis=1), jnp.stack(left, axis=1)


def straight_through(value: jax.Array, rounded: jax.Array) -> jax.Array:
    """The rounded value, with the gradient of the value itself."""
    return value + jax.lax.stop_gradient(rounded - value)


def _distances(centres: jax.Array, rows: jax.Array) -> jax.Array:
    """Squared distances, float32 [N, k]. They are summed entry by entry: a difference of large squares would be noise."""
    return jnp.sum((rows[:, None] - centres) ** 2, axis=-1)
