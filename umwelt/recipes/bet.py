"""Behaviour transformer: cloning of several habits, by naming one of a few typical actions and correcting it."""

from umwelt.behaviours import BeT, Sequenced
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Trajectories
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="a transformer that draws one of k typical actions and corrects it, so that it follows one habit of many",
    family="sequences",
    needs=("boxes", "data"),
    cites=("bet_2022",),
    budget="6,000 lessons of shown experience",
)
def bet(world: World) -> Life:
    agent = Sequenced(learner=BeT(), memory=Trajectories(length=10))
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(study=6000, random=0, updates=1, chunk=100))
