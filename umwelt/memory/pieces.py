"""Whole episodes laid end to end, as pieces [T, B] of the streams that a source yields."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from umwelt.core import TRUNCATED, Experience, TimeStep

MOST = 1024
"""Ticks of a piece, at most."""


def lay(episode: Callable[[int], Experience], lengths: Sequence[int], rows: int, most: int = MOST) -> Iterator[Experience]:
    """Yield pieces [T, rows] of equal T, in NumPy, in which every episode stands once.

    episode: its number -> Experience [n] in NumPy, from its FIRST step to its last. lengths: n of each. Each episode goes
    to the row that is shortest so far. The seam of two episodes stands between them, and blank rows fill the end of a row
    that is shorter than the longest. `to_come` is filled; it is 0 on seams and blanks.
    """
    dealt = _deal(lengths, rows)
    longest = max(sum(lengths[number] for number in row) + len(row) - 1 for row in dealt)
    if longest < 1:
        return
    pieces = -(-longest // most)
    ticks = -(-longest // pieces)
    # a row without an episode is blank from the start; its blanks take their form from the first episode
    streams = [_cut(_stream(map(episode, row)) if row else iter((_blank(episode(0)),)), ticks) for row in dealt]
    for _ in range(pieces):
        yield jax.tree.map(lambda *leaves: np.stack(leaves, axis=1), *map(next, streams))


def to_come(reward: Any) -> np.ndarray:
    """Sum the rewards [n] of an episode from each transition to its end: float32 [n]."""
    return np.cumsum(np.asarray(reward, np.float64)[::-1])[::-1].astype(np.float32)


def _deal(lengths: Sequence[int], rows: int) -> list[list[int]]:
    """The numbers of the episodes of each row, in order; an episode goes to the shortest row so far."""
    dealt: list[list[int]] = [[] for _ in range(rows)]
    ends = [(0, row) for row in range(rows)]
    for number, length in enumerate(lengths):
        end, row = heapq.heappop(ends)
        dealt[row].append(number)
        heapq.heappush(ends, (end + length + 1, row))
    return dealt


def _stream(episodes: Iterable[Experience]) -> Iterator[Experience]:
    """Experience [n] in turn: an episode, the seam to the next, and so on; at the end a blank row [1]."""
    before: Experience | None = None
    for episode in episodes:
        if before is not None:
            yield _joint(before.next, episode)
        before = replace(episode, to_come=to_come(episode.next.reward))
        yield before
    if before is not None:
        yield _blank(before)


def _joint(end: TimeStep, episode: Experience) -> Experience:
    """The seam [1] between the end of an episode and the next one."""
    step = jax.tree.map(lambda leaf: leaf[-1:], end)
    first = jax.tree.map(lambda leaf: leaf[:1], episode)
    action = jax.tree.map(np.zeros_like, first.action)
    return replace(first, step=step, action=action, next=first.step, to_come=np.zeros(1, np.float32))


def _blank(episode: Experience) -> Experience:
    """A blank row [1] that follows an episode."""
    last = jax.tree.map(lambda leaf: leaf[-1:], episode)
    ended = replace(last.next, kind=np.full(1, TRUNCATED, np.int8), reward=np.zeros(1, np.float32))
    action = jax.tree.map(np.zeros_like, last.action)
    return replace(last, step=ended, action=action, next=ended, to_come=np.zeros(1, np.float32))


def _cut(stream: Iterator[Experience], ticks: int) -> Iterator[Experience]:
    """Yield the stream in pieces [ticks] without end; its last row, a blank, is repeated."""
    held = next(stream)
    last = jax.tree.map(lambda leaf: leaf[-1:], held)
    while True:
        while held.origin.size < ticks:
            more = next(stream, None)
            if more is None:
                more = jax.tree.map(lambda leaf: np.repeat(leaf, ticks, axis=0), last)
            held = jax.tree.map(lambda *leaves: np.concatenate(leaves), held, more)
            last = jax.tree.map(lambda leaf: leaf[-1:], held)
        yield jax.tree.map(lambda leaf: leaf[:ticks], held)
        held = jax.tree.map(lambda leaf: leaf[ticks:], held)
