"""The notice that a page is served for a folder of lives: address, token and process, in a file that only its owner reads."""

import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

from umwelt.core import part

NAME = ".watch.json"


@part
class Notice:
    """A page that is served. host, port: where; token: what opens it; process: who serves it."""

    host: str
    port: int
    token: str
    process: int

    @property
    def link(self) -> str:
        """The address to open."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/?token={self.token}"


def put_up(lives: Path, notice: Notice) -> None:
    """Say that a page is served; whole or not at all, and never readable by others, not even for a moment."""
    lives.mkdir(parents=True, exist_ok=True)
    draft = lives / f"{NAME}-{os.getpid()}.tmp"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(vars(notice), file)
        draft.replace(lives / NAME)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def take_down(lives: Path, notice: Notice) -> None:
    """Take the notice away again, unless somebody else has put up another."""
    if _read(lives / NAME) == notice:
        (lives / NAME).unlink(missing_ok=True)


def find_notice(lives: Path | str) -> Notice | None:
    """The page that is served for a folder now; None where there is none, or where it is gone and left its notice."""
    notice = _read(Path(lives) / NAME)
    return notice if notice is not None and _is_alive(notice.process) and _answers(notice) else None


def _read(path: Path) -> Notice | None:
    """What a notice says; one that others could have written is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(handle) as file:
        status = os.fstat(file.fileno())
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
            return None
        try:
            found: dict[str, Any] = json.load(file)
            return Notice(
                host=str(found["host"]), port=int(found["port"]), token=str(found["token"]), process=int(found["process"])
            )
        except (ValueError, KeyError, TypeError):
            return None


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _answers(notice: Notice) -> bool:
    try:
        with socket.create_connection((notice.host, notice.port), timeout=0.5):
            return True
    except OSError:
        return False
