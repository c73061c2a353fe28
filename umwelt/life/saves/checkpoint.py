"""The value of a life on disk: whole or not there, bit for bit, and never fewer than the last good one.

    checkpoints/000000012000/manifest.json   the leaves, the plain values, and the sha256 of every file
                             arrays/         the arrays, written by Orbax

A save is written beside the others, read back for its checksums, flushed, and only then given its
name by a rename. So what has a name is whole, unless the disk itself failed, which a load finds out.
"""

import contextlib
import hashlib
import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from umwelt.life.saves.digest import leaves, statics
from umwelt.life.saves.disk import NO_ROOM, DiskFull, disk_full, room, sync, write_atomically
from umwelt.life.saves.restore import NotAlike, fill, table

__all__ = ["CheckpointError", "Checkpoints", "DiskFull", "NotAlike"]

FORMAT, WITH_REST = 1, 2
"""Of a save between two segments, and of one inside a segment, which the first versions cannot resume."""
DRAFT = ".tmp-"


class CheckpointError(Exception):
    """No checkpoint can be loaded. The message is one sentence: which folder, and what to do."""


class Torn(Exception):
    """One checkpoint is not what was saved."""


class Checkpoints:
    """The saves in `folder`. `notes` says in sentences what the last load found to be damaged; `rest` is what was saved
    beside the value that it returned."""

    def __init__(self, folder: Path | str, keep: int = 2) -> None:
        if keep < 1:
            raise ValueError(f"keep: {keep} checkpoints would leave nothing to resume from; keep at least 1")
        self.folder, self.keep = Path(folder).absolute(), keep
        self.notes: list[str] = []
        self.rest: dict[str, Any] | None = None

    def save(self, clock: int, value: Any, rest: dict[str, Any] | None = None) -> Path:
        """Keep `value`, and let go of all but the `keep` newest, and of any of a later clock: that future is undone.

        rest: plain values that say what is left of a segment. Where the disk is full, DiskFull is raised and the earlier
        checkpoints stay.
        """
        with room(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
            draft = self.folder / f"{DRAFT}{clock}-{os.getpid()}"
            draft.mkdir()
            try:
                _write(draft, clock, value, rest)
                path = self._free_path(clock)
                draft.rename(path)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
            sync(self.folder)
            self._prune(path)
        return path

    def load(self, like: Any = None) -> tuple[int, Any]:
        """(clock, value) of the newest checkpoint that is whole; see `notes` for those that were not.

        like: a value of the same form (arrays may be abstract, or deleted). Each leaf comes back as
            the kind that stands there, JAX or NumPy, and functions are taken from it. A different
            form raises NotAlike. Without it, a dict {path: leaf} comes back.
        """
        self.notes = []
        tried: set[Path] = set()
        while True:
            path = next((path for path in self._all() if path not in tried), None)
            if path is None:
                raise CheckpointError(self._none_left())
            tried.add(path)
            try:
                manifest = _verified(path)
                arrays = _read_arrays(path / "arrays", [entry for entry in manifest["leaves"] if _has_file(entry)])
            except Torn as torn:
                if path.exists():  # else the running life has just replaced it by a newer one
                    self.notes.append(f"checkpoint {path} is damaged ({torn}); the one before it is used")
                continue
            self.rest = manifest.get("rest")
            try:
                return manifest["clock"], fill(manifest, arrays, like)
            except NotAlike as error:
                raise NotAlike(
                    f"checkpoint {path} does not fit the life as it would be made now, so its world, a part or the version"
                    f" has changed: {error}"
                ) from None

    def latest(self) -> int | None:
        """The clock of the newest checkpoint, not yet verified; None where there is none."""
        newest = next(iter(self._all()), None)
        return None if newest is None else _order(newest)[0]

    def clocks(self) -> list[int]:
        """The clocks of all checkpoints, newest first."""
        return [_order(path)[0] for path in self._all()]

    def _all(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        named = [path for path in self.folder.iterdir() if re.fullmatch(r"\d+(\.\d+)?", path.name)]
        return sorted(named, key=_order, reverse=True)

    def _none_left(self) -> str:
        if self.notes:
            damaged = "; ".join(note.split(";")[0] for note in self.notes)
            return f"no checkpoint in {self.folder} is whole: {damaged}; put back a copy of one, or begin a new life"
        return f"there is no checkpoint in {self.folder} yet; `umwelt resume` goes on with the life, and saves it"

    def _free_path(self, clock: int) -> Path:
        """The name of a save; a second one of the same clock gets a number, so that the first can stay until then."""
        taken = [_order(path)[1] for path in self._all() if _order(path)[0] == clock]
        name = f"{clock:012d}"
        return self.folder / (f"{name}.{max(taken) + 1}" if taken else name)

    def _prune(self, newest: Path) -> None:
        clock = _order(newest)[0]
        before = [path for path in self._all() if _order(path)[0] < clock]
        for path in set(self._all()) - {newest, *before[: self.keep - 1]}:
            self._remove(path)

    def _remove(self, path: Path) -> None:
        gone = self.folder / f"{DRAFT}{path.name}-gone-{os.getpid()}"
        path.rename(gone)  # so that no reader sees it half removed
        shutil.rmtree(gone)

    def _sweep(self) -> None:
        for path in self.folder.glob(f"{DRAFT}*"):
            shutil.rmtree(path)


def _write(draft: Path, clock: int, value: Any, rest: dict[str, Any] | None) -> None:
    found = leaves(value)
    entries = table(value, found)
    arrays = {entry["file"]: _array(leaf.value) for entry, leaf in zip(entries, found, strict=True) if _has_file(entry)}
    if arrays:
        _with_orbax(lambda orbax, writer: writer.save(draft / "arrays", arrays), draft)
    files = sorted(path for path in draft.rglob("*") if path.is_file())
    sums = {str(path.relative_to(draft)): _checksum(path) for path in files}
    body = {"format": FORMAT, "clock": int(clock), "leaves": entries, "statics": statics(value), "files": sums}
    if rest:
        body |= {"format": WITH_REST, "rest": rest}
    for path in [*files, *(path for path in draft.rglob("*") if path.is_dir())]:
        sync(path)
    text = json.dumps(body)
    whole = json.dumps({"sha256": hashlib.sha256(text.encode()).hexdigest(), "body": text})
    write_atomically(draft / "manifest.json", whole.encode())


def _verified(path: Path) -> dict[str, Any]:
    """The manifest of a checkpoint, after every file was compared with its checksum."""
    try:
        outer = json.loads((path / "manifest.json").read_bytes())
        text, expected = outer["body"], outer["sha256"]
    except FileNotFoundError:
        raise Torn("manifest.json is missing") from None
    except (ValueError, KeyError, TypeError) as error:
        raise Torn("manifest.json cannot be read") from error
    if hashlib.sha256(text.encode()).hexdigest() != expected:
        raise Torn("manifest.json is not as it was written")
    body = json.loads(text)
    if body["format"] > WITH_REST:
        raise CheckpointError(
            f"{path} was written by a newer Umwelt (format {body['format']}, this version reads up to {WITH_REST});"
            " resume with that version or a later one"
        )
    for name, expected in body["files"].items():
        try:
            found = _checksum(path / name)
        except FileNotFoundError:
            raise Torn(f"{name} is missing") from None
        if found != expected:
            short = found["size"] != expected["size"]
            raise Torn(
                f"{name} has {found['size']} bytes of {expected['size']}" if short else f"{name} has other bytes than were saved"
            )
    return body


def _checksum(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "size": os.fstat(file.fileno()).st_size}


def _read_arrays(path: Path, entries: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    if not entries:
        return {}
    names = [entry["file"] for entry in entries]

    def read(orbax: Any, reader: Any) -> dict[str, np.ndarray]:
        return reader.restore(path, restore_args={name: orbax.RestoreArgs(restore_type=np.ndarray) for name in names})

    try:
        return _with_orbax(read, path)
    except Exception:
        if path.exists():
            raise
        raise Torn("it was removed while it was read") from None


def _array(value: np.ndarray | bytes) -> np.ndarray:
    return np.frombuffer(value, np.uint8) if isinstance(value, bytes) else value


def _has_file(entry: dict[str, Any]) -> bool:
    """Orbax keeps no empty arrays; their shape in the manifest says all."""
    return "file" in entry


def _with_orbax(work: Callable[[Any, Any], Any], path: Path) -> Any:
    """Run `work(orbax, checkpointer)` on a thread of its own, which is gone when this returns.

    Orbax runs an event loop: on a fresh thread that also works where the caller runs one (a notebook).
    Arrays travel as NumPy, so that neither a dtype nor a device is changed on the way.
    """

    def run() -> Any:
        import orbax.checkpoint as orbax  # takes a moment, and no life needs it before its first save

        with contextlib.closing(orbax.PyTreeCheckpointer(use_zarr3=True, use_compression=False)) as checkpointer:
            return work(orbax, checkpointer)

    with _quiet(), ThreadPoolExecutor(1, "orbax") as thread:
        try:
            return thread.submit(run).result()
        except Exception as error:
            code = re.search(r"os_error_code='(\d+)'", str(error))
            if code and int(code[1]) in NO_ROOM:
                raise disk_full(path) from error
            raise


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Orbax explains itself in the log, and sets up the root logger; a life's screen is its own."""
    log, root = logging.getLogger("absl"), logging.getLogger()
    level, handlers = log.level, list(root.handlers)
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(level)
        for handler in set(root.handlers) - set(handlers):
            root.removeHandler(handler)


def _order(path: Path) -> tuple[int, int]:
    clock, _, again = path.name.partition(".")
    return int(clock), int(again or 1)
