"""Q-learning for the task and for a bonus, and values of options that choose which way to explore."""

from umwelt.behaviours import DQN, Mixed, Rewarded
from umwelt.core.contracts import World
from umwelt.curiosity import Distilled
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="option values choose among random, held, curious and greedy actions; probes follow the task's values",
    family="model-free",
    needs=("choices",),
    cites=("lesson_2023",),
    budget="64,000 decisions",
)
def lesson(world: World) -> Life:
    seeking = Rewarded(learner=DQN(units=64), curiosity=Distilled(), instead=True)
    agent = Mixed(task=DQN(), curious=seeking, memory=Ring(bytes=16_000_000))
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=200, learn_every=1, updates=1, chunk=100))
