"""The model-free baseline over boxes: soft actor-critic, one update for each decision."""

from umwelt.behaviours import SAC, ModelFree
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="model-free: a stochastic policy and two critics",
    family="model-free",
    needs=("boxes", "choices"),
    cites=("sac_2018",),
    budget="30,000 decisions",
)
def sac(world: World) -> Life:
    agent = ModelFree(learner=SAC(), memory=Ring())
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=100, learn_every=1, updates=1, chunk=100))
