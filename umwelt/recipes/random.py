"""The agent that acts at random, as a recipe: the floor of every table."""

from umwelt.behaviours import RandomAgent
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="draws every action uniformly; the floor of every table",
    family="random",
    needs=("boxes", "choices", "pictures"),
    budget="as fast as the world",
)
def random(world: World) -> Life:
    return Life(world=world, agent=RandomAgent(), teacher=Blocks(), rhythm=Rhythm(random=0, updates=0, chunk=200))
