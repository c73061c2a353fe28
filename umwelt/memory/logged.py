"""A table of logged decisions, CSV or Parquet with named columns, as a source of shown experience.

One row is one decision: what was seen, what was done then, and the reward that followed. What the next row shows is what came
of it. The last row of an episode has no next row: where it is marked as the end, its own observation stands for what followed,
which no value reads; where it is not, the row lends its observation to the one before.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from umwelt.core import SHOWN, WATCHED, Box, Discrete, Experience, WorldSpec, part
from umwelt.core import spaces as core_spaces
from umwelt.memory.episodes import decisions
from umwelt.memory.pieces import lay

CHOICES = 1000
"""Above this a column of whole numbers is not taken for choices."""


@part
class Logged:
    """Shows the episodes of a table, in their order.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "plant.csv"
    ...     _ = path.write_text("heat,valve,paid,over\\n20,0.1,0,0\\n21,0.2,1,0\\n23,0.0,2,1\\n")
    ...     source = Logged(path=str(path), observation=("heat",), action=("valve",), reward="paid", done="over")
    ...     (episode,) = source.episodes()
    >>> episode.next.observation.ravel().tolist(), episode.next.reward.tolist()
    ([21.0, 23.0, 23.0], [0.0, 1.0, 2.0])
    """

    path: str
    """The file, *.csv or *.parquet; a CSV names its columns in the first line."""
    observation: tuple[str, ...]
    """Columns of what was seen."""
    action: tuple[str, ...] = ()
    """Columns of what was done, as numbers; none with `choice`, and none where it is not known."""
    choice: str = ""
    """The column of what was chosen, whole numbers from 0 on; in place of `action`."""
    reward: str = ""
    """The column of the reward that followed; none for 0."""
    done: str = ""
    """The column that is not 0 where the episode ended by itself with this decision."""
    cut: str = ""
    """The column that is not 0 where it was cut off there."""
    episode: str = ""
    """The column that changes where another episode begins."""

    def read(self, key: jax.Array, spec: WorldSpec) -> Iterator[Experience]:
        """Yield pieces [T, spec.batch] of whole episodes laid end to end. The order does not depend on the key."""
        self.check(spec)
        held = self.episodes()
        yield from lay(held.__getitem__, [len(each.origin) for each in held], spec.batch)

    def check(self, spec: WorldSpec) -> None:
        """Raise ValueError where the table cannot be read, or does not fit the spaces of `spec`."""
        found = self.spec()
        for name in ("observation", "action") if self.action or self.choice else ("observation",):
            mine, given = getattr(found, name), getattr(spec, name)
            if sentence := _unfit(mine, given):
                raise ValueError(f"path={self.path!r}: its {name} {sentence} of {spec.name}")
        if isinstance(spec.action, Box):
            low, high = (np.broadcast_to(edge, spec.action.shape) for edge in spec.action.bounds)
            done = self._columns()[:, self._at(self.action)] if self.action else np.zeros((1, *low.shape)) + low
            outside = (done < low - 1e-6) | (done > high + 1e-6)
            if outside.any():
                row, column = np.argwhere(outside)[0]
                raise ValueError(
                    f"path={self.path!r}: row {row + 1} has {self.action[column]}={done[row, column]:g}, outside of"
                    f" {low[column]:g} to {high[column]:g} of {spec.name}"
                )

    def spec(self) -> WorldSpec:
        """The spaces of the table itself: what a life needs that has no world."""
        table = self._columns()
        action: Any = Box(shape=(1,), low=0.0, high=0.0)
        if self.choice:
            action = Discrete(n=int(table[:, self._at((self.choice,))].max()) + 1)
        elif self.action:
            done = table[:, self._at(self.action)]
            low, high = done.min(axis=0), done.max(axis=0)
            action = Box(shape=(len(self.action),), low=tuple(map(float, low)), high=tuple(map(float, high)))
        return WorldSpec(name=Path(self.path).stem, observation=Box(shape=(len(self.observation),)), action=action, task=Box())

    def episodes(self) -> list[Experience]:
        """Every episode [n] of the table, in NumPy; one of a single row that is not its end is left out."""
        table = self._columns()
        ends = np.flatnonzero(self._ends(table)) + 1
        starts = np.concatenate([[0], ends[:-1]])
        made = [self._episode(table[start:end]) for start, end in zip(starts, ends, strict=True)]
        return [each for each in made if len(each.origin)]

    def _ends(self, table: np.ndarray) -> np.ndarray:
        """Which rows are the last of their episode: bool [N]."""
        last = np.zeros(len(table), bool)
        last[-1] = True
        for name in filter(None, (self.done, self.cut)):
            last |= table[:, self._at((name,))][:, 0] != 0
        if self.episode:
            last[:-1] |= np.diff(table[:, self._at((self.episode,))][:, 0]) != 0
        return last

    def _episode(self, rows: np.ndarray) -> Experience:
        """Rows [n, columns] of one episode."""
        seen = rows[:, self._at(self.observation)].astype(np.float32)
        over = bool(self.done) and rows[-1, self._at((self.done,))][0] != 0
        reward = rows[:, self._at((self.reward,))][:, 0] if self.reward else np.zeros(len(rows))
        origin = SHOWN if self.action or self.choice else WATCHED
        done = rows[:, self._at((self.choice,))][:, 0].astype(np.int32) if self.choice else None
        if done is None:
            done = rows[:, self._at(self.action)].astype(np.float32) if self.action else np.zeros((len(rows), 1), np.float32)
        return decisions(seen, done, reward, over, origin)

    @property
    def _names(self) -> tuple[str, ...]:
        """All columns that are read, in the order in which the table holds them."""
        more = (self.choice, self.reward, self.done, self.cut, self.episode)
        return tuple(dict.fromkeys((*self.observation, *self.action, *filter(None, more))))

    def _at(self, names: tuple[str, ...]) -> list[int]:
        return [self._names.index(name) for name in names]

    def _columns(self) -> np.ndarray:
        """The numbers of all columns, float64 [N, columns]; every fault is a ValueError that says where it is."""
        if self.choice and self.action:
            raise ValueError(f"choice={self.choice!r}: give it or action={self.action}, not both")
        if not self.observation:
            raise ValueError("observation: name the columns of what was seen, as in obs=heat,flow")
        table = read_table(Path(self.path), self._names)
        if len(table) < 2:
            raise ValueError(f"path={self.path!r}: {len(table)} rows are too few; a transition needs two")
        if not np.isfinite(table).all():
            row, column = np.argwhere(~np.isfinite(table))[0]
            raise ValueError(
                f"path={self.path!r}: row {row + 1} has no number in {self._names[column]}; fill it, or leave the row out"
            )
        if self.choice:
            chosen = table[:, self._at((self.choice,))][:, 0]
            if np.any(chosen != np.round(chosen)) or chosen.min() < 0 or chosen.max() > CHOICES:
                raise ValueError(f"choice={self.choice!r}: whole numbers from 0 on are choices, and here is {chosen.max():g}")
        return table


def read_table(path: Path, names: tuple[str, ...]) -> np.ndarray:
    """Read columns of a CSV or Parquet file as numbers, float64 [N, len(names)]; an empty cell is NaN."""
    if not path.exists():
        raise ValueError(f"path={str(path)!r}: there is no such file")
    if path.suffix == ".parquet":
        return _parquet(path, names)
    with path.open(newline="", encoding="utf8") as file:
        lines = csv.reader(file)
        held = [name.strip() for name in next(lines, [])]
        _require(path, names, held)
        places = [held.index(name) for name in names]
        rows: list[list[float]] = []
        for number, line in enumerate(lines, start=1):
            if line:
                rows.append([_number(path, number, name, line, place) for name, place in zip(names, places, strict=True)])
    return np.array(rows, np.float64).reshape(len(rows), len(names))


def _parquet(path: Path, names: tuple[str, ...]) -> np.ndarray:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ValueError(f"path={str(path)!r}: Parquet needs pip install 'umwelt[parquet]'") from error
    try:
        held = pyarrow.parquet.read_schema(path).names
        _require(path, names, held)
        table = pyarrow.parquet.read_table(path, columns=list(names))
    except pyarrow.ArrowInvalid as error:
        raise ValueError(f"path={str(path)!r}: it is no Parquet file, or a damaged one ({error})") from error
    made = []
    for name in names:
        try:
            made.append(np.asarray(table.column(name).to_numpy(), np.float64))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"path={str(path)!r}: the column {name} is {table.column(name).type}, and numbers are asked for"
            ) from error
    return np.stack(made, axis=1)


def _require(path: Path, names: tuple[str, ...], held: list[str]) -> None:
    if missing := [name for name in names if name not in held]:
        raise ValueError(f"path={str(path)!r}: there is no column {', '.join(missing)}; it has {', '.join(held) or 'none'}")


def _number(path: Path, row: int, name: str, line: list[str], place: int) -> float:
    text = line[place].strip() if place < len(line) else ""
    if text.lower() in ("true", "false"):
        return float(text.lower() == "true")
    try:
        return float(text) if text else float("nan")
    except ValueError as error:
        raise ValueError(f"path={str(path)!r}: row {row} has {text!r} in {name}, and a number is asked for") from error


def _unfit(mine: Any, given: Any) -> str:
    """Say where a space of the table cannot serve for one of the world; empty where it can."""
    if isinstance(mine, Discrete) != isinstance(given, Discrete):
        kinds = {True: "is one of choices", False: "is of numbers"}
        return f"{kinds[isinstance(mine, Discrete)]}, which is not that"
    if isinstance(mine, Discrete):
        return "" if mine.n <= given.n else f"goes up to {mine.n - 1}, and there are {given.n} choices"
    wide = core_spaces.width(given)
    if not isinstance(given, Box) or given.shape != mine.shape:
        return f"has {mine.shape[0]} columns, and there are {wide} numbers in that"
    return ""
