"""A transformer: blocks of attention over tokens, and of a hidden layer on each token.

Norms stand before attention and hidden layer, and once more at the end; each divides a token by its root mean square. A
mask says which tokens a token may read. Tokens of a history are read through `seen(causal(L), known)`, so that what is
padding is read by no token but itself.
"""

import jax
import jax.numpy as jnp

from umwelt.core import keys, static, struct
from umwelt.networks import layers
from umwelt.networks.layers import Layer

CLOSED = -1e9
"""The score of a token that may not be read."""


@struct
class Block:
    """before, between: gains [W] of the norms. read: a layer [W, 3 W], for queries, keys and values side by side. write: a
    layer [W, W]. wide, narrow: layers [W, 4 W] and [4 W, W]. sharp: gains [2, W / H] of the norms of queries and keys, or
    None."""

    before: jax.Array
    read: Layer
    write: Layer
    between: jax.Array
    wide: Layer
    narrow: Layer
    sharp: jax.Array | None = None


@struct
class Transformer:
    """blocks: in order. places: float32 [P, W], what is added to a token at each place. last: gain [W] of the last norm."""

    blocks: tuple[Block, ...]
    places: jax.Array
    last: jax.Array
    heads: int = static()


def transformer(
    key: jax.Array, places: int, width: int = 64, layers_: int = 2, heads: int = 4, normed: bool = False
) -> Transformer:
    """Draw a transformer for tokens of `width` numbers at so many places.

    normed: bring queries and keys to one size in each head. Their product then cannot grow until one token is all that is
    read, which makes large learning rates unstable.
    """
    if width % heads:
        raise ValueError(f"width={width} is not a multiple of heads={heads}; give a width that the heads divide")
    # the sum over all blocks that a token gathers begins no larger than the token
    share, ones = 0.5 / max(layers_, 1), jnp.ones(width, jnp.float32)

    def block(key: jax.Array) -> Block:
        read, write, wide, narrow = keys.split(key, "read", "write", "wide", "narrow")
        return Block(
            before=ones,
            read=layers.layer(read, width, 3 * width),
            write=layers.layer(write, width, width, scale=share),
            between=ones,
            wide=layers.layer(wide, width, 4 * width),
            narrow=layers.layer(narrow, 4 * width, width, scale=share),
            sharp=jnp.ones((2, width // heads), jnp.float32) if normed else None,
        )

    blocks = tuple(block(keys.fold(key, f"block{index}")) for index in range(layers_))
    drawn = 0.02 * jax.random.normal(keys.fold(key, "places"), (places, width))
    return Transformer(blocks=blocks, places=drawn, last=ones, heads=heads)


def apply(network: Transformer, tokens: jax.Array, mask: jax.Array | None = None, places: jax.Array | None = None) -> jax.Array:
    """Read tokens [N, L, W] -> float32 [N, L, W].

    mask: bool [L, L] or [N, L, L], True where the token of a row may read that of a column; None lets all read all. places:
    int [L] or [N, L], where each token stands; their order where it is None.
    """
    hidden = _placed(network, tokens, places)
    for block in network.blocks:
        hidden = _step(block, hidden, mask, network.heads)[0]
    return _normed(hidden, network.last)


def attention(
    network: Transformer, tokens: jax.Array, mask: jax.Array | None = None, places: jax.Array | None = None
) -> jax.Array:
    """Say how much each token reads of each other in every block: shares float32 [blocks, N, H, L, L], as in `apply`."""
    hidden, found = _placed(network, tokens, places), []
    for block in network.blocks:
        hidden, shares = _step(block, hidden, mask, network.heads)
        found.append(shares)
    return jnp.stack(found)


def causal(length: int) -> jax.Array:
    """Let each token read itself and what came before: bool [length, length]."""
    return jnp.tril(jnp.ones((length, length), bool))


def seen(mask: jax.Array, known: jax.Array) -> jax.Array:
    """Close a mask [L, L] to tokens that are padding, by known [N, L]: bool [N, L, L]. Each still reads itself, so that
    there is something to read."""
    return (mask & known[:, None, :]) | jnp.eye(known.shape[1], dtype=bool)


def order(known: jax.Array) -> jax.Array:
    """Number the tokens that are known from 0 on: known bool [N, L] -> int32 [N, L]. A history has the same places
    whether padding stands before it or not."""
    return jnp.maximum(jnp.cumsum(known, axis=-1, dtype=jnp.int32) - 1, 0)


def _placed(network: Transformer, tokens: jax.Array, places: jax.Array | None) -> jax.Array:
    return tokens + (network.places[: tokens.shape[-2]] if places is None else network.places[places])


def _step(block: Block, hidden: jax.Array, mask: jax.Array | None, heads: int) -> tuple[jax.Array, jax.Array]:
    """Tokens [N, L, W] after one block, and the shares [N, H, L, L] that they read."""
    rows, length, width = hidden.shape
    inside = _normed(hidden, block.before)
    split = layers.finished(block.read, inside @ block.read.weight).reshape(rows, length, 3, heads, width // heads)
    queries, held, values = (jnp.moveaxis(split, (2, 3), (0, 2))[index] for index in range(3))
    if block.sharp is not None:
        queries, held = _normed(queries, block.sharp[0]), _normed(held, block.sharp[1])
    scores = queries @ jnp.swapaxes(held, -1, -2) * (width // heads) ** -0.5
    if mask is not None:
        scores = jnp.where(mask if mask.ndim == 2 else mask[:, None], scores, CLOSED)
    shares = jax.nn.softmax(scores, axis=-1)
    mixed = jnp.swapaxes(shares @ values, 1, 2).reshape(rows, length, width)
    hidden = hidden + layers.finished(block.write, mixed @ block.write.weight)
    inside = _normed(hidden, block.between)
    wide = jax.nn.gelu(layers.finished(block.wide, inside @ block.wide.weight))
    return hidden + layers.finished(block.narrow, wide @ block.narrow.weight), shares


def _normed(rows: jax.Array, gain: jax.Array) -> jax.Array:
    """Rows [..., W] with a root mean square of 1, times a gain [W]."""
    return rows * jax.lax.rsqrt(jnp.mean(rows * rows, axis=-1, keepdims=True) + 1e-6) * gain
