"""Soft actor-critic behind the world's guard: avoiding stands above reaching."""

from umwelt.behaviours import Guarded
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.recipes.recipe import recipe
from umwelt.recipes.sac import sac
from umwelt.recipes.variation import around, varied


@recipe(
    summary="a learner behind a guard, for worlds that say what is allowed, such as the built-in world links",
    family="model-free",
    needs=("guard", "boxes"),
    cites=("sac_2018",),
    budget="20,000 decisions",
)
def safe_states(world: World) -> Life:
    return varied(sac(world), {"agent": around(lambda agent: Guarded(agent=agent, world=world))})
