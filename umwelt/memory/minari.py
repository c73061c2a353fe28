"""Episodes to and from disk, as a Minari dataset in a folder.

Minari keeps a dataset in one HDF5 file, and appends to it in place. A kill in the middle can spoil everything in it. Here
each call of `write` writes a file of its own, and the main file holds links to the episodes. Files appear by renaming;
the last is `metadata.json`, whose count of episodes says which links are real. So a call is written whole or not at all,
by one writer at a time. To Minari's own loader it is an ordinary dataset: `minari.MinariDataset(folder)`.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from umwelt.core import FIRST, MID, SHOWN, TERMINATED, TRUNCATED, Experience, TimeStep, WorldSpec, spaces
from umwelt.memory.episodes import transitions

MAIN, METADATA = "main_data.hdf5", "metadata.json"
PART, STAGE = "episodes_", ".writing-"


def write(episodes: Sequence[Experience], folder: str | Path, spec: WorldSpec, name: str = "", after: int | None = None) -> int:
    """Append episodes [n], each from its FIRST step to its last, to the dataset in `folder`.

    The folder is made where it is missing. name: the Minari id of a new dataset, "umwelt/<world>-v0" where it is empty.
    after: drop the episodes beyond so many first, because a resumed life repeats them. Returns how many episodes the
    dataset holds.
    """
    minari, h5py = _libraries()
    folder = Path(folder).absolute()  # Minari joins a relative path twice
    buffers = [_buffer(minari, index, jax.tree.map(np.asarray, one), spec) for index, one in enumerate(episodes)]
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{STAGE}*"):
        shutil.rmtree(left)
    metadata = _metadata(folder, spec)
    held = metadata.get("total_episodes", 0)
    if after is not None and after > held:
        raise ValueError(f"after={after}, where folder={folder} holds {held} episodes")
    stage = Path(tempfile.mkdtemp(prefix=STAGE, dir=folder))
    try:
        if after is not None and after < held:
            metadata = _forget(h5py, stage, folder, metadata, after)
        if not buffers:
            return metadata.get("total_episodes", 0)
        held = (spaces.to_gymnasium(spec.observation), spaces.to_gymnasium(spec.action))
        storage = minari.dataset.minari_storage.MinariStorage.new(stage, *held, jpeg_encoding=False)
        if not metadata:
            title = name or f"umwelt/{re.sub(r'[^A-Za-z0-9]+', '-', spec.name).strip('-').lower() or 'world'}-v0"
            storage.update_metadata({"dataset_id": title, "minari_version": minari.__version__})
            metadata = json.loads((stage / METADATA).read_text())
        storage.update_episodes(buffers)
        return _publish(h5py, stage, folder, metadata, storage)
    finally:
        shutil.rmtree(stage)


def count(folder: str | Path) -> int:
    """Count the episodes of the dataset in the folder, 0 where there is none."""
    metadata = Path(folder) / METADATA
    return json.loads(metadata.read_text())["total_episodes"] if metadata.exists() else 0


def read(folder: str | Path, spec: WorldSpec | None = None, numbers: Sequence[int] | None = None) -> list[Experience]:
    """Read every episode of a Minari dataset, or those `numbers` of them, as experience [n] of origin SHOWN, in NumPy.

    folder: of the dataset, or the id of one that Minari keeps. With `spec`, observations, actions and tasks take the
    structure and the dtypes of its spaces (a struct is a dict on disk). An episode without a flag at its end is TRUNCATED.
    """
    storage = opened(folder)
    wanted = range(storage.total_episodes) if numbers is None else numbers
    held = (storage.observation_space, storage.action_space)
    return [_experience(episode, spec, held) for episode in storage.get_episodes(wanted)]


def opened(folder: str | Path) -> Any:
    """Open Minari's storage of a folder, or of the id of a dataset that Minari keeps; ValueError where there is neither."""
    minari, _ = _libraries()
    for inside in (Path(folder).absolute(), Path(folder).absolute() / "data"):
        if (inside / METADATA).exists():
            return minari.dataset.minari_storage.MinariStorage.read(inside)
    try:
        return minari.load_dataset(str(folder)).storage
    except (FileNotFoundError, ValueError) as error:
        raise ValueError(
            f"path={str(folder)!r}: no folder with a Minari dataset, and no id of one on this machine; give a folder with"
            f" {METADATA} in it, or download the dataset with Minari first"
        ) from error


