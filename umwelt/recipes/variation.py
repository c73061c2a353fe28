"""Variations: a recipe with a few fields changed, named by the dotted paths of the command line."""

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from umwelt.core import part
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.recipes.recipe import Recipe

T = TypeVar("T")


@part
class Around:
    """A change that reads what stands at the path: a wrapper, most often."""

    change: Callable[[Any], Any]


def around(change: Callable[[Any], Any]) -> Around:
    """Replace what stands at a path by `change` of it: `{"agent.model": around(lambda model: Experts(model=model))}`."""
    return Around(change=change)


def varied(value: T, changes: Mapping[str, Any]) -> T:
    """Return a part with the fields at dotted paths replaced, in the order given: `varied(life, {"agent.batch": 64})`.

    A step of a path is the name of a field, or the number of an item of a tuple. Fields may be spelt as on the command line:
    `lambda` for `lambda_`, `probe-every` for `probe_every`. An unknown name is a ValueError that names the nearest ones.
    """
    for path, change in changes.items():
        value = _changed(value, path.split("."), change, path)
    return value


def vary(
    recipe: Recipe,
    changes: Mapping[str, Any],
    *,
    name: str,
    summary: str,
    cites: tuple[str, ...] = (),
    **card: Any,
) -> Recipe:
    """Return the recipe whose lives are those of `recipe` with fields changed; paths begin at the life.

    On the command line `--recipe.` stands for `agent.`. The changes hold for all sizes. cites: the variation's own works;
    those of `recipe` follow. card: further fields of the card, such as `family`.
    """

    def make(world: World, **options: Any) -> Life:
        return varied(recipe.make(world, **options), changes)

    keys = tuple(dict.fromkeys((*cites, *recipe.cites)))
    return replace(recipe, name=name, summary=summary, cites=keys, make=make, **card)


def _changed(value: Any, steps: list[str], change: Any, path: str) -> Any:
    if not steps:
        return change.change(value) if isinstance(change, Around) else change
    name = _field(value, steps[0], path)
    if isinstance(value, tuple):
        index = int(name)
        return (*value[:index], _changed(value[index], steps[1:], change, path), *value[index + 1 :])
    return replace(value, **{name: _changed(getattr(value, name), steps[1:], change, path)})


def _field(value: Any, step: str, path: str) -> str:
    """The field of a part (or the index of a tuple) that a step of `path` names."""
    part_like = dataclasses.is_dataclass(value) and not isinstance(value, type)
    known = [field.name for field in dataclasses.fields(value)] if part_like else []
    if isinstance(value, tuple):
        known = [str(index) for index in range(len(value))]
    spelt = step.replace("-", "_")
    for name in (spelt, spelt + "_"):
        if name in known:
            return name
    near = difflib.get_close_matches(spelt, known, 3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(known) or 'no fields'}"
    raise ValueError(f"{path}: {type(value).__name__} has no field called {step!r}; {hint}")
