"""Cloning of what was only watched: guess the actions by one's own body, imitate, live, and guess better."""

from umwelt.behaviours import Labelled
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="imitation of watched episodes without actions, by a model of one's own body that is learned while living",
    family="offline",
    needs=("boxes", "choices", "data"),
    cites=("abco_2020", "bain_sammut_1995"),
    budget="30,000 decisions after ten watched episodes",
)
def abco(world: World) -> Life:
    return Life(world=world, agent=Labelled(), teacher=Blocks(), rhythm=Rhythm(random=5000, updates=1, chunk=100))
