"""Layers and stacks of them.

A layer computes x W + b, or where it is normalised norm(x W) g + s. The norm divides each row by its root mean
square, so that a bias before it would add little. (LayerNorm subtracts the mean of the row first; on two cores that costs
two more passes over memory, and published agents learn with either.) A stack puts an activation after each layer but
the last. A `Bundle` holds several stacks that read the same inputs.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import keys, struct

Activation = Callable[[jax.Array], jax.Array]


@struct
class Layer:
    """weight: float32 [in, out]. Either bias: [out], or gain and shift: [out] of the normalisation."""

    weight: Any
    bias: Any = None
    gain: Any = None
    shift: Any = None


Stack = tuple[Layer, ...]
"""Layers in order; nothing follows the last one but its normalisation, where it has a gain."""


def layer(key: jax.Array, into: int, out: int, normed: bool = False, scale: float = 1.0, deviation: float = 0.0) -> Layer:
    """Draw weights from a normal truncated at two deviations, of variance scale / in, or of `deviation` where it is given;
    a scale of 0 makes zeros."""
    # 0.8796 is the standard deviation of a unit normal cut at two
    spread = (deviation if deviation and scale else (scale / into) ** 0.5) / 0.87962566
    weight = spread * jax.random.truncated_normal(key, -2.0, 2.0, (into, out), jnp.float32)
    ones, zeros = jnp.ones(out, jnp.float32), jnp.zeros(out, jnp.float32)
    return Layer(weight=weight, gain=ones, shift=zeros) if normed else Layer(weight=weight, bias=zeros)


def stack(key: jax.Array, widths: tuple[int, ...], scale: float = 1.0, normed: bool = True, deviation: float = 0.0) -> Stack:
    """Make hidden layers and a linear last one, whose weights begin at `scale`; widths: inputs first. `deviation` as in
    `layer`, for all of them."""
    last = len(widths) - 2

    def made(i: int) -> Layer:
        ends = i == last
        key_of = keys.fold(key, f"layer{i}")
        return layer(key_of, widths[i], widths[i + 1], normed and not ends, scale if ends else 1.0, deviation)

    return tuple(made(i) for i in range(last + 1))


def even(key: jax.Array, layers: Any) -> Any:
    """Spread the weights and biases of a stack or bundle evenly within 1 / sqrt(in), as PyTorch does: at most a third of
    the variance of `layer`. Outputs are smaller at first, so weights turn faster."""

    def draw(key: jax.Array, leaf: jax.Array | None, edge: float) -> jax.Array | None:
        return None if leaf is None else jax.random.uniform(key, leaf.shape, leaf.dtype, -edge, edge)

    found, tree = jax.tree.flatten(layers, is_leaf=lambda each: isinstance(each, Layer))
    evened = []
    for one, each in zip(jax.random.split(key, len(found)), found, strict=True):
        for_weight, for_bias = keys.split(one, "weight", "bias")
        edge = each.weight.shape[0] ** -0.5
        evened.append(replace(each, weight=draw(for_weight, each.weight, edge), bias=draw(for_bias, each.bias, edge)))
    return jax.tree.unflatten(tree, evened)


def ended_normed(layers: Stack) -> Stack:
    """Normalise the last layer of a stack as well, so that the input of `simplices` stays of one size."""
    weight = layers[-1].weight
    out = weight.shape[-1]
    return (*layers[:-1], Layer(weight=weight, gain=jnp.ones(out, jnp.float32), shift=jnp.zeros(out, jnp.float32)))


def apply(layers: Stack, inputs: jax.Array, act: Activation) -> jax.Array:
    """Apply a stack: inputs [N, in] -> outputs [N, out]."""
    hidden = inputs
    for each in layers[:-1]:
        hidden = activated(each, hidden @ each.weight, act)
    return finished(layers[-1], hidden @ layers[-1].weight)


@struct
class Bundle:
    """Stacks that read the same inputs. first: their first layers side by side, [in, M * units]; each stack's part is
    normalised by itself. rest: the layers that follow in each."""

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
    """Make a stack (into, *hidden, out) for each of `outs`, whose last weights begin at `scale`."""
    made = [stack(keys.fold(key, f"stack{i}"), (into, *hidden, out), scale, normed, deviation) for i, out in enumerate(outs)]
    first = jax.tree.map(lambda *leaves: jnp.concatenate(leaves, axis=-1), *(each[0] for each in made))
    return Bundle(first=first, rest=tuple(each[1:] for each in made))


def apart(bundle: Bundle, inputs: jax.Array, act: Activation) -> list[jax.Array]:
    """Apply each stack of a bundle to inputs [N, in]. All first layers are one product, because XLA's products are faster
    the wider they are."""
    number = len(bundle.rest)
    wide = inputs @ bundle.first.weight
    units = wide.shape[-1] // number
    found = []
    for index, rest in enumerate(bundle.rest):
        columns = slice(index * units, (index + 1) * units)
        part = jax.tree.map(lambda leaf, columns=columns: leaf[..., columns], bundle.first)
        found.append(apply(rest, activated(part, wide[:, columns], act), act))
    return found


def picked(bundle: Bundle, chosen: jax.Array) -> Bundle:
    """Take the stacks numbered `chosen`, int [K], of a bundle whose stacks have equal widths."""
    number = len(bundle.rest)

    def columns(leaf: jax.Array) -> jax.Array:
        apart = leaf.reshape(*leaf.shape[:-1], number, -1)
        return jnp.take(apart, chosen, axis=-2).reshape(*leaf.shape[:-1], -1)

    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *bundle.rest)
    rest = tuple(jax.tree.map(lambda leaf, index=index: leaf[chosen[index]], stacked) for index in range(chosen.shape[0]))
    return Bundle(first=jax.tree.map(columns, bundle.first), rest=rest)


def with_one(inputs: jax.Array) -> jax.Array:
    """Append a constant one to inputs [N, F]: [N, F + 1]. A normalised layer reads directions alone. Without a one, an
    observation and twice that observation would look the same."""
    return jnp.concatenate([inputs, jnp.ones((*inputs.shape[:-1], 1), inputs.dtype)], axis=-1)


def activated(each: Layer, raw: jax.Array, act: Activation) -> jax.Array:
    """Finish a layer's products raw [N, out] with an activation."""
    return act(raw + each.bias) if each.gain is None else _activated(act, each.gain, each.shift, raw)


