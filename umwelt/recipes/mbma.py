"""Proximal policy optimisation that tries seven further actions in each state that was met, in dreams of five steps."""

from umwelt.behaviours import PPO, ManyActions, OnPolicy
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.models import Ensemble
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="on-policy: several actions in each state, one lived and the others dreamed in an ensemble; give the world 16 rows",
    family="on-policy",
    needs=("boxes", "choices"),
    cites=("mbma_2023", "ppo_2017", "gae_2016", "pets_2018"),
    budget="100,000 decisions",
)
def mbma(world: World) -> Life:
    model = Ensemble(members=3, layers=2, units=64, propagation="one", share=1.0)
    agent = OnPolicy(learner=ManyActions(model=model, learner=PPO()), horizon=128)
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=0, learn_every=128, updates=1, chunk=512))
