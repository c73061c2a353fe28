"""Reparameterised policy: each episode draws a way of doing things and acts by it, so that several are kept alive."""

from umwelt.behaviours import SAC, ModelFree, Reparameterised, Ways
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="soft actor-critic with a way that is drawn once an episode; distinct ways are paid; without a model",
    family="model-free",
    needs=("boxes", "choices"),
    cites=("rpg_2023", "sac_2018"),
    budget="20,000 decisions",
)
def rpg(world: World) -> Life:
    inner = ModelFree(learner=Reparameterised(learner=SAC()), memory=Ring(), batch=256)
    return Life(
        world=world,
        agent=Ways(inner=inner),
        teacher=Blocks(),
        rhythm=Rhythm(random=500, learn_every=1, updates=1, chunk=100),
    )
