"""Behaviour cloning: the policy that makes shown actions likely, probed with averaged weights."""

from umwelt.behaviours import Averaged, Cloning, ModelFree, Standard
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="behaviour cloning: a policy that does what was shown",
    family="offline",
    needs=("boxes", "choices", "data"),
    cites=("bain_sammut_1995", "butterfly_2024"),
    budget="6,000 lessons of shown experience",
)
def cloning(world: World) -> Life:
    agent = ModelFree(learner=Standard(learner=Averaged(learner=Cloning())), memory=Ring())
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(study=6000, random=0, updates=1, chunk=100))
