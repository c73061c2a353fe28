"""The folder of lives as the page may see it: names from its listing, and no file that lies elsewhere.

A requested name is looked up in the listing, and never becomes a part of a path otherwise. So no spelling of it leads
out. Links are not followed.
"""

import contextlib
import os
import shlex
import stat
from pathlib import Path
from typing import Any

from umwelt.core import part
from umwelt.life.chronicle.chronicle import Chronicle, ChronicleError
from umwelt.life.folder.folder import Folder, FolderError
from umwelt.life.folder.lock import is_held

STATES = ("running", "stopped", "finished", "damaged")
FILES = ("recipe.json", "chronicle.db", "chronicle.db-wal", "chronicle.db-shm")
INNER = ("inner", "world", "model", "agent", "learner")
"""The fields in which a part holds the part that it wraps."""


class NoSuchLife(Exception):
    """The listing has no life of this name."""


class Unreadable(Exception):
    """A life that cannot be shown. The message is one sentence for a person."""


@part
class Card:
    """A life in the list. state: one of STATES. trouble: why it is damaged, else empty."""

    name: str
    state: str
    clock: int = 0
    end: int = 0
    world: str = ""
    agent: str = ""
    trouble: str = ""


class LivesFolder:
    """The lives in one folder."""

    def __init__(self, lives: Path | str) -> None:
        self.root = Path(lives).absolute()
        self._clocks: dict[str, tuple[Any, int]] = {}

    def names(self) -> list[str]:
        """The folders of lives, by name; hidden ones are drafts, and links are not followed."""
        try:
            with os.scandir(self.root) as entries:
                inside = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(name for name in inside if not name.startswith(".") and _begun(self.root / name))

    def cards(self) -> list[Card]:
        """All lives, and what is wrong with the damaged ones."""
        names = self.names()
        self._clocks = {name: kept for name, kept in self._clocks.items() if name in names}
        return [self._card(self.root / name) for name in names]

    def card(self, name: str) -> Card:
        """The state of one life."""
        return self._card(self.path(name))

    def path(self, name: str) -> Path:
        """The folder of a life in the listing."""
        if name not in self.names():
            raise NoSuchLife("there is no life of this name in the folder")
        return self.root / name

    def description(self, name: str) -> dict[str, Any]:
        """What recipe.json says."""
        return _description(self.path(name))

    def chronicle(self, name: str) -> Chronicle:
        """Open the life's chronicle for reading; close it soon, so that SQLite can merge its log."""
        return _chronicle(self.path(name))

    def resume_command(self, name: str, card: Card) -> str:
        """The command that resumes this life; one that has reached its end gets as many steps again."""
        words = f"umwelt resume {shlex.quote(str(self.path(name)))}"
        if card.state != "finished":
            return words
        return f"{words} --steps {2 * card.clock * int(self.description(name).get('rows', 1))}"

    def _card(self, path: Path) -> Card:
        try:
            description = _description(path)
            end, fields = int(description["end"]), description["life"]["fields"]
            world, agent = _kind(fields["world"]), _kind(fields["agent"])
        except Unreadable as error:
            return Card(name=path.name, state="damaged", trouble=_inside(path, error))
        except (KeyError, TypeError, ValueError, AttributeError):
            trouble = "recipe.json does not say what this life is; put back a copy of it"
            return Card(name=path.name, state="damaged", trouble=trouble)
        try:
            clock = self._clock(path)
        except Unreadable as error:
            return Card(name=path.name, state="damaged", end=end, world=world, agent=agent, trouble=_inside(path, error))
        state = "running" if is_held(path) else "finished" if clock >= end else "stopped"
        return Card(name=path.name, state=state, clock=clock, end=end, world=world, agent=agent)

    def _clock(self, path: Path) -> int:
        """The newest clock of a chronicle, read again only when its files have changed."""
        stamp = _stamp(path)
        if self._clocks.get(path.name, (None,))[0] != stamp:
            with _chronicle(path) as chronicle:
                try:
                    self._clocks[path.name] = stamp, chronicle.last_clock()
                except ChronicleError as error:
                    raise Unreadable(str(error)) from error
        return self._clocks[path.name][1]


def _description(path: Path) -> dict[str, Any]:
    _refuse_links(path)
    try:
        return Folder.read(path, lives=path.parent).description
    except (FolderError, OSError) as error:
        raise Unreadable(str(error)) from error


def _chronicle(path: Path) -> Chronicle:
    _refuse_links(path)
    try:
        return Chronicle.read(path / "chronicle.db")
    except ChronicleError as error:
        raise Unreadable(str(error)) from error


def _inside(path: Path, error: Unreadable) -> str:
    """The message with files by their names alone: the life's name stands beside it, and there is little room."""
    return str(error).replace(f"{path}{os.sep}", "")


def _stamp(path: Path) -> Any:
    found = []
    for file in ("chronicle.db", "chronicle.db-wal"):
        with contextlib.suppress(FileNotFoundError):
            status = os.lstat(path / file)
            found.append((file, status.st_mtime_ns, status.st_size))
    return tuple(found)


def _begun(path: Path) -> bool:
    return os.path.lexists(path / "recipe.json")


def _refuse_links(path: Path) -> None:
    for name in FILES:
        try:
            status = os.lstat(path / name)
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(f"{name} of this life is not a plain file, so it is not read; put the file itself there")


def _kind(written: Any) -> str:
    """The name of a part, as an expression writes it, with the parts that it wraps."""
    name, fields = str(written["part"]).rpartition(":")[2], written.get("fields", {})
    inner = next((fields[field] for field in INNER if isinstance(fields.get(field), dict) and "part" in fields[field]), None)
    return f"{name}({_kind(inner)})" if inner else name
