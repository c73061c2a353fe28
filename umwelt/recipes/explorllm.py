"""A model-free learner that takes some of its actions from an adviser that is often wrong: here the world's own expert."""

from umwelt.behaviours import DQN, SAC, Advised, ModelFree
from umwelt.core import Discrete
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks
from umwelt.worlds.advice import Advice


@recipe(
    summary="an adviser that is often wrong chooses a fifth of the actions of a model-free learner",
    family="model-free",
    needs=("choices", "boxes"),
    cites=("explorllm_2024",),
    budget="48,000 decisions",
)
def explorllm(world: World) -> Life:
    learner = DQN() if isinstance(world.spec.action, Discrete) else SAC()
    agent = Advised(agent=ModelFree(learner=learner, memory=Ring(), batch=128), suggest=Advice(world=world, wrong=0.4))
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=200, learn_every=1, updates=1, chunk=100))
