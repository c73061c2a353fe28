"""The online linear world model under a sampling planner.

The works plan with iCEM in a model that learns each transition once and never rehearses it. Ours differs: the solver is
exact, sums are float64, and the planner seeks the model's doubt while it lives, but not in a probe.
"""

from umwelt.behaviours import ModelPredictive
from umwelt.core import Objective
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.models import Losse
from umwelt.planners import ICEM
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="online linear world model + iCEM; learns each transition once, without replay",
    family="sampling planner",
    needs=("boxes", "choices"),
    cites=("losse_2024", "online_agent_2025"),
    budget="about 5,000 decisions",
)
def losse_mpc(world: World) -> Life:
    planner = ICEM(samples=128, horizon=15, iterations=3)
    agent = ModelPredictive(model=Losse(), planner=planner, objective=Objective(doubt=0.5))
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=200, learn_every=50, updates=0))
