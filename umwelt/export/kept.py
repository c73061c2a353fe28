"""Episodes that a life kept, on its clock, and rendered where the world can be drawn."""

from collections.abc import Iterator, Sequence
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
class KeptEpisode:
    """One episode of n decisions.

    clocks: int [n + 1], of its steps. observation: float [n + 1, width], action [n, width], reward [n].
    frames: uint8 [n + 1, H, W, 1 or 3], or None where the world cannot be drawn.
    """

    seed: int
    row: int
    clocks: np.ndarray
    observation: np.ndarray
    action: np.ndarray
    reward: np.ndarray
    frames: np.ndarray | None


def count_kept(folder: Folder, table: dict[str, np.ndarray]) -> int:
    """Count the episodes that the life kept.

    table: the chronicle's episodes. The kept ones are its first rows, because they are written with each save.
    """
    return min(minari.count(folder.episodes), len(table["end"]))


def kept_episodes(folder: Folder, table: dict[str, np.ndarray], numbers: Sequence[int]) -> Iterator[KeptEpisode]:
    """Yield kept episodes by their numbers, which are rows of the chronicle's episodes `table`."""
    if not numbers:
        return
    library("minari", "minari")
    try:
        world = expression.read(folder.description["life"]["fields"]["world"])
    except expression.ExpressionError as error:
        raise ExportError(f"{error} The kept episodes need their world; --episodes 0 leaves them out") from error
    draw = drawer(world)
    for number in numbers:
        (episode,) = minari.read(folder.episodes, world.spec, range(number, number + 1))
        row = {name: column[number] for name, column in table.items()}
        if row["length"] != len(episode.origin):
            raise ExportError(
                f"{folder.episodes} does not fit to the chronicle (episode {number} has {len(episode.origin)} decisions,"
                f" and {row['length']} there); --episodes 0 leaves it out"
            )
        yield _on_the_clock(world.spec, episode, row, draw)


def _on_the_clock(spec: Any, episode: Any, row: dict[str, Any], draw: Any) -> KeptEpisode:
    def and_last(first: Any, last: Any) -> np.ndarray:
        return np.concatenate([first, last[-1:]])

    observations = jax.tree.map(and_last, episode.step.observation, episode.next.observation)
    tasks = jax.tree.map(lambda leaf: and_last(leaf, leaf), episode.task)
    wide = spaces.width(spec.observation)
    count = len(episode.origin)
    return KeptEpisode(
        seed=int(row["seed"]),
        row=int(row["row"]),
        clocks=int(row["begin"]) + np.arange(count + 1),
        observation=np.asarray(spaces.features(spec.observation, observations)) if wide <= WIDEST else np.zeros((count + 1, 0)),
        action=np.asarray(spaces.features(spec.action, episode.action)),
        reward=np.asarray(episode.next.reward),
        frames=None if draw is None else np.asarray(draw(observations, tasks)),
    )
