"""A part as JSON and back: the exact expression of a life, so that it can be rebuilt from its folder.

A part is written as its import path and its fields, a function as its import path, a task or
another struct likewise. Nothing is pickled, so a folder from a stranger runs no code but what its
import paths name.
"""

import dataclasses
import importlib
import sys
from types import FunctionType
from typing import Any

import numpy as np


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
    known = {name: read(field) for name, field in written["fields"].items()}
    made = find(written["part"])
    extra = set(known) - {field.name for field in dataclasses.fields(made)}
    if extra:
        raise ExpressionError(
            f"{written['part']} has no field called {', '.join(sorted(extra))}; was it written by another version?"
        )
    return made(**known)


def find(path: str) -> Any:
    """The object at `module:name`."""
    module, _, name = path.partition(":")
    if module == "__main__" and not hasattr(sys.modules["__main__"], name.split(".")[0]):
        raise ExpressionError(f"{name} stood in a script of its own; put it into a module, so that its lives can be resumed")
    try:
        found = importlib.import_module(module)
        for step in name.split("."):
            found = getattr(found, step)
    except (ImportError, AttributeError) as error:
        raise ExpressionError(f"{path} cannot be found ({error}); is its package installed, and is this its folder?") from error
    return found


def _path(thing: Any) -> str:
    return f"{thing.__module__}:{thing.__qualname__}"
