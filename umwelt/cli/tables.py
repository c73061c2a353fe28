"""Data with named columns on the command line: `--shown plant.csv --columns obs=heat,flow action=valve reward=paid`."""

from pathlib import Path
from typing import Any

from umwelt.cli.options import UsageError

KEYS = {
    "obs": "observation",
    "action": "action",
    "choice": "choice",
    "reward": "reward",
    "done": "done",
    "cut": "cut",
    "episode": "episode",
}
"""Words of --columns, and the fields of the sources in `umwelt.memory`."""
SUFFIXES = (".csv", ".parquet")


def is_table(name: str) -> bool:
    """Whether a name of --shown is that of a table."""
    return Path(name).suffix in SUFFIXES


def table_of(name: str, columns: tuple[str, ...]) -> Any:
    """Make the source of a table from the words of --columns."""
    from umwelt.memory import Logged

    if not columns:
        raise UsageError(
            f"--shown {name}: say what its columns are, as in --columns obs=heat,flow action=valve reward=paid done=over"
        )
    fields = _fields(columns, tuple(KEYS), ("obs", "action"))
    if "observation" not in fields:
        raise UsageError("--columns: obs=... is missing: which columns hold what was seen")
    return _readable(name, Logged(path=str(Path(name).resolve()), **fields))


def data_set_of(name: str, columns: tuple[str, ...]) -> Any:
    """Make the source of a LeRobot data set or of a table of stable-worldmodel; None where the folder is neither.

    A reward or an end that the data set does not hold is none, unless --columns name it.
    """
    from umwelt.memory import LeRobot, WorldModel, lerobot_folder, worldmodel

    path = str(Path(name).resolve())  # the life may be resumed from another folder
    try:
        if lerobot_folder.is_folder(name):
            kind, held = LeRobot, lerobot_folder.Folder(name).features
        elif worldmodel.table_in(name) is not None:
            kind, held = WorldModel, WorldModel(path=name).widths
        else:
            return None
    except ValueError as error:
        raise UsageError(f"--shown {name}: {error}") from error
    absent: dict[str, Any] = {field: "" for field in ("reward", "done") if getattr(kind, field) not in held}
    return _readable(name, kind(path=path, **(absent | _fields(columns, ("obs", "action", "reward", "done"), ("obs",)))))


def _fields(columns: tuple[str, ...], known: tuple[str, ...], many: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a source from the words KEY=NAME of --columns. many: keys that take names with commas between them."""
    fields: dict[str, Any] = {}
    for word in columns:
        key, equals, names = word.partition("=")
        if not equals or key not in known or not names:
            raise UsageError(f"--columns {word}: write KEY=NAME, where KEY is one of {', '.join(known)}")
        fields[KEYS[key]] = tuple(each.strip() for each in names.split(",")) if key in many else names
    return fields


def _readable(name: str, source: Any) -> Any:
    """The source, once it could say its spaces."""
    try:
        source.spec()
    except ValueError as error:
        raise UsageError(f"--shown {name}: {error}") from error
    return source


def values_of(arguments: list[str], name: str) -> tuple[str, ...]:
    """All values after `--name`, up to the next option."""
    found: list[str] = []
    taking = False
    for word in arguments:
        if word.startswith("--"):
            taking = word == f"--{name}"
            if word.startswith(f"--{name}="):
                found.append(word.split("=", 1)[1])
        elif taking:
            found.append(word)
    return tuple(found)


def absent_world(arguments: list[str]) -> Any:
    """The spaces of the first table or data set that is shown, as a world that is not there; None where nothing is, and where
    what is shown has no spaces of its own."""
    from umwelt.cli.names import source_of
    from umwelt.worlds import Absent

    columns = values_of(arguments, "columns")
    sources = (source_of(name, columns) for name in values_of(arguments, "shown"))
    spec = next((source.spec() for source in sources if hasattr(source, "spec")), None)
    return spec and Absent(observation=spec.observation, action=spec.action, name=spec.name)
