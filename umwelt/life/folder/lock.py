"""Whether a process runs a life now, found out without touching its lock: a trial might turn away a resuming process."""

import contextlib
import fcntl
import os
from pathlib import Path

TABLE = Path("/proc/locks")


def is_held(folder: Path) -> bool:
    """True while a process holds the lock of the life in `folder`."""
    path = folder / "lock"
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        if TABLE.exists():
            return _in_table(os.fstat(handle), os.pread(handle, 32, 0).decode(errors="replace").strip())
        return _by_trial(handle)
    finally:
        os.close(handle)


def _in_table(status: os.stat_result, holder: str) -> bool:
    """Lines are `3: FLOCK  ADVISORY  WRITE 29500 fe:00:3720304 0 EOF`: the process, the device and the inode."""
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    for line in TABLE.read_text().splitlines():
        words = line.split()
        if len(words) < 6 or words[1] != "FLOCK":
            continue
        where, _, inode = words[5].rpartition(":")
        # some file systems show another device than their files have; the process is right there
        if inode == str(status.st_ino) and (where == device or words[4] == holder):
            return True
    return False


def _by_trial(handle: int) -> bool:
    """Where the kernel shows no table of locks: a shared lock, for a moment."""
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(handle, fcntl.LOCK_UN)
        return False
    return True