def finished(each: Layer, raw: jax.Array) -> jax.Array:
    """Finish a layer's products raw [N, out] without an activation."""
    return raw + each.bias if each.gain is None else _standard(raw)[0] * each.gain + each.shift


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _activated(act: Activation, gain: jax.Array, shift: jax.Array, raw: jax.Array) -> jax.Array:
    """Compute the activation with the gradients of differentiation. That would keep every intermediate array for the
    backward pass, which XLA then computes in a loop of its own. Here the backward pass begins from the products again."""
    return act(_standard(raw)[0] * gain + shift)


def _activated_forward(act: Activation, gain: jax.Array, shift: jax.Array, raw: jax.Array) -> Any:
    return _activated(act, gain, shift, raw), (gain, shift, raw)


def _activated_backward(act: Activation, kept: Any, pull: jax.Array) -> Any:
    # the barrier keeps XLA from sharing intermediate arrays with the forward pass after all
    (gain, shift, raw), pull = jax.lax.optimization_barrier((kept, pull))
    standard, inverse = _standard(raw)
    _, slope = jax.vjp(act, standard * gain + shift)
    (inner,) = slope(pull)
    scaled = inner * gain
    outer = inverse * (scaled - standard * jnp.mean(scaled * standard, axis=-1, keepdims=True))
    rows = tuple(range(raw.ndim - 1))
    return jnp.sum(inner * standard, axis=rows), jnp.sum(inner, axis=rows), outer


_activated.defvjp(_activated_forward, _activated_backward)


def _standard(raw: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Bring rows to a root mean square of 1; also one over what it was."""
    inverse = jax.lax.rsqrt(jnp.mean(raw * raw, axis=-1, keepdims=True) + 1e-5)
    return raw * inverse, inverse


@jax.custom_jvp
def mish(x: jax.Array) -> jax.Array:
    """Compute x * tanh(log(1 + e^x)) with a single exponential: tanh(log(1 + u)) = (u^2 + 2u) / (u^2 + 2u + 2)."""
    u = jnp.exp(jnp.minimum(x, 20.0))
    square = u * (u + 2.0)
    return x * (square / (square + 2.0))


@mish.defjvp
def _mish_slope(at: tuple[jax.Array], along: tuple[jax.Array]) -> tuple[jax.Array, jax.Array]:
    (x,), (towards,) = at, along
    u = jnp.exp(jnp.minimum(x, 20.0))
    square = u * (u + 2.0)
    share = 1.0 / (square + 2.0)
    return mish(x), (square * share + x * (4.0 * u * (u + 1.0) * share * share)) * towards


def simplices(x: jax.Array, group: int) -> jax.Array:
    """Apply a softmax to each run of `group` features of x [..., F] (simplicial normalisation)."""
    shape = x.shape
    return jax.nn.softmax(x.reshape(*shape[:-1], shape[-1] // group, group), axis=-1).reshape(shape)
