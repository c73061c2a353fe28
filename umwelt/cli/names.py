"""From a name on the command line to a world, a stream, a recipe or a source of experience."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

from umwelt.cli.options import UsageError, nearest
from umwelt.recipes.plugins import plugins


def world_of(name: str) -> Any:
    """Find a built-in world, one of another package, `gymnasium:ID`, `dm_control:DOMAIN-TASK`, or `module:name` of a
    world or an environment."""
    from umwelt.worlds import BUILT_IN

    if name in BUILT_IN:
        return BUILT_IN[name]()
    outside = plugins("worlds")
    if name in outside:
        name = outside[name].value
    if ":" not in name:
        known = [*BUILT_IN, *outside]
        raise UsageError(nearest(name, known, "world") + " (others are gymnasium:ID, dm_control:DOMAIN-TASK and module:name)")
    try:
        if not name.startswith(("gymnasium:", "dm_control:")):
            found = import_name(name)
            # an environment is not made here: it may cost much, and its options are not known yet
            if hasattr(found, "spec") and hasattr(found, "tasks"):
                return found() if isinstance(found, type) else found
        from umwelt.worlds.adapters import from_name

        return from_name(name)
    except (ValueError, ImportError, AttributeError) as error:
        raise UsageError(f"world {name!r}: {error}") from error


def announcing(world: Any) -> Any:
    """The world with its task in the observation."""
    from umwelt.worlds import Announced

    return Announced(world=world)


def stream_of(name: str) -> Any:
    """Find a stream of tasks, NAME or NAME:SIZE, or `module:name` of one, or of a function that makes one."""
    from umwelt.worlds import STREAMS, stream_named

    plain = name.partition(":")[0]
    if plain not in STREAMS and ":" not in name:
        raise UsageError(nearest(plain, list(STREAMS), "stream") + " (another is module:name of a Stream)")
    try:
        stream = stream_named(name) if plain in STREAMS else _own_stream(name)
        stream.world.spec  # noqa: B018 - reports a package that a hosted world lacks
        return stream
    except (ValueError, ImportError, AttributeError) as error:
        raise UsageError(f"--stream {name}: {error}") from error


def _own_stream(name: str) -> Any:
    """The stream at `module:name`."""
    from umwelt.worlds import Stream

    found = import_name(name)
    stream = found() if callable(found) else found
    if not isinstance(stream, Stream):
        raise ValueError(f"it is a {type(stream).__name__}; return an umwelt.worlds.Stream")
    return stream


def wrapped(world: Any, words: tuple[str, ...]) -> Any:
    """Put a world into wrappers, each NAME or NAME=NUMBER, the first of them innermost."""
    from umwelt.worlds import WRAPPERS

    for word in words:
        name, _, number = word.partition("=")
        if name not in WRAPPERS:
            raise UsageError(nearest(name, list(WRAPPERS), "wrapper"))
        try:
            given = (int(number) if number.lstrip("-").isdigit() else float(number),) if number else ()
        except ValueError as error:
            raise UsageError(f"--wrap {word}: {number!r} is no number") from error
        try:
            world = WRAPPERS[name](world, *given)
            world.spec  # noqa: B018 - what does not fit is refused here
        except (TypeError, ValueError) as error:
            raise UsageError(f"--wrap {word}: {error}") from error
    return world


def recipe_of(name: str) -> Any:
    """Find a recipe of the library or of another package, or `module:name` of one."""
    from umwelt.recipes import Recipe, load, names

    if name in names():
        return load(name)
    if ":" not in name:
        raise UsageError(nearest(name, list(names()), "recipe") + " (another is module:name of a Recipe)")
    try:
        found = import_name(name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"recipe {name!r}: {error}") from error
    if not isinstance(found, Recipe):
        raise UsageError(f"recipe {name!r} is a {type(found).__name__}; decorate a function with @umwelt.recipes.recipe")
    return found


def source_of(name: str, columns: tuple[str, ...] = ()) -> Any:
    """Find a source of shown experience: a table, a data set of LeRobot, stable-worldmodel or Minari, or `module:name`.

    columns: what the columns of a table are, or the features of a data set of LeRobot or stable-worldmodel.
    """
    from umwelt.cli.tables import data_set_of, is_table, table_of
    from umwelt.memory import Minari, minari

    if is_table(name):
        return table_of(name, columns)
    if (found := data_set_of(name, columns)) is not None:
        return found
    if Path(name).exists() or ":" not in name:
        if missing := minari.missing():
            raise UsageError(f"--shown {name}: {missing}")
        try:
            minari.opened(name)
        except ValueError as error:
            raise UsageError(f"--shown {name}: {error}") from error
        # the life may be resumed from another folder
        return Minari(path=str(Path(name).resolve()) if Path(name).exists() else name)
    return _made(name, "shown")


def voice_of(name: str) -> Any:
    """Find the part at `module:name` that answers questions."""
    return _made(name, "voice")


def _made(name: str, option: str) -> Any:
    """The part at `module:name`; of a class an instance."""
    try:
        found = import_name(name)
        return found() if isinstance(found, type) else found
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"--{option} {name}: {error}") from error


def import_name(name: str) -> Any:
    """Import the object at `module:name`; modules beside the user are found too."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    module, _, attribute = name.partition(":")
    found = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found
