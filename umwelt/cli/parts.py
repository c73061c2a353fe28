"""Parts by name on the command line: `--recipe.planner icem` puts another part at a path."""

import ast
import dataclasses
import importlib
import re
import types
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

from umwelt.cli.names import import_name
from umwelt.cli.options import SIMPLE, UsageError, is_part, nearest
from umwelt.recipes.plugins import plugins
from umwelt.recipes.variation import varied

ROOMS = ("models", "planners", "memory", "behaviours", "curiosity", "teachers", "retention")


def snake(name: str) -> str:
    """A class name as the command line spells it: `LowRank` is `low_rank`, `ICEM` is `icem`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


@cache
def library() -> dict[str, Any]:
    """Every public part of the rooms by its name, and those of other packages by the names of their entry points.

    A part of another package is an entry point, loaded when it is asked for.
    """
    found: dict[str, Any] = {}
    for room in ROOMS:
        found |= plugins(room)
    for room in ROOMS:
        module = importlib.import_module(f"umwelt.{room}")
        found |= {snake(name): thing for name in module.__all__ if _is_class(thing := getattr(module, name))}
    return found


def fitting(owner: type, field: str, present: Any) -> dict[str, type]:
    """Name -> class of the parts of the library that can stand in a field, as its annotation says or the part there."""
    kinds = _kinds(_annotation(owner, field))
    asked = [_members(kind) for kind in kinds] or ([_members(type(present))] if is_part(present) else [])
    return {name: thing for name, thing in library().items() if _is_class(thing) and any(each <= _names(thing) for each in asked)}


def replace_parts(value: Any, arguments: list[str]) -> tuple[Any, list[str]]:
    """Put parts at the paths that the arguments name, outer paths first: (the changed value, the other arguments)."""
    words = [(index, *_option(word)) for index, word in enumerate(arguments) if word.startswith("--")]
    used: set[int] = set()
    for index, path, given in sorted(words, key=lambda word: (word[1].count("."), word[0])):
        place = _place(value, path)
        if place is None:
            continue
        if given is None and index + 1 == len(arguments):
            raise UsageError(f"--{path} needs the name of a part after it")
        name = arguments[index + 1] if given is None else given
        value = varied(value, {path: _named(name, path, *place, arguments)})
        used |= {index} if given is not None else {index, index + 1}
    return value, [word for index, word in enumerate(arguments) if index not in used]


def holds_part(owner: Any, field: str) -> bool:
    """True where a part stands in a field, or where nothing does and the annotation names a contract or a part."""
    present = getattr(owner, field)
    return is_part(present) or (present is None and bool(_kinds(_annotation(type(owner), field))))


def _option(word: str) -> tuple[str, str | None]:
    name, equals, given = word[2:].partition("=")
    return name.replace("-", "_"), given if equals else None


def _place(value: Any, path: str) -> tuple[Any, str] | None:
    """The part and the field that a path leads to, where a part stands or may stand there."""
    *outer, field = path.split(".")
    for step in outer:
        if not is_part(value) or step not in _names(type(value)):
            return None
        value = getattr(value, step)
    known = is_part(value) and field in {each.name for each in dataclasses.fields(value)}
    return (value, field) if known and holds_part(value, field) else None


def _named(name: str, path: str, owner: Any, field: str, arguments: list[str]) -> Any:
    """The part called `name`, for the field of `owner` at `path`."""
    present, annotation = getattr(owner, field), _annotation(type(owner), field)
    if name == "none" and _optional(annotation):
        return None
    if ":" in name:
        try:
            kind = import_name(name)
        except (ImportError, AttributeError) as error:
            raise UsageError(f"--{path} {name}: {error}") from error
    else:
        known = library()
        kind = fitting(type(owner), field, present).get(name)
        if kind is None and name in known and not _is_class(known[name]):
            kind = known[name].load()
    if kind is None:
        role = " or ".join(each.__name__.lower() for each in _kinds(annotation)) or "part for it"
        sentence = nearest(name, sorted(fitting(type(owner), field, present)), role)
        raise UsageError(f"--{path}: {sentence} (another is module:Name)")
    return _made(kind, path, present, arguments) if isinstance(kind, type) else kind


def _made(kind: type, path: str, present: Any, arguments: list[str]) -> Any:
    """An instance with default fields. A wrapper takes in the part that stood there; other fields that have no default
    are read from the arguments."""
    missing = (dataclasses.MISSING, dataclasses.MISSING)
    needed = [f for f in dataclasses.fields(kind) if (f.default, f.default_factory) == missing and f.init]
    given: dict[str, Any] = {}
    for each in needed:
        kinds = _kinds(_annotation(kind, each.name))
        words = [(index, _option(word)) for index, word in enumerate(arguments) if word.startswith("--")]
        said = [(index, word[1]) for index, word in words if word[0] == f"{path}.{each.name}"]
        if said:
            index, value = said[-1]
            text = value if value is not None else (arguments[index + 1 : index + 2] or [""])[0]
            given[each.name] = _named_of(kind, each.name, text, f"{path}.{each.name}", arguments) if kinds else _literal(text)
        elif is_part(present) and any(_members(one) <= _names(type(present)) for one in kinds):
            given[each.name] = present
    if lacking := [each.name for each in needed if each.name not in given]:
        options = " ".join(f"--{path}.{name} VALUE" for name in lacking)
        raise UsageError(f"--{path} {snake(kind.__name__)}: it has no default for {' and '.join(lacking)}; add {options}")
    return kind(**given)


def _named_of(kind: type, field: str, name: str, path: str, arguments: list[str]) -> Any:
    """The part called `name` for a field of a part that is not made yet."""
    found = import_name(name) if ":" in name else fitting(kind, field, None).get(name)
    if found is None:
        raise UsageError(f"--{path}: {nearest(name, sorted(fitting(kind, field, None)), 'part')}")
    return _made(found, path, None, arguments) if isinstance(found, type) else found


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _annotation(owner: type, field: str) -> Any:
    try:
        return typing.get_type_hints(owner).get(field, Any)
    except (NameError, TypeError):
        return next((each.type for each in dataclasses.fields(owner) if each.name == field), Any)


def _optional(annotation: Any) -> bool:
    return annotation is Any or type(None) in typing.get_args(annotation)


def _kinds(annotation: Any) -> list[type]:
    """The contracts and the parts that an annotation names."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [kind for each in typing.get_args(annotation) for kind in _kinds(each)]
    named = isinstance(annotation, type) and (dataclasses.is_dataclass(annotation) or _is_contract(annotation))
    return [annotation] if named and annotation not in SIMPLE else []


def _is_contract(kind: type) -> bool:
    return bool(getattr(kind, "_is_protocol", False))


def _is_class(thing: Any) -> bool:
    return isinstance(thing, type) and dataclasses.is_dataclass(thing)


def _members(kind: type) -> set[str]:
    """What a part has to have in place of `kind`: the methods of a contract, or those that a part has itself."""
    if _is_contract(kind):
        return {name for base in kind.__mro__ if _is_contract(base) for name in _public(base)}
    fields = {field.name for field in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else set()
    return {name for name in _public(kind) if name not in fields}


def _public(kind: type) -> Iterator[str]:
    for name in {*vars(kind), *vars(kind).get("__annotations__", {})}:
        if name == "__call__" or not name.startswith("_"):
            yield name


def _names(kind: type) -> set[str]:
    fields = {field.name for field in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else set()
    return set(dir(kind)) | fields
