"""One network makes the weights of a small model of the world for each announced task; a planner acts in it.

Only what is newest is kept: old tasks are held by what was answered for them. Announce the tasks (`--announced`), or there
is one. The published system plans by CEM, penalises answers one step ahead, and makes a network of four layers in chunks of
4,000 weights; ours plans by iCEM, and makes a smaller one in smaller pieces.
"""

from umwelt.behaviours import ModelPredictive
from umwelt.core import Objective
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Lifelong, Newest
from umwelt.models import Ensemble
from umwelt.planners import ICEM
from umwelt.recipes.recipe import recipe
from umwelt.retention import Hypernetwork
from umwelt.teachers import Blocks


@recipe(
    summary="a hypernetwork that makes a model for each announced task + iCEM; keeps no data of old tasks",
    family="sampling planner",
    needs=("boxes", "choices"),
    cites=("hypercrl_2021", "hypernetworks_2020"),
    budget="600 decisions for each task",
)
def hypercrl(world: World) -> Life:
    inner = Ensemble(members=1, layers=2, units=32, propagation="mean", noisy=False, beta=1.0, share=1.0)
    agent = ModelPredictive(
        model=Hypernetwork(model=inner),
        planner=ICEM(samples=64, horizon=15, iterations=3, elites=8),
        memory=Lifelong(bytes=40_000, keep=Newest()),
        objective=Objective(),
        examined=Objective(),
        batch=64,
    )
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=200, learn_every=10, updates=10))
