"""What a data set is worth before anything is learned from it: how good its episodes are, and how much they cover.

"A dataset perspective on offline reinforcement learning" (2022) measures both on a scale: trajectory quality, TQ, from
chance, 0, to the best known, 1; and state-action coverage, SACo, against a reference set. The first favours cloning, the
second learners of values.
"""

from typing import Any

import numpy as np

from umwelt.core import part

BINS = 10
"""Equal bins of each number's range; entries in the same bins count as one."""


def trajectory_quality(mean_return: float, chance: float, best: float) -> float:
    """Return (mean - chance) / (best - chance); NaN where chance is as good as the best."""
    return (mean_return - chance) / (best - chance) if best != chance else float("nan")


def distinct(observation: Any, action: Any, bounds: tuple[Any, Any], bins: int = BINS) -> int:
    """Count the pairs of observation [N, F] and action [N, A] that differ, in bins between `bounds` (low, high) [F + A].

    A table, whose numbers are one-hot, is counted exactly.
    """
    rows = np.concatenate([np.reshape(each, (len(each), -1)) for each in (observation, action)], axis=1).astype(np.float64)
    low, high = (np.asarray(edge, np.float64) for edge in bounds)
    width = np.where(high > low, high - low, 1.0)
    cells = np.clip(np.floor((rows - low) / width * bins), 0, bins - 1).astype(np.int32)
    return len(np.unique(cells, axis=0))


def coverage(rows: tuple[Any, Any], reference: tuple[Any, Any], bins: int = BINS) -> float:
    """Return the distinct pairs of rows (observation [N, F], action [N, A]) over those of a reference set, in bins of the
    range of both sets together."""
    every = [np.concatenate([np.reshape(each, (len(each), -1)) for each in pair], axis=1) for pair in (rows, reference)]
    low, high = np.min([each.min(axis=0) for each in every], axis=0), np.max([each.max(axis=0) for each in every], axis=0)
    return distinct(*rows, (low, high), bins) / distinct(*reference, (low, high), bins)


@part
class Column:
    """One number of an observation or an action, over all moments."""

    name: str
    least: float
    mean: float
    greatest: float
    deviation: float
    missing: int
    """Moments in which it is not finite."""


@part
class Card:
    """What stands in a data set. Returns are those of its whole episodes."""

    episodes: int
    transitions: int
    terminated: int
    """Episodes that ended by themselves; the others were cut off."""
    unknown: int
    """Transitions whose action is not known."""
    lengths: tuple[int, float, int]
    """Of episodes: least, mean, greatest."""
    returns: tuple[float, float, float]
    """Of episodes: least, mean, greatest."""
    pairs: int
    """Distinct pairs of observation and action, in ten bins of each number."""
    columns: tuple[Column, ...]


def column(name: str, values: Any) -> Column:
    """Measure one number [N]."""
    values = np.asarray(values, np.float64)
    known = values[np.isfinite(values)]
    if not known.size:
        nothing = float("nan")
        return Column(name=name, least=nothing, mean=nothing, greatest=nothing, deviation=nothing, missing=values.size)
    found = {"least": known.min(), "mean": known.mean(), "greatest": known.max(), "deviation": known.std()}
    return Column(name=name, missing=values.size - known.size, **{key: float(value) for key, value in found.items()})


def card(pieces: list[Any], names: tuple[tuple[str, ...], tuple[str, ...]], flat: Any) -> Card:
    """Measure what a source yields: pieces [T, B] of streams. names: of the numbers of an observation, and of an action.
    flat: (observation, action) [N] -> their numbers float32 [N, F] and [N, A]."""
    seen, done, unknown = [], [], 0
    streams: dict[int, list[np.ndarray]] = {}
    for piece in pieces:
        valid, acted = np.asarray(piece.valid), np.asarray(piece.acted)
        for row in range(valid.shape[1]):
            chosen = valid[:, row]
            observed, action = flat(*(_taken(tree, chosen, row) for tree in (piece.step.observation, piece.action)))
            seen.append(np.asarray(observed))
            done.append(np.asarray(action))
            unknown += int(np.sum(chosen & ~acted[:, row]))
            ends = [np.asarray(leaf)[chosen, row] for leaf in (piece.next.reward, piece.next.last, piece.next.terminated)]
            streams.setdefault(row, []).append(np.stack([each.astype(np.float64) for each in ends]))
    totals, lengths, terminated = _episodes([np.concatenate(each, axis=1) for each in streams.values()])
    observation, action = np.concatenate(seen), np.concatenate(done)
    rows = np.concatenate([observation, action], axis=1)
    finite = np.isfinite(rows).all(axis=1)
    bounds = (rows[finite].min(axis=0), rows[finite].max(axis=0)) if finite.any() else (np.zeros(1), np.ones(1))
    pairs = distinct(observation[finite], action[finite], bounds) if finite.any() else 0
    known = [*zip(names[0], observation.T, strict=True), *zip(names[1], action.T, strict=True)]
    return Card(
        episodes=len(totals),
        transitions=len(rows),
        terminated=terminated,
        unknown=unknown,
        lengths=(int(lengths.min()), float(lengths.mean()), int(lengths.max())) if lengths.size else (0, 0.0, 0),
        returns=(float(totals.min()), float(totals.mean()), float(totals.max())) if totals.size else (np.nan, np.nan, np.nan),
        pairs=pairs,
        columns=tuple(column(name, values) for name, values in known),
    )


def _episodes(streams: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, int]:
    """Returns and lengths of the whole episodes of streams (reward, last, terminated) [3, n], and how many terminated."""
    totals, lengths, terminated = [], [], 0
    for reward, last, ended in streams:
        ends = np.flatnonzero(last) + 1
        if ends.size:
            begins = np.concatenate([[0], ends[:-1]])
            totals.append(np.add.reduceat(reward[: ends[-1]], begins))
            lengths.append(ends - begins)
            terminated += int(ended[ends - 1].sum())
    nothing = np.zeros(0)
    return np.concatenate([nothing, *totals]), np.concatenate([nothing.astype(int), *lengths]), terminated


def _taken(tree: Any, chosen: np.ndarray, row: int) -> Any:
    import jax

    return jax.tree.map(lambda leaf: np.asarray(leaf)[chosen, row], tree)
