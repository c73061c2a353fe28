"""A Minari dataset as a source of shown experience."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from umwelt.core import WATCHED, Box, Experience, WorldSpec, part, spaces
from umwelt.memory import minari
from umwelt.memory.pieces import lay


@part
class Minari:
    """Shows the episodes of a Minari dataset, in their order.

    >>> source = Minari(path="shown/A", actions=False)
    >>> source.episodes  # all that are there
    0
    """

    path: str
    """A folder with a dataset, as `umwelt record` writes it, or the id of a dataset that Minari keeps."""
    actions: bool = True
    """Show the actions. Without them the experience is WATCHED, and its actions are zeros."""
    episodes: int = 0
    """How many episodes, from the first on; 0 for all."""

    def read(self, key: jax.Array, spec: WorldSpec) -> Iterator[Experience]:
        """Yield pieces [T, spec.batch] of whole episodes laid end to end. The order does not depend on the key."""
        storage = self._opened(spec)
        numbers = range(self.episodes or storage.total_episodes)
        lengths = [int(found["total_steps"]) for found in storage.get_episode_metadata(numbers)]
        yield from lay(lambda number: self._episode(number, spec), lengths, spec.batch)

    def spec(self) -> WorldSpec:
        """The spaces of the dataset itself: what a life needs that has no world."""
        storage = minari.opened(self.path)
        observation, action = map(spaces.from_gymnasium, (storage.observation_space, storage.action_space))
        return WorldSpec(name=Path(self.path).name, observation=observation, action=action, task=Box())

    def check(self, spec: WorldSpec) -> None:
        """Raise ValueError where there is no such dataset, or where it is of another world than that of `spec`."""
        self._opened(spec)

    def _opened(self, spec: WorldSpec) -> Any:
        storage = minari.opened(self.path)
        pairs = (
            ("observation", storage.observation_space, spec.observation),
            ("action", storage.action_space, spec.action),
        )
        for name, held, space in pairs:
            if difference := differs(held, spaces.to_gymnasium(space), bounds=name == "action"):
                raise ValueError(f"path={self.path!r}: its {name} space is not that of {spec.name}: {difference}")
        count = storage.total_episodes
        if self.episodes > count:
            raise ValueError(f"episodes={self.episodes}, where path={self.path!r} holds {count}")
        return storage

    def _episode(self, number: int, spec: WorldSpec) -> Experience:
        (episode,) = minari.read(self.path, spec, [number])
        return episode if self.actions else watched(episode)


def watched(episode: Experience) -> Experience:
    """The same episode, as another agent's whose actions are unknown: origin WATCHED, actions of zeros, in NumPy."""
    origin = np.full_like(episode.origin, WATCHED)
    return replace(episode, origin=origin, action=jax.tree.map(np.zeros_like, episode.action))


def differs(held: Any, given: Any, bounds: bool, name: str = "it") -> str:
    """A sentence where a Gymnasium space on disk cannot serve for the given one; empty where it can.

    bounds: also compare finite bounds, since an action means something else in other units. float64 serves for float32.
    """
    if type(held).__name__ != type(given).__name__:
        return f"{name} is {held}, where {given} is asked for"
    if hasattr(given, "spaces"):
        inner, wanted = _parts(held), _parts(given)
        if set(inner) != set(wanted):
            return f"{name} has the parts {sorted(inner)}, where {sorted(wanted)} are asked for"
        sentences = (differs(inner[part], wanted[part], bounds, f"{name}[{part!r}]") for part in wanted)
        return next(filter(None, sentences), "")
    if hasattr(given, "n"):
        return "" if held.n == given.n else f"{name} has {held.n} choices, where {given.n} are asked for"
    floats = held.dtype.kind == given.dtype.kind == "f"
    if held.shape != given.shape or not (floats or held.dtype == given.dtype):
        return f"{name} is {held.dtype}{list(held.shape)}, where {given.dtype}{list(given.shape)} is asked for"
    if bounds and not np.allclose([held.low, held.high], [given.low, given.high]):
        found, wanted = (f"[{each.low.min():g}, {each.high.max():g}]" for each in (held, given))
        return f"{name} lies in {found}, where {wanted} is asked for"
    return ""


def _parts(space: Any) -> dict[Any, Any]:
    """The parts of a Gymnasium Dict or Tuple, by name or number."""
    inner = space.spaces
    return dict(enumerate(inner)) if isinstance(inner, tuple | list) else dict(inner)
