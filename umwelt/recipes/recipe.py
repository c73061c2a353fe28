"""A recipe: a named function from a world to a life, with its card."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Literal

from umwelt.core import Box, Discrete, capability, part, spaces
from umwelt.core.contracts import Agent, World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.networks.form import form, pictures
from umwelt.worlds import Cartpole, Links, Pendulum

Need = Literal["boxes", "choices", "pictures", "goals", "guard", "data"]
NEEDS: tuple[Need, ...] = ("boxes", "choices", "pictures", "goals", "guard", "data")
"""Worlds of continuous actions, of choices, of pictures; worlds with `achieved` goals, with a `guard`; shown experience."""


@part
class Recipe:
    """A published system as a function `make(world, ...) -> Life`, and its card.

    Call it with a world: `pets(Pendulum())`, or with one of its sizes: `dreamer_v3(world, size="2M")`.
    """

    name: str
    """The name of its file."""
    summary: str
    """One line."""
    family: str
    """Recipes of one family run the same program up to sizes and losses."""
    make: Callable[..., Life]
    """World and options -> Life."""
    needs: tuple[Need, ...]
    """Worlds that it fits: boxes, choices or both, and pictures where it reads them; goals, a guard and data where it cannot
    do without."""
    cites: tuple[str, ...] = ()
    """Keys of references.bib."""
    sizes: tuple[str, ...] = ()
    """Values of the option `size`, the default first; empty where there is one size."""
    budget: str = ""
    """What a run takes."""
    repeats: Mapping[str, int] = field(default_factory=dict)
    """Adapter -> frames of a decision, as published; `--world.repeat` overrides it."""

    def __call__(self, world: World, size: str | None = None, **options: Any) -> Life:
        """Make the life of this recipe in `world`; `size` is one of `sizes`."""
        if size is not None and not self.sizes:
            raise ValueError(f"size={size!r}: the recipe {self.name} comes in one size; leave it out")
        if size is not None and size not in self.sizes:
            near = difflib.get_close_matches(size, self.sizes, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.sizes)}"
            raise ValueError(f"size={size!r}: the recipe {self.name} has no such size; {hint}")
        return self.make(world, **options, **({} if size is None else {"size": size}))

    @property
    def example(self) -> Life:
        """The life in a small built-in world that the recipe fits."""
        return self({"choices": Cartpole(), "guard": Links()}.get(self.needs[0], Pendulum()))

    @property
    def agent(self) -> Agent:
        """The agent of the example."""
        return self.example.agent

    @property
    def rhythm(self) -> Rhythm:
        """The rhythm of the example."""
        return self.example.rhythm


def recipe(
    *,
    summary: str,
    family: str,
    needs: tuple[Need, ...],
    cites: tuple[str, ...] = (),
    sizes: tuple[str, ...] = (),
    budget: str = "",
    repeats: Mapping[str, int] | None = None,
) -> Callable[[Callable[..., Life]], Recipe]:
    """Make a recipe of a function from a world to a life; the function's name is the recipe's."""

    def made(make: Callable[..., Life]) -> Recipe:
        return Recipe(
            name=make.__name__,
            summary=summary,
            family=family,
            make=make,
            needs=needs,
            cites=cites,
            sizes=sizes,
            budget=budget,
            repeats=dict(repeats or {}),
        )

    return made


def shown_pictures(world: World) -> list[Box]:
    """The leaves of a world's observation that are pictures; see `umwelt.networks.form.pictures`."""
    return pictures(form(world.spec.observation))


def lacking(recipe: Recipe, life: Life) -> str:
    """Say in a sentence what the world of `life` lacks of what the recipe needs; empty where nothing is missing."""
    spec = life.world.spec
    actions = {"choices" if isinstance(leaf, Discrete) else "boxes" for leaf in spaces.leaves(spec.action)}
    if "guard" in recipe.needs and capability(life.world, "guard") is None:
        return f"it needs a guard, and {spec.name} does not say which actions are allowed (`guard`)"
    if not actions & set(recipe.needs):
        kinds = " or ".join(kind for kind in recipe.needs if kind in ("boxes", "choices"))
        return f"it needs actions that are {kinds}, and those of {spec.name} are {' and '.join(sorted(actions))}"
    shown = shown_pictures(life.world)
    if shown and "pictures" not in recipe.needs:
        return f"it reads no pictures, and {spec.name} shows {shown[0].shape}"
    if "goals" in recipe.needs and capability(life.world, "achieved") is None:
        return f"it needs goals, and {spec.name} does not say which goal an observation achieves (`achieved`)"
    if "data" in recipe.needs and not life.shown:
        return "it learns from shown experience; give some by `--shown PATH`, or `Life.shown`"
    return ""
