"""A part as JSON and back: the exact expression of a life, so that it can be rebuilt from its folder.

A part is written as its name and its fields, a function as its name, a task or another struct likewise. Nothing is
pickled, so a folder from a stranger runs no code but what its names import.

A part of this package is named by its room, `umwelt.models:Rssm`, so that moving a file orphans no life. A part or a
field that gets another name, and a part that is split, need a row in `umwelt.life.folder.moved`.
"""

import dataclasses
import importlib
import pkgutil
import sys
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from umwelt.life.folder.moved import FIELDS, LATER, PARTS, REBUILT

APART = "umwelt.claims."
"""The room whose files may define the same names, one claim beside another; its parts keep their import path."""


class ExpressionError(ValueError):
    """An expression that cannot be written or rebuilt."""


def write(value: Any) -> Any:
    """`value` in JSON's own types."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple):
        return {"tuple": [write(item) for item in value]}
    if isinstance(value, np.generic | np.ndarray) or type(value).__module__.startswith("jax"):
        array = np.asarray(value)
        return {"array": array.tolist(), "dtype": str(array.dtype)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: write(getattr(value, field.name)) for field in dataclasses.fields(value) if field.init}
        return {"part": _path(type(value)), "fields": fields}
    if isinstance(value, FunctionType | type) and "<" not in value.__qualname__:
        return {"name": _path(value)}
    raise ExpressionError(
        f"{value!r} of type {type(value).__name__} cannot be written into a life's folder;"
        " use numbers, strings, tuples, parts, and functions that stand at the top of a module"
    )


def identity(value: Any) -> Any:
    """`value` in JSON's own types, without later fields that leave a part as it was: what hashes of expressions stand for."""
    return _without_later(write(value))


def _without_later(written: Any) -> Any:
    if isinstance(written, list):
        return [_without_later(item) for item in written]
    if not isinstance(written, dict):
        return written
    if "part" not in written:
        return {name: _without_later(item) for name, item in written.items()}
    later = LATER.get(written["part"], {})
    fields = {name: item for name, item in written["fields"].items() if name not in later or later[name] != item}
    return {"part": written["part"], "fields": {name: _without_later(item) for name, item in fields.items()}}


def read(written: Any) -> Any:
    """The value that `write` was given."""
    if not isinstance(written, dict):
        return written
    if "tuple" in written:
        return tuple(read(item) for item in written["tuple"])
    if "array" in written:
        return np.asarray(written["array"], written["dtype"])
    if "name" in written:
        return find(written["name"])
    path = current(written["part"])
    rebuilt = REBUILT[path](written["fields"]) if path in REBUILT else None
    if rebuilt is not None:
        return read(rebuilt)
    made = find(path)
    renamed: dict[str, str] = FIELDS.get(path, {})
    known = {renamed.get(str(name), str(name)): read(field) for name, field in written["fields"].items()}
    extra = set(known) - {field.name for field in dataclasses.fields(made)}
    if extra:
        raise ExpressionError(f"{path} has no field called {', '.join(sorted(extra))}; was it written by another version?")
    return made(**known)


def current(path: str) -> str:
    """The present name of what was once written as `path`."""
    module, _, name = path.partition(":")
    if module.startswith("umwelt.") and not module.startswith(APART):
        path = f"umwelt.{module.split('.')[1]}:{name}"
    return PARTS.get(path, path)


def find(path: str) -> Any:
    """The object at `module:name`."""
    module, _, name = _nearest(path).partition(":")
    if module == "__main__" and not hasattr(sys.modules["__main__"], name.split(".")[0]):
        raise ExpressionError(f"{name} stood in a script of its own; put it into a module, so that its lives can be resumed")
    try:
        found = importlib.import_module(_home(module, name))
        for step in name.split("."):
            found = getattr(found, step)
    except (ImportError, AttributeError) as error:
        raise ExpressionError(f"{path} cannot be found ({error}); is its package installed, and is this its folder?") from error
    return found


def _path(thing: Any) -> str:
    full = f"{thing.__module__}:{thing.__qualname__}"
    short = current(full)
    # two functions of one room may share a name; those keep their import path
    return short if find(short) is thing else full


def _nearest(path: str) -> str:
    """`path` where its module still defines it, else its present name."""
    module, _, name = path.partition(":")
    try:
        exact = hasattr(importlib.import_module(module), name.split(".")[0])
    except ImportError:
        exact = False
    return path if exact and path not in PARTS else current(path)


@cache
def _home(module: str, name: str) -> str:
    """The module that holds `name`: `module`, or the first module of that room which defines it."""
    found = importlib.import_module(module)
    first = name.split(".")[0]
    if hasattr(found, first) or not module.startswith("umwelt.") or not hasattr(found, "__path__"):
        return module
    for each in pkgutil.walk_packages(found.__path__, f"{module}."):
        inner = importlib.import_module(each.name)
        if getattr(getattr(inner, first, None), "__module__", None) == each.name:
            return each.name
    return module
