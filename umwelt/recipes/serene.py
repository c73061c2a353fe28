"""Novelty search with emitters, as a recipe: a population whose individuals live an episode each."""

from umwelt.behaviours import Evolved, Reacting
from umwelt.core.contracts import World
from umwelt.curiosity import Novelty, Serene
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="a population: novelty search, and emitters that climb the rewards it finds",
    family="population",
    needs=("boxes", "choices"),
    cites=("serene_2021",),
    budget="some 10,000 episodes; give the world many rows, one for each individual",
)
def serene(world: World) -> Life:
    agent = Evolved(search=Serene(search=Novelty()), policy=Reacting())
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=0, learn_every=1, updates=1, chunk=100))
