"""Whole episodes out of the stream of a life, on the host, in NumPy."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import jax
import numpy as np

from umwelt.core import BROKEN, FIRST, LIVED, MID, TERMINATED, TRUNCATED, Experience, TimeStep, struct


@struct
class Piece:
    """The unfinished episode of one row: step, action and task [n, ...], n = 0 where there is none."""

    step: TimeStep
    action: Any
    task: Any


Pending = tuple[Piece, ...]
"""One piece for each row of the life: arrays only, so that it can be saved with the life."""


def collect(pending: Pending | None, step: TimeStep, action: Any, task: Any = None) -> tuple[Pending, list[Experience]]:
    """Take in a chunk of a life, and give the episodes [n] that ended in it, in the order of their ends.

    step: TimeStep [T, B]. action, task: [T, B, ...], what was done at each step and the task of its
    episode; the action at a last step is never read. pending: None at first, then as returned.
    Steps before the first FIRST of a row, and episodes that are left without an end, are dropped. An episode that ended
    BROKEN was TRUNCATED the step before.
    """
    chunk = jax.tree.map(np.asarray, Piece(step=step, action=action, task=task))
    batch = chunk.step.kind.shape[1]
    if pending is None:
        pending = tuple(jax.tree.map(lambda leaf: leaf[:0, 0], chunk) for _ in range(batch))
    if len(pending) != batch:
        raise ValueError(f"step has {batch} rows, where `pending` is of {len(pending)}; begin again with pending=None")
    rests, ended = [], []
    for row, piece in enumerate(pending):
        whole = jax.tree.map(lambda old, new, row=row: np.concatenate([old, new[:, row]]), piece, chunk)
        rest, found = _cut(whole)
        rests.append(rest)
        ended += [(end, row, episode) for end, episode in found]
    ended.sort(key=lambda item: item[:2])
    return tuple(rests), [episode for _, _, episode in ended]


def transitions(step: TimeStep, action: Any, task: Any, origin: int) -> Experience:
    """Experience [n] from step [n + 1], and action and task [n]: each step but the last comes before the next."""
    before, after = (jax.tree.map(lambda leaf, cut=cut: leaf[cut], step) for cut in (slice(-1), slice(1, None)))
    origins = np.full(after.kind.shape, origin, np.int8)
    return Experience(step=before, action=action, next=after, origin=origins, task=task)


def decisions(observation: Any, action: Any, reward: Any, over: bool, origin: int) -> Experience:
    """Experience from rows [n] of a log: what was seen, what was done then, and the reward that followed.

    over: the last row ended the episode by itself. Its own observation then stands for what followed, which no value reads.
    Otherwise the last row lends its observation to the one before, and there are n - 1 transitions.
    """
    if over:
        observation = jax.tree.map(lambda leaf: np.concatenate([leaf, leaf[-1:]]), observation)
    count = len(jax.tree.leaves(observation)[0]) - 1
    kind = np.full(count + 1, MID, np.int8)
    kind[0], kind[-1] = FIRST, TERMINATED if over else TRUNCATED
    paid = np.concatenate([[0.0], reward[:count]]).astype(np.float32)
    done = jax.tree.map(lambda leaf: leaf[:count], action)
    return transitions(TimeStep(kind=kind, observation=observation, reward=paid), done, None, origin)


def _cut(whole: Piece) -> tuple[Piece, list[tuple[int, Experience]]]:
    """What is left of one row's steps, and its episodes with the place of their ends, counted from the newest step."""
    kind = whole.step.kind
    starts = np.append(np.flatnonzero(kind == FIRST), len(kind))
    rest, found = len(kind), []
    for start, stop in pairwise(starts):
        ends = start + np.flatnonzero(kind[start:stop] >= TERMINATED)
        if ends.size:
            found += [(int(ends[0]) - len(kind), episode) for episode in _episode(whole, start, int(ends[0]))]
        elif stop == len(kind):
            rest = start
    return jax.tree.map(lambda leaf: leaf[rest:], whole), found


def _episode(whole: Piece, start: int, end: int) -> list[Experience]:
    """The one episode; none where the world broke at its first action. One that broke later was cut off the step before."""
    kind = whole.step.kind[start : end + 1]
    if kind[-1] == BROKEN:
        end, kind = end - 1, np.append(kind[:-2], np.int8(TRUNCATED))
    if end == start:
        return []
    step = replace(jax.tree.map(lambda leaf: leaf[start : end + 1], whole.step), kind=kind)
    action, task = jax.tree.map(lambda leaf: leaf[start:end], (whole.action, whole.task))
    return [transitions(step, action, task, LIVED)]
