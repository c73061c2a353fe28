"""The contract of searches: they name genomes, and receive what became of them."""

from typing import Any, Protocol

import jax


class Search(Protocol):
    """Searches a space of genomes by asking and telling: novelty search, emitters, diverse populations.

    A genome is a vector; what it means is the affair of the evaluation. A trait is what an evaluation showed.
    """

    def init(self, key: jax.Array, size: int, traits: int) -> Any:
        """A search that has received nothing, for genomes of `size` numbers and traits of `traits` numbers."""
        ...

    def ask(self, key: jax.Array, state: Any, n: int) -> tuple[Any, jax.Array]:
        """Genomes float32 [n, D] to evaluate next."""
        ...

    def tell(self, key: jax.Array, state: Any, genomes: jax.Array, returns: jax.Array, traits: jax.Array) -> Any:
        """Take in what the genomes [n, D] that were asked for last became: returns [n] and traits [n, Z]."""
        ...

    def best(self, state: Any) -> jax.Array:
        """float32 [D]: the genome to examine, the best one so far."""
        ...
