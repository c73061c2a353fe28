"""A soft mixture of experts in place of a hidden layer: every expert reads its own averages of all tokens.

"From sparse to soft mixtures of experts" (2023), as "Mixtures of experts unlock parameter scaling for deep RL" (2024) puts it
into value networks. Features are cut into tokens. Each slot of an expert reads a mean of the tokens, weighted by a softmax of
logits. Each token takes a mean of what the slots made, weighted by another softmax of the same logits.
"""

import jax
import jax.numpy as jnp

from umwelt.core import keys, static, struct
from umwelt.networks import layers
from umwelt.networks.layers import Layer, Stack


@struct
class Experts:
    """Hidden layers, a soft mixture, and a last layer. before: dense layers, or none. slots: float32 [d, e, p], what the logits
    of tokens are products with. inner, outer: the two layers of every expert, weights [e, d, u] and [e, u, d]. last: reads all
    tokens. tokens: how many features [d * tokens] are cut into."""

    before: Stack
    slots: jax.Array
    inner: Layer
    outer: Layer
    last: Layer
    tokens: int = static()


def experts(
    key: jax.Array, widths: tuple[int, ...], tokens: int, number: int, units: int, out: int, scale: float = 1.0
) -> Experts:
    """Make `number` experts behind dense layers of `widths`, inputs first.

    The last of `widths` is what is cut into tokens; zeros fill the last token. All experts together have as many weights as the
    dense layer of `units` that they replace. Each has as many slots as it takes to have one for every token.
    """
    if number < 1 or tokens < 1:
        raise ValueError(f"number={number}, tokens={tokens}: give at least one expert and one token")
    wide = -(-widths[-1] // tokens)
    hidden = max(1, round(tokens * units / (2 * number)))
    drawing, inside, outside, ending = keys.split(key, "slots", "inner", "outer", "last")

    def every(key: jax.Array, into: int, out: int) -> Layer:
        return jax.vmap(lambda one: layers.layer(one, into, out))(jax.random.split(key, number))

    return Experts(
        before=layers.stack(keys.fold(key, "before"), widths, normed=False) if len(widths) > 1 else (),
        slots=jax.random.normal(drawing, (wide, number, -(-tokens // number))) / wide**0.5,
        inner=every(inside, wide, hidden),
        outer=every(outside, hidden, wide),
        last=layers.layer(ending, wide * tokens, out, scale=scale),
        tokens=tokens,
    )


def mixed(network: Experts, tokens: jax.Array, act: layers.Activation) -> jax.Array:
    """Pass tokens [N, m, d] through all experts: float32 [N, m, d]."""
    logits = jnp.einsum("nmd,dep->nmep", tokens, network.slots)
    dispatch = jax.nn.softmax(logits, axis=1)
    combine = jax.nn.softmax(logits.reshape(*logits.shape[:2], -1), axis=-1).reshape(logits.shape)
    read = jnp.einsum("nmep,nmd->nepd", dispatch, tokens)
    hidden = act(jnp.einsum("nepd,edu->nepu", read, network.inner.weight) + network.inner.bias[:, None])
    made = jnp.einsum("nepu,eud->nepd", hidden, network.outer.weight) + network.outer.bias[:, None]
    return jnp.einsum("nmep,nepd->nmd", combine, made)


def apply(network: Stack | Experts, features: jax.Array, act: layers.Activation) -> jax.Array:
    """Apply a stack, or experts and what stands around them, to features [N, F]: float32 [N, out]."""
    if not isinstance(network, Experts):
        return layers.apply(network, features, act)
    hidden = act(layers.apply(network.before, features, act)) if network.before else features
    wide = network.slots.shape[0] * network.tokens
    filled = jnp.pad(hidden, ((0, 0), (0, wide - hidden.shape[1])))
    tokens = mixed(network, filled.reshape(-1, network.tokens, network.slots.shape[0]), act)
    return layers.finished(network.last, act(tokens.reshape(-1, wide)) @ network.last.weight)
