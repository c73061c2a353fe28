"""The folder of a life: what made it, whether it can be opened, and which process holds it now.

- recipe.json: what the life is, with its expression, the versions and the command.
- chronicle.db: what it wrote down.
- checkpoints/: what it was, at its last saves.
- episodes/: its episodes, where it was asked to keep them.
- memory/: what its memory keeps on disk.
- logs/: how far each log has come, where it was asked for logs.
- lock: held by the one process that runs it.
"""

import difflib
import errno
import fcntl
import json
import os
import re
import shlex
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

from umwelt.life.saves.disk import room, sync, write_atomically

FORMAT = 1
"""The layout that this version writes. A life of a larger number is left alone."""
LIVES = Path("lives")


class FolderError(Exception):
    """A life's folder cannot be used. The message is one sentence: which path, and what to do."""


class Exists(FolderError):
    """There is something at the path already."""


class Missing(FolderError):
    """There is nothing at the path."""


class Foreign(FolderError):
    """There is something at the path, but it is not a life."""


class Newer(FolderError):
    """The life was written by a later version."""


class Damaged(FolderError):
    """recipe.json cannot be read."""


class InUse(FolderError):
    """Another process runs this life now."""


class BadName(FolderError):
    """The name cannot be the name of a folder."""


class Folder:
    """An open life. `Folder.create` and `Folder.open` hold its lock; `Folder.read` does not need it.

    The kernel releases the lock when the process ends, however it ends.
    """

    def __init__(self, path: Path, description: dict[str, Any], lock: int | None = None) -> None:
        self.path, self.description, self._lock = path, description, lock
        if lock is not None:
            _held.add(self)

    @classmethod
    def create(
        cls, name: str | None, description: dict[str, Any], lives: str | os.PathLike[str] = LIVES, stem: str = "life"
    ) -> "Folder":
        """Make the folder of a new life, whole or not at all, and hold it.

        With no name it is called `<stem>-<n>`, n the first number that is free.
        """
        lives = Path(lives)
        if name is not None and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name):
            raise BadName(f"{name!r} cannot be the name of a life; use letters, digits, '-', '_' and '.', such as my-life-1")
        if name is not None:
            _refuse_existing(lives / name)
        text = json.dumps({"umwelt": "life", "format": FORMAT, "description": description}, indent=2)
        with room(lives):
            lives.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=f".{name or slug(stem)}-", dir=lives))
            draft.chmod(0o755)
            try:
                for inner in ("checkpoints", "episodes"):
                    (draft / inner).mkdir()
                write_atomically(draft / "recipe.json", text.encode())
                lock = _take_lock(draft)
                path = _settle(draft, lives, name, slug(stem))
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
        return cls(path, json.loads(text)["description"], lock)

    @classmethod
    def open(cls, name: str | os.PathLike[str], lives: str | os.PathLike[str] = LIVES) -> "Folder":
        """Hold an existing life, given by its path or by its name in `lives`. Refused, nothing is written."""
        path = find(name, lives)
        description = _description(path)
        return cls(path, description, _take_lock(path))

    @classmethod
    def read(cls, name: str | os.PathLike[str], lives: str | os.PathLike[str] = LIVES) -> "Folder":
        """Look at a life that may be running, without holding it."""
        path = find(name, lives)
        return cls(path, _description(path))

    @property
    def name(self) -> str:
        return self.path.resolve().name

    @property
    def recipe(self) -> Path:
        return self.path / "recipe.json"

    @property
    def chronicle(self) -> Path:
        return self.path / "chronicle.db"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def episodes(self) -> Path:
        return self.path / "episodes"

    @property
    def held(self) -> bool:
        """True while this process may write here."""
        return self._lock is not None

    def discard(self) -> None:
        """Remove the folder of a life that was never saved."""
        if any(self.checkpoints.iterdir()):
            raise FolderError(f"{self.path} holds a life that was saved; remove it by hand")
        shutil.rmtree(self.path)

    def describe(self, description: dict[str, Any]) -> None:
        """Replace the description (versions and command of a resumed life), in one atomic step."""
        if not self.held:
            raise InUse(f"{self.path} was opened for reading; open it with Folder.open to change its description")
        text = json.dumps({"umwelt": "life", "format": FORMAT, "description": description}, indent=2)
        with room(self.path):
            write_atomically(self.recipe, text.encode())
        self.description = json.loads(text)["description"]

    def close(self) -> None:
        """Let go of the life."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


def find(name: str | os.PathLike[str], lives: str | os.PathLike[str] = LIVES) -> Path:
    """The folder that `name` means: a path as it is given, or a name in `lives`."""
    given, inside = Path(name), Path(lives) / name
    for path in (inside, given):
        if (path / "recipe.json").exists():
            return path
    for path in (given, inside):
        if path.exists():
            raise Foreign(f"{path} is not the folder of a life (it has no recipe.json); give the name or the path of a life")
    known = sorted(path.parent.name for path in Path(lives).glob("[!.]*/recipe.json"))
    near = difflib.get_close_matches(given.name, known, 1)
    hint = f"did you mean {near[0]}?" if near else "begin one with `umwelt live`"
    raise Missing(f"there is no life at {given if len(given.parts) > 1 else inside}; {hint}")


def slug(text: str) -> str:
    """Any text as part of a name: lower case, words joined by '-'."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "life"


def _refuse_existing(path: Path) -> None:
    if (path / "recipe.json").exists():
        named = shlex.quote(str(path))
        raise Exists(f"{path} is a life already; go on with it by `umwelt resume {named}`, or choose another name")
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise Exists(f"{path} exists and is not the folder of a life; choose another name")


def _settle(draft: Path, lives: Path, name: str | None, stem: str) -> Path:
    """Give the finished draft its name. A rename is refused by the kernel where the name is taken."""
    number = 1
    while True:
        path = lives / (name or f"{stem}-{number}")
        if name is not None or not path.exists():
            try:
                draft.rename(path)
                sync(lives)
                return path
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                    raise
                if name is not None:
                    _refuse_existing(path)
                    raise
        number += 1


def _description(path: Path) -> dict[str, Any]:
    recipe = path / "recipe.json"
    try:
        found = json.loads(recipe.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise Damaged(f"{recipe} is damaged ({error}); put back a copy of it, or begin a new life") from error
    if not isinstance(found, dict) or found.get("umwelt") != "life":
        raise Foreign(f"{recipe} was not written by Umwelt, so {path} is not a life; give the name or the path of a life")
    number, description = found.get("format"), found.get("description")
    if type(number) is int and number > FORMAT:
        raise Newer(
            f"{path} was written by a newer Umwelt (format {number}, this version reads up to {FORMAT});"
            " resume it with that version or a later one"
        )
    if type(number) is not int or not isinstance(description, dict):
        raise Damaged(f"{recipe} is damaged (no format, or no description); put back a copy of it, or begin a new life")
    return description


def _take_lock(path: Path) -> int:
    lock = path / "lock"
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        raise InUse(f"{path} is in use by another process (pid {holder}); wait for it to end, or stop it first") from error
    try:
        with room(lock):
            os.pwrite(handle, f"{os.getpid():<10}\n".encode(), 0)
    except BaseException:
        os.close(handle)
        raise
    return handle


_held: "weakref.WeakSet[Folder]" = weakref.WeakSet()


def _let_go_in_child() -> None:
    """A forked worker shares its parent's lock, and would hold the life after the parent was killed."""
    for folder in list(_held):
        folder.close()


os.register_at_fork(after_in_child=_let_go_in_child)
