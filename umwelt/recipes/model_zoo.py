"""A growing set of small models of the world under a sampling planner; each new one learns beside its task an old one.

The published system classifies pictures and has neither actions nor a planner. Here each model predicts a world whose tasks
are announced (`--announced`), and the mean of those that learned a task is planned in. The old task is the one that the set
predicts worst, where the paper draws it.
"""

from umwelt.behaviours import ModelPredictive
from umwelt.core import Objective
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Lifelong
from umwelt.models import Ensemble
from umwelt.planners import ICEM
from umwelt.recipes.recipe import recipe
from umwelt.retention import Zoo
from umwelt.teachers import Blocks


@recipe(
    summary="a growing set of small models, each learns its announced task and a bad old one + iCEM",
    family="sampling planner",
    needs=("boxes", "choices"),
    cites=("model_zoo_2022",),
    budget="500 decisions for each task",
)
def model_zoo(world: World) -> Life:
    model = Zoo(model=Ensemble(members=1, layers=2, units=32, propagation="mean", noisy=False, beta=1.0, share=1.0))
    agent = ModelPredictive(
        model=model,
        planner=ICEM(samples=64, horizon=15, iterations=3, elites=8),
        memory=Lifelong(),
        objective=Objective(),
        examined=Objective(),
        batch=128,
    )
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=200, learn_every=10, updates=20))
