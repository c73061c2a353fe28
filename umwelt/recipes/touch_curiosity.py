"""Soft actor-critic on the arm that feels, paid for what it feels and does not expect.

The world is `umwelt.worlds.touching(Arm())`; in any other world of boxes the last entries of the observation stand for
touch, as many as a third.
"""

from umwelt.behaviours import SAC, ModelFree, Rewarded
from umwelt.core import spaces
from umwelt.core.contracts import World
from umwelt.curiosity import Mismatch
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="soft actor-critic, paid where feeling and seeing part",
    family="model-free",
    needs=("boxes",),
    cites=("touch_curiosity_2021",),
    budget="20,000 decisions",
)
def touch_curiosity(world: World) -> Life:
    width = spaces.width(world.spec.observation)
    felt = max(1, round(0.3 * width))
    curiosity = Mismatch(expected=tuple(range(width - felt, width)))
    agent = ModelFree(learner=Rewarded(learner=SAC(), curiosity=curiosity), memory=Ring())
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=200, learn_every=1, updates=1, chunk=100))
