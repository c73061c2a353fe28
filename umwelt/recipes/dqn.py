"""The model-free baseline over choices: double Q-learning, one update for each decision."""

from umwelt.behaviours import DQN, ModelFree
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="model-free: values of every choice, with a target network",
    family="model-free",
    needs=("choices",),
    cites=("double_dqn_2016",),
    budget="40,000 decisions",
)
def dqn(world: World) -> Life:
    agent = ModelFree(learner=DQN(), memory=Ring(), batch=128)
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=200, learn_every=1, updates=1, chunk=100))
