"""Write so that what was on the disk before is never lost, and say plainly when the disk is full."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskFull(Exception):
    """There is no room left. What was saved before is untouched."""


def write_atomically(path: Path, data: bytes) -> None:
    """Put a whole new file in place of `path`: a reader sees the old one or the new one."""
    draft = path.with_name(f".{path.name}-{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Have the disk remember a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def room(path: Path) -> Iterator[None]:
    """Turn every form of "no space left" inside into DiskFull."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise disk_full(path) from error


def disk_full(path: Path) -> DiskFull:
    """The exception that says where room is needed."""
    above = next(place for place in (path, *path.parents, Path(".")) if place.exists())
    free = shutil.disk_usage(above).free / 1e6
    return DiskFull(
        f"no room left to write {path} ({free:.1f} MB free): free space on that disk, such as lives that are no longer"
        " needed, then `umwelt resume` goes on from the last save"
    )
