"""The model-free baseline over choices: double Q-learning, one update for each decision.

Pictures are kept as bytes, in a larger memory, and read by convolutions. There an update draws 32 transitions and follows
every fourth decision, as in "Human-level control through deep reinforcement learning" (2015).
"""

from umwelt.behaviours import DQN, ModelFree
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe, shown_pictures
from umwelt.teachers import Blocks


@recipe(
    summary="model-free: values of every choice, with a target network",
    family="model-free",
    needs=("choices", "pictures"),
    cites=("double_dqn_2016",),
    budget="40,000 decisions",
)
def dqn(world: World) -> Life:
    memory, batch, every = (Ring(bytes=256_000_000), 32, 4) if shown_pictures(world) else (Ring(), 128, 1)
    agent = ModelFree(learner=DQN(), memory=memory, batch=batch)
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=200, learn_every=every, updates=1, chunk=100))
