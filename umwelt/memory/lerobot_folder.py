"""The files of a LeRobot data set: its features, its episodes, and their numbers and pictures. Layouts v2 and v3.

v2 keeps one Parquet file and one video for each episode, and lists the episodes in `meta/episodes.jsonl`. v3 keeps many
episodes in each file, and `meta/episodes/*/*.parquet` says where each of them stands. `meta/info.json` describes the features.
"""

import io
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from umwelt.core import part

INFO, V2_EPISODES, V3_EPISODES = "meta/info.json", "meta/episodes.jsonl", "meta/episodes/*/*.parquet"
PICTURES = ("video", "image")
NUMBERS = ("float", "int", "uint", "bool")


@part
class Feature:
    """One feature as `meta/info.json` describes it."""

    dtype: str
    shape: tuple[int, ...]
    names: tuple[str, ...]
    """One for each axis of a picture, or for each number; empty where it says nothing."""

    @property
    def width(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    @property
    def picture(self) -> tuple[int, int, int]:
        """Height, width and channels of a picture."""
        high, wide, channels = self.shape
        return (wide, channels, high) if self.names[:1] and self.names[0].startswith("channel") else (high, wide, channels)


def is_folder(path: str | Path) -> bool:
    """Whether a folder is of a LeRobot data set."""
    try:
        return "codebase_version" in json.loads((Path(path) / INFO).read_text(encoding="utf8"))
    except (OSError, ValueError, TypeError):
        return False


class Folder:
    """Opens the folder of a data set; every fault in it is a ValueError of one sentence."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self.info = json.loads((Path(path) / INFO).read_text(encoding="utf8"))
        except OSError as error:
            raise self.fault(f"no LeRobot data set; give the folder that holds {INFO}") from error
        except ValueError as error:
            raise self.fault(f"{INFO} is no JSON, or a damaged file ({error}); copy it again") from error
        version = self.info.get("codebase_version") if isinstance(self.info, dict) else None
        if not isinstance(version, str) or version[:3] not in ("v2.", "v3."):
            raise self.fault(f"codebase_version is {version!r}; convert it to v2.1 or v3.0 with LeRobot's own scripts")
        self.many = version.startswith("v3.")
        try:
            self.chunks, self.rate = int(self.info["chunks_size"]), float(self.info["fps"])
            self.features = {name: _feature(entry) for name, entry in self.info["features"].items()}
            self.total = int(self.info["total_episodes"])
            if min(self.chunks, self.rate) <= 0:
                raise ValueError("a chunks_size and a fps above 0")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self.fault(f"{INFO} lacks {error}, or has another kind of value there; copy it again") from error

    def fault(self, sentence: str) -> ValueError:
        """The error that says what is wrong with this folder."""
        return ValueError(f"path={self.path!r}: {sentence}")

    def episodes(self) -> list[dict[str, Any]]:
        """An entry for each episode, in order: `episode_index`, `length`, and in v3 where it stands."""
        if self.many:
            files = sorted(Path(self.path).glob(V3_EPISODES))
            names = ["episode_index", "length", "data/chunk_index", "data/file_index"]
            names += [
                f"videos/{name}/{what}"
                for name, feature in self.features.items()
                if feature.dtype == "video"
                for what in ("chunk_index", "file_index", "from_timestamp")
            ]
            found = [row for file in files for row in self._table(file, names).to_pylist()]
        else:
            found = self._lines(Path(self.path) / V2_EPISODES)
        if any(value is None for row in found for value in row.values()) or any(row["length"] < 1 for row in found):
            raise self.fault("its list of episodes has a cell without a value, or an episode of no frame; copy the folder again")
        found = sorted(found, key=lambda row: row["episode_index"])
        if [row["episode_index"] for row in found] != list(range(self.total)):
            where = V3_EPISODES if self.many else V2_EPISODES
            raise self.fault(f"{INFO} counts {self.total} episodes, and {where} lists {len(found)}; copy the folder again")
        return found

    def numbers(self, names: Sequence[str], episodes: Iterable[dict[str, Any]]) -> list[dict[str, np.ndarray]]:
        """Read features of the episodes: float64 [length, width] by name, for each of them, all finite."""
        made, opened = [], (Path(), {})
        for episode in episodes:
            file = self._data(episode)
            if file != opened[0]:
                opened = (file, self._arrays(file, ("episode_index", "frame_index", *names)))
            number, length = episode["episode_index"], episode["length"]
            rows = np.flatnonzero(opened[1]["episode_index"][:, 0] == number)
            held = {name: array[rows] for name, array in opened[1].items()}
            if not np.array_equal(held["frame_index"][:, 0], np.arange(length)):
                raise self.fault(
                    f"{self._name(file)} holds {len(rows)} frames of episode {number}, which has {length} in order; copy it again"
                )
            for name in names:
                if not np.isfinite(held[name]).all():
                    frame = int(np.argwhere(~np.isfinite(held[name]))[0][0])
                    raise self.fault(f"episode {number} has no number in {name} at frame {frame}; leave that episode out")
            made.append({name: held[name] for name in names})
        return made

    def video(self, name: str, episode: dict[str, Any]) -> Path:
        """The file with the frames of a video feature in an episode."""
        number = episode["episode_index"]
        if self.many:
            chunk, file = (int(episode[f"videos/{name}/{what}"]) for what in ("chunk_index", "file_index"))
            path = Path(self.path) / f"videos/{name}/chunk-{chunk:03d}/file-{file:03d}.mp4"
        else:
            path = Path(self.path) / f"videos/chunk-{number // self.chunks:03d}/{name}/episode_{number:06d}.mp4"
        if not path.is_file():
            raise self.fault(f"there is no video {self._name(path)}; copy it too, or leave {name} out of observation")
        return path

    def pictures(self, name: str, episode: dict[str, Any]) -> np.ndarray:
        """Read the pictures of an episode: uint8 [length, height, width, channels]."""
        feature, length = self.features[name], episode["length"]
        if feature.dtype == "image":
            frames = self._images(name, episode)
            file = self._data(episode)
        else:
            file = self.video(name, episode)
            start = float(episode[f"videos/{name}/from_timestamp"]) if self.many else 0.0
            frames = self._frames(file, start, length, feature.picture[2])
        wrong = next((frame.shape for frame in frames if frame.shape != feature.picture), None)
        if wrong is not None:
            raise self.fault(f"{self._name(file)} has pictures of {list(wrong)}, and {INFO} says {list(feature.picture)}")
        if len(frames) != length:
            raise self.fault(f"{self._name(file)} has {len(frames)} of {length} frames of {name}; copy it again")
        return np.stack(frames)

    def _frames(self, file: Path, start: float, length: int, channels: int) -> list[np.ndarray]:
        """Decode at most `length` frames of a video from the time `start` on."""
        av = player()
        made: list[np.ndarray] = []
        try:
            with av.open(str(file)) as container:
                stream = container.streams.video[0]
                container.seek(int(start / stream.time_base), stream=stream)
                for frame in container.decode(stream):
                    # a seek lands on a key frame at or before the time
                    if frame.time < start + (len(made) - 0.5) / self.rate:
                        continue
                    if len(made) == length or frame.time > start + (len(made) + 0.5) / self.rate:
                        break
                    made.append(
                        frame.to_ndarray(format="gray" if channels == 1 else "rgb24").reshape(frame.height, frame.width, -1)
                    )
        except (av.error.FFmpegError, IndexError) as error:
            raise self.fault(f"{self._name(file)} is no video, or a damaged one ({error}); copy it again") from error
        return made

    def _images(self, name: str, episode: dict[str, Any]) -> list[np.ndarray]:
        from PIL import Image, UnidentifiedImageError

        file = self._data(episode)
        mine = [("episode_index", "==", episode["episode_index"])]
        channels = self.features[name].picture[2]
        try:
            cells = self._table(file, [name], mine).column(name).to_pylist()
            pictures = [Image.open(io.BytesIO(cell["bytes"])).convert("L" if channels == 1 else "RGB") for cell in cells]
            return [np.asarray(picture).reshape(picture.height, picture.width, -1) for picture in pictures]
        except (UnidentifiedImageError, OSError, TypeError, KeyError) as error:
            raise self.fault(f"{self._name(file)} holds no picture in {name}, or a damaged one; copy it again") from error

    def _data(self, episode: dict[str, Any]) -> Path:
        number = episode["episode_index"]
        if self.many:
            chunk, file = int(episode["data/chunk_index"]), int(episode["data/file_index"])
            return Path(self.path) / f"data/chunk-{chunk:03d}/file-{file:03d}.parquet"
        return Path(self.path) / f"data/chunk-{number // self.chunks:03d}/episode_{number:06d}.parquet"

    def _arrays(self, file: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Columns of a Parquet file: float64 [rows, width] by name."""
        table = self._table(file, names)
        return {name: self._array(file, name, table.column(name).combine_chunks()) for name in names}

    def _array(self, file: Path, name: str, column: Any) -> np.ndarray:
        import pyarrow
        from pyarrow import compute

        shape, rows = self.features[name].shape if name in self.features else (1,), len(column)
        held = column
        for size in shape:
            if not hasattr(held, "flatten") or not pyarrow.types.is_nested(held.type):
                break
            wide = compute.call_function("list_value_length", [held])
            if wide.null_count or not bool(np.all(wide.to_numpy(zero_copy_only=False) == size)):
                raise self.fault(
                    f"{self._name(file)} has {name} of another width than the {list(shape)} of {INFO}; copy both again"
                )
            held = held.flatten()
        try:
            numbers = held.cast(pyarrow.float64(), safe=False).to_numpy(zero_copy_only=False)
        except pyarrow.ArrowException as error:
            raise self.fault(f"{self._name(file)} has {name} as {column.type}, and numbers are asked for") from error
        if len(numbers) != rows * math.prod(shape):
            raise self.fault(f"{self._name(file)} has {name} of another width than the {list(shape)} of {INFO}; copy both again")
        return numbers.reshape(rows, math.prod(shape))

    def _table(self, file: Path, names: Sequence[str], filters: Any = None) -> Any:
        try:
            import pyarrow.parquet
        except ImportError as error:
            raise self.fault("LeRobot data sets need pip install 'umwelt[lerobot]'") from error
        if not file.is_file():
            raise self.fault(f"there is no file {self._name(file)}; copy the whole folder")
        try:
            held = pyarrow.parquet.read_schema(file).names
            if missing := [name for name in names if name not in held]:
                raise self.fault(f"{self._name(file)} has no column {', '.join(missing)}; it has {', '.join(held)}")
            return pyarrow.parquet.read_table(file, columns=list(dict.fromkeys(names)), filters=filters)
        except (pyarrow.ArrowException, OSError) as error:
            raise self.fault(f"{self._name(file)} is no Parquet file, or a damaged one ({error}); copy it again") from error

    def _lines(self, file: Path) -> list[dict[str, Any]]:
        try:
            rows = [json.loads(line) for line in file.read_text(encoding="utf8").splitlines() if line.strip()]
            return [{name: int(row[name]) for name in ("episode_index", "length")} for row in rows]
        except OSError as error:
            raise self.fault(f"there is no file {self._name(file)}; copy the whole folder") from error
        except (ValueError, KeyError, TypeError) as error:
            raise self.fault(f"{self._name(file)} is damaged ({error}); copy it again") from error

    def _name(self, file: Path) -> str:
        return file.relative_to(self.path).as_posix()


def player() -> Any:
    """PyAV; ValueError that names the extra where it is not installed."""
    try:
        import av
        import av.error
    except ImportError as error:
        raise ValueError("observation: videos need PyAV, pip install 'umwelt[lerobot]'; or name features of numbers") from error
    return av


def _feature(entry: dict[str, Any]) -> Feature:
    names = entry.get("names")
    if isinstance(names, dict):
        lists = [each for each in names.values() if isinstance(each, list)]
        names = [name for each in lists for name in each] if lists else list(names)
    shape = tuple(int(size) for size in entry["shape"])
    return Feature(dtype=str(entry["dtype"]), shape=shape or (1,), names=tuple(map(str, names or ())))
