"""The address of the page that is served for a folder of lives, in a file that only its owner reads.

The file holds host, port, token and process, so that `umwelt live` can print the link of a page that runs already.
"""

import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

from umwelt.core import part

NAME = ".watch.json"


@part
class PageAddress:
    """A page that is served. host, port: where; token: what opens it; process: the server."""

    host: str
    port: int
    token: str
    process: int

    @property
    def link(self) -> str:
        """The address to open."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/?token={self.token}"


def write_address(lives: Path, address: PageAddress) -> None:
    """Write the address of a page; whole or not at all, and never readable by others, not even for a moment."""
    lives.mkdir(parents=True, exist_ok=True)
    draft = lives / f"{NAME}-{os.getpid()}.tmp"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(vars(address), file)
        draft.replace(lives / NAME)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def remove_address(lives: Path, address: PageAddress) -> None:
    """Remove the address again, unless another page has replaced it."""
    if _read(lives / NAME) == address:
        (lives / NAME).unlink(missing_ok=True)


def find_address(lives: Path | str) -> PageAddress | None:
    """Find the page that is served for a folder now. An address that a dead server left behind is none."""
    address = _read(Path(lives) / NAME)
    return address if address is not None and _is_alive(address.process) and _answers(address) else None


def _read(path: Path) -> PageAddress | None:
    """Read an address; a file that others could have written is none."""
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
            return PageAddress(
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


def _answers(address: PageAddress) -> bool:
    try:
        with socket.create_connection((address.host, address.port), timeout=0.5):
            return True
    except OSError:
        return False
