"""Views of a card: the same picture moved a little, with noise, so that one card can be met several times in one batch."""

import jax
import jax.numpy as jnp

from umwelt.core import keys, part


@part
class Views:
    """How rehearsed cards are shown, and what several views of one card owe each other.

    A memory that schedules its draws, such as `umwelt.memory.Rested`, repeats each card so many times in a row.
    """

    number: int = 1
    """Rows in a row that show the same card."""
    shift: int = 1
    """Pixels by which a view is moved at most along each axis; the edges are continued."""
    noise: float = 0.2
    """The deviation of what is added to each pixel."""
    agree: float = 0.0
    """Weight of the relative entropy from the answers to the first view of a card to those of its others."""

    def show(self, key: jax.Array, cards: jax.Array) -> jax.Array:
        """Make one view of each card float32 [N, h, w]."""
        moving, spoiling = keys.split(key, "move", "noise")
        height, width = cards.shape[1:]
        wide = jnp.pad(cards, ((0, 0), (self.shift,) * 2, (self.shift,) * 2), mode="edge")
        corner = jax.random.randint(moving, (cards.shape[0], 2), 0, 2 * self.shift + 1)
        moved = jax.vmap(lambda card, at: jax.lax.dynamic_slice(card, (at[0], at[1]), (height, width)))(wide, corner)
        return moved + self.noise * jax.random.normal(spoiling, cards.shape)

    def apart(self, logits: jax.Array) -> jax.Array:
        """How far the answers to later views are from those to the first: logits [N, C] -> float32 [N], in nats."""
        chances = jax.nn.log_softmax(logits, axis=-1)
        grouped = chances.reshape(-1, self.number, chances.shape[-1])
        # the first view is what the others should say, so no gradient moves it
        first = jax.lax.stop_gradient(grouped[:, :1])
        return jnp.sum(jnp.exp(first) * (first - grouped), axis=-1).reshape(-1)
