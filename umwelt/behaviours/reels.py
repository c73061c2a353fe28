"""Streams of flat moments that are kept in order, with what is known of each: whose it was, and how its episode ended."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import struct


@struct
class Reel:
    """Moments [T, B] in a ring. now, after: float32 [T, B, F]. action: [T, B, ...]. episode: int32 [T, B], its number in the
    row. valid: bool, it may be drawn. acted: bool, its action is known. own: bool, the policy chose the action. good: bool, its
    episode reached its end. count: int32 [], moments that were added. number: int32 [B], of the present episode."""

    now: jax.Array
    after: jax.Array
    action: Any
    episode: jax.Array
    valid: jax.Array
    acted: jax.Array
    own: jax.Array
    good: jax.Array
    count: jax.Array
    number: jax.Array


@struct
class Taken:
    """Moments [N] of a reel."""

    now: jax.Array
    after: jax.Array
    action: Any
    acted: jax.Array


def empty(length: int, width: int, action: Any) -> Reel:
    """A reel of `length` moments of each row, of actions like `action` [B, ...]."""
    rows = jax.tree.leaves(action)[0].shape[0]
    features, no = jnp.zeros((length, rows, width), jnp.float32), jnp.zeros((length, rows), bool)
    return Reel(
        now=features,
        after=jnp.copy(features),
        action=jax.tree.map(lambda leaf: jnp.zeros((length, *leaf.shape), leaf.dtype), action),
        episode=jnp.full((length, rows), -1, jnp.int32),
        valid=no,
        acted=jnp.copy(no),
        own=jnp.copy(no),
        good=jnp.copy(no),
        count=jnp.int32(0),
        number=jnp.zeros(rows, jnp.int32),
    )


def add(reel: Reel, now: Any, after: Any, action: Any, first: Any, *, valid: Any, acted: Any, own: Any) -> Reel:
    """Add one moment of each row; nothing where none is valid."""
    length = reel.valid.shape[0]
    number = reel.number + first
    place = jnp.where(jnp.any(valid), reel.count % length, length)

    def put(held: jax.Array, new: Any) -> jax.Array:
        return held.at[place].set(new, mode="drop")

    return replace(
        reel,
        now=put(reel.now, now),
        after=put(reel.after, after),
        action=jax.tree.map(put, reel.action, action),
        episode=put(reel.episode, number),
        valid=put(reel.valid, valid),
        acted=put(reel.acted, acted),
        own=put(reel.own, own),
        good=put(reel.good, False),
        count=reel.count + jnp.any(valid),
        number=number,
    )


def finish(reel: Reel, reached: jax.Array) -> Reel:
    """Mark the moments of the present episode as good in the rows that `reached` [B] its end."""
    return replace(reel, good=reel.good | (reached & (reel.episode == reel.number)))


def choose(key: jax.Array, among: jax.Array, number: int) -> tuple[jax.Array, jax.Array]:
    """Draw indices int32 [number] into bool [T, B] laid flat, uniformly among what is True; and whether anything is."""
    counted = jnp.cumsum(among.reshape(-1).astype(jnp.int32))
    wanted = jax.random.randint(key, (number,), 0, jnp.maximum(counted[-1], 1))
    place = jnp.searchsorted(counted, wanted, side="right").astype(jnp.int32)
    return jnp.minimum(place, among.size - 1), jnp.full(number, counted[-1] > 0)


def taken(reel: Reel, rows: jax.Array) -> Taken:
    """The moments at flat indices int32 [N]."""

    def take(leaf: jax.Array) -> jax.Array:
        return leaf.reshape(-1, *leaf.shape[2:])[rows]

    return Taken(now=take(reel.now), after=take(reel.after), action=jax.tree.map(take, reel.action), acted=take(reel.acted))
