"""Episodes that a life kept, on its clock, and drawn where they can be."""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from umwelt.core import part, spaces
from umwelt.export.extras import ExportError, library
from umwelt.life.folder import expression
from umwelt.life.folder.folder import Folder
from umwelt.memory import minari
from umwelt.worlds.posture import drawer

WIDEST = 64
"""An observation of more numbers is shown by its frame alone."""


@part
class Kept:
    """One episode of n decisions. clocks: int [n + 1], of its steps. observation: float [n + 1, width], action [n, width],
    reward [n]. frames: uint8 [n + 1, H, W, 1 or 3], or None where the world cannot be drawn."""

    seed: int
    row: int
    clocks: np.ndarray
    observation: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    frames: np.ndarray | None


def kept_episodes(folder: Folder, table: dict[str, np.ndarray], newest: int) -> Iterator[Kept]:
    """The newest episodes that the life kept, if it did. table: the chronicle's episodes, of which the kept ones are the
    first so many, for they are written when a life is saved."""
    count = min(minari.count(folder.episodes), len(table["end"]))
    if not newest or not count:
        return
    library("minari", "minari")
    try:
        world = expression.read(folder.description["life"]["fields"]["world"])
    except expression.ExpressionError as error:
        raise ExportError(f"{error} The kept episodes need their world; --episodes 0 leaves them out") from error
    draw = drawer(world)
    for number in range(max(0, count - newest), count):
        (episode,) = minari.read(folder.episodes, world.spec, range(number, number + 1))
        row = {name: column[number] for name, column in table.items()}
        if row["length"] != len(episode.origin):
            raise ExportError(
                f"{folder.episodes} does not fit to the chronicle (episode {number} has {len(episode.origin)} decisions,"
                f" and {row['length']} there); --episodes 0 leaves it out"
            )
        yield _placed(world.spec, episode, row, draw)


def _placed(spec: Any, episode: Any, row: dict[str, Any], draw: Any) -> Kept:
    def and_last(first: Any, last: Any) -> np.ndarray:
        return np.concatenate([first, last[-1:]])

    seen = jax.tree.map(and_last, episode.step.observation, episode.next.observation)
    tasks = jax.tree.map(lambda leaf: and_last(leaf, leaf), episode.task)
    wide = spaces.width(spec.observation)
    count = len(episode.origin)
    return Kept(
        seed=int(row["seed"]),
        row=int(row["row"]),
        clocks=int(row["begin"]) + np.arange(count + 1),
        observation=np.asarray(spaces.features(spec.observation, seen)) if wide <= WIDEST else np.zeros((count + 1, 0)),
        action=np.asarray(spaces.features(spec.action, episode.action)),
        reward=np.asarray(episode.next.reward),
        frames=None if draw is None else np.asarray(draw(seen, tasks)),
    )
