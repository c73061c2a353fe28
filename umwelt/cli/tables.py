"""Tables of logged decisions on the command line: `--shown plant.csv --columns obs=heat,flow action=valve reward=paid`."""

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
"""Words of --columns, and the fields of `umwelt.memory.Logged`."""
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
    fields: dict[str, Any] = {}
    for word in columns:
        key, equals, names = word.partition("=")
        if not equals or key not in KEYS or not names:
            raise UsageError(f"--columns {word}: write KEY=NAME, where KEY is one of {', '.join(KEYS)}")
        many = key in ("obs", "action")
        fields[KEYS[key]] = tuple(each.strip() for each in names.split(",")) if many else names
    if "observation" not in fields:
        raise UsageError("--columns: obs=... is missing: which columns hold what was seen")
    source = Logged(path=str(Path(name).resolve()), **fields)
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
