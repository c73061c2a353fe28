"""Return to a place that was seen seldom, and explore from there at random."""

from umwelt.behaviours import RandomAgent
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Returning
from umwelt.worlds import Restarted, limited
from umwelt.worlds.restarted import Rounded


@recipe(
    summary="exploration from stored states: return first, then act at random, each action held for a while",
    family="model-free",
    needs=("choices", "boxes"),
    cites=("go_explore_2019",),
    budget="100,000 decisions; it leaves a shelf of places, not a policy",
)
def go_explore(world: World) -> Life:
    shelf = Restarted(world=limited(world, 100), cells=Rounded(edge=0.5, slots=4096), slots=4096)
    return Life(world=shelf, agent=RandomAgent(hold=20.0), teacher=Returning(), rhythm=Rhythm(random=0, updates=0, chunk=200))
