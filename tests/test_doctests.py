"""The examples in docstrings print what they say, and every part that a room exports has one.

An example sees the names of its module, so it need not import `jax` where the module does.
"""

import dataclasses
import doctest
import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import umwelt

ROOMS = ("worlds", "memory", "models", "planners", "curiosity", "teachers", "retention")
"""Not `core`, which must stay under a thousand lines and has no room for examples."""
FLAGS = doctest.NORMALIZE_WHITESPACE


def examples(module: ModuleType) -> list[doctest.DocTest]:
    """List the docstrings of a module that hold an example."""
    return [found for found in doctest.DocTestFinder().find(module) if found.examples]


def modules() -> list[str]:
    """Name the modules of the rooms in which a line begins like an example."""
    home = Path(umwelt.__file__).parents[1]
    paths = (path for room in ROOMS for path in sorted((home / "umwelt" / room).rglob("*.py")))
    return [
        ".".join(path.relative_to(home).with_suffix("").parts)
        for path in paths
        if any(line.lstrip().startswith(">>> ") for line in path.read_text(encoding="utf8").splitlines())
    ]


def is_part(thing: Any) -> bool:
    """True for an algorithm: a frozen dataclass that is compared by its fields, as a state is not."""
    return inspect.isclass(thing) and dataclasses.is_dataclass(thing) and thing.__eq__ is not object.__eq__


def exported() -> list[Any]:
    """List the parts that the rooms export."""
    found = [getattr(room, name) for room in (getattr(umwelt, each) for each in ROOMS) for name in room.__all__]
    return [thing for thing in found if is_part(thing)]


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_a_module_print_what_they_say(name: str) -> None:
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for found in examples(importlib.import_module(name)):
        runner.run(found, out=said.append)
    assert runner.tries > 0
    assert not runner.failures, "".join(said)


@pytest.mark.parametrize("thing", exported(), ids=lambda thing: f"{thing.__module__}.{thing.__name__}")
def test_an_exported_part_has_an_example(thing: Any) -> None:
    assert ">>> " in (thing.__doc__ or ""), "end its docstring with a cheap example that prints a number"


def test_a_wrong_example_is_found() -> None:
    module = ModuleType("wrong")
    module.__doc__ = ">>> 1 + 1\n3\n"
    runner, said = doctest.DocTestRunner(optionflags=FLAGS), []
    for found in examples(module):
        runner.run(found, out=said.append)
    assert runner.failures == 1
    assert "Got:" in "".join(said)
