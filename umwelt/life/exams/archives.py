"""Read archives out of the value of a life: places to return to, individuals of a search, cells that were counted."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from umwelt.core import layers, part, spaces
from umwelt.curiosity.counts import CountsState
from umwelt.curiosity.emitters import SereneState
from umwelt.curiosity.novelty import Kept, NoveltyState
from umwelt.life.composition import Life
from umwelt.worlds.observed import names_of
from umwelt.worlds.position import position_of
from umwelt.worlds.restarted import Restarted, Shelf

KEEPERS = ("Restarted", "Novelty", "Counts")
"""Names of the parts that keep an archive; a life without any of them has none."""


@part
class Archive:
    """The K entries that one part of a seed keeps. name: what they are. axes: the names of D numbers.

    points: float64 [K, D], where each lies; D is 0 where entries have no place. visits: float64 [K], how often each was met,
    NaN where that is not counted. worth: float64 [K], the highest score or return there, NaN where there is none.
    """

    name: str
    seed: int
    axes: tuple[str, ...]
    points: np.ndarray
    visits: np.ndarray
    worth: np.ndarray


def archives_of(life: Life, value: Any, seed: int) -> tuple[Archive, ...]:
    """Find every archive in the value of one seed: the pair (world state, mind)."""
    states = [state for state in jax.tree.leaves(value, is_leaf=_keeps) if _keeps(state)]
    found = [archive for state in states for archive in READ[type(state)](life, state, seed)]
    return tuple(archive for archive in found if len(archive.points))


def _keeps(node: Any) -> bool:
    return type(node) in READ


def _of_shelf(life: Life, shelf: Shelf, seed: int) -> list[Archive]:
    world = next(layer for layer in layers(life.world) if isinstance(layer, Restarted))
    place = position_of(world)
    if place is not None:
        points = np.asarray(place(shelf.observation), np.float64)
        axes = ("x", "y", "z")[: points.shape[1]]
    else:
        points = np.asarray(spaces.features(world.spec.observation, shelf.observation), np.float64)
        axes = names_of(world) or tuple(f"observation {entry}" for entry in range(points.shape[1]))
    visits, worth = (np.asarray(leaf, np.float64) for leaf in (shelf.visits, shelf.score))
    held = np.asarray(shelf.held)
    found = Archive(name="places to return to", seed=seed, axes=axes, points=points[held], visits=visits[held], worth=worth[held])
    return [found]


def _of_kept(name: str, kept: Kept, seed: int) -> Archive:
    held = np.asarray(kept.weight) > 0
    points, worth = (np.asarray(leaf, np.float64)[held] for leaf in (kept.traits, kept.returns))
    axes = tuple(f"trait {entry}" for entry in range(points.shape[1]))
    return Archive(name=name, seed=seed, axes=axes, points=points, visits=np.full(len(points), np.nan), worth=worth)


def _of_novelty(life: Life, state: NoveltyState, seed: int) -> list[Archive]:
    return [_of_kept("archive of novelty", state.archive, seed)]


def _of_serene(life: Life, state: SereneState, seed: int) -> list[Archive]:
    return [*_of_novelty(life, state.search, seed), _of_kept("archive of rewards", state.rewarded, seed)]


def _of_counts(life: Life, state: CountsState, seed: int) -> list[Archive]:
    met = np.asarray(state.cells, np.float64)
    met = met[met > 0]
    nowhere = np.zeros((len(met), 0))
    return [
        Archive(name="cells that were counted", seed=seed, axes=(), points=nowhere, visits=met, worth=np.full(len(met), np.nan))
    ]


READ: dict[type, Callable[[Life, Any, int], list[Archive]]] = {
    Shelf: _of_shelf,
    NoveltyState: _of_novelty,
    SereneState: _of_serene,
    CountsState: _of_counts,
}
"""How the state of each part that keeps an archive is read."""
