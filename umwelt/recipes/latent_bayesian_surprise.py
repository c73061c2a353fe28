"""A model-free learner that is paid for how far seeing changes a latent belief."""

from umwelt.behaviours import DQN, SAC, ModelFree, Rewarded
from umwelt.core import Discrete
from umwelt.core.contracts import World
from umwelt.curiosity import LatentSurprise
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="Q-learning or soft actor-critic, paid for the divergence of latent beliefs",
    family="model-free",
    needs=("boxes", "choices"),
    cites=("latent_bayesian_surprise_2022",),
    budget="20,000 decisions",
)
def latent_bayesian_surprise(world: World) -> Life:
    learner = DQN() if isinstance(world.spec.action, Discrete) else SAC()
    agent = ModelFree(learner=Rewarded(learner=learner, curiosity=LatentSurprise()), memory=Ring(), batch=128)
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=200, learn_every=1, updates=1, chunk=100))
