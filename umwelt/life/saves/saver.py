"""From the value of a life to its checkpoints and back, the simulators of a hosted world included."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import jax
import jax.numpy as jnp

from umwelt.core import part
from umwelt.core.contracts import HostedWorld
from umwelt.life.engine import Engine
from umwelt.life.mind import Mind
from umwelt.life.rhythm import Segment
from umwelt.life.saves.arrays import pack, unpack
from umwelt.life.saves.checkpoint import Checkpoints
from umwelt.life.saves.digest import digest

Rest = tuple[Segment, int]


@part
class Found:
    """A loaded life: its clock, its value (world state, mind), the unfinished episodes, and named sentences
    about what was amiss. rest: a segment that had not ended, and how much of it ran."""

    clock: int
    value: Any
    episodes: bytes
    notes: tuple[tuple[str, str], ...]
    rest: Rest | None = None


class Saver:
    """The checkpoints of one life.

    A pure world's state is saved like everything else. A hosted world is saved as the bytes of what
    it needs to replay its episodes: their length changes from save to save.
    """

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.engine, self.world = engine, engine.life.world
        self.checkpoints = Checkpoints(folder)

    def save(self, clock: int, value: tuple[Any, Mind], episodes: bytes = b"", rest: Rest | None = None) -> None:
        """Keep the value; the last good save stays until this one is whole. rest: as in `Found`."""
        state, mind = value
        world = pack(cast(HostedWorld, self.world).save(state)) if self._hosted else state
        left = rest and {"segment": asdict(rest[0]), "done": rest[1]}
        self.checkpoints.save(clock, {"mind": mind, "world": world, "episodes": episodes}, left)

    def load(self) -> Found | None:
        """The newest whole save, its simulators running again; None where nothing was saved yet."""
        if self.checkpoints.latest() is None:
            return None
        clock, saved = self.checkpoints.load(self._form())
        notes = [("damaged/checkpoint", note) for note in self.checkpoints.notes]
        state, mind = saved["world"], saved["mind"]
        if self._hosted:
            state, step = cast(HostedWorld, self.world).restore(unpack(state))
            # a row that could not be replayed comes back as ended, and the mind must see the same
            mind = replace(mind, step=jax.tree.map(jnp.asarray, step))
        left = self.checkpoints.rest
        rest = (Segment(**left["segment"]), left["done"]) if left else None
        return Found(clock=clock, value=(state, mind), episodes=saved["episodes"], notes=tuple(notes), rest=rest)

    def read(self) -> tuple[int, list[tuple[Any, Mind]]]:
        """(clock, world state and mind of each seed) of the newest whole save; the state is None of a hosted world."""
        clock, saved = self.checkpoints.load(self._form())
        value = (None if self._hosted else saved["world"], saved["mind"])
        if self.engine.life.seeds == 1:
            return clock, [value]
        return clock, [jax.tree.map(lambda leaf: leaf[index], value) for index in range(self.engine.life.seeds)]  # noqa: B023

    def load_minds(self) -> list[Mind]:
        """The mind of each seed at the newest whole save; the world is left alone."""
        return [mind for _, mind in self.read()[1]]

    def fingerprint(self) -> tuple[int, str]:
        """(clock, sha256 of the whole value) of the newest whole save."""
        clock, saved = self.checkpoints.load(self._form())
        return clock, digest(saved)

    @property
    def _hosted(self) -> bool:
        return self.world.spec.hosted

    def _form(self) -> dict[str, Any]:
        """The value's structure, shapes and dtypes."""
        state, mind = self.engine.form()
        return {"mind": mind, "world": b"" if self._hosted else state, "episodes": b""}
