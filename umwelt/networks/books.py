"""A book of codes inside a network: what passes is rounded to the nearest code, whose gradient goes straight through.

"Neural discrete representation learning" (2017). Codes are running means of what they stand for, and one that is hardly
used is set to a row that is drawn at random.
"""

import jax
import jax.numpy as jnp

from umwelt.core import struct
from umwelt.networks.codes import nearest, straight_through

DECAY = 0.98
"""Share of the running means that each update keeps."""
DEAD = 0.1
"""A code is set to another row where its use is below this share of an even one."""


@struct
class Book:
    """codes: float32 [C, W]. uses: float32 [C], running share of the rows that each stands for. sums: float32 [C, W],
    running mean of those rows, times their share."""

    codes: jax.Array
    uses: jax.Array
    sums: jax.Array


def book(number: int, width: int) -> Book:
    """Begin with codes of no use, which the first update sets."""
    zeros = jnp.zeros((number, width), jnp.float32)
    return Book(codes=zeros, uses=jnp.zeros(number, jnp.float32), sums=zeros)


def rounded(held: Book, rows: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Round rows [N, W] to their nearest codes, with the gradient of the rows; also how far each was, squared: [N]."""
    near = held.codes[nearest(held.codes, rows)]
    return straight_through(rows, near), jnp.mean((rows - jax.lax.stop_gradient(near)) ** 2, axis=-1)


def moved(key: jax.Array, held: Book, rows: jax.Array, weight: jax.Array) -> Book:
    """Move each code towards the rows [N, W] that it stands for, by weight [N]; all stay where none weighs."""
    number = held.codes.shape[0]
    share = weight / jnp.maximum(jnp.sum(weight), 1e-9)
    chosen = jax.nn.one_hot(nearest(held.codes, rows), number) * share[:, None]
    uses = DECAY * held.uses + (1.0 - DECAY) * jnp.sum(chosen, axis=0)
    sums = DECAY * held.sums + (1.0 - DECAY) * chosen.T @ rows
    fresh = rows[jax.random.categorical(key, jnp.log(share + 1e-12), shape=(number,))]
    lost = uses < DEAD / number
    uses = jnp.where(lost, 1.0 / number, uses)
    sums = jnp.where(lost[:, None], fresh / number, sums)
    after = Book(codes=sums / uses[:, None], uses=uses, sums=sums)
    return jax.tree.map(lambda new, old: jnp.where(jnp.any(weight > 0), new, old), after, held)
