"""Soft actor-critic that is pulled towards actions which tell much about the world."""

from umwelt.behaviours import SAC, Informed, ModelFree
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="soft actor-critic whose entropy is joined by the information of an ensemble",
    family="model-free",
    needs=("boxes", "choices"),
    cites=("maxinforl_2025",),
    budget="10,000 decisions",
)
def maxinforl(world: World) -> Life:
    agent = ModelFree(learner=SAC(pull=Informed()), memory=Ring())
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=100, learn_every=1, updates=1, chunk=100))
