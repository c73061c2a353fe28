"""From a name on the command line to a world or a recipe."""

import importlib
import os
import sys
from typing import Any

from umwelt.cli.options import UsageError, nearest


def world_of(name: str) -> Any:
    """A built-in world, `gymnasium:ID`, `dm_control:DOMAIN-TASK`, or `module:name` of a world or an environment."""
    from umwelt.worlds import BUILT_IN

    if name in BUILT_IN:
        return BUILT_IN[name]()
    if ":" not in name:
        raise UsageError(
            nearest(name, list(BUILT_IN), "world") + "; others are gymnasium:ID, dm_control:DOMAIN-TASK and module:name"
        )
    try:
        if not name.startswith(("gymnasium:", "dm_control:")):
            found = _import(name)
            # an environment is not made here: it may be dear, and its options are not known yet
            if hasattr(found, "spec") and hasattr(found, "tasks"):
                return found() if isinstance(found, type) else found
        from umwelt.worlds.adapters import from_name

        return from_name(name)
    except (ValueError, ImportError, AttributeError) as error:
        raise UsageError(f"world {name!r}: {error}") from error


def stream_of(name: str) -> Any:
    """A stream of tasks, NAME or NAME:SIZE."""
    from umwelt.worlds import STREAMS, stream_named

    plain = name.partition(":")[0]
    if plain not in STREAMS:
        raise UsageError(nearest(plain, list(STREAMS), "stream"))
    try:
        stream = stream_named(name)
        stream.world.spec  # noqa: B018 - a package that a hosted world lacks is told of here
        return stream
    except (ValueError, ImportError) as error:
        raise UsageError(f"--stream {name}: {error}") from error


def wrapped(world: Any, words: tuple[str, ...]) -> Any:
    """The world in wrappers, each NAME or NAME=NUMBER, the first of them innermost."""
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
    """A recipe of the library, or `module:name` of one."""
    from umwelt.recipes import ALL, Recipe

    if name in ALL:
        return ALL[name]
    if ":" not in name:
        raise UsageError(nearest(name, list(ALL), "recipe") + "; another is module:name of a Recipe")
    try:
        found = _import(name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"recipe {name!r}: {error}") from error
    if not isinstance(found, Recipe):
        raise UsageError(f"recipe {name!r} is a {type(found).__name__}; make it an umwelt.recipes.Recipe")
    return found


def agent_of(recipe: Any, size: str | None) -> Any:
    """The recipe's agent, of the size named where there is one."""
    if size is None:
        return recipe.agent
    if not recipe.sizes:
        raise UsageError(f"--recipe.size {size}: the recipe {recipe.name} comes in one size; leave the option out")
    if size not in recipe.sizes:
        raise UsageError(nearest(size, list(recipe.sizes), f"size of {recipe.name}"))
    return recipe.sizes[size]


def _import(name: str) -> Any:
    """The object at `module:name`; modules beside the user are found too."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    module, _, attribute = name.partition(":")
    found = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found
