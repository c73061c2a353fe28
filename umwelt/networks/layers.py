"""Layers and stacks of them.

A stack whose hidden layers are normalised computes act(norm(x W + b)) in each of them, and x W + b
in the last, normalised too where that layer has a gain. Several stacks that read the same inputs are kept as a `Bundle`.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import keys, struct

Activation = Callable[[jax.Array], jax.Array]


@struct
class Layer:
    """weight: float32 [in, out]. bias: [out]. gain, shift: [out] of the normalisation, or None without one."""

    weight: jax.Array
    bias: jax.Array
    gain: Any = None
    shift: Any = None


Stack = tuple[Layer, ...]
"""Layers in order; nothing follows the last one but, where it has a gain, its normalisation."""


def layer(key: jax.Array, into: int, out: int, normed: bool = False, scale: float = 1.0, deviation: float = 0.0) -> Layer:
    """Weights from a normal truncated at two deviations, of variance scale / in, or of that `deviation` where
    one is given; a scale of 0 begins at zero."""
    # 0.8796 is the standard deviation of a unit normal cut at two
    spread = (deviation if deviation and scale else (scale / into) ** 0.5) / 0.87962566
    weight = spread * jax.random.truncated_normal(key, -2.0, 2.0, (into, out), jnp.float32)
    ones, zeros = jnp.ones(out, jnp.float32), jnp.zeros(out, jnp.float32)
    return Layer(weight=weight, bias=zeros, gain=ones if normed else None, shift=zeros if normed else None)


def stack(key: jax.Array, widths: tuple[int, ...], scale: float = 1.0, normed: bool = True, deviation: float = 0.0) -> Stack:
    """Hidden layers and a linear last one, whose weights begin at `scale`; widths: inputs first. `deviation`
    as in `layer`, for all of them."""
    last = len(widths) - 2

    def made(i: int) -> Layer:
        ends = i == last
        key_of = keys.fold(key, f"layer{i}")
        return layer(key_of, widths[i], widths[i + 1], normed and not ends, scale if ends else 1.0, deviation)

    return tuple(made(i) for i in range(last + 1))


def ended_normed(layers: Stack) -> Stack:
    """The stack with its last layer normalised as well: what goes into `simplices` stays of one size."""
    last, width = layers[-1], layers[-1].bias.shape
    return (*layers[:-1], Layer(weight=last.weight, bias=last.bias, gain=jnp.ones(width), shift=jnp.zeros(width)))


def apply(layers: Stack, inputs: jax.Array, act: Activation) -> jax.Array:
    """inputs [N, in] -> outputs [N, out]."""
    hidden = inputs
    for each in layers[:-1]:
        hidden = act(normed(each, hidden @ each.weight + each.bias))
    return normed(layers[-1], hidden @ layers[-1].weight + layers[-1].bias)


@struct
class Bundle:
    """Stacks that read the same inputs. first: their first layers side by side, [in, M * units], of which each
    stack's part is normalised by itself. rest: what follows in each."""

    first: Layer
    rest: tuple[Stack, ...]


def bundle(
    key: jax.Array,
    into: int,
    hidden: tuple[int, ...],
    outs: tuple[int, ...],
    scale: float = 1.0,
    normed: bool = True,
    deviation: float = 0.0,
) -> Bundle:
    """A stack (into, *hidden, out) for each of `outs`, whose last weights begin at `scale`."""
    made = [stack(keys.fold(key, f"stack{i}"), (into, *hidden, out), scale, normed, deviation) for i, out in enumerate(outs)]
    first = jax.tree.map(lambda *leaves: jnp.concatenate(leaves, axis=-1), *(each[0] for each in made))
    return Bundle(first=first, rest=tuple(each[1:] for each in made))


def apart(bundle: Bundle, inputs: jax.Array, act: Activation) -> list[jax.Array]:
    """What each stack of a bundle makes of inputs [N, in]. One product for all first layers: XLA's products
    are faster the wider they are."""
    number = len(bundle.rest)
    wide = inputs @ bundle.first.weight + bundle.first.bias
    units = wide.shape[-1] // number
    parts = jax.tree.map(lambda leaf: leaf.reshape(*leaf.shape[:-1], number, units), bundle.first)
    hidden = act(normed(parts, wide.reshape(-1, number, units)))
    return [apply(rest, hidden[:, index], act) for index, rest in enumerate(bundle.rest)]


def picked(bundle: Bundle, chosen: jax.Array) -> Bundle:
    """The stacks numbered `chosen` int [K] of a bundle whose stacks have equal widths."""
    number = len(bundle.rest)

    def columns(leaf: jax.Array) -> jax.Array:
        apart = leaf.reshape(*leaf.shape[:-1], number, -1)
        return jnp.take(apart, chosen, axis=-2).reshape(*leaf.shape[:-1], -1)

    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *bundle.rest)
    rest = tuple(jax.tree.map(lambda leaf, index=index: leaf[chosen[index]], stacked) for index in range(chosen.shape[0]))
    return Bundle(first=jax.tree.map(columns, bundle.first), rest=rest)


def normed(each: Layer, hidden: jax.Array) -> jax.Array:
    """hidden [N, out] at mean 0 and deviation 1 in each row, then scaled and shifted; as it is without a gain."""
    if each.gain is None:
        return hidden
    mean = jnp.mean(hidden, axis=-1, keepdims=True)
    centred = hidden - mean
    inverse = jax.lax.rsqrt(jnp.mean(centred * centred, axis=-1, keepdims=True) + 1e-5)
    return centred * inverse * each.gain + each.shift


def mish(x: jax.Array) -> jax.Array:
    """x * tanh(log(1 + e^x)), with a single exponential: tanh(log(1 + u)) = (u^2 + 2u) / (u^2 + 2u + 2)."""
    u = jnp.exp(jnp.minimum(x, 20.0))
    square = u * (u + 2.0)
    return x * (square / (square + 2.0))


def simplices(x: jax.Array, group: int) -> jax.Array:
    """Each run of `group` features of x [..., F] as a softmax of its own (simplicial normalisation)."""
    shape = x.shape
    return jax.nn.softmax(x.reshape(*shape[:-1], shape[-1] // group, group), axis=-1).reshape(shape)