def missing() -> str:
    """Say what has to be installed before episodes can be written; empty where nothing is missing."""
    try:
        _libraries()
    except ImportError as error:
        return str(error)
    return ""


def _libraries() -> tuple[Any, Any]:
    try:
        import h5py
        import minari
        import minari.dataset.minari_storage
    except ImportError as error:
        raise ImportError("episodes on disk need Minari with HDF5: pip install 'umwelt[minari]'") from error
    return minari, h5py


def _metadata(folder: Path, spec: WorldSpec) -> dict[str, Any]:
    """The metadata of the dataset in the folder, empty where there is none; ValueError where it is of another kind."""
    if not (folder / METADATA).exists():
        return {}
    minari, _ = _libraries()
    storage = minari.dataset.minari_storage.MinariStorage.read(folder)
    for kind, held in (("observation", storage.observation_space), ("action", storage.action_space)):
        given = spaces.to_gymnasium(getattr(spec, kind))
        if held != given:
            raise ValueError(f"folder={folder} holds another {kind} space, {held} instead of {given}; use another folder")
    if storage.jpeg_encoding:
        raise ValueError(f"folder={folder} keeps images as JPEG, which loses detail; write to another folder")
    return json.loads((folder / METADATA).read_text())


def _forget(h5py: Any, stage: Path, folder: Path, metadata: dict[str, Any], after: int) -> dict[str, Any]:
    """Count only the first episodes; the next call of `write` removes the links beyond."""
    with h5py.File(folder / MAIN, "r") as links:
        gone = range(after, metadata["total_episodes"])
        steps = sum(int(links[f"episode_{number}"].attrs["total_steps"]) for number in gone)
    return _count(stage, folder, metadata | {"total_episodes": after, "total_steps": metadata["total_steps"] - steps})


def _publish(h5py: Any, stage: Path, folder: Path, metadata: dict[str, Any], storage: Any) -> int:
    """Move what was staged into the folder: first the episodes, then the links, then the count that makes them real."""
    held, added, index = metadata["total_episodes"], storage.total_episodes, stage / "index.hdf5"
    for part in folder.glob(f"{PART}*.hdf5"):
        if int(part.stem.removeprefix(PART)) >= held:
            part.unlink()
    name = f"{PART}{held:08d}.hdf5"
    if held:
        shutil.copyfile(folder / MAIN, index)
    with h5py.File(stage / MAIN, "a") as staged, h5py.File(index, "a", track_order=True) as links:
        for number in range(held, len(links.keys())):
            del links[f"episode_{number}"]
        for number in range(added):
            staged[f"episode_{number}"].attrs["id"] = held + number
            links[f"episode_{held + number}"] = h5py.ExternalLink(name, f"/episode_{number}")
    _move(stage / MAIN, folder / name)
    _move(index, folder / MAIN)
    steps = metadata["total_steps"] + storage.total_steps
    return _count(stage, folder, metadata | {"total_episodes": held + added, "total_steps": steps})["total_episodes"]


def _count(stage: Path, folder: Path, metadata: dict[str, Any]) -> dict[str, Any]:
    """Make this the metadata of the dataset."""
    metadata["dataset_size"] = round(sum(path.stat().st_size for path in folder.glob("*.hdf5")) / 1e6, 1)
    (stage / "counts.json").write_text(json.dumps(metadata))
    _move(stage / "counts.json", folder / METADATA)
    return metadata


def _move(source: Path, target: Path) -> None:
    """Rename over the target once the bytes are on disk, so that a loss of power leaves either file whole."""
    _settle(source)
    os.replace(source, target)
    _settle(target.parent)


