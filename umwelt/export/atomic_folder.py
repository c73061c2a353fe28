"""A folder of exported files that is written whole or not at all."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from umwelt.export.extras import ExportError
from umwelt.life.saves.disk import NO_ROOM, DiskFull

NOTE = "export.json"
"""Marks a folder as an export, and names its life. It is the last file that is written."""


@contextlib.contextmanager
def atomic_folder(target: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield a draft of the folder `target`, and a note to fill in. At the end the draft replaces an earlier export.

    A target that is anything else is refused, and stays as it is.
    """
    target = target.absolute()
    _refuse_foreign(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        draft.chmod(0o755)
        note: dict[str, Any] = {"umwelt": "export"}
        yield draft, note
        (draft / NOTE).write_text(json.dumps(note, indent=2) + "\n")
        _settle(draft, target)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise DiskFull(f"no room left to write {target}; free space on that disk, or give another --out") from error
        raise


def _refuse_foreign(target: Path) -> None:
    """Refuse to replace anything but an empty folder and an earlier export."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    try:
        earlier = json.loads((target / NOTE).read_text()).get("umwelt") == "export"
    except (OSError, ValueError, AttributeError):
        earlier = False
    if not earlier:
        raise ExportError(f"--out: {target} exists and is not an export; give the name of a new folder")


def _settle(draft: Path, target: Path) -> None:
    if not target.exists():
        draft.rename(target)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent)) / target.name
    target.rename(aside)
    draft.rename(target)
    shutil.rmtree(aside.parent)
