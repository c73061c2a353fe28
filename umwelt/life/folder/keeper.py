"""Episodes as a Minari dataset in the life's folder, where the life was asked to keep them.

Episodes are cut out of the stream of a life and written when it is saved; what is still unfinished
travels in the checkpoint. So a resumed life writes the dataset that it would have written.
"""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from umwelt.core import spaces, zeros_step
from umwelt.core.contracts import World
from umwelt.life.saves.arrays import pack, unpack
from umwelt.memory import minari
from umwelt.memory.episodes import Pending, Piece, collect


class Keeper:
    """Collects the records of a life, and writes whole episodes to `folder`."""

    def __init__(self, world: World, folder: Path) -> None:
        self.spec, self.folder = world.spec, folder
        self.example = next(iter(world.tasks().values()))
        self.pending: Pending | None = None
        self.finished: list[Any] = []
        self.count = 0

    def take(self, records: Any) -> None:
        """Records with leaves [1, ticks, B]."""
        step, action, task = jax.tree.map(lambda leaf: leaf[0], records.kept)
        self.pending, ended = collect(self.pending, step, action, task)
        self.finished += ended

    def flush(self) -> bytes:
        """Write what is finished, and return what a later process needs to go on."""
        if self.finished:
            self.count = minari.write(self.finished, self.folder, self.spec, name=self.folder.parent.name, after=self.count)
            self.finished = []
        leaves = jax.tree.leaves(self.pending) if self.pending else []
        return pack({"count": np.asarray(self.count), **{f"{index:04d}": np.asarray(leaf) for index, leaf in enumerate(leaves)}})

    def resume(self, data: bytes) -> None:
        """Go on from what `flush` returned; episodes that were written after it are forgotten."""
        arrays = unpack(data)
        self.count = int(arrays.pop("count"))
        if arrays:
            self.pending = jax.tree.unflatten(jax.tree.structure(self._template()), [arrays[name] for name in sorted(arrays)])

    def _template(self) -> Pending:
        piece = Piece(step=zeros_step(self.spec), action=spaces.zeros(self.spec.action), task=self.example)
        return (piece,) * self.spec.batch
