"""Shows an agent the experience of others, once, before its first decision.

Every source is read in plain Python. Its streams are cut into pieces of one length, so that one compiled program passes
them all to `Agent.remember`. Several seeds read each source once each, with their own keys, and their streams are padded
to the longest.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import TRUNCATED, Experience, WorldSpec, capability, keys, layers, spaces
from umwelt.life.composition import BadLife, Life

PIECE = 256
"""Ticks of one piece."""

Note = Callable[[str, str], None]
"""Receives (name, message) of an event."""


def show(life: Life, key: jax.Array, agent: Any, compiled: Callable[..., Any], drive: Callable[..., Any], note: Note) -> Any:
    """The agent's state after it was shown every source of the life.

    key: of the life, or of its seeds [S]. compiled: compiles a function of one seed for all. drive: loops over the ticks
    of a piece.
    """
    default = next(iter(life.world.tasks().values()))

    def take_in(agent: Any, key: jax.Array, piece: Experience) -> Any:
        def tick(agent: Any, at: Any) -> tuple[Any, None]:
            clock, experience = at
            return life.agent.remember(jax.random.fold_in(key, clock), agent, experience)[0], None

        return drive(tick, agent, (jnp.arange(PIECE), piece))[0]

    taking, shown = compiled(take_in, donate_argnums=0), 0

    def derived(key: jax.Array, name: str, number: int) -> jax.Array:
        return _derived(key, name, number) if life.seeds == 1 else jax.vmap(lambda key: _derived(key, name, number))(key)

    for number, source in enumerate(life.shown):
        here, count = derived(key, "shown", number), 0
        for index, piece in enumerate(_pieces(life, source, derived(here, "read", 0), default)):
            count += int(np.sum(piece.valid))
            agent = taking(agent, derived(here, "remember", index), piece)
        note("shown", f"{type(source).__name__} showed {count // life.seeds:,} transitions")
        shown += count // life.seeds
    held = held_transitions(life, agent)
    if held is not None and held < shown:
        note("shown", f"{held:,} of {shown:,} transitions fit into memory; give it more bytes to keep them all")
    return agent


def reading_key(seed: int, number: int) -> jax.Array:
    """The key by which the life of one seed reads the source of that number, so that it can be read again."""
    return _derived(_derived(jax.random.key(seed), "shown", number), "read", 0)


def _derived(key: jax.Array, name: str, number: int) -> jax.Array:
    return jax.random.fold_in(keys.fold(key, name), number)


def held_transitions(life: Life, agent: Any) -> int | None:
    """How many transitions the agent's memory holds, the fewest of all seeds; None where that is unknown."""
    for layer in layers(life.agent):
        memory, state = getattr(layer, "memory", None), getattr(agent, "memory", None)
        held = capability(memory, "held") if memory is not None and state is not None else None
        if held is not None:
            return int(np.min(held(state) if life.seeds == 1 else jax.vmap(held)(state)))
        agent = getattr(agent, "inner", None)
    return None


def _pieces(life: Life, source: Any, reading: jax.Array, default: Any) -> Iterator[Experience]:
    """Pieces [PIECE, B] of a source, or [S, PIECE, B] of several seeds; the last one is padded with blank rows."""
    spec = life.world.spec

    def read(key: jax.Array) -> Iterator[Experience]:
        pieces = (_conformed(life, source, spec, default, piece) for piece in source.read(key, spec))
        asked = (getattr(layer, "discount_to_come", None) for layer in layers(life.agent))
        discount = next((each for each in asked if each is not None), 1.0)
        return cut(pieces if discount == 1.0 else discounted(pieces, discount))

    if life.seeds == 1:
        yield from read(reading)
        return
    streams = [list(read(key)) for key in reading]
    blank = _blank(streams[0][0])
    for index in range(max(len(stream) for stream in streams)):
        rows = [stream[index] if index < len(stream) else blank for stream in streams]
        yield jax.tree.map(lambda *leaves: np.stack(leaves), *rows)


def cut(pieces: Iterator[Experience], length: int = PIECE) -> Iterator[Experience]:
    """Pieces [T, B] of streams as pieces [length, B] of the same streams; the last one is padded with blank rows."""
    left: Any = None
    for piece in pieces:
        left = piece if left is None else jax.tree.map(lambda *leaves: np.concatenate(leaves), left, piece)
        while len(left.origin) >= length:
            yield jax.tree.map(lambda leaf: leaf[:length], left)
            left = jax.tree.map(lambda leaf: leaf[length:], left)
    if left is not None and len(left.origin):
        rows = length - len(left.origin)
        padding = _blank(jax.tree.map(lambda leaf: np.repeat(leaf[-1:], rows, axis=0), left))
        yield jax.tree.map(lambda *leaves: np.concatenate(leaves), left, padding)


def discounted(pieces: Iterator[Experience], discount: float) -> Iterator[Experience]:
    """The same streams [T, B], with each reward to come discounted by its distance. A source sums them, whatever the agent's
    discount; an agent that compares them with its values needs them on the scale of those."""
    held, later = list(pieces), np.float32(0)
    for index in reversed(range(len(held))):
        piece = held[index]
        ends, valid, found = piece.next.last, piece.valid, np.zeros(piece.origin.shape, np.float32)
        for tick in reversed(range(len(found))):
            later = piece.next.reward[tick] + discount * np.where(ends[tick], 0.0, later)
            found[tick] = np.where(valid[tick], later, 0.0)
        held[index] = replace(piece, to_come=found)
    yield from held


def _blank(piece: Experience) -> Experience:
    """The same rows as blank ones: no memory keeps them, and no stream goes on through them."""
    ended = np.full_like(piece.origin, TRUNCATED)
    return replace(piece, step=replace(piece.step, kind=ended), next=replace(piece.next, kind=ended))


def _conformed(life: Life, source: Any, spec: WorldSpec, default: Any, piece: Experience) -> Experience:
    """A piece in NumPy with the fields of lived experience; the unknown task of an episode is the world's default."""
    piece = jax.tree.map(np.asarray, piece)
    ticks, rows = piece.origin.shape
    if rows != spec.batch:
        raise BadLife(f"shown: {source!r} yields streams of {rows} rows, where the world has {spec.batch}; give both as many")
    known = (("observations", spec.observation, piece.next.observation), ("actions", spec.action, piece.action))
    for name, space, value in known:
        wanted, found = ([leaf.shape for leaf in jax.tree.leaves(each)] for each in (spaces.zeros(space, ticks, rows), value))
        if wanted != found:
            raise BadLife(
                f"shown: {source!r} yields {name} of shapes {[shape[2:] for shape in found]}, where the world"
                f" {spec.name} has {[shape[2:] for shape in wanted]}; show experience of this world"
            )
    if piece.surprise is None:
        piece = replace(piece, surprise=np.full((ticks, rows), np.nan, np.float32))
    if piece.task is None:
        task = jax.tree.map(lambda leaf: np.broadcast_to(np.asarray(leaf), (ticks, rows, *np.shape(leaf))), default)
        piece = replace(piece, task=task)
    return piece
