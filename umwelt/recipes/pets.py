"""Probabilistic ensembles with trajectory sampling.

The published system trains its ensemble after each episode. Ours trains after every few decisions, for the same number
of updates, so that learning never stops a life for long. In a probe, plans that the members disagree about are worth
less.
"""

from umwelt.behaviours import ModelPredictive
from umwelt.core import Objective
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.models import Ensemble
from umwelt.planners import CEM
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="probabilistic ensemble + CEM, planning at every step",
    family="sampling planner",
    needs=("boxes", "choices"),
    cites=("pets_2018",),
    budget="2,000 decisions",
)
def pets(world: World) -> Life:
    agent = ModelPredictive(
        model=Ensemble(units=64),
        planner=CEM(samples=100, horizon=20, iterations=3, elites=10),
        memory=Ring(),
        examined=Objective(doubt=-0.3),
        batch=640,
    )
    return Life(
        world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=200, learn_every=10, updates=50, first_updates=1000)
    )
