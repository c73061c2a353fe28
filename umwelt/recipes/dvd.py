"""Diversity by determinants, as a recipe: five policies that evolve together and do different things."""

from umwelt.behaviours import Answers, Evolved, Reacting
from umwelt.core.contracts import World
from umwelt.curiosity import Diverse
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.networks.inside import with_batch
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="a population by evolution strategies, paid for the volume that its policies span",
    family="population",
    needs=("boxes", "choices"),
    cites=("dvd_2020",),
    budget="some 10,000 episodes; rows are ten, or the multiple of ten that the world has",
)
def dvd(world: World) -> Life:
    search = Diverse(members=5)
    pair = 2 * search.members
    rows = pair * max(1, world.spec.batch // pair)
    agent = Evolved(search=search, policy=Reacting(units=16), traits=Answers())
    rhythm = Rhythm(random=0, learn_every=1, updates=1, chunk=100)
    return Life(world=with_batch(world, rows), agent=agent, teacher=Blocks(), rhythm=rhythm)
