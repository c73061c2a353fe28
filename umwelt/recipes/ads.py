"""Imitation of watched episodes, with a discount that grows with the number of steps that are followed."""

from umwelt.behaviours import SAC, Following, ModelFree, Shortened
from umwelt.core import innermost
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="rewards by optimal transport to watched episodes, all of the world's time limit; looks no further than it follows",
    family="model-free",
    needs=("boxes", "choices", "data"),
    cites=("ads_2024",),
    budget="15,000 decisions beside a few watched episodes",
)
def ads(world: World) -> Life:
    learner = Shortened(learner=SAC())
    inner = ModelFree(learner=learner, memory=Ring(), batch=256)
    agent = Following(inner=inner, steps=getattr(innermost(world), "time_limit", 50))
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=500, learn_every=1, updates=1, chunk=100))
