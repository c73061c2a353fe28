"""A linear model whose planner chooses the most informative input at every step.

Give the terms of the equation of motion as `agent.model.features`. In a world of boxes `umwelt.planners.Informative` is
the closed form of the published system.
"""

from umwelt.behaviours import ModelPredictive
from umwelt.core import Objective
from umwelt.core.contracts import World
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.models import Linear
from umwelt.planners import Shooting
from umwelt.recipes.recipe import recipe
from umwelt.teachers import Blocks


@recipe(
    summary="linear model with given features; chooses the most informative inputs",
    family="sampling planner",
    needs=("boxes", "choices"),
    cites=("flex_2023",),
    budget="300 decisions",
)
def flex(world: World) -> Life:
    agent = ModelPredictive(model=Linear(), planner=Shooting(samples=64, horizon=2), objective=Objective(reward=0.0, doubt=1.0))
    return Life(world=world, agent=agent, teacher=Blocks(), rhythm=Rhythm(random=5, learn_every=1, updates=1))
