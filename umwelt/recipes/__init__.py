"""Recipes: one file is one published system, a function from a world to a life, with its card.

    from umwelt.recipes.pets import pets
    umwelt.live(pets(umwelt.worlds.Pendulum()), steps=2000)

`names()` lists them, `load(name)` imports one, and `ALL` is both, as a mapping. A file `NAME.py` in this folder that
holds a `Recipe` called NAME is a recipe; other packages add theirs by the entry point group `umwelt.recipes`.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Iterator, Mapping

from umwelt.recipes.plugins import plugins
from umwelt.recipes.recipe import Need, Recipe, recipe
from umwelt.recipes.variation import around, varied, vary

TOOLS = ("citations", "plugins", "recipe", "variation")
"""Files of this folder that hold no recipe."""

__all__ = ["ALL", "Need", "Recipe", "around", "load", "names", "recipe", "varied", "vary"]


def names() -> tuple[str, ...]:
    """The names of all recipes, those of other packages last. None is imported."""
    own = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in TOOLS)
    return (*own, *sorted(set(plugins("recipes")) - set(own)))


def load(name: str) -> Recipe:
    """Import the recipe called `name`; an unknown name is a KeyError that names the nearest ones."""
    known = names()
    if name not in known:
        near = difflib.get_close_matches(name, known, 3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
        raise KeyError(f"there is no recipe called {name!r}; {hint}")
    outside = plugins("recipes")
    own = any(module.name == name for module in pkgutil.iter_modules(__path__))
    found = getattr(importlib.import_module(f"{__name__}.{name}"), name, None) if own else outside[name].load()
    if not isinstance(found, Recipe):
        where = f"{__name__}.{name}" if own else outside[name].value
        raise TypeError(f"{where} holds no Recipe called {name}; decorate a function of that name with @umwelt.recipes.recipe")
    return found


class _All(Mapping[str, Recipe]):
    """Every recipe by its name, imported when it is asked for."""

    def __getitem__(self, name: str) -> Recipe:
        return load(name)

    def __contains__(self, name: object) -> bool:
        return name in names()

    def __iter__(self) -> Iterator[str]:
        return iter(names())

    def __len__(self) -> int:
        return len(names())


ALL: Mapping[str, Recipe] = _All()
