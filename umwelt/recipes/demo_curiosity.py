"""Q-learning that is paid for progress, as a model of it learned from runs of others that it has watched.

Give the runs by `Life.shown`, or `--shown FOLDER`. Without any, the first ticks of its own life are taken as runs.
"""

from umwelt.behaviours import DQN, Curious, ModelFree
from umwelt.core.contracts import World
from umwelt.curiosity import Progress
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="Q-learning with a bonus for progress, learned from runs of others",
    family="model-free",
    needs=("choices",),
    cites=("demo_curiosity_2023",),
    budget="48,000 decisions",
)
def demo_curiosity(world: World) -> Life:
    agent = ModelFree(learner=DQN(), memory=Ring(), batch=128)
    curious = Curious(agent=agent, curiosity=Progress(lag=4), weight=0.1, normalised=False)
    return Life(world=world, agent=curious, teacher=Blocks(), rhythm=Rhythm(random=200, learn_every=1, updates=1, chunk=100))