def _settle(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _buffer(minari: Any, index: int, episode: Experience, spec: WorldSpec) -> Any:
    """One episode in Minari's form: n + 1 observations, n of everything else."""
    kinds = np.append(episode.step.kind, episode.next.kind[-1:])
    right = kinds.size > 1 and kinds[0] == FIRST and np.all(kinds[1:-1] == MID) and kinds[-1] >= TERMINATED
    if not right or np.any(episode.step.kind[1:] != episode.next.kind[:-1]):
        raise ValueError(f"episodes[{index}] is no whole episode FIRST, MID ..., TERMINATED or TRUNCATED: its kinds are {kinds}")
    ends = jax.tree.map(lambda leaf: leaf[-1:], episode.next.observation)
    observation = jax.tree.map(lambda *parts: np.concatenate(parts), episode.step.observation, ends)
    infos = {}
    if episode.task is not None:
        # One entry for each step, the first of which belongs to the reset.
        infos["task"] = _to_disk(spec.task, jax.tree.map(lambda leaf: np.concatenate([leaf[:1], leaf]), episode.task), "task")
    return minari.data_collector.EpisodeBuffer(
        observations=_to_disk(spec.observation, observation, "observation"),
        actions=_to_disk(spec.action, episode.action, "action"),
        rewards=episode.next.reward,
        terminations=episode.next.kind == TERMINATED,
        truncations=episode.next.kind == TRUNCATED,
        infos=infos,
    )


def _to_disk(space: Any, value: Any, what: str) -> Any:
    """The value [n, ...] of a space with its structs as dicts."""
    if spaces.is_leaf(space):
        if value.shape[1:] != tuple(space.shape) or value.dtype != np.dtype(space.dtype):
            raise ValueError(f"{what} is {value.dtype}{list(value.shape[1:])}, where spec has {space.dtype}{list(space.shape)}")
        return value
    if isinstance(space, tuple):
        return tuple(
            _to_disk(inner, part, f"{what}[{index}]") for index, (inner, part) in enumerate(zip(space, value, strict=True))
        )
    inner, parts = (each if isinstance(each, dict) else vars(each) for each in (space, value))
    return {name: _to_disk(inner[name], parts[name], f"{what}.{name}") for name in inner}


def _from_disk(space: Any, value: Any, held: Any = None) -> Any:
    """The value in the structure and dtypes of its space, or in those of the disk where the space is None.

    held: the Gymnasium space on disk, whose choices may begin elsewhere than at 0; None where it is unknown.
    """
    if isinstance(value, dict) and value and all(name.startswith("_index_") for name in value):
        value = tuple(value[f"_index_{index}"] for index in range(len(value)))
    if isinstance(value, tuple):
        inner = space if space is not None else (None,) * len(value)
        kept = held if held is not None else (None,) * len(value)
        return tuple(_from_disk(*each) for each in zip(inner, value, kept, strict=True))
    if not isinstance(value, dict):
        value = np.asarray(value) - getattr(held, "start", 0) if getattr(held, "start", 0) else np.asarray(value)
        return value if space is None else value.astype(space.dtype, copy=False)
    inner = space if isinstance(space, dict) else vars(space) if space is not None else dict.fromkeys(value)
    made = {name: _from_disk(inner[name], value[name], None if held is None else held[name]) for name in inner}
    return made if space is None or isinstance(space, dict) else type(space)(**made)


def _fits(space: Any, value: Any) -> bool:
    """Whether a value on disk has the parts of a space."""
    if spaces.is_leaf(space) or not isinstance(value, dict):
        return spaces.is_leaf(space) and not isinstance(value, dict)
    parts = dict(enumerate(space)) if isinstance(space, tuple) else space if isinstance(space, dict) else vars(space)
    named = {int(name.removeprefix("_index_")) if isinstance(space, tuple) else name: part for name, part in value.items()}
    return set(named) == set(parts) and all(_fits(parts[name], part) for name, part in named.items())


def _experience(episode: dict[str, Any], spec: WorldSpec | None, held: tuple[Any, Any]) -> Experience:
    reward = np.append(np.float32(0), np.asarray(episode["rewards"], np.float32))
    kind = np.full(reward.shape, MID, np.int8)
    kind[0], kind[-1] = FIRST, TERMINATED if episode["terminations"][-1] else TRUNCATED
    observation = _from_disk(spec and spec.observation, episode["observations"], held[0])
    task = (episode["infos"] or {}).get("task")
    # a life without the world of the record has no such tasks
    if task is not None and (spec is None or _fits(spec.task, task)):
        task = jax.tree.map(lambda leaf: leaf[1:], _from_disk(spec and spec.task, task))
    else:
        task = None
    steps = TimeStep(kind=kind, observation=observation, reward=reward)
    return transitions(steps, _from_disk(spec and spec.action, episode["actions"], held[1]), task, SHOWN)
