"""Cloning of walks that were named at their end and verified."""

from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.memory.walks import Explored
from umwelt.recipes.cloning import cloning
from umwelt.recipes.recipe import recipe
from umwelt.recipes.variation import varied


@recipe(
    summary="a clone of walks without an aim, each named by what it did; for pages, such as umwelt.worlds:Page",
    family="offline",
    needs=("choices", "data"),
    cites=("explorer_2025",),
    budget="6,000 lessons of 3,000 walks",
)
def explorer(world: World) -> Life:
    life = cloning.make(world)
    return varied(life, {"shown": (Explored(world=world, walks=3000),)}) if hasattr(world, "fields") else life
