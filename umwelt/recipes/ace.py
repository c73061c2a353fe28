"""Soft actor-critic whose entropy weighs the entries of an action by what they cause of the reward.

A network whose gradients fall asleep is shaken (`umwelt.retention.Shaken`).
"""

from umwelt.behaviours import SAC, Causal, ModelFree
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.retention import Shaken
from umwelt.teachers import Blocks


@recipe(
    summary="soft actor-critic, as random in each entry of an action as that entry matters",
    family="model-free",
    needs=("boxes",),
    cites=("ace_2024",),
    budget="30,000 decisions",
)
def ace(world: World) -> Life:
    agent = ModelFree(learner=SAC(weigh=Causal(), protection=Shaken()), memory=Ring())
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=100, learn_every=1, updates=1, chunk=100))
