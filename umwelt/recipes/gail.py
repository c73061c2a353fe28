"""Imitation against a judge: soft actor-critic that is paid for being taken for the expert."""

from umwelt.behaviours import SAC, Discriminator, Judged, ModelFree, Standard
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Both
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="adversarial imitation off policy: a judge separates shown from lived moments, and its slopes are kept small",
    family="model-free",
    needs=("boxes", "choices", "data"),
    cites=("gail_2016", "lipschitz_gail_2022"),
    budget="10,000 decisions beside a few shown episodes",
)
def gail(world: World) -> Life:
    learner = Standard(learner=Judged(learner=SAC(), judge=Discriminator()), lessons=2000)
    agent = ModelFree(learner=learner, memory=Both(share=0.5), batch=256)
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=500, learn_every=1, updates=1, chunk=100))
