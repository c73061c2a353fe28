"""Novelty search in a learned behaviour space, as a recipe."""

from umwelt.behaviours import Evolved, Reacting
from umwelt.core.contracts import World
from umwelt.curiosity import Encoded, Novelty
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="a population: novelty and surprise in the code of an autoencoder of the end of an episode",
    family="population",
    needs=("boxes", "choices"),
    cites=("taxons_2022",),
    budget="some 10,000 episodes; give the world many rows, one for each individual",
)
def taxons(world: World) -> Life:
    agent = Evolved(search=Novelty(descriptor=Encoded(), surprise=True), policy=Reacting())
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=0, learn_every=1, updates=1, chunk=100))
