"""Rows of bytes on disk, appended and never changed, of which an even share is dropped when they are too many.

Each row has a rank, drawn from its number: half of all rows have rank 0, a quarter rank 1, and so on. The rows of one
rank are one file. To forget every second row, the file of the lowest rank is dropped.
"""

import os
from pathlib import Path

import numpy as np

RANKS = 24
"""Files at most: the last holds all higher ranks."""


class ShelfError(Exception):
    """A memory on disk cannot be used. The message is one sentence: what is wrong, and what to do."""


class Shelf:
    """The files of one memory in a folder. The caller knows how many rows each holds, and its count overrides the files'
    length: a life that was killed before its next save wrote the rows beyond it."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size = folder, size

    def put(self, counts: np.ndarray, ranks: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Append rows uint8 [N, size] with ranks [N] to files of counts [RANKS] rows; returns the new counts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        after = counts.copy()
        for rank in np.unique(ranks):
            mine = np.ascontiguousarray(rows[ranks == rank])
            begin = int(counts[rank]) * self.size
            with self._path(rank).open("ab") as file:
                if file.tell() < begin:
                    raise self._damaged(rank, begin)
                file.truncate(begin)
                file.write(mine.data)
            after[rank] += len(mine)
        return after

    def take(self, counts: np.ndarray, lowest: int, numbers: np.ndarray) -> np.ndarray:
        """Read rows uint8 [K, size], by their numbers [K] among all rows of rank `lowest` and above, file after file."""
        ends = np.cumsum(counts[lowest:])
        found = np.empty((len(numbers), self.size), np.uint8)
        for rank in range(lowest, RANKS):
            end, count = int(ends[rank - lowest]), int(counts[rank])
            mine = (numbers >= end - count) & (numbers < end)
            if mine.any():
                path = self._path(rank)
                if not path.exists() or path.stat().st_size < count * self.size:
                    raise self._damaged(rank, count * self.size)
                held = np.memmap(path, np.uint8, mode="r", shape=(count, self.size))
                found[mine] = held[numbers[mine] - (end - count)]
        return found

    def sync(self, lowest: int) -> None:
        """Flush all to disk, and drop ranks below `lowest` that the save before this one did not need."""
        for path in sorted(self.folder.glob("rank-*")):
            rank = int(path.name[5:7])
            if rank >= lowest:
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            elif path.suffix == ".old":
                path.unlink()
            else:
                path.replace(path.with_suffix(".old"))

    def _path(self, rank: int) -> Path:
        """The file of a rank; a dropped one is still there for a life that resumes from a save before that."""
        plain, dropped = self.folder / f"rank-{rank:02d}", self.folder / f"rank-{rank:02d}.old"
        if dropped.exists():
            dropped.replace(plain)
        return plain

    def _damaged(self, rank: int, wanted: int) -> ShelfError:
        path = self._path(rank)
        found = path.stat().st_size if path.exists() else 0
        return ShelfError(f"{path} holds {found} bytes where the life's last save knows of {wanted}; put back a copy of it")


def ranks_of(numbers: np.ndarray) -> np.ndarray:
    """The rank of each row by its number, int64 [N]: how many times in a row a coin thrown for it shows heads."""
    mixed = numbers.astype(np.uint64)
    # the finalizer of splitmix64: every bit of a number changes half the bits of the result
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed = mixed ^ (mixed >> np.uint64(31))
    lowest_bit = mixed & (~mixed + np.uint64(1))
    return np.minimum(np.log2(np.maximum(lowest_bit, np.uint64(1)).astype(np.float64)).astype(np.int64), RANKS - 1)
