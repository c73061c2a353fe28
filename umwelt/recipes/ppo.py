"""The on-policy baseline: rollouts of the present policy, several passes over each, and then they are forgotten."""

from umwelt.behaviours import PPO, OnPolicy
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="on-policy: proximal policy optimisation with generalised advantages; give the world 16 rows or more",
    family="on-policy",
    needs=("boxes", "choices"),
    cites=("ppo_2017", "gae_2016"),
    budget="300,000 decisions",
)
def ppo(world: World) -> Life:
    agent = OnPolicy(learner=PPO(), horizon=128)
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=0, learn_every=128, updates=1, chunk=512))
