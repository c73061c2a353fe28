"""Typed dotted options over the parts: every field of every part is an option with its own help."""

import ast
import dataclasses
import difflib
import inspect
import itertools
import sys
import textwrap
import typing
from functools import cache
from typing import Annotated, Any, NoReturn

import tyro

SIMPLE = (bool, int, float, str)
NO_PART = "none"
"""What the command line shows in a field that may hold a part and holds none."""


class UsageError(Exception):
    """What the user typed cannot be done; the message says what to type instead. Exit code 2."""


def nearest(word: str, known: list[str], what: str) -> str:
    """A sentence for an unknown word: the nearest known ones, or all where none is near."""
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
    return f"there is no {what} called {word!r}; {hint}"


@cache
def field_help(made: type) -> dict[str, str]:
    """The docstring under each field of a dataclass, those that it inherits included."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(made))).body[0].body  # type: ignore[attr-defined]
    except OSError:  # a class that was typed in by hand has no source
        return {}
    helps = {}
    for base in reversed([each for each in made.__mro__[1:] if dataclasses.is_dataclass(each)]):
        helps |= field_help(base)
    for field, following in itertools.pairwise(body):
        documented = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        if isinstance(field, ast.AnnAssign) and documented:
            helps[field.target.id] = " ".join(str(following.value.value).split())  # type: ignore[union-attr]
    return helps


def is_part(value: Any) -> bool:
    """True for an instance of a dataclass."""
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def shadow(instance: Any, path: str = "") -> tuple[type, Any]:
    """Return a dataclass that tyro understands, and its default: simple fields and inner parts of the instance.

    A field typed by a contract (`planner: Planner`) takes the type of the part in it, and its help names the parts that
    can stand there; `umwelt.cli.parts` has taken such words out before. Fields that no command line can hold (functions,
    tasks) keep their value and are no options.
    """
    from umwelt.cli.parts import fitting, holds_part

    helps = field_help(type(instance))
    fields, values = [], {}
    for field in dataclasses.fields(instance):
        value, name = getattr(instance, field.name), f"{path}{field.name}"
        help, kind = helps.get(field.name, ""), _typeable(field.type, value)
        if path and kind is None and holds_part(instance, field.name):
            others = sorted(fitting(type(instance), field.name, value))
            if len(others) > (1 if is_part(value) else 0):
                help = f"{help} `--{option_name(name)} NAME` puts another part here: {', '.join(others)}."
        if is_part(value):
            kind, value = shadow(value, f"{name}.")
        elif kind is None and path and holds_part(instance, field.name):
            kind, value = str, NO_PART
        if kind is not None:
            # a trailing underscore only avoids a word of Python's
            spelt = field.name.rstrip("_") if field.name.endswith("_") else None
            fields.append((field.name, Annotated[kind, tyro.conf.arg(name=spelt, help=help)]))
            values[field.name] = value
    made = dataclasses.make_dataclass(type(instance).__name__, fields, frozen=True, kw_only=True)
    made.__doc__ = (inspect.getdoc(type(instance)) or "").split("\n\n")[0]
    return made, made(**values)


def unshadow(instance: Any, chosen: Any) -> Any:
    """The part `instance` with the values that were chosen for its shadow."""
    changes = {}
    for field in dataclasses.fields(chosen):
        before, after = getattr(instance, field.name), getattr(chosen, field.name)
        if before is None and after == NO_PART:
            continue
        changes[field.name] = unshadow(before, after) if is_part(before) else after
    return dataclasses.replace(instance, **changes)


def _typeable(annotation: Any, value: Any) -> Any:
    """The annotation where the command line can hold such a field, else None."""
    if isinstance(value, SIMPLE):
        return annotation if not isinstance(annotation, str) else type(value)
    if isinstance(value, tuple) and all(isinstance(item, SIMPLE) for item in value):
        return annotation if value or "str" in str(annotation) or "int" in str(annotation) or "float" in str(annotation) else None
    if value is None and any(kind in SIMPLE for kind in typing.get_args(annotation)):
        return annotation
    return None


def parse_known(made: type, default: Any, arguments: list[str], program: str, description: str = "") -> tuple[Any, list[str]]:
    """Parse a (shadow) dataclass with tyro: (the values chosen, the words that are no options of it)."""
    return tyro.cli(
        made,
        default=default,
        args=arguments,
        prog=program,
        description=description,
        return_unknown_args=True,
        config=(tyro.conf.OmitSubcommandPrefixes, tyro.conf.ConsolidateSubcommandArgs),
    )


def parse(made: type, default: Any, arguments: list[str], program: str, description: str) -> Any:
    """Parse a (shadow) dataclass with tyro; an unknown option names its nearest neighbours and exits with 2."""
    chosen, unknown = parse_known(made, default, arguments, program, description)
    options = [word for word in unknown if word.startswith("-")]
    if options:
        name = options[0].split("=")[0]
        plain = name.replace("_", "-")
        raise UsageError(nearest(plain, option_names(default), "option") + f"; `{program} --help` lists them all")
    if unknown:
        raise UsageError(f"{unknown[0]!r} is not expected here; `{program} --help` shows how the command is written")
    return chosen


def option_names(default: Any, prefix: str = "--") -> list[str]:
    """Every dotted option of a shadow default."""
    names = []
    for field in dataclasses.fields(default):
        value = getattr(default, field.name)
        name = prefix + option_name(field.name)
        names += option_names(value, name + ".") if is_part(value) else [name]
    return names


def option_name(field: str) -> str:
    """A field as the command line spells it."""
    return field.rstrip("_").replace("_", "-")


def take(arguments: list[str], name: str) -> tuple[str | None, list[str]]:
    """Take `--name VALUE` or `--name=VALUE` out of the arguments: (value or None, the rest)."""
    rest, found, index = [], None, 0
    while index < len(arguments):
        word = arguments[index]
        if word == f"--{name}":
            if index + 1 == len(arguments):
                raise UsageError(f"--{name} needs a value after it")
            found, index = arguments[index + 1], index + 2
        elif word.startswith(f"--{name}="):
            found, index = word.split("=", 1)[1], index + 1
        else:
            rest.append(word)
            index += 1
    return found, rest


def fail(message: str, code: int = 2) -> NoReturn:
    """One sentence on the error stream, no traceback, and out."""
    print(f"umwelt: {message}", file=sys.stderr)
    raise SystemExit(code)
