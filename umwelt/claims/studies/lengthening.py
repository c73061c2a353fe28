"""Parities of more and more bits, learned with one head at a time or with all heads so far: the study of time constants."""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.claims.arms import Measure
from umwelt.core import keys, part
from umwelt.evaluation import timescales
from umwelt.evaluation.timescales import SHORTEST, Leaky
from umwelt.networks.optimise import optimiser, stepped

UPDATES = Measure(name="updates", unit="updates", better="down")
"""Until the longest parity is learned; those of the whole life where it never is."""
RISE = Measure(name="rise", unit="times", better="down")
"""The mean time constant at the end over that at the beginning."""
GROWTH = Measure(name="growth", unit="times", better="up")
"""The same, where it is expected to grow."""
KEPT = Measure(name="kept", unit="share", better="up")
"""The lowest accuracy of all shorter parities at the end, each by the head that learned it."""


@part
class Lengthening:
    """A network that learns parities in order of length. A function of a seed's number."""

    heads: Literal["all", "one"] = "all"
    """Whether a lesson holds all parities up to the present one, each with a head, or the present one alone."""
    longest: int = 12
    """Bits of the last parity."""
    units: int = 128
    """Units of the network."""
    batch: int = 64
    """Sequences of an update, each of N + 2 to 4 N bits."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    enough: float = 0.98
    """Accuracy at which the next parity is due."""
    every: int = 100
    """Updates between two exams."""
    most: int = 20_000
    """Updates of a whole life."""

    def __call__(self, seed: int) -> dict[str, float]:
        """Learn: {measure: number}."""
        return {name: float(value) for name, value in jax.jit(self.learned)(jax.random.key(seed)).items()}

    def learned(self, key: jax.Array) -> dict[str, jax.Array]:
        """Learn until the longest parity is known, or the life is over: {measure: float32 []}."""
        beginning, living, ending = keys.split(key, "begin", "live", "end")
        network = timescales.drawn(beginning, self.units, self._number)
        held = (network, optimiser(self.learning_rate, clip=1.0).init(network), jnp.int32(0), jnp.int32(0))

        def stretch(life: Any) -> Any:
            network, optimised, head, updates = life
            learning, marking = keys.split(jax.random.fold_in(living, updates), "learn", "mark")
            lesson = lambda bits: lambda: self._stretch(learning, network, optimised, head, bits)  # noqa: E731
            network, optimised = jax.lax.switch(self._size(head), [lesson(bits) for bits in self._sizes])
            known = self._accuracy(marking, network, head)[head] >= self.enough
            onward = timescales.handed_on(network, head) if self.heads == "one" else network
            network = jax.tree.map(lambda new, old: jnp.where(known, new, old), onward, network)
            return network, optimised, head + known, updates + self.every

        def goes_on(life: Any) -> jax.Array:
            return (life[2] < self._number) & (life[3] < self.most)

        after, _, head, updates = jax.lax.while_loop(goes_on, stretch, held)
        last = jnp.minimum(head, self._number - 1)
        rise = jnp.mean(after.constants) / jnp.mean(network.constants)
        marks = self._accuracy(ending, after, last)
        kept = jnp.min(jnp.where(jnp.arange(self._number) < last, marks, 1.0))
        return {"updates": updates.astype(jnp.float32), "rise": rise, "growth": rise, "kept": kept, "reached": last + SHORTEST}

    def _stretch(self, key: jax.Array, network: Leaky, optimised: Any, head: jax.Array, bits: int) -> Any:
        """Take so many updates as lie between two exams, on sequences of at most `bits`."""
        every = jnp.arange(self._number)
        taught = (every <= head) if self.heads == "all" else (every == head)

        def update(held: Any, key: jax.Array) -> tuple[Any, None]:
            sequences, lengths = self._drawn(key, head, bits, self.batch)
            odd = timescales.parities(sequences, self._number)

            def miss(network: Leaky) -> jax.Array:
                said = timescales.logits(network, timescales.remembered(network, sequences, lengths))
                each = jnp.mean(jax.nn.softplus(jnp.where(odd, -said, said)), axis=1)
                return jnp.sum(taught * each) / jnp.sum(taught)

            network, optimised = held
            gradient = jax.grad(miss)(network)
            network, optimised = stepped(optimiser(self.learning_rate, clip=1.0), gradient, optimised, network)
            return (replace(network, constants=jnp.maximum(network.constants, 1.0)), optimised), None

        return jax.lax.scan(update, (network, optimised), jax.random.split(key, self.every))[0]

    def _accuracy(self, key: jax.Array, network: Leaky, head: jax.Array) -> jax.Array:
        """How often each head is right on 1,024 sequences of the present lengths: float32 [K]."""
        sequences, lengths = self._drawn(key, head, self._sizes[-1], 1024)
        said = timescales.logits(network, timescales.remembered(network, sequences, lengths))
        return jnp.mean((said > 0) == timescales.parities(sequences, self._number), axis=1)

    def _drawn(self, key: jax.Array, head: jax.Array, bits: int, number: int) -> tuple[jax.Array, jax.Array]:
        """Bits float32 [T, number], and how many of the last of each are shown."""
        for_bits, for_lengths = keys.split(key, "bits", "lengths")
        sequences = jax.random.bernoulli(for_bits, 0.5, (bits, number)).astype(jnp.float32)
        present = head + SHORTEST
        return sequences, jax.random.randint(for_lengths, (number,), present + 2, 4 * present + 1)

    @property
    def _number(self) -> int:
        return self.longest - SHORTEST + 1

    @property
    def _sizes(self) -> tuple[int, ...]:
        """Lengths of sequences that programs are compiled for: three of them."""
        return tuple(-(-4 * self.longest * third // 3) for third in (1, 2, 3))

    def _size(self, head: jax.Array) -> jax.Array:
        """Which of them the present parity needs."""
        return jnp.sum(4 * (head + SHORTEST) > jnp.array(self._sizes[:-1]))
