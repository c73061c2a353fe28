"""A LeRobot data set, v2 or v3, as a source of shown experience; it is read with PyArrow alone.

One frame is one decision, as in a table: what was seen, what was done then, and the reward that followed.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from umwelt.core import SHOWN, WATCHED, Box, Experience, WorldSpec, part, spaces
from umwelt.memory.episodes import decisions
from umwelt.memory.lerobot_folder import NUMBERS, PICTURES, Feature, Folder, player
from umwelt.memory.pieces import lay
from umwelt.memory.shown import differs

JOINED = "numbers"
"""The part of an observation that holds all numbers, where it holds pictures too."""


@part
class LeRobot:
    """Shows the episodes of a LeRobot data set, in their order.

    Numbers of all features named in `observation` lie end to end in one Box. With a picture among them the observation is
    the picture, or a dict of `numbers` and each picture by its feature's name.

    >>> LeRobot(path="shown/reach", reward="", done="").observation
    ('observation.state',)
    """

    path: str
    """The folder that holds meta/info.json."""
    observation: tuple[str, ...] = ("observation.state",)
    """Features of what was seen. A video is read only where it is named here, and needs PyAV."""
    action: str = "action"
    """The feature of what was done; none where it is not known, and then the experience is WATCHED."""
    reward: str = "next.reward"
    """The feature of the reward that followed; none for 0."""
    done: str = "next.done"
    """The feature that is not 0 at the last frame of an episode that ended by itself; none where all were cut off.

    LeRobot's own recorders also set it where the time was over.
    """
    episodes: int = 0
    """How many episodes, from the first on; 0 for all."""

    def read(self, key: jax.Array, spec: WorldSpec) -> Iterator[Experience]:
        """Yield pieces [T, spec.batch] of whole episodes laid end to end. The order does not depend on the key."""
        folder, listed, held = self._held()
        self._compare(folder, held, spec)
        # an episode of one frame that is not its end has no transition
        rows = [(entry, numbers) for entry, numbers in zip(listed, held, strict=True) if self._count(entry, numbers)]
        lengths = [self._count(*row) for row in rows]
        yield from lay(lambda number: self._episode(folder, *rows[number], spec), lengths, spec.batch)

    def check(self, spec: WorldSpec) -> None:
        """Raise ValueError where the data set cannot be read, or does not fit the spaces of `spec`."""
        folder, _, held = self._held()
        self._compare(folder, held, spec)

    def spec(self) -> WorldSpec:
        """The spaces of the data set itself: what a life needs that has no world."""
        folder, _, held = self._held()
        return self._spec(folder, held)

    @property
    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the numbers of an observation and of an action are called, as `meta/info.json` does, in order."""
        features = Folder(self.path).features
        pictures = {name: features[name] for name in self.observation if features[name].dtype in PICTURES}
        joined = [name for name in self.observation if name not in pictures]
        parts = {JOINED: tuple(each for name in joined for each in _names(name, features[name], len(joined) > 1))}
        parts |= {name: tuple(f"{name} {index}" for index in range(each.width)) for name, each in pictures.items()}
        seen = tuple(each for name in sorted(parts) for each in parts[name])
        return seen, _names(self.action, features[self.action], False) if self.action else ()

    def _held(self) -> tuple[Folder, list[dict[str, Any]], list[dict[str, np.ndarray]]]:
        """The folder, the entries of the episodes that are asked for, and all their numbers; every fault is a ValueError."""
        if not self.observation:
            raise ValueError("observation: name the features of what was seen, as in observation=('observation.state',)")
        folder = Folder(self.path)
        for field in ("observation", "action", "reward", "done"):
            for name in self.observation if field == "observation" else filter(None, (getattr(self, field),)):
                self._require(folder, field, name)
        listed = folder.episodes()
        if self.episodes > len(listed):
            raise ValueError(f"episodes={self.episodes}, where path={self.path!r} holds {len(listed)}")
        listed = listed[: self.episodes] if self.episodes else listed
        for name in self.observation:
            if folder.features[name].dtype == "video":
                player()
                for entry in listed:
                    folder.video(name, entry)
        numbers = [name for name in self.observation if folder.features[name].dtype not in PICTURES]
        held = folder.numbers(list(dict.fromkeys((*numbers, *filter(None, (self.action, self.reward, self.done))))), listed)
        for number, each in enumerate(held):
            early = np.flatnonzero(each[self.done][:-1, 0]) if self.done else np.zeros(0)
            if early.size:
                raise folder.fault(
                    f"episode {number} goes on after done={self.done!r} at frame {int(early[0])}; give another, or done=''"
                )
        if not any(map(self._count, listed, held)):
            raise folder.fault("it holds no transition; a transition needs two frames")
        return folder, listed, held

    def _require(self, folder: Folder, field: str, name: str) -> None:
        if name not in folder.features:
            also = f", or {field}=''" if field != "observation" else ""
            raise folder.fault(f"there is no {field}={name!r}; it has {', '.join(folder.features)}; name one of these{also}")
        feature = folder.features[name]
        if feature.dtype in PICTURES and field == "observation":
            if len(feature.shape) != 3 or feature.picture[2] not in (1, 3):
                raise folder.fault(f"{name} has pictures of {list(feature.shape)}, and one or three channels are read")
        elif not feature.dtype.startswith(NUMBERS):
            raise folder.fault(f"{field}={name!r} is of {feature.dtype}, and numbers are asked for")
        elif field in ("reward", "done") and feature.width != 1:
            raise folder.fault(f"{field}={name!r} has {feature.width} numbers, and one is asked for")

    def _spec(self, folder: Folder, held: list[dict[str, np.ndarray]]) -> WorldSpec:
        pictures = [name for name in self.observation if folder.features[name].dtype in PICTURES]
        wide = sum(folder.features[name].width for name in self.observation if name not in pictures)
        observation: dict[str, Any] = {JOINED: Box(shape=(wide,))} if wide else {}
        observation |= {name: Box(shape=folder.features[name].picture, low=0.0, high=255.0, dtype="uint8") for name in pictures}
        action = Box(shape=(1,), low=0.0, high=0.0)
        if self.action:
            done = np.concatenate([each[self.action] for each in held])
            low, high = (tuple(map(float, edge)) for edge in (done.min(axis=0), done.max(axis=0)))
            action = Box(shape=(len(low),), low=low, high=high)
        return WorldSpec(name=Path(self.path).name, observation=_alone(observation), action=action, task=Box())

    def _compare(self, folder: Folder, held: list[dict[str, np.ndarray]], spec: WorldSpec) -> None:
        found = self._spec(folder, held)
        for name in ("observation", "action") if self.action else ("observation",):
            mine, given = (spaces.to_gymnasium(getattr(each, name)) for each in (found, spec))
            if sentence := differs(mine, given, bounds=False):
                raise folder.fault(f"its {name} space is not that of {spec.name}: {sentence}")
        if self.action:
            low, high = spec.action.bounds
            for number, each in enumerate(held):
                outside = (each[self.action] < low - 1e-6) | (each[self.action] > high + 1e-6)
                if outside.any():
                    frame, column = np.argwhere(outside)[0]
                    raise folder.fault(
                        f"episode {number} has {each[self.action][frame, column]:g} in {self.action}[{column}] at frame {frame},"
                        f" outside of {low[column]:g} to {high[column]:g} of {spec.name}"
                    )

    def _count(self, entry: dict[str, Any], numbers: dict[str, np.ndarray]) -> int:
        """The transitions of an episode."""
        return entry["length"] - (not self._over(numbers))

    def _over(self, numbers: dict[str, np.ndarray]) -> bool:
        return bool(self.done) and bool(numbers[self.done][-1, 0])

    def _episode(self, folder: Folder, entry: dict[str, Any], numbers: dict[str, np.ndarray], spec: WorldSpec) -> Experience:
        pictures = [name for name in self.observation if folder.features[name].dtype in PICTURES]
        joined = [numbers[name].astype(np.float32) for name in self.observation if name not in pictures]
        seen = {JOINED: np.concatenate(joined, axis=1)} if joined else {}
        seen |= {name: folder.pictures(name, entry) for name in pictures}
        length = entry["length"]
        reward = numbers[self.reward][:, 0] if self.reward else np.zeros(length)
        if self.action:
            done: Any = numbers[self.action].astype(np.float32)
        else:
            done = jax.tree.map(np.asarray, spaces.zeros(spec.action, length))
        return decisions(_alone(seen), done, reward, self._over(numbers), SHOWN if self.action else WATCHED)


def _alone(parts: dict[str, Any]) -> Any:
    """The one part, or the dict where there are more."""
    return next(iter(parts.values())) if len(parts) == 1 else parts


def _names(name: str, feature: Feature, many: bool) -> tuple[str, ...]:
    """The names of a feature's numbers; with the feature's own before them where there are many features."""
    if len(feature.names) != feature.width:
        return tuple(f"{name} {index}" for index in range(feature.width)) if feature.width > 1 else (name,)
    return tuple(f"{name.rpartition('.')[2]}.{each}" for each in feature.names) if many else feature.names
