"""The transformer against another implementation of attention, and what a mask promises."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.networks import layers, transformer

KEY = jax.random.key(0)
ROWS, LENGTH, WIDTH, HEADS = 2, 5, 8, 2
NETWORK = transformer.transformer(KEY, LENGTH, WIDTH, layers_=2, heads=HEADS)
TOKENS = jax.random.normal(KEY, (ROWS, LENGTH, WIDTH))


def rooted(rows: jax.Array) -> jax.Array:
    return rows / jnp.sqrt(jnp.mean(rows**2, -1, keepdims=True) + 1e-6)


@pytest.mark.parametrize("mask", [None, transformer.causal(LENGTH)], ids=["both ways", "causal"])
def test_two_blocks_are_those_of_another_attention(mask: jax.Array | None) -> None:
    hidden = TOKENS + NETWORK.places
    for block in NETWORK.blocks:
        inside = rooted(hidden)
        read = (inside @ block.read.weight).reshape(ROWS, LENGTH, 3, HEADS, WIDTH // HEADS)
        wanted = None if mask is None else jnp.broadcast_to(mask, (ROWS, HEADS, LENGTH, LENGTH))
        mixed = jax.nn.dot_product_attention(read[:, :, 0], read[:, :, 1], read[:, :, 2], mask=wanted)
        hidden = hidden + mixed.reshape(TOKENS.shape) @ block.write.weight
        hidden = hidden + jax.nn.gelu(rooted(hidden) @ block.wide.weight) @ block.narrow.weight
    np.testing.assert_allclose(transformer.apply(NETWORK, TOKENS, mask), rooted(hidden), atol=1e-5)


def test_no_token_reads_what_comes_later() -> None:
    read = lambda tokens: transformer.apply(NETWORK, tokens, transformer.causal(LENGTH))[0, 2].sum()  # noqa: E731
    slopes = jnp.abs(jax.grad(read)(TOKENS)).sum(axis=-1)
    assert np.all(slopes[0, :3] > 0)
    assert np.all(slopes[0, 3:] == 0)
    assert np.all(slopes[1] == 0), "the rows of a batch read each other"


def test_padding_before_a_history_changes_nothing() -> None:
    short = TOKENS[:, 2:]
    alone = transformer.apply(NETWORK, short, transformer.causal(3))
    known = jnp.arange(LENGTH) >= jnp.full((ROWS, 1), 2)
    mask, places = transformer.seen(transformer.causal(LENGTH), known), transformer.order(known)
    assert places[0].tolist() == [0, 0, 0, 1, 2]
    for filling in (0.0, 50.0):
        padded = jnp.where(known[..., None], TOKENS, filling)
        np.testing.assert_allclose(transformer.apply(NETWORK, padded, mask, places)[:, 2:], alone, atol=1e-5)


def test_shares_of_attention_sum_to_one_and_fall_on_what_is_open() -> None:
    shares = transformer.attention(NETWORK, TOKENS, transformer.causal(LENGTH))
    assert shares.shape == (2, ROWS, HEADS, LENGTH, LENGTH)
    np.testing.assert_allclose(shares.sum(axis=-1), 1.0, atol=1e-6)
    assert np.all(np.where(np.tril(np.ones((LENGTH, LENGTH))), 0.0, shares) == 0)


def test_normed_queries_and_keys_do_not_sharpen_as_their_weights_grow() -> None:
    def grown(network: transformer.Transformer) -> jax.Array:
        block = network.blocks[0]
        read = layers.Layer(weight=30.0 * block.read.weight, bias=block.read.bias)
        large = replace(network, blocks=(replace(block, read=read), *network.blocks[1:]))
        return transformer.attention(large, TOKENS)[0]

    normed = transformer.transformer(KEY, LENGTH, WIDTH, layers_=1, heads=HEADS, normed=True)
    np.testing.assert_allclose(grown(normed), transformer.attention(normed, TOKENS)[0], atol=1e-4)
    assert float(grown(NETWORK).max()) > 0.999


def test_a_width_that_the_heads_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="heads=4"):
        transformer.transformer(KEY, LENGTH, width=6)
