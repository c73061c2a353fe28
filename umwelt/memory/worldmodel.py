"""A table of stable-worldmodel, in Lance, as a source of shown experience.

One row is one step: what is seen, the reward that came with it, whether it ends the episode, and what is done there. So an
episode of n rows has n - 1 transitions, and the action of its last row means nothing.
"""

import io
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import jax
import numpy as np

from umwelt.core import FIRST, MID, SHOWN, TERMINATED, TRUNCATED, WATCHED, Box, Experience, TimeStep, WorldSpec, part, spaces
from umwelt.memory.episodes import transitions
from umwelt.memory.pieces import lay
from umwelt.memory.shown import differs

EPISODE, STEP = "episode_idx", "step_idx"
JOINED = "numbers"
"""The part of an observation that holds all numbers, where it holds pictures too."""


def table_in(path: str | Path) -> Path | None:
    """The one *.lance table that a path names or holds; None where there is none, or more."""
    if Path(path).suffix == ".lance":
        return Path(path) if Path(path).is_dir() else None
    tables = sorted(Path(path).glob("*.lance"))
    return tables[0] if len(tables) == 1 else None


@part
class WorldModel:
    """Shows the episodes of a table of stable-worldmodel, in their order.

    Numbers of all columns named in `observation` lie end to end in one Box. With a picture among them the observation is the
    picture, or a dict of `numbers` and each picture by its column's name.

    >>> WorldModel(path="shown/reach.lance", observation=("proprio", "pixels")).reward
    'reward'
    """

    path: str
    """The *.lance folder, or the folder that holds it alone."""
    observation: tuple[str, ...] = ("observation",)
    """Columns of what was seen; a dot in a name of stable-worldmodel is `_` in its table."""
    action: str = "action"
    """The column of what was done; none where it is not known, and then the experience is WATCHED."""
    reward: str = "reward"
    """The column of the reward that came with what is seen; none for 0."""
    done: str = "terminated"
    """The column that is not 0 in the last row of an episode that ended by itself; none where all were cut off."""
    episodes: int = 0
    """How many episodes, from the first on; 0 for all."""

    def read(self, key: jax.Array, spec: WorldSpec) -> Iterator[Experience]:
        """Yield pieces [T, spec.batch] of whole episodes laid end to end. The order does not depend on the key."""
        table, starts, held = self._held()
        self._compare(table, starts, held, spec)
        # an episode of one row has no transition
        spans = [(start, end) for start, end in pairwise(starts) if end - start > 1]
        lengths = [int(end - start) - 1 for start, end in spans]
        yield from lay(lambda number: self._episode(table, held, *spans[number], spec), lengths, spec.batch)

    def check(self, spec: WorldSpec) -> None:
        """Raise ValueError where the table cannot be read, or does not fit the spaces of `spec`."""
        self._compare(*self._held(), spec)

    def spec(self) -> WorldSpec:
        """The spaces of the table itself: what a life needs that has no world."""
        return self._spec(*self._held())

    @property
    def widths(self) -> dict[str, int]:
        """How many numbers each column has that can be seen; 0 for one of pictures."""
        import pyarrow

        widths = {}
        for field in _opened(self.path).schema:
            if pyarrow.types.is_fixed_size_list(field.type):
                widths[field.name] = field.type.list_size
            elif pyarrow.types.is_binary(field.type) or pyarrow.types.is_large_binary(field.type):
                widths[field.name] = 0
        return widths

    def _held(self) -> tuple[Any, np.ndarray, dict[str, np.ndarray]]:
        """The table, the row [episodes + 1] at which each episode begins, and all numbers; every fault is a ValueError."""
        if not self.observation:
            raise ValueError("observation: name the columns of what was seen, as in observation=('observation',)")
        table, widths = _opened(self.path), self.widths
        for field in ("observation", "action", "reward", "done"):
            for name in self.observation if field == "observation" else filter(None, (getattr(self, field),)):
                if name not in widths:
                    also = f", or {field}=''" if field != "observation" else ""
                    raise self._fault(f"there is no {field}={name!r}; it has {', '.join(widths)}; name one of these{also}")
                if field != "observation" and not widths[name]:
                    raise self._fault(f"{field}={name!r} is of pictures, and numbers are asked for")
                if field in ("reward", "done") and widths[name] != 1:
                    raise self._fault(f"{field}={name!r} has {widths[name]} numbers, and one is asked for")
        numbers = [name for name in self.observation if widths[name]]
        names = list(dict.fromkeys((*numbers, *filter(None, (self.action, self.reward, self.done)))))
        read = self._read(table, [EPISODE, STEP, *names])
        starts = self._starts(*(read.column(name).to_numpy() for name in (EPISODE, STEP)))
        end = starts[-1]
        held = {name: _numbers(read.column(name), widths[name])[:end] for name in names}
        last = np.zeros(end, bool)
        last[starts[1:] - 1] = True
        first = np.roll(last, 1)
        for name, array in held.items():
            # what was done at a last step, and the reward of a first one, are never read
            spared = {self.action: last, self.reward: first}.get(name) if name not in numbers else None
            needed = np.ones(end, bool) if spared is None else ~spared
            bad = np.flatnonzero(~np.isfinite(array).all(axis=1) & needed)
            if bad.size:
                raise self._fault(f"row {bad[0] + 1} has no number in {name}; leave its episode out")
        if self.done and (early := np.flatnonzero((held[self.done][:, 0] != 0) & ~last)).size:
            raise self._fault(
                f"row {early[0] + 1} has done={self.done!r} before its episode ends; give another column, or done=''"
            )
        if not np.any(np.diff(starts) > 1):
            raise self._fault("it holds no transition; a transition needs two rows")
        return table, starts, held

    def _starts(self, episode: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Where each episode begins, and where the last one that is asked for ends."""
        starts = np.concatenate([[0], np.flatnonzero(np.diff(episode)) + 1, [len(episode)]]).astype(int)
        if np.any(np.diff(episode) < 0) or np.any(step != np.arange(len(step)) - np.repeat(starts[:-1], np.diff(starts))):
            raise self._fault(f"its rows are not in the order of {EPISODE} and {STEP}; write it again with stable-worldmodel")
        if self.episodes >= len(starts):
            raise ValueError(f"episodes={self.episodes}, where path={self.path!r} holds {len(starts) - 1}")
        return starts[: self.episodes + 1] if self.episodes else starts

    def _read(self, table: Any, names: list[str], **rows: int) -> Any:
        try:
            return table.to_table(columns=names, **rows)
        except (OSError, ValueError, RuntimeError) as error:
            raise self._fault(f"a file of it is damaged or absent ({str(error).splitlines()[0]}); copy it again") from error

    def _pictures(self, table: Any, name: str, start: int, end: int) -> np.ndarray:
        """uint8 [end - start, height, width, 3]."""
        from PIL import Image, UnidentifiedImageError

        cells = self._read(table, [name], offset=int(start), limit=int(end - start)).column(name).to_pylist()
        try:
            made = [np.asarray(Image.open(io.BytesIO(cell)).convert("RGB")) for cell in cells]
        except (UnidentifiedImageError, OSError, TypeError) as error:
            raise self._fault(f"{name} holds no picture from row {start + 1} on, or a damaged one; write it again") from error
        if len({picture.shape for picture in made}) != 1:
            raise self._fault(f"{name} has pictures of several sizes from row {start + 1} on; bring them to one size")
        return np.stack(made)

    def _spec(self, table: Any, starts: np.ndarray, held: dict[str, np.ndarray]) -> WorldSpec:
        pictures = [name for name in self.observation if name not in held]
        wide = sum(held[name].shape[1] for name in self.observation if name in held)
        observation: dict[str, Any] = {JOINED: Box(shape=(wide,))} if wide else {}
        for name in pictures:
            shape = self._pictures(table, name, 0, 1).shape[1:]
            observation[name] = Box(shape=shape, low=0.0, high=255.0, dtype="uint8")
        action = Box(shape=(1,), low=0.0, high=0.0)
        if self.action:
            done = self._done(starts, held)
            low, high = (tuple(map(float, edge)) for edge in (done.min(axis=0), done.max(axis=0)))
            action = Box(shape=(len(low),), low=low, high=high)
        return WorldSpec(name=Path(self.path).stem, observation=_alone(observation), action=action, task=Box())

    def _done(self, starts: np.ndarray, held: dict[str, np.ndarray]) -> np.ndarray:
        """The actions [n, width] of all rows but the last ones."""
        return np.delete(held[self.action], starts[1:] - 1, axis=0)

    def _compare(self, table: Any, starts: np.ndarray, held: dict[str, np.ndarray], spec: WorldSpec) -> None:
        found = self._spec(table, starts, held)
        for name in ("observation", "action") if self.action else ("observation",):
            mine, given = (spaces.to_gymnasium(getattr(each, name)) for each in (found, spec))
            if sentence := differs(mine, given, bounds=False):
                raise self._fault(f"its {name} space is not that of {spec.name}: {sentence}")
        if self.action:
            low, high = spec.action.bounds
            done = self._done(starts, held)
            outside = (done < low - 1e-6) | (done > high + 1e-6)
            if outside.any():
                row, column = np.argwhere(outside)[0]
                raise self._fault(
                    f"it has {done[row, column]:g} in {self.action}[{column}], outside of {low[column]:g} to {high[column]:g} of"
                    f" {spec.name}"
                )

    def _episode(self, table: Any, held: dict[str, np.ndarray], start: int, end: int, spec: WorldSpec) -> Experience:
        joined = [held[name][start:end].astype(np.float32) for name in self.observation if name in held]
        seen = {JOINED: np.concatenate(joined, axis=1)} if joined else {}
        seen |= {name: self._pictures(table, name, start, end) for name in self.observation if name not in held}
        count = int(end - start)
        kind = np.full(count, MID, np.int8)
        over = bool(self.done) and held[self.done][end - 1, 0] != 0
        kind[0], kind[-1] = FIRST, TERMINATED if over else TRUNCATED
        reward = held[self.reward][start:end, 0].astype(np.float32) if self.reward else np.zeros(count, np.float32)
        reward[0] = 0.0
        if self.action:
            done: Any = held[self.action][start : end - 1].astype(np.float32)
        else:
            done = jax.tree.map(np.asarray, spaces.zeros(spec.action, count - 1))
        step = TimeStep(kind=kind, observation=_alone(seen), reward=reward)
        return transitions(step, done, None, SHOWN if self.action else WATCHED)

    def _fault(self, sentence: str) -> ValueError:
        return ValueError(f"path={self.path!r}: {sentence}")


def _opened(path: str) -> Any:
    """Open the table; ValueError where there is none of stable-worldmodel."""
    try:
        import lance
    except ImportError as error:
        raise ValueError(f"path={path!r}: tables of stable-worldmodel need pip install 'umwelt[worldmodel]'") from error
    found = table_in(path)
    if found is None:
        raise ValueError(f"path={path!r}: no table of stable-worldmodel; give one folder *.lance")
    try:
        table = lance.dataset(str(found))
    except (OSError, ValueError, RuntimeError) as error:
        raise ValueError(f"path={path!r}: it is no Lance table, or a damaged one; copy it again") from error
    if missing := [name for name in (EPISODE, STEP) if name not in table.schema.names]:
        held = ", ".join(table.schema.names)
        raise ValueError(
            f"path={path!r}: there is no column {', '.join(missing)}; it has {held}; write it with stable-worldmodel"
        )
    return table


def _numbers(column: Any, wide: int) -> np.ndarray:
    """float64 [rows, wide]; a cell without a value is NaN."""
    import pyarrow.compute

    held = pyarrow.compute.fill_null(column.combine_chunks(), [float("nan")] * wide)
    return held.flatten().to_numpy(zero_copy_only=False).astype(np.float64).reshape(len(held), wide)


def _alone(parts: dict[str, Any]) -> Any:
    """The one part, or the dict where there are more."""
    return next(iter(parts.values())) if len(parts) == 1 else parts
