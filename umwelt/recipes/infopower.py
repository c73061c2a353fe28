"""A model-free learner that is paid for states in which what follows shows what it did."""

from umwelt.behaviours import DQN, SAC, ModelFree, Rewarded
from umwelt.core import Discrete
from umwelt.core.contracts import World
from umwelt.curiosity import Empowerment
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="Q-learning or soft actor-critic, paid for the empowerment of where it is",
    family="model-free",
    needs=("boxes", "choices"),
    cites=("infopower_2022",),
    budget="20,000 decisions",
)
def infopower(world: World) -> Life:
    learner = DQN() if isinstance(world.spec.action, Discrete) else SAC()
    curiosity = Empowerment(choices=isinstance(world.spec.action, Discrete))
    agent = ModelFree(learner=Rewarded(learner=learner, curiosity=curiosity), memory=Ring(), batch=128)
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=200, learn_every=1, updates=1, chunk=100))
